"""``wildrobot motion``: reference motion made, brought to the robot, performed in physics, gated and judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from wildrobot_gym.cli.motion.judge import analyze, harness, microtrain, play, validate
from wildrobot_gym.console.error_handling import Text, Texts


def build(
    robot: str = "wildrobot",
    out: Path | None = None,
    speeds: tuple[float, ...] | None = None,
    mirror: bool = True,
    force: bool = False,
) -> int:
    """Make walking clips with the gait generator.

    Args:
        robot: A shipped robot's name, or a folder with its robot_config.yaml.
        out: The .npz file; if not given the robot's walk_<name>, where the shipped motions lie.
        speeds: Of the walks, m/s; the shipped ones' if not given.
        mirror: Each clip's mirror image too; --no-mirror leaves them out.
        force: Overwrite the file if it exists, the shipped one too.
    """
    from wildrobot_gym.cli.motion.make import run_build

    return run_build(robot, out, speeds, mirror, force)


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
        warp: Play human motion at the speed that the Froude number asks for; --no-warp keeps its own time.
        stride: Factor on human steps' length, beside the scale by leg length.
        table: Joint names of the files, a name in configs/skeletons or a path; found out if not given.
        skeleton: The .asf of .amc files; found beside them if not given.
        body_model: SMPL-H or SMPL-X model, for AMASS files.
        fps: Frames a second, in place of what the files say.
        start: Take each file from this time on, s.
        end: Take each file up to this time, s.
        force: Overwrite clips that exist.
    """
    from wildrobot_gym.cli.motion.make import run_retarget
    from wildrobot_gym.motion.importers import ImportOptions
    from wildrobot_gym.motion.retarget import RetargetSettings

    options = ImportOptions(
        table=table,
        skeleton=skeleton,
        body_model=body_model,
        robot=robot,
        fps=fps,
        start_s=start,
        end_s=end,
    )
    return run_retarget(
        files,
        out,
        robot,
        options,
        RetargetSettings(time_scale=None if warp else 1.0, stride=stride),
        force,
    )


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
        mirror: Each clip's mirror image too; --no-mirror leaves them out.
        force: Overwrite the file if it exists.
    """
    from wildrobot_gym.cli.motion.make import run_loop
    from wildrobot_gym.motion.tracking import TrackSettings

    settings = TrackSettings(
        duration_s=duration, loops=loops, warps=warps, turns=turns, mirror=mirror
    )
    return run_loop(files, out, robot, settings, force)


def track(
    files: Texts,
    /,
    out: Path = Path("segments.npz"),
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
        seconds_per_motion: Keep at most so much of each motion, the best first; 1 s or more.
        features: Write feature frames, ids, scores and metrics of all segments there, .npz (all channels of WildRobot-v0).
        force: Overwrite the dataset if it exists.
    """
    from wildrobot_gym.cli.motion.make import run_track
    from wildrobot_gym.motion.mining import Gates
    from wildrobot_gym.motion.tracking import TrackSettings

    settings = TrackSettings(duration_s=duration)
    return run_track(
        files, out, robot, settings, Gates(), generations, seconds_per_motion, features, force
    )


def perform(
    policy: Text,
    /,
    reference: str = "walk_synthetic",
    out: Path = Path("performed.npz"),
    seconds_per_motion: float | None = None,
    force: bool = False,
) -> int:
    """Perform a reference by a tracking policy (config track), with no harness, and keep what passes all gates.

    Args:
        policy: A run folder or .zip file of `wildrobot train track`.
        reference: The clips to perform, a reference file or a shipped name.
        out: The dataset; its report is written beside it.
        seconds_per_motion: Keep at most so much of each motion, the best first; 1 s or more.
        force: Overwrite the dataset if it exists.
    """
    from wildrobot_gym.cli.motion.make import run_perform

    return run_perform(policy, reference, out, seconds_per_motion, force)


def select(
    dataset: Text, motions: Texts, /, out: Path, robot: str | None = None, force: bool = False
) -> int:
    """Write some of a dataset's motions into a dataset of their own.

    Args:
        dataset: A reference file, or a shipped one's name.
        motions: Their names; * and ? stand for any letters, e.g. '02_*'.
        out: The new dataset, .npz.
        robot: A folder with robot_config.yaml, where the dataset's robot is no shipped one.
        force: Overwrite the file given by out if it exists.
    """
    from wildrobot_gym.cli.motion.make import run_select

    return run_select(dataset, motions, out, robot, force)


COMMANDS: dict[str, Any] = {
    "build": build,
    "retarget": retarget,
    "loop": loop,
    "track": track,
    "perform": perform,
    "select": select,
    "analyze": analyze,
    "harness": harness,
    "validate": validate,
    "microtrain": microtrain,
    "play": play,
}
