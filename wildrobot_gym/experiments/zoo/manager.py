"""rl_zoo3's `ExperimentManager`, with one reader of settings and with batched environments."""

from __future__ import annotations

import functools
import importlib.util
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import yaml
from rl_zoo3.exp_manager import ExperimentManager
from rl_zoo3.hyperparams_opt import HYPERPARAMS_SAMPLER

from amp_sbx.common.schedules import parse_schedule
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.zoo.callback import PolicyCallback
from wildrobot_gym.experiments.zoo.tuning import sample_amp_ppo
from wildrobot_gym.experiments.zoo.vec_env import batched_vec_env, is_batched, wrapper_error
from wildrobot_gym.paths import CONFIGS
from wildrobot_gym.training.config import find_config, override
from wildrobot_gym.training.config.for_zoo import AMP_PPO, zoo_settings
from wildrobot_gym.training.config.policy_kwargs import parse_policy_kwargs

_CALLBACK = f"{PolicyCallback.__module__}.{PolicyCallback.__qualname__}"


class WildRobotManager(ExperimentManager):
    """Reads files of both forms, for AMPPPO and WildRobot's environments, and batches the robots.

    For other algorithms on other environments it is rl_zoo3's own.
    """

    default_vec_env_cls: Any = staticmethod(
        batched_vec_env
    )  # read from the class by `rl_zoo3.enjoy`

    def __init__(self, args: Any, algo: str, env_id: str, *more: Any, **options: Any) -> None:
        batched = is_batched(env_id)
        self._batched = batched and options.get("vec_env_type", "dummy") != "subproc"
        self._own = batched or algo == AMP_PPO
        self.default_vec_env_cls = batched_vec_env if self._batched else None
        super().__init__(args, algo, env_id, *more, **options)
        shipped = CONFIGS / "hyperparams" / f"{algo}.yml"
        if self._own and not options.get("config") and shipped.is_file():
            self.config = str(shipped)

    def read_hyperparameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read the file; `-params amp.weight:0.2` and `--env-kwargs` change parts of a section."""
        if not self._own or _is_python(self.config):
            return super().read_hyperparameters()
        env_id = self.env_name.gym_id
        settings = zoo_settings(self.config, env_id, self.algo)
        print(f"Settings of {env_id} from {find_config(self.config)}")
        if settings.left_out:
            listed = ", ".join(f"{key} ({option})" for key, option in settings.left_out.items())
            print(f"rl_zoo3 takes these as options only, so the file's are not used: {listed}")
        for key, value in self.env_kwargs.items():
            override(settings.hyperparameters, f"env_kwargs.{key}", value)
        self.env_kwargs = {}
        given = self.config
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "hyperparameters.yml"  # as rl_zoo3 reads it
            path.write_text(yaml.safe_dump({env_id: settings.hyperparameters}))
            self.config = str(path)
            try:
                hyperparams, _ = super().read_hyperparameters()
            finally:
                self.config = given
        for key in [key for key in hyperparams if "." in key]:
            override(hyperparams, key, hyperparams.pop(key))
        return hyperparams, OrderedDict(sorted(hyperparams.items()))

    def _preprocess_hyperparams(self, hyperparams: dict[str, Any]) -> Any:
        if not self._own:
            return super()._preprocess_hyperparams(hyperparams)
        if self._batched and hyperparams.get("env_wrapper"):
            raise wrapper_error(str(hyperparams["env_wrapper"]), self.env_name.gym_id)
        if self.algo == AMP_PPO:
            self._prepare_amp(hyperparams)
        found = super()._preprocess_hyperparams(hyperparams)
        if self._eval_env_kwargs_args is None:  # rl_zoo3 forgets those of the file
            self.eval_env_kwargs = _for_evaluation(self.env_kwargs)
        return found

    @staticmethod
    def _preprocess_schedules(hyperparams: dict[str, Any]) -> dict[str, Any]:
        own = {}
        for name in ("learning_rate", "clip_range", "clip_range_vf"):
            if str(hyperparams.get(name)).count("_") > 1:  # "lin_5e-4_1e-5_0.8" is ours
                own[name] = parse_schedule(hyperparams.pop(name), name)
        return ExperimentManager._preprocess_schedules(hyperparams) | own

    def _prepare_amp(self, hyperparams: dict[str, Any]) -> None:
        """Turn the file's `amp` into the arguments of AMPPPO, and what is left into a callback."""
        if "policy_kwargs" in hyperparams:  # never evaluated
            hyperparams["policy_kwargs"] = parse_policy_kwargs(hyperparams["policy_kwargs"])
        amp = dict(hyperparams.pop("amp", None) or {})
        reference = amp.pop("reference", hyperparams.pop("reference", None))
        temperature, warm_start = amp.pop("score_temperature", 1.0), amp.pop("warm_start", None)
        if amp or reference is not None:
            hyperparams["amp"], hyperparams["reference"] = amp, reference
            if temperature != 1.0:
                hyperparams["reference"] = {"name": reference, "temperature": temperature}
        if not is_batched(self.env_name.gym_id):
            if warm_start is not None:
                raise ConfigError(
                    f"amp.warm_start needs WildRobot-v0, whose motion can be demonstrated; got"
                    f" {self.env_name.gym_id}. Leave it out."
                )
            return
        others = hyperparams.get("callback") or []
        own = {
            "env_id": self.env_name.gym_id,
            "env_kwargs": hyperparams.get("env_kwargs", {}),
            "reference": reference,
            "warm_start": None if self.continue_training else warm_start,
        }
        listed = others if isinstance(others, list) else [others]
        hyperparams["callback"] = [*listed, {_CALLBACK: own}]

    def hyperparameters_optimization(self) -> None:
        """Search as rl_zoo3 does; what is sampled of `amp` joins the file's settings."""
        if self.algo == AMP_PPO:
            amp = self._hyperparams.get("amp")
            HYPERPARAMS_SAMPLER[AMP_PPO] = functools.partial(sample_amp_ppo, amp=amp)
        super().hyperparameters_optimization()

    def _save_config(self, saved_hyperparams: dict[str, Any]) -> None:
        if self._own and self.env_kwargs:
            self.args.env_kwargs = self.env_kwargs  # `rl_zoo3.record_video` looks here only
        super()._save_config(saved_hyperparams)


def _for_evaluation(env_kwargs: dict[str, Any]) -> dict[str, Any]:
    """Whole episodes: `reset.stagger` ends the first ones early, for training."""
    if not isinstance(env_kwargs.get("reset"), dict):
        return env_kwargs
    return env_kwargs | {"reset": env_kwargs["reset"] | {"stagger": False}}


def _is_python(config: str) -> bool:
    """Whether rl_zoo3 would read settings from Python code: a .py file, or a module by name."""
    if config.endswith((".yml", ".yaml")):
        return False
    try:
        return find_config(config).suffix == ".py"
    except ConfigError:
        return importlib.util.find_spec(config.partition(".")[0]) is not None
