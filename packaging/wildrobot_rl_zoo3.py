"""Makes `python -m rl_zoo3.train` know AMPPPO and WildRobot's environments.

rl_zoo3 reads its list of algorithms before it imports what `--gym-packages` names. So this module,
which `wildrobot_rl_zoo3.pth` imports when Python starts, waits for the import of rl_zoo3's manager
and then calls `wildrobot_gym.experiments.zoo.registration.register`. It imports nothing else, and
does nothing in a program without rl_zoo3.
"""

import importlib.util
import sys

AWAITED = "rl_zoo3.exp_manager"


class _Finder:
    """Finds the awaited module as Python does, with a loader that registers afterwards."""

    def find_spec(self, name, path=None, target=None):
        if name != AWAITED:
            return None
        sys.meta_path.remove(self)  # before the search, which would come here again
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module):
                run(module)
                _register()

            spec.loader.exec_module = run_and_register
        return spec


def _register():
    try:
        from wildrobot_gym.experiments.zoo.registration import register

        register()
    except ImportError as error:
        print(f"rl_zoo3 runs without amp_ppo: {error}", file=sys.stderr)


def install():
    """Wait for rl_zoo3's manager; at once, if it is imported already."""
    if AWAITED in sys.modules:
        _register()
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
