"""Adapter from a `gymnasium.vector.VectorEnv` to a Stable-Baselines3 `VecEnv`.

It adds little cost even with a thousand environments.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.env_util import is_wrapped
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from amp_sbx.common.autoreset import restart_finished, settle_autoreset
from amp_sbx.common.critic_infos import with_restarted
from amp_sbx.common.errors import VecEnvError
from amp_sbx.common.vec_attributes import (
    get_attributes,
    has_attribute,
    owner_of,
    sub_envs,
    wrapper_with,
)
from amp_sbx.common.vec_infos import batched_infos, complete_info, finished_infos, step_infos


def _copy_obs(observations: Any) -> VecEnvObs:
    """A copy: a vector environment may reuse its buffer at every step, or use device arrays."""
    if isinstance(observations, dict):
        return {key: np.array(value) for key, value in observations.items()}
    return np.array(observations)


class GymnasiumVecEnv(VecEnv):
    """Makes a `gymnasium.vector.VectorEnv` usable by Stable-Baselines3 and `AMPPPO`.

    Environments that are not done share one empty info dict. All other infos of the last step are
    in `batch_infos` as whole arrays, with values from before an autoreset. Infos of a finished
    episode are also in that environment's own info dict.

    Args:
        vector_env: the vector environment. Its autoreset mode is switched to
            `AutoresetMode.SAME_STEP` if it has another one, or to `DISABLED` below Gymnasium's
            vector observation wrappers.

    Attributes:
        vector_env: the vector environment.
        batch_infos: numeric infos of the last step by name, (num_envs, ...) each.

    Raises:
        VecEnvError: not a vector environment, or one whose autoreset mode cannot be switched.

    Example:
        >>> env = GymnasiumVecEnv(gymnasium.make_vec("WildRobot-v0", num_envs=64))
        >>> model = AMPPPO("MlpPolicy", env)
    """

    def __init__(self, vector_env: VectorEnv) -> None:
        if not hasattr(vector_env, "single_observation_space"):
            raise VecEnvError(
                f"GymnasiumVecEnv needs a gymnasium.vector.VectorEnv, got "
                f"{type(vector_env).__name__}; make one with gymnasium.make_vec(...), or give a "
                "single environment to SB3 directly."
            )
        self._restarts_itself = settle_autoreset(vector_env) != AutoresetMode.DISABLED
        self.vector_env = vector_env
        self.batch_infos: dict[str, np.ndarray] = {}
        self._missing: dict[str, np.ndarray] = {}
        self._shown: dict[str, Any] = {}  # infos of the observations that were returned last
        self._actions: np.ndarray | None = None
        self._start = time.time()
        num_envs = vector_env.num_envs
        self._episode_returns = np.zeros(num_envs)
        self._episode_lengths = np.zeros(num_envs, dtype=np.int64)
        super().__init__(
            num_envs, vector_env.single_observation_space, vector_env.single_action_space
        )
        if "render_fps" in vector_env.metadata:  # SB3's recorder would take 30
            self.metadata = {**self.metadata, "render_fps": vector_env.metadata["render_fps"]}

    @property
    def amp_obs(self) -> np.ndarray:
        """AMP observations (num_envs, feature_dim) of the last step, from before any autoreset.

        Raises:
            AttributeError: the environment has none; SB3's wrappers report a missing attribute.
            FeatureError: some environments have none.
        """
        missing = self._missing.get("amp_obs")
        return complete_info("amp_obs", self.batch_infos, missing, self.vector_env)

    @property
    def critic_obs(self) -> np.ndarray:
        """What the critic sees beside the last returned observations, (num_envs, critic_dim).

        Raises:
            AttributeError: the environment gave none.
            FeatureError: some environments have none.
        """
        present = self._shown.get("_critic_obs")
        missing = None if present is None else ~np.asarray(present, bool)
        whole = batched_infos({"critic_obs": self._shown.get("critic_obs")}, self.num_envs)
        return complete_info("critic_obs", whole, missing, self.vector_env)

    @property
    def spec(self) -> Any:
        """The vector environment's gymnasium spec, or None."""
        return getattr(self.vector_env, "spec", None)

    @property
    def seconds(self) -> float:
        """Seconds since this adapter was made, as `Monitor` records them for episodes."""
        return round(time.time() - self._start, 6)

    def reset(self) -> VecEnvObs:
        options = [option for option in self._options if option]
        if options and any(option != options[0] for option in self._options):
            raise VecEnvError(
                "reset options differ between environments; a vector environment takes one set."
            )
        # Gymnasium seeds environment i with `seed + i`, as VecEnv.seed does.
        observations, infos = self.vector_env.reset(
            seed=self._seeds[0], options=options[0] if options else None
        )
        self.batch_infos, self._missing = batched_infos(infos, self.num_envs), {}
        self._shown = infos
        self.reset_infos = [{}] * self.num_envs
        self._episode_returns[:] = 0.0
        self._episode_lengths[:] = 0
        self._reset_seeds()
        self._reset_options()
        return _copy_obs(observations)

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        observations, raw_rewards, terminated, truncated, infos = self.vector_env.step(
            self._actions
        )
        terminated, truncated = np.asarray(terminated, bool), np.asarray(truncated, bool)
        rewards = np.array(raw_rewards, dtype=np.float32)
        dones = terminated | truncated
        self._episode_returns += rewards
        self._episode_lengths += 1
        done_ids = np.flatnonzero(dones)
        final_info = infos.get("final_info")
        self.batch_infos, self._missing = step_infos(infos, dones)
        self._shown = infos
        observations = _copy_obs(observations)

        # A new dict each step, so that what a wrapper writes into it does not last.
        of_env: list[dict[str, Any]] = [{}] * self.num_envs
        if done_ids.size:
            final_obs = infos.get("final_obs") if self._restarts_itself else observations
            if final_obs is None:
                raise VecEnvError(
                    f"{type(self.vector_env).__name__} ended an episode without "
                    "infos['final_obs'], the terminal observation; return it from step()."
                )
            self._fill_done_infos(of_env, done_ids, final_obs, final_info, truncated & ~terminated)
            self._episode_returns[done_ids] = 0.0
            self._episode_lengths[done_ids] = 0
            if not self._restarts_itself:
                observations, firsts = restart_finished(self.vector_env, observations, dones)
                self._shown = with_restarted(infos, firsts, dones)
        return observations, rewards, dones, of_env

    def _fill_done_infos(
        self,
        of_env: list[dict[str, Any]],
        done_ids: np.ndarray,
        final_obs: Any,
        final_info: Any,
        timed_out: np.ndarray,
    ) -> None:
        now = self.seconds
        shown = self.batch_infos
        if self._restarts_itself and not isinstance(final_info, dict):
            # That is the new episode's, and nobody said what the critic saw before.
            shown = {key: array for key, array in shown.items() if key != "critic_obs"}
        own_infos = finished_infos(shown, self._missing, done_ids, final_info)
        returns, lengths = (
            self._episode_returns[done_ids].tolist(),
            self._episode_lengths[done_ids].tolist(),
        )
        for place, (index, info) in enumerate(zip(done_ids.tolist(), own_infos, strict=True)):
            if isinstance(final_obs, dict):
                info["terminal_observation"] = {
                    key: np.array(value[index]) for key, value in final_obs.items()
                }
            else:
                info["terminal_observation"] = np.array(final_obs[index])
            info["TimeLimit.truncated"] = bool(timed_out[index])
            info["episode"] = {"r": returns[place], "l": lengths[place], "t": now}
            of_env[index] = info

    def close(self) -> None:
        self.vector_env.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        images: Any = self.vector_env.render()
        if images is None:
            return [None] * self.num_envs
        return list(images) if not isinstance(images, np.ndarray) or images.ndim == 4 else [images]

    def _subset(self, values: Iterable[Any], indices: VecEnvIndices) -> list[Any]:
        values = list(values)
        return [values[index] for index in self._get_indices(indices)]

    def has_attr(self, attr_name: str) -> bool:
        """Whether the vector environment, or every sub-environment, has the attribute."""
        return has_attribute(self.vector_env, attr_name)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The vector environment's attribute, repeated, or else those of the sub-environments."""
        if not self.has_attr(attr_name):
            raise AttributeError(
                f"neither {type(self.vector_env).__name__} nor its environments have {attr_name!r}"
            )
        return self._subset(get_attributes(self.vector_env, attr_name), indices)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of a vector wrapper, or of the sub-environments, or of the whole.

        The first of these that has or can have the attribute gets it.
        """
        if (wrapper := wrapper_with(self.vector_env, attr_name)) is not None:
            self._require_all(indices, f"set_attr({attr_name!r})")
            setattr(wrapper, attr_name, value)
            return
        envs = sub_envs(self.vector_env)
        if envs is not None:
            for index in self._get_indices(indices):
                target = envs[index]
                target.set_wrapper_attr(attr_name, value)
            return
        self._require_all(indices, f"set_attr({attr_name!r})")
        if hasattr(owner := owner_of(self.vector_env, "set_attr"), "set_attr"):
            owner.set_attr(attr_name, [value] * self.num_envs)
        else:
            setattr(self.vector_env.unwrapped, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Call a method of each sub-environment.

        A method of a vector wrapper or of the vector environment is called once; its result is
        repeated.
        """
        if (wrapper := wrapper_with(self.vector_env, method_name)) is not None:
            self._require_all(indices, f"env_method({method_name!r})")
            return [getattr(wrapper, method_name)(*method_args, **method_kwargs)] * self.num_envs
        envs = sub_envs(self.vector_env)
        if envs is not None:
            chosen = [envs[index] for index in self._get_indices(indices)]
            return [
                env.get_wrapper_attr(method_name)(*method_args, **method_kwargs) for env in chosen
            ]
        self._require_all(indices, f"env_method({method_name!r})")
        if hasattr(owner := owner_of(self.vector_env, "call"), "call"):
            return list(owner.call(method_name, *method_args, **method_kwargs))
        result = getattr(owner_of(self.vector_env, method_name), method_name)(
            *method_args, **method_kwargs
        )
        return [result] * self.num_envs

    def _require_all(self, indices: VecEnvIndices, what: str) -> None:
        if indices is not None and sorted(self._get_indices(indices)) != list(range(self.num_envs)):
            raise VecEnvError(
                f"{what}: {type(self.vector_env).__name__} has no separate environments; "
                "omit indices."
            )

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        """As SB3's. `Monitor` counts as present: this adapter records the same statistics."""
        envs = sub_envs(self.vector_env)
        if issubclass(Monitor, wrapper_class):
            return [True for _ in self._get_indices(indices)]
        if envs is None:
            return [False for _ in self._get_indices(indices)]
        return [is_wrapped(envs[index], wrapper_class) for index in self._get_indices(indices)]
