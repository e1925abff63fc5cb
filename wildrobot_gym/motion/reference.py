"""The reference motion of a training run: feature frames of many clips, and the states they were taken in.

What is stored are the clips (poses, pad forces, velocities where they are known); features are computed anew for whatever
feature config asks for them, by the same function that reads the simulation. Nothing here ever spans two clips.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from wildrobot_gym.config import FeatureConfig
from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion import storage
from wildrobot_gym.motion.clip import MotionClip, from_parts
from wildrobot_gym.motion.states import CONTROL_DT, clip_states, state_features
from wildrobot_gym.paths import motion_file
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.features import feature_layout, frame_dim
from wildrobot_gym.task.history import clip_windows

KIND = "wildrobot reference"
_ARRAYS = ("lengths", "root_pos", "root_quat", "joint_pos", "pad_forces")
_OPTIONAL = ("pad_forces", "qvel")


@dataclass(frozen=True)
class InitialStates:
    """States in which an episode may begin, with the past that led there. Base x and y are zero; n: states.

    features are those of the state itself; history: (n, past, feature) of the control steps before it, newest last.
    """

    qpos: Float[np.ndarray, "n nq"]
    qvel: Float[np.ndarray, "n nv"]
    commands: Float[np.ndarray, "n 3"]
    features: Float[np.ndarray, "n feature"]
    history: Float[np.ndarray, "n past feature"]
    clip_ids: Int[np.ndarray, " n"]


@dataclass(frozen=True)
class _Entry:
    clip: MotionClip
    features: Float[np.ndarray, "time feature"]
    qpos: Float[np.ndarray, "time nq"]
    qvel: Float[np.ndarray, "time nv"]


@dataclass
class ReferenceDataset:
    """Clips of one robot with their AMP features under one feature config, at the control rate.

    Empty when made; `add`, `from_clips` or `load` fill it. To read an empty one is a MotionError.
    """

    robot: RobotModel
    config: FeatureConfig
    control_dt: float = CONTROL_DT
    _entries: list[_Entry] = field(default_factory=list, repr=False)

    @classmethod
    def from_clips(
        cls,
        robot: RobotModel,
        config: FeatureConfig,
        clips: Iterable[MotionClip],
        control_dt: float = CONTROL_DT,
    ) -> ReferenceDataset:
        """A dataset of `clips`.

        Raises:
            MotionError: no clip at all, or one that does not fit (see `add`).
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
        """A dataset from a file that `save` or `save_clips` wrote, or a shipped one's name.

        Raises:
            MotionError: missing, truncated or foreign file; another robot's clips; no forces where they are needed.
        """
        return cls.from_clips(robot, config, load_clips(path, robot), control_dt)

    def save(self, path: str | Path) -> Path:
        """Write the clips; the path."""
        return save_clips(path, self.clips)

    def add(self, clip: MotionClip) -> None:
        """Take in a clip.

        Raises:
            MotionError: another robot, a damaged clip, no pad forces where features need them, or a clip too short to
                hold one window of history.
        """
        states = clip_states(self.robot, clip, self.control_dt)
        needed = self.config.history.num_past + 1
        if len(states.qpos) < needed:
            raise MotionError(
                f"Clip {clip.name!r} is {len(states.qpos)} control steps long; a window of the configured history needs"
                f" {needed}. Use a longer clip, or fewer history.frames or a smaller history.stride."
            )
        features = state_features(
            self.robot, self.config, states, f"Clip {clip.name!r}", self.control_dt
        )
        self._entries.append(
            _Entry(clip, features, np.asarray(states.qpos), np.asarray(states.qvel))
        )

    @property
    def clips(self) -> list[MotionClip]:
        return [entry.clip for entry in self._entries]

    @property
    def layout(self) -> dict[str, Any]:
        """What the feature columns mean (`features.feature_layout`)."""
        return feature_layout(self.robot, self.config, self.control_dt)

    @property
    def features(self) -> Float[np.ndarray, "frame feature"]:
        """Feature frames of all clips, one after the other."""
        return np.concatenate([entry.features for entry in self._filled()])

    @property
    def clip_ids(self) -> Int[np.ndarray, " frame"]:
        """Which clip each row of `features` is of."""
        return np.repeat(
            np.arange(len(self._filled())), [len(entry.features) for entry in self._entries]
        )

    def check_layout(self, layout: dict[str, Any], where: str = "the other side") -> None:
        """Raise MotionError where `layout` is not this dataset's, naming each entry that differs and both values."""
        mine = self.layout
        keys = sorted(k for k in mine.keys() | layout.keys() if mine.get(k) != layout.get(k))
        if keys:
            detail = "; ".join(
                f"{k}: reference {mine.get(k)!r}, {where} {layout.get(k)!r}" for k in keys
            )
            raise MotionError(
                f"The AMP feature layouts differ. {detail}. Build both with one feature config."
            )

    @property
    def windows(self) -> Float[np.ndarray, "windows window"]:
        """Every window of history that lies wholly inside one clip, float32, oldest frame first as in `amp_obs`."""
        return np.concatenate(
            [clip_windows(entry.features, self.config.history) for entry in self._filled()]
        )

    def sampling(
        self, temperature: float = 1.0
    ) -> tuple[Float[np.ndarray, " windows"], Int[np.ndarray, " windows"]]:
        """How often each row of `windows` is to be drawn, and which motion it is of.

        The draw is softmax(score / temperature) over windows (data-first plan 1.1.0), so a longer segment counts for its
        length. A clip's score is its metadata's `score`, 0 without one. No weight is 0: rows without weight are no part
        of a reference, and which motions are held out would hang on the temperature.
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
        return np.repeat(weights, counts), np.repeat(motions, counts)

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
            temperature: Of the softmax over the clips' scores. A lower one draws the best clips more often.

        Returns:
            The keyword arguments of `amp_sbx.ReferenceFeatures`: features (windows, window), weights (windows,),
            layout, and motion_ids (windows,).

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
        """Mean and standard deviation of a window's columns, float32.

        They are those of single frames, repeated for each frame of history: a channel is scaled alike at every age.
        """
        features, frames = self.features.astype(np.float64), self.config.history.frames
        mean, std = features.mean(axis=0), features.std(axis=0)
        return np.tile(mean, frames).astype(np.float32), np.tile(std, frames).astype(np.float32)

    def sample_frames(self, rng: np.random.Generator, n: int) -> Float[np.ndarray, "n feature"]:
        """`n` feature frames, each frame equally likely."""
        features = self.features
        return features[rng.integers(len(features), size=n)]

    def sample_sequences(
        self, rng: np.random.Generator, n: int, length: int
    ) -> Float[np.ndarray, "n length feature"]:
        """`n` runs of `length` successive frames, each inside one clip; every possible start is equally likely.

        Raises:
            MotionError: no clip is that long.
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
        """All frames that have a full past, for reference-state initialization (Peng et al. 2018), float32."""
        past = self.config.history.num_past
        entries = self._filled()
        width = frame_dim(self.layout)
        rows = [np.arange(len(e.features) - past)[:, None] + np.arange(past) for e in entries]
        histories = [
            e.features[ids].reshape(len(ids), past, width)
            for e, ids in zip(entries, rows, strict=True)
        ]
        qpos = np.concatenate([e.qpos[past:] for e in entries])
        qpos[:, :2] = 0.0
        counts = [len(h) for h in histories]
        return InitialStates(
            qpos=qpos,
            qvel=np.concatenate([e.qvel[past:] for e in entries]),
            commands=np.repeat(
                np.array([e.clip.command for e in entries], np.float32), counts, axis=0
            ),
            features=np.concatenate([e.features[past:] for e in entries]),
            history=np.concatenate(histories),
            clip_ids=np.repeat(np.arange(len(entries)), counts),
        )

    def __len__(self) -> int:
        """Frames of all clips."""
        return sum(len(entry.features) for entry in self._entries)

    def _filled(self) -> list[_Entry]:
        if not self._entries:
            raise MotionError(
                "The reference dataset is empty: add a clip, or load assets/motions/walk_<robot>.npz."
            )
        return self._entries


def save_clips(path: str | Path, clips: Iterable[MotionClip]) -> Path:
    """Write clips into one .npz: arrays one after the other, `lengths`, and a JSON description of each.

    Clips without pad forces or velocities have NaN there; where no clip has velocities the file has none. Raises MotionError
    where there are no clips or they are of several robots.
    """
    clips = list(clips)
    robots = sorted({clip.robot for clip in clips})
    if len(robots) != 1:
        raise MotionError(
            f"A reference file holds clips of one robot; got {', '.join(robots) or 'no clips at all'}."
        )
    arrays = {
        name: np.concatenate([getattr(c, name) for c in clips], dtype=np.float32)
        for name in _ARRAYS[1:4]
    }
    for name in _OPTIONAL:
        width = max(
            [0, *[np.shape(getattr(c, name))[1] for c in clips if getattr(c, name) is not None]]
        )
        if width or name in _ARRAYS:
            parts = [
                np.full((c.num_frames, width), np.nan)
                if getattr(c, name) is None
                else getattr(c, name)
                for c in clips
            ]
            arrays[name] = np.concatenate(parts, dtype=np.float32)
    arrays["lengths"] = np.array([c.num_frames for c in clips])
    return storage.write(
        path, KIND, arrays, {"robot": robots[0], "clips": [c.description() for c in clips]}
    )


def load_clips(path: str | Path, robot: RobotModel) -> list[MotionClip]:
    """The clips of a reference file (a path, or a shipped one's name), checked against `robot`.

    Raises:
        MotionError: missing, truncated or foreign file, or clips that do not fit the robot.
    """
    path = motion_file(path)
    arrays, metadata = storage.read(path, KIND, _ARRAYS)
    lengths, descriptions = arrays.pop("lengths"), metadata.get("clips", [])
    frames = {name: len(array) for name, array in arrays.items()}
    if len(lengths) != len(descriptions) or any(
        count != lengths.sum() for count in frames.values()
    ):
        raise MotionError(
            f"{path}: {len(descriptions)} clips are described, {len(lengths)} lengths add up to {lengths.sum()} frames,"
            f" the arrays have {frames}. The file is damaged; build it anew."
        )
    ends = np.cumsum(lengths)
    clips = []
    for description, first, end in zip(descriptions, ends - lengths, ends, strict=True):
        parts = {name: array[first:end] for name, array in arrays.items()}
        parts = {
            name: part
            for name, part in parts.items()
            if name not in _OPTIONAL or not np.isnan(part).all()
        }
        clip = from_parts(parts, description, str(path))
        clips.append(clip.check(robot, f"{path}, clip {clip.name!r}"))
    return clips
