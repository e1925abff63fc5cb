"""The environments alone: what `pip install wildrobot` without extras must be enough for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wildrobot_gym.extras import EXTRA_OF

ALONE = """
import sys

class Missing:
    names = set(sys.argv[1:])

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import gymnasium as gym
import wildrobot_gym as wr

env = gym.make("WildRobot-v0", render_mode="rgb_array", width=64, height=48)
obs, info = env.reset(seed=0)
print(obs.shape, env.step(env.action_space.sample())[0].shape)
env.close()
envs = gym.make_vec("WildRobot-v0", num_envs=3, reference="walk")
envs.reset(seed=0)
envs.set_commands(vx=0.4)
print(envs.step(envs.action_space.sample())[0].shape)
envs.close()
import amp_sbx
for package, name in ((wr, "load_policy"), (wr, "train"), (wr, "evaluate"), (amp_sbx, "AMPPPO")):
    try:
        getattr(package, name)
    except (wr.MissingPackageError, amp_sbx.MissingPackageError) as error:
        print(name, error)
"""


@pytest.mark.slow
def test_the_environments_work_where_no_extra_is_installed() -> None:
    """Imports of what the extras bring fail in this process, as where it is not installed."""
    missing = [*EXTRA_OF, "tqdm", "pandas", "huggingface_hub", "wandb", "onnxruntime", "rl_zoo3"]
    done = subprocess.run(
        [sys.executable, "-c", ALONE, *missing], capture_output=True, text=True, timeout=600
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == ["(39,) (39,)", "(3, 39)"], done.stderr
    assert [line.split()[0] for line in lines[2:]] == ["load_policy", "train", "evaluate", "AMPPPO"]
    assert all("pip install 'wildrobot[train]'" in line for line in lines[2:])
