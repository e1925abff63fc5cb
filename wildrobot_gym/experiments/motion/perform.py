"""Performing a reference with a tracking policy and keeping the segments that pass the quality
gates.
"""

from __future__ import annotations

from wildrobot_gym.env.rollout import perform
from wildrobot_gym.experiments.datasets import report_file, write_dataset
from wildrobot_gym.experiments.motion.settings import PerformSettings
from wildrobot_gym.experiments.motion.track import kept_segments, limit_length
from wildrobot_gym.experiments.motion.written import MinedDataset
from wildrobot_gym.experiments.tracking_policy import load_tracking_policy
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.mining import Gates, mine
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import TrackEnvConfig


def perform_reference(
    policy: str, settings: PerformSettings | None = None, *, overwrite: bool = False
) -> MinedDataset:
    """Perform a reference with a tracking policy, without a harness, and write what passes all
    gates.

    Args:
        policy: A run directory or .zip file of `wildrobot train track`.
        settings: The reference, the file, and how much to keep.
        overwrite: Replace files that exist.

    Returns:
        The dataset and its mining report.

    Raises:
        MotionError: No segment passes the gates.
        RunError: A file exists, or the policy is not a tracking policy.
    """
    settings = settings or PerformSettings()
    gates = limit_length(Gates(), settings.seconds_per_motion)
    check_free([settings.out, report_file(settings.out)], overwrite)
    model, env_kwargs = load_tracking_policy(policy)
    robot = RobotModel.load(str(env_kwargs.get("robot", TrackEnvConfig.robot)))
    performances = perform(
        settings.reference, lambda obs: model.predict(obs, deterministic=True)[0], env_kwargs
    )
    mined = mine(robot, performances, gates)
    segments = kept_segments(mined, settings.seconds_per_motion)
    write_dataset(settings.out, mined, segments)
    return MinedDataset(settings.out, segments, report=mined)
