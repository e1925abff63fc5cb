"""The part of `AMPPPO` that saves, loads and exchanges parameters."""

import io
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from gymnasium.vector import VectorEnv
from sbx import PPO
from stable_baselines3.common.type_aliases import GymEnv

from amp_sbx.algorithm.loading import load_model, replaceable
from amp_sbx.algorithm.parameters import get_arrays, set_arrays
from amp_sbx.algorithm.saving import save_model
from amp_sbx.common.checks import reject_unknown
from amp_sbx.common.errors import UnknownArgumentError

Self = TypeVar("Self", bound="PersistentPPO")


class PersistentPPO(PPO):
    """`sbx.PPO` whose files hold no pickle.

    Example:
        >>> model.save("my_walk", extra={"run": 3})
        >>> model = AMPPPO.load("my_walk", env=env, reference=reference)
    """

    extra: dict[str, Any]

    def save(
        self,
        path: str | pathlib.Path | io.BufferedIOBase,
        exclude: Iterable[str] | None = None,
        include: Iterable[str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the model atomically to a zip of JSON and arrays. Loading it executes nothing.

        Args:
            path: file (".zip" is added if it has no suffix) or binary stream.
            exclude: "replay_buffer" omits the discriminator's past samples (up to 100 MB). Other
                names have no effect.
            include: no effect; for compatibility with SB3.
            extra: merged into `self.extra` and stored.

        Raises:
            CheckpointError: nothing was written; an older file is unchanged.
        """
        merged = {**self.extra, **(extra or {})}
        save_model(self, path, merged, exclude=frozenset(exclude or ()))
        self.extra = merged  # after saving: what cannot be stored would break later saves

    @classmethod
    def load(  # type: ignore[override]
        cls: type[Self],
        path: str | pathlib.Path | io.BufferedIOBase,
        env: GymEnv | VectorEnv | None = None,
        device: str = "auto",
        custom_objects: dict[str, Any] | None = None,
        print_system_info: bool = False,
        force_reset: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Load a model. Training it further needs `env` and, with AMP, `reference=`.

        Args:
            path: file or binary stream.
            env: environment with the file's spaces and layout.
            device: no effect; JAX chooses the device.
            custom_objects: as `kwargs`, but unknown names are ignored, as SB3's scripts need.
            print_system_info: print the library versions of the file.
            force_reset: no effect; a loaded model always starts with a reset.
            kwargs: constructor arguments that replace the stored ones. `seed` restarts the random
                streams. `policy_kwargs`, `symmetric_policy` and `critic_obs` must equal the
                stored ones.

        Raises:
            CheckpointError: the file is missing, damaged or foreign, or does not fit `env`.
            UnknownArgumentError: an argument is unknown.
        """
        reject_unknown("load", kwargs, replaceable(cls), UnknownArgumentError)
        overrides = {**(custom_objects or {}), **kwargs}
        model: Self = load_model(cls, path, env, device, overrides, verbose=print_system_info)
        return model

    def get_parameters(self) -> dict[str, dict[str, np.ndarray]]:
        """Copies of the learned arrays by part.

        Returns:
            "actor" and "critic"; with AMP "discriminator", which includes its normalizer; with
            `amp.critic: separate` "style_critic". Each is a flat dict of arrays.
        """
        return get_arrays(self)

    def set_parameters(  # type: ignore[override]
        self,
        load_path_or_dict: str | pathlib.Path | dict[str, dict[str, np.ndarray]],
        exact_match: bool = True,
        device: str = "auto",
    ) -> None:
        """Set arrays of `get_parameters` or of a file.

        A discriminator with another normalizer empties its replay buffer.

        Args:
            load_path_or_dict: parts as in `get_parameters`, or a file of `save`.
            exact_match: require all parts; False sets those that both have.
            device: no effect; for compatibility with SB3.

        Raises:
            CheckpointError: a part or array is missing or unknown, or the file's networks differ.
            FeatureError: this model's reference is out of range for the new normalizer.
        """
        set_arrays(self, load_path_or_dict, exact_match)
