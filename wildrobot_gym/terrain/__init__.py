"""The ground that robots walk on: its settings, its heights, and where they come from."""

from wildrobot_gym.terrain.config import TerrainConfig
from wildrobot_gym.terrain.fields import make_ground
from wildrobot_gym.terrain.ground import Ground, GroundHeights

__all__ = ["Ground", "GroundHeights", "TerrainConfig", "make_ground"]
