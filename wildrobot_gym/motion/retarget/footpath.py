"""One foot over the whole clip: its stances, and the swings that join them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.motion.gait.feet import Sole, lowest_corner
from wildrobot_gym.motion.gait.plan import smoothstep
from wildrobot_gym.motion.retarget.body import BodyPath, along
from wildrobot_gym.motion.retarget.reach import LegReach
from wildrobot_gym.motion.retarget.scaled import ScaledHuman
from wildrobot_gym.motion.retarget.settings import RetargetSettings
from wildrobot_gym.motion.retarget.steps import Stance, planted_sole, sole_pitch
from wildrobot_gym.motion.retarget.swing import SCUFF, SwingPath, swing_joints

_EDGE_MARGIN = 0.008  # m; distance of the load from the soles' inner edges.
_STEP = 0.01  # s; step for speeds and accelerations at the ends of a stance.
_SHARPEST = 0.05  # s; least time in which a joint reaches its greatest speed there.
_INSIDE = 0.1  # rad; distance of the human's joints from the robot's limits


@dataclass(frozen=True)
class FootPath:
    """The foot frame of an upright leg.

    Attributes:
        pos: (time, 3) position in the world, in m.
        pitch: (time,) pitch, in rad.
        planted: (time,) whether the foot is planted.
    """

    pos: Float[np.ndarray, "time 3"]
    pitch: Float[np.ndarray, " time"]
    planted: Bool[np.ndarray, " time"]


@dataclass(frozen=True)
class Foot:
    """One foot of the robot.

    Attributes:
        sole: Its sole.
        reach: The leg above it.
        hip_y: Its position under the hips, in m to the left.
    """

    sole: Sole
    reach: LegReach
    hip_y: float

    @property
    def inner(self) -> float:
        """y of the load when the leg leans inward, in m left of the foot frame: just inside the
        inner edge.
        """
        return self.sole.right + _EDGE_MARGIN if self.hip_y > 0.0 else self.sole.left - _EDGE_MARGIN

    def path(
        self,
        stances: list[Stance],
        body: BodyPath,
        human: Float[np.ndarray, "time joint"],
        settings: RetargetSettings,
    ) -> FootPath:
        """Return the path under `body`; `human` are the joint angles from `human_joints`."""
        time, human = body.time, self._above_floor(human, body)
        pos, pitch, planted = (
            np.zeros((len(time), 3)),
            np.zeros(len(time)),
            np.zeros(len(time), bool),
        )
        for stance in stances:
            here = stance.holds(time)
            pos[here], pitch[here] = planted_sole(stance, self.sole, time[here])
            planted |= here
        for before, after in itertools.pairwise([None, *stances, None]):
            begin, end = before.up if before else -np.inf, after.down if after else np.inf
            swing = (time > begin) & (time < end) & ~planted
            if swing.any():
                pos[swing], pitch[swing] = self._swing(before, after, swing, body, human, settings)
        return FootPath(pos, pitch, planted)

    def ankle_ahead(
        self, pos: Float[np.ndarray, "time 3"], pitch: Float[np.ndarray, " time"], body: BodyPath
    ) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]]:
        """Return the ankle ahead of and above the hip axis, in m, for a foot frame at `pos`."""
        hips, hip_up = body.hips(self.reach)
        ahead = along(pos[:, :2] - hips, body.forward) + self.reach.ankle_height * np.sin(pitch)
        return ahead, pos[:, 2] + self.reach.ankle_height * np.cos(pitch) - hip_up

    def _above_floor(
        self, joints: Float[np.ndarray, "time joint"], body: BodyPath
    ) -> Float[np.ndarray, "time joint"]:
        """Bend the leg of `joints` as far as needed to keep the sole out of the floor."""
        _, hip_up = body.hips(self.reach)
        ahead, up, pitch = self.reach.ankle(joints, body.lean)
        low = lowest_corner(hip_up + up - self.reach.ankle_height * np.cos(pitch), pitch, self.sole)
        return self.reach.angles(ahead, up + np.maximum(SCUFF - low, 0.0), pitch, body.lean)

    def _swing(
        self,
        before: Stance | None,
        after: Stance | None,
        swing: Bool[np.ndarray, " time"],
        body: BodyPath,
        human: Float[np.ndarray, "time joint"],
        settings: RetargetSettings,
    ) -> tuple[Float[np.ndarray, "n 3"], Float[np.ndarray, " n"]]:
        """Return position and pitch in one swing.

        An end in the air, at the end of the clip, is the human's.
        """
        reach, time = self.reach, body.time[swing]
        speed = np.gradient(human, body.time, axis=0)[swing]
        own = [np.stack([human[swing][i], speed[i], np.zeros(3)]) for i in (0, -1)]
        begin, end = before.up if before else time[0], after.down if after else time[-1] + 1e-9
        ends = (
            self._end(before, before.up, -_STEP, body, settings) if before else own[0],
            self._end(after, after.down, _STEP, body, settings) if after else own[1],
        )
        hips, hip_up = (v[swing] for v in body.hips(reach))
        forward, left, lean = body.forward[swing], body.left[swing], body.lean[swing]
        path = SwingPath(time, (begin, end), ends, human[swing])
        joints = swing_joints(
            path, reach, hip_up, lean, self.sole, settings.clearance, settings.max_joint_speed
        )
        ahead, up, pitch = reach.ankle(joints, lean)
        # Sideways from one position to the next, or under the hip if there is none.
        free = along(body.level[swing], left) + self.hip_y
        aside = [along(np.array(s.place[:2]), left) if s else free for s in (before, after)]
        fraction = smoothstep((time - begin) / (end - begin))
        out = np.empty((len(time), 3))
        out[:, :2] = (along(hips, forward) + ahead - reach.ankle_height * np.sin(pitch))[
            :, None
        ] * forward
        out[:, :2] += ((1.0 - fraction) * aside[0] + fraction * aside[1])[:, None] * left
        out[:, 2] = hip_up + up - reach.ankle_height * np.cos(pitch)
        out[:, 2] += np.maximum(
            -lowest_corner(out[:, 2], pitch, self.sole), 0.0
        )  # an impossible swing must still stay out of the floor
        return out, pitch

    def _end(
        self, stance: Stance, time: float, step: float, body: BodyPath, settings: RetargetSettings
    ) -> Float[np.ndarray, "3 joint"]:
        """Return joint angles, speeds and accelerations at one end of a stance; `step` s leads into
        it.
        """
        body = body.at(time + step * np.arange(3))
        pos, pitch = planted_sole(stance, self.sole, body.time)
        a, b, c = self.reach.angles(*self.ankle_ahead(pos, pitch, body), pitch, body.lean)
        # A leg that hardly reaches may get any angle and speed. No swing should start with that.
        fastest, sharpest = settings.max_joint_speed, settings.max_joint_speed / _SHARPEST
        speed = np.clip((-3.0 * a + 4.0 * b - c) / (2.0 * step), -fastest, fastest)
        bend = np.clip((a - 2.0 * b + c) / step**2, -sharpest, sharpest)
        return np.stack([np.clip(a, self.reach.low, self.reach.high), speed, bend])


def human_joints(
    human: ScaledHuman,
    foot: int,
    reach: LegReach,
    lean: Float[np.ndarray, " time"],
    settings: RetargetSettings,
) -> Float[np.ndarray, "time joint"]:
    """Return the human's (hip, knee, ankle) angles in the side view, as this robot's within its
    limits.

    The base leans by `lean`.
    """
    forward = np.stack([np.cos(human.heading), np.sin(human.heading)], axis=-1)

    def angle(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
        bone = lower[:, foot] - upper[:, foot]
        return np.arctan2(along(bone[:, :2], forward), -bone[:, 2])

    thigh, shin = angle(human.hip, human.knee), angle(human.knee, human.ankle)
    joints = reach.joints(
        thigh, thigh - shin, sole_pitch(human.foot_pitch[:, foot], settings), lean
    )
    return np.clip(joints, reach.low + _INSIDE, reach.high - _INSIDE)
