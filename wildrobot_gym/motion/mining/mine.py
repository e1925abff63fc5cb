"""Mining segments from performances: every valid window is taken, and every frame counts once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from scipy.spatial.transform import Rotation

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.mining.commands import segment_commands
from wildrobot_gym.motion.mining.gates import GATE_NAMES, Gates
from wildrobot_gym.motion.mining.window_metrics import Signals, joined, read_signals, window_metrics
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking.performance import Performance
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import base_in_heading


@dataclass(frozen=True)
class ClipYield:
    """What became of one clip. Seconds add up over robots side by side.

    Attributes:
        motion_id: Name of the motion.
        performed_s: Duration of all performances, in seconds.
        falls: Number of falls.
        windows: Number of windows.
        valid_windows: Number of windows that pass all gates.
        rejects: Number of windows that fail each gate. A window may fail several.
        segments: Number of segments.
        mined_s: Duration of the segments, in seconds.
        performed: Metrics over all frames, passed or not. Empty if the clip was lost at once.
    """

    motion_id: str
    performed_s: float
    falls: int
    windows: int
    valid_windows: int
    rejects: dict[str, int]
    segments: int
    mined_s: float
    performed: dict[str, float]


@dataclass(frozen=True)
class MiningReport:
    """The mined segments, and what became of each clip.

    Attributes:
        segments: Clips at 50 Hz, with pad forces and velocities as performed.
        clips: The yield of each clip.
        gates: The gates that were applied.
    """

    segments: tuple[MotionClip, ...]
    clips: tuple[ClipYield, ...]
    gates: Gates

    @property
    def mined_s(self) -> float:
        """Duration of the segments that pass the gates, in seconds."""
        return sum(clip.mined_s for clip in self.clips)


def mine(
    robot: RobotModel,
    performances: Iterable[Performance],
    gates: Gates | None = None,
    numbers: Mapping[str, int] | None = None,
) -> MiningReport:
    """Turn every stretch of the performances that passes the gates into a clip.

    Valid windows that overlap are joined into one segment in the order of their frames. So no frame
    counts twice, and a history of features can reach over window ends. A segment passes the gates
    as a whole too.

    A segment's metadata are motion_id, segment_id (its number within the motion), score, metrics,
    variant and first_step. It starts at x = y = 0 with heading 0. Its command is the mean of its
    velocity in the heading frame and of its yaw rate. Where the clip's command varies, it is the
    clip's, times what the performance made of it (see `commands`).

    Args:
        robot: The robot.
        performances: What was performed.
        gates: Bounds on what is kept.
        numbers: First segment_id of each motion, if others of it were mined before.

    Returns:
        The segments, and what became of each clip.
    """
    gates = gates or Gates()
    of_motion: dict[str, list[Performance]] = {}
    for performance in performances:
        of_motion.setdefault(performance.motion_id, []).append(performance)
    segments, clips = [], []
    for motion_id, performed in of_motion.items():
        of_clip: list[MotionClip] = []
        first_number = (numbers or {}).get(motion_id, 0)
        signals = [read_signals(robot, performance) for performance in performed]
        windows, valid_windows, rejects = 0, 0, dict.fromkeys(GATE_NAMES, 0)
        for performance, signal in zip(performed, signals, strict=True):
            starts, length = gates.windows(len(signal))
            if not len(starts):
                continue
            failed = gates.failed(window_metrics(signal, starts, length))
            valid = ~np.any(list(failed.values()), axis=0)
            windows, valid_windows = windows + len(starts), valid_windows + int(valid.sum())
            rejects = {name: rejects[name] + int(failed[name].sum()) for name in rejects}
            for first, end in _joined_windows(signal, starts[valid], length, gates):
                metrics = window_metrics(signal, np.array([first]), end - first)
                score = float(gates.score(metrics)[0])
                rounded = {name: round(float(values[0]), 5) for name, values in metrics.items()}
                of_clip.append(
                    _segment(
                        robot, performance, first, end, first_number + len(of_clip), score, rounded
                    )
                )
        everything = joined(signals)
        whole = (
            window_metrics(everything, np.array([0]), len(everything)) if len(everything) else {}
        )
        clips.append(
            ClipYield(
                motion_id=motion_id,
                performed_s=len(everything) * CONTROL_DT,
                falls=sum(performance.fell for performance in performed),
                windows=windows,
                valid_windows=valid_windows,
                rejects=rejects,
                segments=len(of_clip),
                mined_s=sum(segment.num_frames for segment in of_clip) * CONTROL_DT,
                performed={name: float(values[0]) for name, values in whole.items()},
            )
        )
        segments += of_clip
    return MiningReport(tuple(segments), tuple(clips), gates)


def _joined_windows(
    signals: Signals, starts: Int[np.ndarray, " window"], length: int, gates: Gates
) -> Iterator[tuple[int, int]]:
    """Yield first frame and end of each segment: overlapping valid windows that pass as a whole.

    Fractions and percentiles of a run may be worse than those of its windows.
    """
    taken = 0  # frames before this one are in a segment already
    for i, first in enumerate(starts):
        if first < taken:
            continue
        ends = starts[i:] + length
        gap = np.flatnonzero(np.diff(ends) > length)  # the next window neither overlaps nor touches
        ends = ends[: gap[0] + 1] if len(gap) else ends
        ends = ends[ends - first <= max(gates.longest, length)]
        for end in ends[::-1]:
            if gates.passed(window_metrics(signals, np.array([first]), end - first))[0]:
                break
        taken = int(end)
        yield int(first), int(end)


def _segment(
    robot: RobotModel,
    performance: Performance,
    first: int,
    end: int,
    number: int,
    score: float,
    metrics: dict[str, float],
) -> MotionClip:
    """Return frames `first` to `end` of a performance as a clip from the origin along x."""
    qpos, qvel = (np.array(a[first:end], np.float64) for a in (performance.qpos, performance.qvel))
    view = base_in_heading(qpos, qvel)
    unturn = Rotation.from_euler("z", -view.yaw[0])
    begin = np.array([*qpos[0, :2], 0.0])
    rotation = unturn * Rotation.from_quat(qpos[:, 3:7], scalar_first=True)
    qvel[:, :3] = unturn.apply(qvel[:, :3])  # the angular velocity is in the base frame already
    commands = segment_commands(performance, first, end)
    forward, left, _ = view.velocity.mean(axis=0)
    command = np.array([forward, left, view.rate[:, 2].mean()])
    if commands is not None:
        command = commands.mean(axis=0)
    return MotionClip(
        name=f"{performance.motion_id}_{number:04d}",
        robot=robot.name,
        fps=1.0 / CONTROL_DT,
        joint_names=robot.joint_names,
        root_pos=unturn.apply(qpos[:, :3] - begin),
        root_quat=rotation.as_quat(scalar_first=True),
        joint_pos=qpos[:, 7:],
        pad_forces=performance.pad_forces[first:end].copy(),
        qvel=qvel,
        command=tuple(round(float(part), 4) for part in command),  # type: ignore[arg-type]
        commands=None if commands is None or (commands == commands[0]).all() else commands,
        source=performance.source,
        licence=performance.licence,
        metadata={
            "motion_id": performance.motion_id,
            "segment_id": number,
            "score": score,
            "metrics": metrics,
            "variant": performance.variant.description(),
            "first_step": performance.first_step + first,
        },
    )
