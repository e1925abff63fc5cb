"""The reference motion of a training run: AMP features of many clips, and the states to start from.

A dataset computes its features with the function that reads the simulation. No window or sequence
spans two clips.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips, save_clips
from wildrobot_gym.motion.command_kinds import repeats
from wildrobot_gym.motion.gait_phase import phases_of
from wildrobot_gym.motion.initial_states import InitialStates, stack_states
from wildrobot_gym.motion.states import CONTROL_DT, clip_states, state_features
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig
from wildrobot_gym.task.features import feature_layout, layout_differences
from wildrobot_gym.task.history import clip_windows


@dataclass(frozen=True)
class _Entry:
    clip: MotionClip
    features: Float[np.ndarray, "time feature"]
    qpos: Float[np.ndarray, "time nq"]
    qvel: Float[np.ndarray, "time nv"]
    commands: Float[np.ndarray, "time 3"]
    phases: Float[np.ndarray, " time"]


@dataclass
class ReferenceDataset:
    """Clips of one robot with their AMP features. Fill it with `add`, `from_clips` or `load`.

    Attributes:
        robot: The robot of all clips.
        config: The feature settings.
        control_dt: Control period, in seconds.

    Example:
        ```python
        robot = RobotModel.load("wildrobot")
        dataset = ReferenceDataset.load("walk", robot, FeatureConfig())
        dataset.windows.shape
        ```
    """

    robot: RobotModel
    config: FeatureConfig
    control_dt: float = CONTROL_DT
    _entries: list[_Entry] = field(default_factory=list, repr=False)

    def __repr__(self) -> str:
        return f"<ReferenceDataset of {len(self._entries)} clips of {self.robot.name}>"

    @classmethod
    def from_clips(
        cls,
        robot: RobotModel,
        config: FeatureConfig,
        clips: Iterable[MotionClip],
        control_dt: float = CONTROL_DT,
    ) -> ReferenceDataset:
        """Make a dataset of clips.

        Raises:
            MotionError: There is no clip, or one does not fit (see `add`).
        """
        dataset = cls(robot, config, control_dt)
        for clip in clips:
            dataset.add(clip)
        dataset._filled()
        return dataset

    @classmethod
    def load(
        cls,
        path: str | Path,
        robot: RobotModel,
        config: FeatureConfig,
        control_dt: float = CONTROL_DT,
    ) -> ReferenceDataset:
        """Load a dataset from a reference file.

        Args:
            path: A file, or a shipped name: `walk`, `walk_human`, `walk_synthetic`, or one with
                `_8dof`.
            robot: The robot that the file must be for.
            config: The feature settings.
            control_dt: Control period, in seconds.

        Returns:
            The dataset.

        Raises:
            MotionError: The file is missing, truncated, of another kind or another robot, or it has
                no pad forces although the features need them.
        """
        return cls.from_clips(robot, config, load_clips(path, robot), control_dt)

    def save(self, path: str | Path) -> Path:
        """Write the clips into a reference file, and return its path."""
        return save_clips(path, self.clips)

    def add(self, clip: MotionClip) -> None:
        """Add a clip.

        Raises:
            MotionError: The clip is damaged, of another robot, shorter than one window of history,
                or has no pad forces although the features need them.
        """
        states = clip_states(self.robot, clip, self.control_dt)
        needed = self.config.history.num_past + 1
        if len(states.qpos) < needed:
            raise MotionError(
                f"Clip {clip.name!r} is {len(states.qpos)} control steps long;"
                f" a window of the configured history needs {needed}."
                " Use a longer clip, fewer history.frames, or a smaller history.stride."
            )
        commands = clip.commands_at(1.0 / self.control_dt)
        features = state_features(
            self.robot, self.config, states, commands, f"Clip {clip.name!r}", self.control_dt
        )
        qpos, qvel = np.asarray(states.qpos), np.asarray(states.qvel)
        phases = phases_of(self.robot, states, self.control_dt)
        self._entries.append(_Entry(clip, features, qpos, qvel, commands, phases))

    @property
    def clips(self) -> list[MotionClip]:
        """The clips."""
        return [entry.clip for entry in self._entries]

    @property
    def layout(self) -> dict[str, Any]:
        """Meaning of the feature columns (see `task.features.feature_layout`)."""
        return feature_layout(self.robot, self.config, self.control_dt)

    @property
    def features(self) -> Float[np.ndarray, "frame feature"]:
        """(frame, feature) features of all clips, one clip after the other."""
        return np.concatenate([entry.features for entry in self._filled()])

    @property
    def clip_ids(self) -> Int[np.ndarray, " frame"]:
        """(frame,) index of the clip that each frame of `features` is from."""
        return np.repeat(
            np.arange(len(self._filled())), [len(entry.features) for entry in self._entries]
        )

    def check_layout(self, layout: dict[str, Any], where: str = "the other side") -> None:
        """Compare a feature layout with this dataset's.

        Args:
            layout: The other layout.
            where: Name of the other side, for the message.

        Raises:
            MotionError: They differ. The message names each entry that differs, with both values.
        """
        if detail := layout_differences(self.layout, layout, where):
            raise MotionError(
                f"The AMP feature layouts differ. {detail}. Build both with one feature config."
            )

    @property
    def windows(self) -> Float[np.ndarray, "windows window"]:
        """(window, column) all windows inside the clips, float32, oldest frame first as in
        `amp_obs`.
        """
        return np.concatenate(
            [clip_windows(entry.features, self.config.history) for entry in self._filled()]
        )

    def sampling(
        self, temperature: float = 1.0
    ) -> tuple[Float[np.ndarray, " windows"], Int[np.ndarray, " windows"]]:
        """Return how often to draw each window, and which motion it is from.

        The weights are softmax(score / temperature) over windows, so a longer clip has more weight.
        Windows of rare kinds of motion count several times (`command_kinds.repeats`).
        A clip without a score counts as 0. No weight is 0: `amp_sbx` drops windows without weight,
        and the choice of held-out motions would depend on the temperature.

        Args:
            temperature: Temperature of the softmax. A lower one draws the best clips more often.

        Returns:
            Weights (window,) and motion indices (window,), numbered as in `motions`.

        Raises:
            MotionError: The temperature is not positive.
        """
        if not temperature > 0:
            raise MotionError(
                f"The temperature of sampling is {temperature}; allowed: a positive number."
            )
        counts = [len(entry.features) - self.config.history.num_past for entry in self._filled()]
        scores = np.array([float(clip.metadata.get("score", 0.0)) for clip in self.clips])
        weights = np.maximum(
            np.exp((scores - scores.max()) / temperature), np.finfo(np.float32).tiny
        )
        _, motions = np.unique([clip.motion_id for clip in self.clips], return_inverse=True)
        past = self.config.history.num_past
        commands = np.concatenate([entry.commands[past:] for entry in self._entries])
        return np.repeat(weights, counts) * repeats(commands), np.repeat(motions, counts)

    @property
    def weights(self) -> Float[np.ndarray, " windows"]:
        """How often each window is drawn, relative to the others, at temperature 1."""
        return self.sampling()[0]

    @property
    def motions(self) -> list[str]:
        """Names of the different motions, sorted; `sampling` numbers them in this order."""
        return sorted({clip.motion_id for clip in self.clips})

    def reference_features(self, temperature: float = 1.0) -> dict[str, Any]:
        """The reference as `amp_sbx` takes it.

        Args:
            temperature: Of the softmax over the clips' scores. A lower one draws the best clips
                more often.

        Returns:
            The keyword arguments of `amp_sbx.ReferenceFeatures`: features (windows, window),
            weights (windows,), layout, and motion_ids (windows,).

        Raises:
            MotionError: The dataset is empty, or the temperature is not positive.
        """
        weights, motion_ids = self.sampling(temperature)
        return {
            "features": self.windows,
            "weights": weights,
            "layout": self.layout,
            "motion_ids": motion_ids,
        }

    def statistics(self) -> tuple[Float[np.ndarray, " window"], Float[np.ndarray, " window"]]:
        """Return mean and standard deviation of a window's columns, alike at every age, float32."""
        features, frames = self.features.astype(np.float64), self.config.history.frames
        mean, std = features.mean(axis=0), features.std(axis=0)
        return np.tile(mean, frames).astype(np.float32), np.tile(std, frames).astype(np.float32)

    def sample_sequences(
        self, rng: np.random.Generator, n: int, length: int
    ) -> Float[np.ndarray, "n length feature"]:
        """Draw `n` sequences of `length` frames inside clips, every start equally likely.

        Raises:
            MotionError: No clip is that long.
        """
        counts = np.array([max(len(entry.features) - length + 1, 0) for entry in self._filled()])
        if length < 1 or counts.sum() == 0:
            longest = max(len(entry.features) for entry in self._entries)
            raise MotionError(
                f"Sequences of {length} frames; allowed: 1 to {longest}, the longest clip."
            )
        firsts = np.cumsum([0, *[len(entry.features) for entry in self._entries[:-1]]])
        starts = np.concatenate(
            [first + np.arange(count) for first, count in zip(firsts, counts, strict=True)]
        )
        chosen = starts[rng.integers(len(starts), size=n)]
        return self.features[chosen[:, None] + np.arange(length)]

    def initial_states(self) -> InitialStates:
        """Return all frames that have a full past, float32, to start episodes from (Peng et al.
        2018).
        """
        entries = self._filled()
        parts = ("features", "qpos", "qvel", "commands", "phases")
        lists = ([getattr(entry, part) for entry in entries] for part in parts)
        return stack_states(*lists, past=self.config.history.num_past)

    def __len__(self) -> int:
        """Number of frames of all clips."""
        return sum(len(entry.features) for entry in self._entries)

    def _filled(self) -> list[_Entry]:
        if not self._entries:
            raise MotionError(
                "The reference dataset is empty. Add a clip, or load a reference such as 'walk'."
            )
        return self._entries
