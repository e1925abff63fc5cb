"""From any `gymnasium.vector.VectorEnv` to a Stable-Baselines3 `VecEnv`, cheap at a thousand environments."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from stable_baselines3.common.env_util import is_wrapped
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from amp_sbx.common.errors import FeatureError, VecEnvError


def _copy_obs(observations: Any) -> Any:
    """A private copy: a vector environment may hand out the same buffer at every step, or a device array."""
    if isinstance(observations, dict):
        return {key: np.array(value) for key, value in observations.items()}
    return np.array(observations)


def _batched(infos: dict[str, Any], num_envs: int) -> dict[str, np.ndarray]:
    """Numeric arrays of an info dict with one row per environment."""
    arrays = {}
    for key, value in infos.items():
        if (
            key.startswith("_")
            or key in ("final_obs", "final_info", "final_observation")
            or isinstance(value, dict)
        ):
            continue
        array = np.asarray(value) if hasattr(value, "shape") else None
        if (
            array is not None
            and array.dtype != object
            and array.ndim >= 1
            and array.shape[0] == num_envs
        ):
            arrays[key] = array
    return arrays


def step_infos(
    infos: dict[str, Any], dones: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What a Gymnasium vector environment's infos say of the step itself, and which rows (num_envs,) of it are missing.

    Whole arrays; in done environments the rows of `final_info`, if there is one, replace the reset's.
    """
    num_envs, final_info = len(dones), infos.get("final_info")
    batch = _batched(infos, num_envs)
    masks = {key: ~np.asarray(infos[f"_{key}"], bool) for key in batch if f"_{key}" in infos}
    if isinstance(final_info, dict):
        for key, array in _batched(final_info, num_envs).items():
            rows = np.asarray(final_info.get(f"_{key}", dones), bool) & dones
            merged = np.array(batch[key]) if key in batch else np.zeros_like(array)
            merged[rows] = array[rows]
            missing = masks.get(key, np.zeros(num_envs, bool) if key in batch else ~dones)
            batch[key], masks[key] = merged, missing & ~rows
    return batch, masks


def _owner(vector_env: VectorEnv, name: str) -> Any:
    """The outermost of the vector environment and what it wraps that has `name`: Gymnasium's vector wrappers hide it."""
    while isinstance(vector_env, VectorWrapper) and not hasattr(vector_env, name):
        vector_env = vector_env.env
    return vector_env


def _has(vector_env: VectorEnv, name: str) -> bool:
    """Whether the vector environment or else all of its sub-environments have an attribute."""
    if hasattr(_owner(vector_env, name), name):
        return True
    # Asked for this way because a failing get_attr kills the workers of an AsyncVectorEnv.
    call = getattr(_owner(vector_env, "call"), "call", None)
    return call is not None and all(call("has_wrapper_attr", name))


def _attributes(vector_env: VectorEnv, name: str) -> list[Any]:
    """What `_has` found, of every environment: the vector environment's own, repeated, or else the sub-environments'."""
    if hasattr(owner := _owner(vector_env, name), name):
        return [getattr(owner, name)] * vector_env.num_envs
    return list(_owner(vector_env, "get_attr").get_attr(name))


class GymnasiumVecEnv(VecEnv):
    """Adapter of a vector environment that resets in the same step.

    The infos of environments that are not done are one shared empty dict. Everything else an environment says about
    the last step is in `batch_infos`, as whole arrays whose values are from *before* an autoreset. An info that
    exists only per finished episode is in that environment's own info dict.

    Args:
        vector_env: anything with `metadata["autoreset_mode"] == AutoresetMode.SAME_STEP`, which puts the last
            observation of an episode into `infos["final_obs"]`.

    Raises:
        VecEnvError: not a vector environment, or another autoreset mode.
    """

    def __init__(self, vector_env: VectorEnv) -> None:
        if not hasattr(vector_env, "single_observation_space"):
            raise VecEnvError(
                f"GymnasiumVecEnv needs a gymnasium.vector.VectorEnv, got {type(vector_env).__name__}; "
                "make one with gymnasium.make_vec(...), or hand a single env to SB3 directly."
            )
        mode = (vector_env.metadata or {}).get("autoreset_mode")
        if mode not in (AutoresetMode.SAME_STEP, AutoresetMode.SAME_STEP.value):
            raise VecEnvError(
                f"{type(vector_env).__name__} autoresets in mode {mode}; SB3 needs AutoresetMode.SAME_STEP. "
                "Make it with gymnasium.make_vec(..., vector_kwargs={'autoreset_mode': "
                "gymnasium.vector.AutoresetMode.SAME_STEP}) or the environment's own autoreset_mode argument."
            )
        self.vector_env = vector_env
        self.batch_infos: dict[str, np.ndarray] = {}
        self._missing: dict[str, np.ndarray] = {}
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
        """AMP features of the last step, (num_envs, feature_dim), before any autoreset.

        An AttributeError means that the environment has none; SB3's wrappers then report it as a missing attribute.
        """
        if "amp_obs" not in self.batch_infos:
            raise AttributeError(
                f"{type(self.vector_env).__name__} gave no 'amp_obs' in the infos of the last step"
            )
        missing = self._missing.get("amp_obs")
        if missing is not None and missing.any():
            raise FeatureError(
                f"amp_obs is missing for environments {np.flatnonzero(missing)[:10].tolist()}."
            )
        return self.batch_infos["amp_obs"]

    @property
    def spec(self) -> Any:
        """The vector environment's gymnasium spec, or None."""
        return getattr(self.vector_env, "spec", None)

    def reset(self) -> VecEnvObs:
        options = [option for option in self._options if option]
        if options and any(option != options[0] for option in self._options):
            raise VecEnvError(
                "a vector environment takes one set of reset options for all environments."
            )
        # gymnasium gives environment i the seed `seed + i`, exactly what VecEnv.seed has laid out.
        observations, infos = self.vector_env.reset(
            seed=self._seeds[0], options=options[0] if options else None
        )
        self.batch_infos, self._missing = _batched(infos, self.num_envs), {}
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

        # A fresh dict each step, so that a wrapper that writes into it cannot leak into the next one.
        of_env: list[dict[str, Any]] = [{}] * self.num_envs
        if done_ids.size:
            final_obs = infos.get("final_obs")
            if final_obs is None:
                raise VecEnvError(
                    f"{type(self.vector_env).__name__} ended an episode without infos['final_obs']; the terminal "
                    "observation is needed to bootstrap time-outs."
                )
            self._fill_done_infos(of_env, done_ids, final_obs, final_info, truncated & ~terminated)
            self._episode_returns[done_ids] = 0.0
            self._episode_lengths[done_ids] = 0
        return _copy_obs(observations), rewards, dones, of_env

    def _fill_done_infos(
        self,
        of_env: list[dict[str, Any]],
        done_ids: np.ndarray,
        final_obs: Any,
        final_info: Any,
        timed_out: np.ndarray,
    ) -> None:
        now = round(time.time() - self._start, 6)
        scalars = {key: array for key, array in self.batch_infos.items() if array.ndim == 1}
        if isinstance(final_info, dict):
            scalars = {key: array for key, array in scalars.items() if key in final_info}
        # tolist() once per array: Python numbers, and far cheaper than one item() per environment.
        columns = {key: array[done_ids].tolist() for key, array in scalars.items()}
        present = {key: ~self._missing[key][done_ids] for key in columns if key in self._missing}
        returns, lengths = (
            self._episode_returns[done_ids].tolist(),
            self._episode_lengths[done_ids].tolist(),
        )
        for row, index in enumerate(done_ids.tolist()):
            info = {
                key: values[row]
                for key, values in columns.items()
                if key not in present or present[key][row]
            }
            if isinstance(final_obs, dict):
                info["terminal_observation"] = {
                    key: np.array(value[index]) for key, value in final_obs.items()
                }
            else:
                info["terminal_observation"] = np.array(final_obs[index])
            info["TimeLimit.truncated"] = bool(timed_out[index])
            info["episode"] = {"r": returns[row], "l": lengths[row], "t": now}
            of_env[index] = info

    def close(self) -> None:
        self.vector_env.close()

    def get_images(self) -> Sequence[np.ndarray | None]:
        frames: Any = self.vector_env.render()
        if frames is None:
            return [None] * self.num_envs
        return list(frames) if not isinstance(frames, np.ndarray) or frames.ndim == 4 else [frames]

    def _sub_envs(self) -> list[gym.Env] | None:
        return getattr(_owner(self.vector_env, "envs"), "envs", None)

    def _wrapper_with(self, name: str) -> VectorWrapper | None:
        """The outermost vector wrapper that itself has it, beyond what every vector environment has."""
        owner = _owner(self.vector_env, name)
        return owner if isinstance(owner, VectorWrapper) and not hasattr(VectorEnv, name) else None

    def _subset(self, values: Iterable[Any], indices: VecEnvIndices) -> list[Any]:
        values = list(values)
        return [values[index] for index in self._get_indices(indices)]

    def has_attr(self, attr_name: str) -> bool:
        return _has(self.vector_env, attr_name)

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Attribute of the vector environment (repeated for each index) or else of the sub-environments."""
        if not self.has_attr(attr_name):
            raise AttributeError(
                f"neither {type(self.vector_env).__name__} nor its environments have {attr_name!r}"
            )
        return self._subset(_attributes(self.vector_env, attr_name), indices)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set on the vector wrapper where that has it, on the sub-environments where they can be reached, else on the vector
        environment as a whole."""
        if (wrapper := self._wrapper_with(attr_name)) is not None:
            self._require_all(indices, f"set_attr({attr_name!r})")
            setattr(wrapper, attr_name, value)
            return
        envs = self._sub_envs()
        if envs is not None:
            for index in self._get_indices(indices):
                target = envs[index]
                target.set_wrapper_attr(attr_name, value)
            return
        self._require_all(indices, f"set_attr({attr_name!r})")
        if hasattr(owner := _owner(self.vector_env, "set_attr"), "set_attr"):
            owner.set_attr(attr_name, [value] * self.num_envs)
        else:
            setattr(self.vector_env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args, indices: VecEnvIndices = None, **method_kwargs
    ) -> list[Any]:
        """Call on the sub-environments where there are any; a vector wrapper's or environment's own once, result repeated."""
        if (wrapper := self._wrapper_with(method_name)) is not None:
            self._require_all(indices, f"env_method({method_name!r})")
            return [getattr(wrapper, method_name)(*method_args, **method_kwargs)] * self.num_envs
        envs = self._sub_envs()
        if envs is not None:
            chosen = [envs[index] for index in self._get_indices(indices)]
            return [
                env.get_wrapper_attr(method_name)(*method_args, **method_kwargs) for env in chosen
            ]
        self._require_all(indices, f"env_method({method_name!r})")
        if hasattr(owner := _owner(self.vector_env, "call"), "call"):
            return list(owner.call(method_name, *method_args, **method_kwargs))
        result = getattr(_owner(self.vector_env, method_name), method_name)(
            *method_args, **method_kwargs
        )
        return [result] * self.num_envs

    def _require_all(self, indices: VecEnvIndices, what: str) -> None:
        if indices is not None and sorted(self._get_indices(indices)) != list(range(self.num_envs)):
            raise VecEnvError(
                f"{what}: {type(self.vector_env).__name__} has no separate environments; leave indices out."
            )

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        """As SB3's; `Monitor` counts as present, since this adapter records the same episode statistics."""
        envs = self._sub_envs()
        if issubclass(Monitor, wrapper_class):
            return [True for _ in self._get_indices(indices)]
        if envs is None:
            return [False for _ in self._get_indices(indices)]
        return [is_wrapped(envs[index], wrapper_class) for index in self._get_indices(indices)]


def amp_observations(vec_env: VecEnv, infos: Sequence[dict[str, Any]], num_envs: int) -> np.ndarray:
    """AMP features (num_envs, feature_dim) of the step just taken, before any autoreset.

    Taken from `vec_env.amp_obs` (also through SB3's wrappers), else stacked from `infos[i]["amp_obs"]`: SB3's own
    vector environments put the info of the *terminal* step there, the reset's is kept elsewhere.

    Raises:
        FeatureError: neither is there, or the shape is wrong.
    """
    features = getattr(vec_env, "amp_obs", None)
    if features is None:
        missing = [index for index, info in enumerate(infos) if "amp_obs" not in info]
        if missing:
            raise FeatureError(
                f"no AMP features: {type(vec_env.unwrapped).__name__} has no 'amp_obs' attribute and the infos of "
                f"environments {missing[:10]} have no 'amp_obs'. Return info['amp_obs'] from step() (a wrapper will "
                "do), or offer a batched 'amp_obs'; for training without AMP pass amp=None."
            )
        features = np.stack([np.asarray(info["amp_obs"], dtype=np.float32) for info in infos])
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[0] != num_envs:
        raise FeatureError(
            f"amp_obs has shape {features.shape}; expected ({num_envs}, feature_dim)."
        )
    return features


def amp_layout(env: VecEnv | VectorEnv) -> dict[str, Any] | None:
    """The feature layout that the environments declare as `amp_layout`, or None when they declare none."""
    if isinstance(env, VectorEnv):
        layouts = _attributes(env, "amp_layout") if _has(env, "amp_layout") else None
    else:
        layouts = env.get_attr("amp_layout", indices=[0]) if env.has_attr("amp_layout") else None
    return None if not layouts or layouts[0] is None else dict(layouts[0])
