"""``wildrobot motion``: reference motion made, brought to the robot, performed in physics, gated and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

Texts = Annotated[tuple[str, ...], tyro.conf.Positional]
Text = Annotated[str, tyro.conf.Positional]


def build(
    robot: str = "wildrobot", out: Path | None = None, speeds: tuple[float, ...] | None = None, mirror: bool = True
) -> int:
    """Make walking clips with the gait generator.

    Args:
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        out: The .npz file; the shipped one's place if not given.
        speeds: Of the walks, m/s; the shipped ones' if not given.
        mirror: Each clip's mirror image too.
    """
    from wildrobot_gym.motion.build import WALK_SPEEDS, build_reference
    from wildrobot_gym.robot import RobotModel

    print(f"Wrote {build_reference(RobotModel.load(robot), out, speeds or WALK_SPEEDS, mirror)}")
    return 0


def retarget(
    files: Texts,
    /,
    out: Path = Path("retargeted"),
    robot: str = "wildrobot",
    warp: bool = True,
    stride: float = 1.0,
    table: str | None = None,
    skeleton: str | None = None,
    body_model: str | None = None,
    fps: float | None = None,
    start: float | None = None,
    end: float | None = None,
    force: bool = False,
) -> int:
    """Bring human motion, or clips of this robot from other projects, into clips; exit code 1 if a file was left out.

    Args:
        files: .amc, .bvh, AMASS .npz, DeepMimic .txt or .json, GMR .pkl, .csv; or folders of them.
        out: Folder for the clips, one .npz for each.
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        warp: Play human motion at the speed that the Froude number asks for; no-warp keeps its own time.
        stride: Factor on human steps' length, beside the scale by leg length.
        table: Joint names of the files, a name in configs/skeletons or a path; found out if not given.
        skeleton: The .asf of .amc files; found beside them if not given.
        body_model: SMPL-H or SMPL-X model, for AMASS files.
        fps: Frames a second, in place of what the files say.
        start: Take each file from this time on, s.
        end: Take each file up to this time, s.
        force: Overwrite clips that exist.
    """
    from wildrobot_gym.cli.motion_make import run_retarget
    from wildrobot_gym.motion.importers import ImportOptions
    from wildrobot_gym.motion.retarget import RetargetSettings

    options = ImportOptions(
        table=table, skeleton=skeleton, body_model=body_model, robot=robot, fps=fps, start_s=start, end_s=end
    )
    return run_retarget(files, out, robot, options, RetargetSettings(time_scale=None if warp else 1.0, stride=stride), force)


def loop(
    files: Texts,
    /,
    out: Path = Path("loops.npz"),
    robot: str = "wildrobot",
    duration: float = 10.0,
    loops: tuple[Literal["cycle", "neutral"], ...] = ("cycle",),
    warps: tuple[float, ...] = (1.0,),
    turns: tuple[float, ...] = (0.0,),
    mirror: bool = True,
    force: bool = False,
) -> int:
    """Make clips endless, in all their variants: one reference for a tracking policy to learn and to perform.

    Args:
        files: Clips, reference files, shipped references, or human motion, which is retargeted first.
        out: The reference file.
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        duration: Of each variant, s.
        loops: How a clip follows on itself: where its end is like its beginning, or through the home pose.
        warps: Speeds at which a clip is played.
        turns: Shares by which the left leg's swing is longer and the right one's shorter.
        mirror: Each clip's mirror image too.
        force: Overwrite the file if it exists.
    """
    from wildrobot_gym.cli.motion_make import run_loop
    from wildrobot_gym.motion.tracking import TrackSettings

    settings = TrackSettings(duration_s=duration, loops=loops, warps=warps, turns=turns, mirror=mirror)
    return run_loop(files, out, robot, settings, force)


def track(
    files: Texts,
    /,
    out: Path = Path("tier0plus.npz"),
    robot: str = "wildrobot",
    duration: float = 20.0,
    generations: int = 8,
    seconds_per_motion: float | None = None,
    features: Path | None = None,
    force: bool = False,
) -> int:
    """Perform clips in physics, every variant of each, and keep the stretches that pass all gates (Tier 0+).

    Args:
        files: Clips, reference files, shipped references, or human motion, which is retargeted first.
        out: The dataset; its report is written beside it.
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        duration: Of each variant, s.
        generations: Of the search for each clip's controller; 0 takes the default one.
        seconds_per_motion: Keep at most so much of each clip, the best first.
        features: Write feature frames, ids, scores and metrics of all segments there, .npz (all channels of WildRobot-v0).
        force: Overwrite the dataset if it exists.
    """
    from wildrobot_gym.cli.motion_make import run_track
    from wildrobot_gym.motion.segments import Gates
    from wildrobot_gym.motion.tracking import TrackSettings

    settings = TrackSettings(duration_s=duration)
    return run_track(files, out, robot, settings, Gates(), generations, seconds_per_motion, features, force)


def perform(
    policy: Text,
    /,
    reference: str = "walk_wildrobot",
    out: Path = Path("performed.npz"),
    seconds_per_motion: float | None = None,
    force: bool = False,
) -> int:
    """Perform a reference by a tracking policy (config track), with no harness, and keep what passes all gates.

    Args:
        policy: A run folder or .zip file of `wildrobot train track`.
        reference: The clips to perform, a reference file or a shipped name.
        out: The dataset; its report is written beside it.
        seconds_per_motion: Keep at most so much of each motion, the best first.
        force: Overwrite the dataset if it exists.
    """
    from wildrobot_gym.cli.motion_make import run_perform

    return run_perform(policy, reference, out, seconds_per_motion, force)


def analyze(dataset: Text, /, json: Path | None = None, plot: Path | None = None, robot: str | None = None) -> int:
    """Judge a dataset: dashboard, go or stop, what became of every clip.

    Args:
        dataset: A reference file, or a shipped reference's name.
        json: Write the figures there.
        plot: Write a page of pictures there, .png.
        robot: Folder of the robot's robot_config.yaml, where it is no shipped one.
    """
    from wildrobot_gym.cli.motion_analyze import run_analyze

    return run_analyze(dataset, json, plot, robot)


def harness(
    files: Texts, /, robot: str = "wildrobot", duration: float = 10.0, json: Path | None = None
) -> int:
    """Say how much of each clip's performance is the harness's: perform it with and without.

    Args:
        files: Clips, reference files, shipped references, or human motion, which is retargeted first.
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        duration: Of each performance, s.
        json: Write the figures there.
    """
    from wildrobot_gym.cli.motion_check import run_harness

    return run_harness(files, robot, duration, json)


def validate(dataset: Text, /, policy: str = "walk", config: str | None = None, json: Path | None = None) -> int:
    """Compare a policy's features with a reference's, and name what a discriminator could cheat on.

    Args:
        dataset: A reference file, or a shipped reference's name.
        policy: A .zip file, a run folder, or the name of a shipped policy.
        config: Take the features of this run config; all channels if not given.
        json: Write the figures there.
    """
    from wildrobot_gym.cli.motion_check import run_validate

    return run_validate(dataset, policy, config, json)


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
) -> int:
    """Try a discriminator on a dataset in a short run; exit code 1 where it is too strong, too weak, or flat.

    Args:
        dataset: A reference file, or a shipped reference's name.
        steps: Environment steps.
        config: The run config whose settings are tried.
        set: Settings to change, as for `wildrobot train`.
        all_features: All channels, in place of the config's.
        drop_contacts: Without foot_contacts.
        drop_height: Without root_height.
        log_interval: Steps between two lines.
        json: Write the figures there.
    """
    from wildrobot_gym.cli.motion_check import run_microtrain

    overrides = [item for group in set for item in group]
    drop = ["foot_contacts"] * drop_contacts + ["root_height"] * drop_height
    return run_microtrain(dataset, steps, config, overrides, all_features, drop, log_interval, json)


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
    """
    from wildrobot_gym.cli.motion_play import run_play

    return run_play(files, motion, out, strip, seconds, size, camera, robot)


COMMANDS: dict[str, Any] = {
    "build": build,
    "retarget": retarget,
    "loop": loop,
    "track": track,
    "perform": perform,
    "analyze": analyze,
    "harness": harness,
    "validate": validate,
    "microtrain": microtrain,
    "play": play,
}
