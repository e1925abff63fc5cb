"""Parts of a control step that tasks share.

The feet's support, the reward's inputs and the first task state.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.amp_window import AmpWindow
from wildrobot_gym.task.contact import LOADED_FRACTION, foot_forces
from wildrobot_gym.task.randomization.world import World
from wildrobot_gym.task.state import TaskState

AVERAGED_S = 0.8  # time constant of the mean error: about a stride


def first_task_state(
    key: jax.Array, robot: RobotModel, amp: AmpWindow, world: World, max_episode_steps: int
) -> TaskState:
    """A task state for the first episode to begin from; `key` is its random stream."""
    return TaskState(
        key=key,
        step_count=jnp.int32(0),
        start_phase=jnp.float32(0.0),
        episode_limit=jnp.int32(max_episode_steps),
        command=jnp.zeros(3),
        command_held=jnp.array(False),
        action=jnp.zeros(robot.num_joints),
        foot_air_time=jnp.zeros(len(robot.foot_names)),
        # The first liftoff of an episode is not judged.
        double_support_time=jnp.float32(jnp.inf),
        velocity_error_sum=jnp.float32(0.0),
        velocity_error_closed=jnp.float32(0.0),
        mean_error=jnp.zeros(3),
        history=jnp.zeros(amp.past_shape),
        previous_qpos=jnp.zeros(robot.model.nq) if amp.differences else None,
        course=None,
        memory=None,
        **world.blank(),
    )


def loaded_feet(robot: RobotModel, state: PhysicsState) -> Bool[AnyArray, "*b foot"]:
    """Which feet carry more than a tenth of the robot's weight."""
    forces = foot_forces(state.pad_forces, robot.pad_ids_of_foot)
    return forces > LOADED_FRACTION * robot.weight


def planar_velocity(state: PhysicsState) -> Float[Array, "3"]:
    """vx and vy in the heading frame, m/s, and the yaw rate, rad/s: what a command is about."""
    return jnp.append(state.base_lin_vel_h[:2], state.base_ang_vel_w[2])


def averaged(
    before: Float[Array, "3"], state: PhysicsState, command: Float[Array, "3"], control_dt: float
) -> Float[Array, "3"]:
    """The mean error of the planar velocity one step later.

    A gait sways within each step; this does not.
    """
    return before + control_dt / AVERAGED_S * (planar_velocity(state) - command - before)


def support_times(
    task: TaskState, loaded: Bool[Array, "foot"], control_dt: float
) -> dict[str, Any]:
    """Fields of the task state after a step.

    How long each foot is in the air, and all are on the floor, s.
    """
    on_all_feet = task.double_support_time + control_dt
    return {
        "foot_air_time": jnp.where(loaded, 0.0, task.foot_air_time + control_dt),
        "double_support_time": jnp.where(loaded.all(), on_all_feet, 0.0),
    }


def reward_inputs(
    robot: RobotModel,
    world: World,
    task: TaskState,
    state: PhysicsState,
    action: Float[Array, "joint"],
    command: Float[Array, "3"],
    control_dt: float,
    phase: Float[Array, ""] | float = 0.0,
) -> dict[str, Any]:
    """Fields of `RewardInputs` after a step with the filtered `action` under `command`.

    `phase` is the gait clock's, in cycles.
    """
    loaded = loaded_feet(robot, state)
    landed = loaded & (task.foot_air_time > 0)
    lifted = jnp.any((task.foot_air_time == 0) & ~loaded)
    return {
        "state": state,
        "command": command,
        "mean_error": averaged(task.mean_error, state, command, control_dt),
        "action": action,
        "previous_action": task.action,
        "force_limit": world.force_limit(task.draws),
        "foot_loaded": loaded,
        "touchdown_air_time": jnp.where(landed, task.foot_air_time, 0.0),
        "liftoff_double_support": jnp.where(lifted, task.double_support_time, jnp.inf),
        "weight": jnp.float32(robot.weight),
        "phase": jnp.float32(phase),
    }


def paid(state: PhysicsState, terms: dict[str, Array]) -> dict[str, Array]:
    """The terms, all 0 where the simulation diverged: no learner may be paid for the home pose."""
    return {name: jnp.where(state.diverged, 0.0, value) for name, value in terms.items()}
