"""What each episode draws of the world: bodies, servos, delays, sensors, and disturbances."""

from wildrobot_gym.task.randomization.terms import random_term

__all__ = ["random_term"]
