"""Reference motion that an environment looks up by name."""

from __future__ import annotations

from typing import Any

from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig


class NamedReference:
    """The part of an environment that `AMPPPO(reference="walk")` asks."""

    config: EnvConfig

    def reference_features(self, name: str, temperature: float = 1.0) -> dict[str, Any]:
        """Reference motion in this environment's own AMP features.

        Args:
            name: A shipped motion ("walk"), or the path of an .npz file.
            temperature: Of the softmax over the clips' scores by which windows are drawn.

        Returns:
            The keyword arguments of `amp_sbx.ReferenceFeatures`.

        Raises:
            MotionError: There is no such motion, or it does not fit the robot.
        """
        robot, config = RobotModel.load(self.config.robot), self.config
        dataset = ReferenceDataset.load(name, robot, config.features, config.control_dt)
        return dataset.reference_features(temperature)
