"""From actions to servo targets and back."""

from __future__ import annotations

from fnmatch import fnmatchcase

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.sections import ActionConfig


class ServoControl:
    """The action filter, and the range of each joint.

    Args:
        robot: Has the joints, their limits and the home pose.
        config: Has the scales and the filter.

    Raises:
        ConfigError: `joint_scale` has the name of no joint.
    """

    def __init__(self, robot: RobotModel, config: ActionConfig) -> None:
        self.filter = config.filter
        # NumPy's: an environment that is only built has not started JAX, and may be forked.
        self.scale: np.ndarray = np.array(_joint_scales(robot, config), np.float32)
        self.home: np.ndarray = np.asarray(robot.home_joint_pos, np.float32)
        self.low, self.high = np.asarray(robot.joint_range.T, np.float32)

    def filtered(
        self, before: Float[Array, "joint"], action: Float[Array, "joint"]
    ) -> Float[Array, "joint"]:
        """The filter's output for a raw `action` in -1 to 1, after the output `before`."""
        return self.filter * jnp.clip(action, -1.0, 1.0) + (1.0 - self.filter) * before

    def targets(
        self, around: Float[Array | np.ndarray, "joint"], filtered: Float[Array, "joint"]
    ) -> Float[Array, "joint"]:
        """Joint targets in rad.

        The scaled action added to `around`, clipped to the joints' limits.
        """
        return jnp.clip(around + self.scale * filtered, self.low, self.high)

    def action_at(self, joint_pos: Float[Array, "*b joint"]) -> Float[Array, "*b joint"]:
        """The filtered action whose targets are these joint positions, as far as -1 to 1
        reaches.
        """
        return jnp.clip((joint_pos - self.home) / self.scale, -1.0, 1.0)

    def actions_for(
        self, targets: Float[Array, "step *b joint"]
    ) -> tuple[Float[Array, "step *b joint"], Float[Array, "step *b joint"]]:
        """Actions that ask for a sequence of joint targets, from a filter at rest.

        Args:
            targets: rad. The action goes as far as it can towards a target out of reach.

        Returns:
            Filtered and raw actions, one for each target.
        """
        filtered = self.action_at(targets)
        before = jnp.concatenate([filtered[:1], filtered[:-1]])
        return filtered, self.unfiltered(filtered, before)

    def unfiltered(
        self, filtered: Float[Array, "*b joint"], before: Float[Array, "*b joint"]
    ) -> Float[Array, "*b joint"]:
        """The raw action in -1 to 1 that brings the filter's output from `before` to `filtered`,
        as far as it can.
        """
        return jnp.clip((filtered - (1.0 - self.filter) * before) / self.filter, -1.0, 1.0)


def _joint_scales(robot: RobotModel, config: ActionConfig) -> list[float]:
    """Scale of each joint; a later pattern overrides an earlier one.

    A configured waist is no error for a robot without one; a misspelled joint is.
    """
    known = {*robot.joint_names, "waist_yaw"}
    scales = dict.fromkeys(robot.joint_names, config.scale)
    for pattern, scale in config.joint_scale.items():
        found = [name for name in known if fnmatchcase(name, pattern)]
        if not found:
            raise ConfigError(unknown_name("joint in action.joint_scale", pattern, known))
        scales |= {name: scale for name in found if name in scales}
    return list(scales.values())
