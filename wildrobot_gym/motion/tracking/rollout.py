"""Tracking all variants of all clips in one native batch: 50 Hz targets, ten substeps, no
overwritten poses.

A robot that has fallen is placed on the ground again, in a later frame of its clip. What it did
before and after are two performances.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking.control import BaseError, Controllers, FeetError, HarnessHand
from wildrobot_gym.motion.tracking.legs import read_legs
from wildrobot_gym.motion.tracking.loop import Loop, make_loop
from wildrobot_gym.motion.tracking.performance import Performance, Variant
from wildrobot_gym.motion.tracking.settings import Controller, TrackSettings
from wildrobot_gym.motion.tracking.variants import no_cycle, variants
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import base_in_heading, feet_in_heading
from wildrobot_gym.task.contact import foot_forces, lowest_corner

FALL_TILT = np.pi / 3  # between the base's z and the world's.

Progress = Callable[[int, int], None]
"""Called with the control steps done and to be done."""


@dataclass(frozen=True)
class _Play:
    """One variant with its loop, and the frame of the loop in which it starts."""

    clip: MotionClip
    variant: Variant
    controller: Controller
    loop: Loop
    start: int


def track(
    robot: RobotModel,
    clips: Sequence[MotionClip],
    settings: TrackSettings | None = None,
    progress: Progress | None = None,
) -> list[Performance]:
    """Perform every variant of every clip in physics.

    Args:
        robot: The robot.
        clips: The clips, for this robot.
        settings: Variants, controllers and harness.
        progress: Called with the control steps that are done and their total.

    Returns:
        One performance for each stretch between falls.

    Raises:
        MotionError: There is no clip, one does not fit the robot, or one has no variant.
    """
    settings = settings or TrackSettings()
    plays = [play for clip in clips for play in _plays(robot, clip, settings)]
    if not plays:
        raise MotionError("There is no clip to track.")
    stage, steps = _Stage(robot, plays, settings), round(settings.duration_s / CONTROL_DT)
    rows: dict[str, np.ndarray] = {}
    stretches: list[tuple[int, int, int, bool]] = []  # play, first step, end, fell
    begin = np.zeros(len(plays), int)
    for step in range(steps):
        row, fallen = stage.step()
        for name, values in row.items():
            if step == 0:
                rows[name] = np.empty((len(plays), steps, *values.shape[1:]), values.dtype)
            rows[name][:, step] = values
        stretches += [(int(play), int(begin[play]), step, True) for play in np.flatnonzero(fallen)]
        begin[fallen] = step + 1 if settings.restart_s is not None else steps
        if progress is not None:
            progress(step + 1, steps)
    stretches += [(play, int(begin[play]), steps, False) for play in range(len(plays))]
    return [
        Performance(
            motion_id=plays[play].clip.motion_id,
            variant=plays[play].variant,
            source=plays[play].clip.source,
            licence=plays[play].clip.licence,
            first_step=first,
            fell=fell,
            **{name: values[play, first:end] for name, values in rows.items()},
        )
        for play, first, end, fell in sorted(stretches)
        if end > first
    ]


def _plays(robot: RobotModel, clip: MotionClip, settings: TrackSettings) -> Iterator[_Play]:
    """Yield every variant of a clip, from each of its starts, with each controller."""
    found = False
    for variant, source in variants(robot, clip, settings):
        loop = make_loop(robot, source, variant.loop, settings.blend_s)
        if loop is None:
            continue
        starts = range(0, len(loop), max(1, round(settings.start_interval_s / CONTROL_DT)))
        for start, controller in itertools.product(starts, settings.controllers):
            found = True
            begun = replace(variant, start_s=round(start * CONTROL_DT, 3), controller=controller)
            yield _Play(clip, begun, controller, loop, start)
    if not found:
        raise no_cycle(clip)


class _Stage:
    """The batch, and the position of each robot in its loop."""

    def __init__(self, robot: RobotModel, plays: Sequence[_Play], settings: TrackSettings) -> None:
        self._robot, self._settings = robot, settings
        self._controllers = Controllers(read_legs(robot), [play.controller for play in plays])
        loops = list({id(play.loop): play.loop for play in plays}.values())
        longest, ids = max(map(len, loops)), {id(loop): i for i, loop in enumerate(loops)}
        # One array for loops of all lengths, so that a step needs one index.
        # Entries beyond a loop's end are never read.
        self._loops = {
            f.name: np.stack(
                [
                    np.resize(getattr(loop, f.name), (longest, *getattr(loop, f.name).shape[1:]))
                    for loop in loops
                ]
            )
            for f in fields(Loop)
        }
        self._loop = np.array([ids[id(play.loop)] for play in plays])
        self._length = np.array([len(play.loop) for play in plays])
        self._frame = np.array([play.start for play in plays])
        self._gone = np.zeros(len(plays), bool)
        self._physics = NativePhysics(robot, len(plays), CONTROL_DT, settings.num_threads)
        self._hand = (
            None if settings.harness is None else HarnessHand(robot, settings.harness, len(plays))
        )
        self._state = self._place(~self._gone)

    def step(self) -> tuple[dict[str, np.ndarray], Bool[np.ndarray, " play"]]:
        """Run one control step and return the recorded arrays and who fell; the fallen are placed
        again.
        """
        state, error = self._state, self._error()
        wrench, saturated = np.zeros((len(self._frame), 6)), np.zeros(len(self._frame), bool)
        if self._hand is not None:
            wrench, saturated = self._hand.wrench(error)
            self._physics.push_base(wrench)
        joint_error = self._at("qpos")[:, 7:] - state.qpos[:, 7:]
        targets = (
            self._at("targets")
            + self._controllers.feed_forward(self._at("weight_targets"), self._at("motion_targets"))
            + self._controllers.feedback(error, self._feet_error(error), joint_error)
        )
        self._state = state = self._physics.step(Drive(targets), self._gone)
        self._frame = (self._frame + 1) % self._length
        row = {
            "qpos": state.qpos,
            "qvel": state.qvel,
            "pad_forces": state.pad_forces,
            "pad_speed": np.linalg.norm(state.pad_vel_w[..., :2], axis=-1),
            "harness": wrench.astype(np.float32),
            "harness_saturated": saturated,
            "torque": state.actuator_forces,
        }
        # Component of the base's z axis along the world's.
        upright = 1.0 - 2.0 * (state.qpos[:, 4] ** 2 + state.qpos[:, 5] ** 2)
        fallen = (
            (upright < np.cos(FALL_TILT))
            | (state.qpos[:, 2] < self._robot.lowest_height)
            | state.diverged
        )
        fallen &= ~self._gone
        if fallen.any():
            if self._settings.restart_s is None:
                self._gone |= fallen
            else:
                later = self._frame + round(self._settings.restart_s / CONTROL_DT)
                self._frame = np.where(fallen, later % self._length, self._frame)
                self._state = self._place(fallen)
        return row, fallen

    def _at(self, name: str) -> np.ndarray:
        return self._loops[name][self._loop, self._frame]

    def _place(self, who: Bool[np.ndarray, " play"]) -> PhysicsState:
        """Stand robots on the ground in the current frame of their loop, with its velocity."""
        if self._hand is not None:
            self._hand.reset(who)
        return self._physics.reset(
            np.flatnonzero(who), self._at("qpos")[who], self._at("qvel")[who]
        )

    def _error(self) -> BaseError:
        qpos, qvel = np.asarray(self._state.qpos, float), np.asarray(self._state.qvel, float)
        view = base_in_heading(qpos, qvel)
        return BaseError(
            # The small rotation that takes the reference's z axis to the base's.
            tilt=np.cross(self._at("up_h"), view.up)[:, :2],
            rate=view.rate[:, :2] - self._at("rate_h"),
            velocity=view.velocity[:, :2] - self._at("velocity_h"),
            yaw=view.yaw,
            tilt_from_vertical=np.arccos(np.clip(view.up[:, 2], -1.0, 1.0)),
            height=qpos[:, 2] - self._at("qpos")[:, 2],
            climb=qvel[:, 2] - self._at("qvel")[:, 2],
        )

    def _feet_error(self, error: BaseError) -> FeetError:
        robot = self._robot
        base, pads, feet, quat, forces = (
            np.asarray(getattr(self._state, name))
            for name in ("base_pos_w", "pad_pos_w", "foot_pos_w", "foot_quat_w", "pad_forces")
        )
        load = foot_forces(forces, robot.pad_ids_of_foot) / robot.weight
        return FeetError(
            load_fraction=np.clip(load, 0.0, 1.0),
            base_place=self._at("feet_h") - feet_in_heading(error.yaw, base, feet),
            stance=self._at("stance"),
            sole_height=lowest_corner(robot, pads, quat),
        )
