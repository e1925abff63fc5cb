"""From a human's motion to the robot's: scale, plant, balance, inverse kinematics, measure."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float

from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.floor import FloorDemand, FloorDynamics
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.ik import LegIK
from wildrobot_gym.motion.retarget import report as metrics
from wildrobot_gym.motion.retarget.plan import ClipPlan
from wildrobot_gym.motion.retarget.report import RetargetReport
from wildrobot_gym.motion.retarget.scaled import scaled_human
from wildrobot_gym.motion.retarget.settings import RetargetSettings
from wildrobot_gym.motion.retarget.stance import stances
from wildrobot_gym.motion.retarget.turning import with_gentle_turns
from wildrobot_gym.robot import RobotModel

_LOST = 1.0  # degrees of a turn; less is not worth a note
_FINER = 4  # multiple of the clip's frame rate, for the times of touchdown and lift-off.
_ROUGH, _EXACT = 2, 20  # steps of inverse kinematics: before a correction, and at the end


@dataclass(frozen=True)
class Retargeted:
    """A clip and its metrics."""

    clip: MotionClip
    report: RetargetReport


def retarget(
    robot: RobotModel, human: HumanMotion, settings: RetargetSettings | None = None
) -> Retargeted:
    """Retarget a human's motion, on a floor at height 0, from the origin along +x.

    Args:
        robot: The robot.
        human: The motion.
        settings: How to scale it, and how much to correct.

    Returns:
        The clip and its metrics.

    Raises:
        MotionError: The motion is damaged or too short, the human has no human size, or the robot
            has no left and right foot.
    """
    begin = time.process_time()
    settings = settings or RetargetSettings()
    fine = scaled_human(robot, human.check(), settings, _FINER * settings.fps, _FINER)
    planted = stances(fine, robot.leg_length)
    gentle = with_gentle_turns(fine, settings.max_turn_rate)
    plan = ClipPlan(robot, gentle.every(_FINER), planted, settings)
    ik, dynamics = LegIK(robot), FloorDynamics(robot)
    qpos = None
    for round_ in range(settings.balance):
        qpos, _ = plan.poses(ik, qpos, _ROUGH)
        asked = dynamics.demand(qpos, settings.fps)
        plan.correct(asked)
        if round_ == 0:
            # Hips have moved most now; with fixed heels the following rounds converge
            plan.plan_feet()
        else:
            plan.lay_feet()
    qpos, misses = plan.poses(ik, qpos, _EXACT)
    asked = dynamics.demand(qpos, settings.fps)
    seconds = time.process_time() - begin
    human_turn = float(fine.heading[-1] - fine.heading[0])
    report = _report(plan, qpos, asked, human_turn, float(misses.max()), seconds)
    return Retargeted(_clip(plan, human, qpos, asked, report), report)


def _clip(
    plan: ClipPlan,
    human: HumanMotion,
    qpos: Float[np.ndarray, "time nq"],
    asked: FloorDemand,
    report: RetargetReport,
) -> MotionClip:
    body, robot, settings = plan.body, plan.robot, plan.settings
    duration = body.time[-1]
    steps = np.diff(
        plan.near, axis=0
    )  # without the sway, since a clip seldom holds whole periods of it
    ahead, aside = (
        float(np.sum(steps * axes[1:]) / duration) for axes in (body.forward, body.left)
    )
    turn = float((plan.human.heading[-1] - plan.human.heading[0]) / duration)
    return MotionClip(
        # Parts of one motion are different clips.
        name=human.name if settings.stride == 1.0 else f"{human.name}_stride{settings.stride:g}",
        robot=robot.name,
        fps=settings.fps,
        joint_names=robot.joint_names,
        root_pos=qpos[:, :3],
        root_quat=qpos[:, 3:7],
        joint_pos=qpos[:, 7:],
        pad_forces=plan.pad_forces(asked.force[:, 2]),
        command=(round(ahead, 4), round(aside, 4), round(turn, 4)),
        source=human.source,
        licence=human.licence,
        metadata={
            "kind": "retargeted",
            "report": {
                k: v for k, v in report.as_dict().items() if k != "frames_per_s"
            },  # the same clip, the same file
            "settings": asdict(settings),
            "beyond_bars": {name: float(f"{v:.3g}") for name, v in report.beyond.items()},
            "notes": [*human.notes, *_notes(report, settings)],
        },
    )


def _notes(report: RetargetReport, settings: RetargetSettings) -> list[str]:
    """Return what a user should know of the clip, one sentence each."""
    notes = []
    lost = np.degrees(abs(report.human_turn - report.turn))
    if lost > _LOST:
        notes.append(
            f"turns: the heading changes by {np.degrees(report.turn):.0f} of the human's"
            f" {np.degrees(report.human_turn):.0f} degrees, at up to {settings.max_turn_rate:g}"
            " rad/s, since no hip turns a standing foot"
        )
    return notes


def _report(
    plan: ClipPlan,
    qpos: Float[np.ndarray, "time nq"],
    asked: FloorDemand,
    human_turn: float,
    miss: float,
    seconds: float,
) -> RetargetReport:
    robot, settings, body, human = plan.robot, plan.settings, plan.body, plan.human
    points = metrics.measure_points(robot, qpos)
    planted = np.stack([path.planted for path in plan.paths], axis=-1)
    slide = metrics.slide_speeds(points.corners, planted, settings.fps)
    lowest = points.corners[..., 2].min(axis=-1)
    at_limit, too_fast = metrics.joint_fractions(
        robot, qpos[:, 7:], asked.qvel[:, 6:], settings.max_joint_speed
    )
    tipping = np.linalg.norm(plan.tipping(asked), axis=-1)
    feet_down = planted.sum(axis=1)
    return RetargetReport(
        frames=len(qpos),
        duration_s=float(body.time[-1]),
        frames_per_s=len(qpos) / max(seconds, 1e-9),
        scale=human.scale,
        time_scale=human.time_scale,
        speed=float(np.linalg.norm(body.level[-1] - body.level[0]) / body.time[-1]),
        turn=float(human.heading[-1] - human.heading[0]),
        human_turn=human_turn,
        foot_slide=1e3 * float(slide.mean()) if len(slide) else 0.0,
        foot_slide_p95=1e3 * float(np.quantile(slide, 0.95)) if len(slide) else 0.0,
        penetration=1e3 * max(float(-lowest.min()), 0.0),
        float_height=1e3 * max(float(lowest[planted].max()), 0.0) if planted.any() else 0.0,
        miss=1e3 * miss,
        joint_limit_fraction=at_limit,
        velocity_limit_fraction=too_fast,
        max_joint_speed=float(np.abs(asked.qvel[:, 6:]).max()),
        tracking_error=metrics.tracking_error(human, points.legs, body.yaw),
        balance_error=float(np.median(tipping)),
        balance_error_p95=float(np.quantile(tipping, 0.95)),
        single_support=float(np.mean(feet_down == 1)),
        double_support=float(np.mean(feet_down >= 2)),
        flight=float(np.mean(feet_down == 0)),
    )
