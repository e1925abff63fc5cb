"""The commands of ``wildrobot motion`` that judge and show: ``analyze``, ``harness``, ``validate``, ``microtrain``, ``play``."""

from __future__ import annotations

from pathlib import Path

import tyro

from wildrobot_gym.console.error_handling import Text, Texts, complain
from wildrobot_gym.console.exit_codes import NO_PICTURE


def analyze(
    dataset: Text,
    /,
    json: Path | None = None,
    plot: Path | None = None,
    robot: str | None = None,
    force: bool = False,
) -> int:
    """Judge a dataset: dashboard, go or stop, what became of every clip.

    Args:
        dataset: A reference file, or a shipped reference's name.
        json: Write the figures there.
        plot: Write a page of pictures there, .png.
        robot: Folder of the robot's robot_config.yaml, where it is no shipped one.
        force: Overwrite files that exist.
    """
    from wildrobot_gym.cli.motion.analyze import run_analyze

    return run_analyze(dataset, json, plot, robot, force)


def harness(
    files: Texts,
    /,
    robot: str = "wildrobot",
    duration: float = 10.0,
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Say how much of each clip's performance is the harness's: perform it with and without.

    Args:
        files: Clips, reference files, shipped references, or human motion, which is retargeted first.
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        duration: Of each performance, s.
        json: Write the figures there.
        force: Overwrite the figures if they exist.
    """
    from wildrobot_gym.cli.motion.harness import run_harness

    return run_harness(files, robot, duration, json, force)


def validate(
    dataset: Text,
    /,
    policy: str = "walk",
    config: str | None = None,
    robot: str | None = None,
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Compare a policy's features with a reference's, and name what a discriminator could cheat on.

    Args:
        dataset: A reference file, or a shipped reference's name.
        policy: A .zip file, a run folder, or the name of a shipped policy.
        config: Take the features of this run config; all channels if not given.
        robot: Folder of the robot's robot_config.yaml, where it is no shipped one.
        json: Write the figures there.
        force: Overwrite the figures if they exist.
    """
    from wildrobot_gym.experiments.feature_report import run_validate

    return run_validate(dataset, policy, config, json, robot, force)


def microtrain(
    dataset: Text,
    /,
    steps: int = 200_000,
    config: str = "walk_amp",
    set: tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]] = (),
    all_features: bool = False,
    drop_contacts: bool = False,
    drop_height: bool = False,
    log_interval: int = 20_000,
    json: Path | None = None,
    force: bool = False,
) -> int:
    """Try a discriminator on a dataset in a short run; exit code 1 where it is too strong, too weak, or flat.

    Args:
        dataset: A reference file, or a shipped reference's name.
        steps: Environment steps.
        config: The run config whose settings are tried.
        set: Settings to change, as for `wildrobot train`, but for those of the run's size and its reference.
        all_features: The features' defaults (all channels), in place of the config's.
        drop_contacts: Without foot_contacts.
        drop_height: Without root_height.
        log_interval: Steps between two lines.
        json: Write the figures there.
        force: Overwrite the figures if they exist.
    """
    from wildrobot_gym.experiments.probe import run_microtrain

    overrides = [item for group in set for item in group]
    drop = ["foot_contacts"] * drop_contacts + ["root_height"] * drop_height
    return run_microtrain(
        dataset, steps, config, overrides, all_features, drop, log_interval, json, force
    )


def play(
    files: Texts,
    /,
    motion: str | None = None,
    out: Path = Path("play.mp4"),
    strip: Path | None = None,
    seconds: float = 10.0,
    size: tuple[int, int] = (480, 480),
    camera: str = "track",
    robot: str = "wildrobot",
    force: bool = False,
) -> int:
    """Write a video of one motion as several files have it, side by side: clip, tracked, reference.

    Args:
        files: Clips and datasets, a panel each, from left to right; human motion is retargeted first.
        motion: The motion's name; the first file's first clip if not given.
        out: The video, .mp4.
        strip: Write a picture of frames there, too, a row for each panel.
        seconds: Length of the video at most.
        size: Width and height of a panel.
        camera: track, side or front.
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        force: Overwrite files that exist.
    """
    from wildrobot_gym.cli.motion.play import run_play
    from wildrobot_gym.errors import PhysicsError

    try:
        return run_play(files, motion, out, strip, seconds, size, camera, robot, force)
    except PhysicsError as error:
        complain("wildrobot motion play", str(error))
        return NO_PICTURE
