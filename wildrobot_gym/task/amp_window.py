"""The AMP window of a task: what the discriminator sees, kept from step to step."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task import history
from wildrobot_gym.task.features import (
    feature_dim,
    feature_layout,
    feature_mirror,
    frame_dim,
    make_frame_features,
)
from wildrobot_gym.task.sections import FeatureConfig
from wildrobot_gym.task.state import TaskState


class AmpWindow:
    """Frames of AMP features, and the window of them that ends in the present step.

    Args:
        robot: Has the joints and pads.
        config: Has the channels and the history.
        control_dt: s.

    Attributes:
        layout: What the columns mean.
        dim: Width of a window.
        past_shape: (past, feature) shape of the frames that are kept.
        any_heading: Whether features do not depend on the heading, so that episodes may begin in
            any.
        differences: Whether velocities are differences of two poses.
    """

    def __init__(self, robot: RobotModel, config: FeatureConfig, control_dt: float) -> None:
        self.layout = feature_layout(robot, config, control_dt)
        self.dim = feature_dim(self.layout)
        self.past_shape = (config.history.num_past, frame_dim(self.layout))
        self.any_heading = config.velocity_frame == "heading"
        self.differences = config.velocities == "finite_difference"
        self.first_frame = make_frame_features(robot, config, control_dt)
        self._robot, self._config = robot, config

    def mirror(self) -> dict[str, list[Any]]:
        """Reflection y -> -y of a window: `amp_ids` and `amp_signs`."""
        return feature_mirror(self._robot, self.layout)

    def next_frame(
        self, task: TaskState, state: PhysicsState, command: Float[Array, "3"]
    ) -> Float[Array, "feature"]:
        """Features of the frame after a control step under a command.

        A simulation that diverged stands in the home pose. Its last frame is repeated, where one is
        kept, so that no discriminator sees the home pose.
        """
        frame = self.first_frame(state, task.previous_qpos, command)
        return jnp.where(state.diverged, task.history[-1], frame) if len(task.history) else frame

    def window(
        self, past: Float[Array, "past feature"], frame: Float[Array, "feature"]
    ) -> Float[Array, "window"]:
        """What the discriminator sees at `frame`."""
        return history.window(past, frame, self._config.history)

    def fill(self, frame: Float[Array, "feature"]) -> Float[Array, "past feature"]:
        """A past that consists of `frame` alone."""
        return history.fill(frame, self._config.history)

    def remembered(self, state: PhysicsState) -> Float[Array, "*b nq"] | None:
        """The pose for the next step's velocities, where they are differences of two poses."""
        return state.qpos if self.differences else None
