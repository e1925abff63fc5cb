"""What vector environments show beside observations: infos, and those for AMP and the critic."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.common.errors import FeatureError
from amp_sbx.common.vec_attributes import get_attributes, has_attribute

_FINAL = ("final_obs", "final_info", "final_observation")


def batched_infos(infos: dict[str, Any], num_envs: int) -> dict[str, np.ndarray]:
    """The numeric arrays of a vector environment's infos with one entry per environment."""
    arrays = {}
    for key, value in infos.items():
        if key.startswith("_") or key in _FINAL or not hasattr(value, "shape"):
            continue
        array = np.asarray(value)
        if array.dtype != object and array.ndim >= 1 and array.shape[0] == num_envs:
            arrays[key] = array
    return arrays


def step_infos(
    infos: dict[str, Any], dones: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Infos of the step itself. For finished environments, `final_info` replaces the reset's.

    Args:
        infos: what `step` returned.
        dones: (num_envs,) whether each environment's episode ended.

    Returns:
        `(values, missing)`: arrays by name, and (num_envs,) masks of environments without a value.
    """
    num_envs, final_info = len(dones), infos.get("final_info")
    batch = batched_infos(infos, num_envs)
    masks = {key: ~np.asarray(infos[f"_{key}"], bool) for key in batch if f"_{key}" in infos}
    if isinstance(final_info, dict):
        for key, array in batched_infos(final_info, num_envs).items():
            ended = np.asarray(final_info.get(f"_{key}", dones), bool) & dones
            merged = np.array(batch[key]) if key in batch else np.zeros_like(array)
            merged[ended] = array[ended]
            missing = masks.get(key, np.zeros(num_envs, bool) if key in batch else ~dones)
            batch[key], masks[key] = merged, missing & ~ended
    return batch, masks


def complete_info(
    name: str, values: Mapping[str, np.ndarray], missing: np.ndarray | None, env: VectorEnv
) -> np.ndarray:
    """The info `name` of all environments.

    Args:
        name: its name.
        values: infos as whole arrays.
        missing: (num_envs,) mask of environments without it; None if all have it.
        env: the environments, for messages.

    Raises:
        AttributeError: the environment has none; SB3's wrappers report a missing attribute.
        FeatureError: some environments have none.
    """
    if name not in values:
        raise AttributeError(f"{type(env).__name__} gave no {name!r} in the infos of the last step")
    if missing is not None and missing.any():
        raise FeatureError(
            f"{name} is missing for environments {np.flatnonzero(missing)[:10].tolist()}."
        )
    return values[name]


def finished_infos(
    batch: Mapping[str, np.ndarray],
    missing: Mapping[str, np.ndarray],
    done_ids: np.ndarray,
    final_info: Any,
) -> list[dict[str, Any]]:
    """The infos of finished environments, one dict each: the numbers, and `critic_obs`.

    Args:
        batch: infos of the step itself as whole arrays.
        missing: masks of environments without a value, by name.
        done_ids: (finished,) the environments.
        final_info: Gymnasium's; a mapping decides which infos are of the step.
    """
    kept = {key: x for key, x in batch.items() if x.ndim == 1 or key == "critic_obs"}
    if isinstance(final_info, dict):
        kept = {key: array for key, array in kept.items() if key in final_info}
    # tolist() once per array is far cheaper than item() once per environment.
    values_of = {
        key: array[done_ids].tolist() if array.ndim == 1 else list(array[done_ids])
        for key, array in kept.items()
    }
    present = {key: ~missing[key][done_ids] for key in values_of if key in missing}
    return [
        {
            key: values[place]
            for key, values in values_of.items()
            if key not in present or present[key][place]
        }
        for place in range(len(done_ids))
    ]


def amp_observations(vec_env: VecEnv, infos: Sequence[dict[str, Any]], num_envs: int) -> np.ndarray:
    """AMP observations of the last step, from before any autoreset.

    They come from `vec_env.amp_obs` (also through SB3's wrappers) or else from
    `infos[i]["amp_obs"]`. SB3's own vector environments keep the terminal step's info there.

    Returns:
        (num_envs, feature_dim) array.

    Raises:
        FeatureError: the environment offers neither, or the shape is wrong.
    """
    amp_obs = getattr(vec_env, "amp_obs", None)
    if amp_obs is None:
        missing = [index for index, info in enumerate(infos) if "amp_obs" not in info]
        if missing:
            raise FeatureError(
                f"no AMP observations: {type(vec_env.unwrapped).__name__} has no attribute "
                f"'amp_obs', and the infos of environments {missing[:10]} have no 'amp_obs'. "
                "Return info['amp_obs'] from step(), for instance with a wrapper, or offer a "
                "batched 'amp_obs'. To train without AMP, pass amp=None."
            )
        amp_obs = np.stack([np.asarray(info["amp_obs"], dtype=np.float32) for info in infos])
    amp_obs = np.asarray(amp_obs)
    if amp_obs.ndim != 2 or amp_obs.shape[0] != num_envs:
        raise FeatureError(
            f"amp_obs has shape {amp_obs.shape}; expected ({num_envs}, feature_dim)."
        )
    return amp_obs


def check_width(amp_obs: np.ndarray, feature_dim: int) -> None:
    """Raise `FeatureError` unless `amp_obs` (num_envs, columns) has the reference's width."""
    if amp_obs.shape[1] != feature_dim:
        raise FeatureError(
            f"the environment's amp_obs have {amp_obs.shape[1]} columns, the reference has "
            f"{feature_dim}; build both with the same feature settings."
        )


def amp_layout(env: VecEnv | VectorEnv) -> dict[str, Any] | None:
    """The layout that the environments declare as `amp_layout`, or None."""
    if isinstance(env, VectorEnv):
        known = has_attribute(env, "amp_layout")
        layouts = get_attributes(env, "amp_layout") if known else None
    else:
        layouts = env.get_attr("amp_layout", indices=[0]) if env.has_attr("amp_layout") else None
    return None if not layouts or layouts[0] is None else dict(layouts[0])
