"""``wildrobot motion build``, ``retarget``, ``loop``, ``track``, ``perform`` and ``select``: files in, clips and datasets out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from amp_sbx import AMPPPO
from wildrobot_gym.config import FeatureConfig
from wildrobot_gym.console.tables import number_table
from wildrobot_gym.env.registration import TRACK_ENV_ID
from wildrobot_gym.env.rollout import perform
from wildrobot_gym.errors import ConfigError, MotionError, RunError, unknown_name
from wildrobot_gym.experiments.datasets import (
    finish,
    load_dataset,
    read_motions,
    report_file,
    write_without_report,
)
from wildrobot_gym.files import check_free
from wildrobot_gym.motion.clip import MotionClip, check_names, without_images
from wildrobot_gym.motion.gait.build import WALK_SPEEDS, build_clips, default_reference_path
from wildrobot_gym.motion.importers import ImportOptions
from wildrobot_gym.motion.mining import (
    Gates,
    MiningReport,
    best_segments,
    generate,
    mine,
    save_features,
)
from wildrobot_gym.motion.retarget import RetargetReport, RetargetSettings
from wildrobot_gym.motion.states import CONTROL_DT
from wildrobot_gym.motion.tracking import TrackSettings, endless_clips
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.training.policy import find_policy

_RETARGETED = (  # heading, figure, decimals
    ("s", "duration_s", 1),
    ("m/s", "speed", 2),
    ("slide\nmm/s", "foot_slide", 1),
    ("sink\nmm", "penetration", 1),
    ("float\nmm", "float_height", 1),
    ("miss\nmm", "miss", 1),
    ("limit\n%", "joint_limit_fraction", 1),
    ("fast\n%", "velocity_limit_fraction", 1),
    ("error\nmm", "tracking_error", 0),
    ("frames\n1/s", "frames_per_s", 0),
)
_SCALE = {"joint_limit_fraction": 100, "velocity_limit_fraction": 100, "tracking_error": 1000}


def run_build(
    robot: str, out: Path | None, speeds: Sequence[float] | None, mirror: bool, force: bool
) -> int:
    """The generator's walks: all that are asked for into ``out``, or the shipped ones anew into their place."""
    if out is None and (speeds is not None or not mirror):
        raise ConfigError(
            "Other walks than the shipped ones need a file of their own: name it by --out."
        )
    model = RobotModel.load(robot)
    path = default_reference_path(model.name) if out is None else out
    check_free([path, report_file(path)], force)
    print(
        f"Wrote {write_without_report(path, build_clips(model, WALK_SPEEDS if speeds is None else speeds, mirror))}"
    )
    return 0


def run_select(
    dataset: str, motions: Sequence[str], out: Path, robot: str | None, force: bool
) -> int:
    """The segments of the named motions of ``dataset``, into ``out``.

    Raises:
        MotionError: there is no such dataset, or nothing in it of that name. RunError: ``out`` is in the way.
    """
    check_free([out, report_file(out)], force)
    _, clips = load_dataset(dataset, robot)
    names, taken = {clip.motion_id for clip in clips}, set[str]()
    for pattern in motions:
        found = {name for name in names if fnmatchcase(name, pattern)}
        if not found:
            raise MotionError(unknown_name("motion", pattern, names))
        taken |= found
    if not taken:
        raise MotionError(
            f"Name the motions of {dataset} that are to be taken; * and ? stand for any letters."
        )
    chosen = [clip for clip in clips if clip.motion_id in taken]
    seconds = sum(clip.seconds for clip in chosen)
    print(
        f"{write_without_report(out, chosen)}: {seconds:.1f} s of {len(taken)} motions, in {len(chosen)} segments"
    )
    return 0


def run_retarget(
    files: Sequence[str],
    out: Path,
    robot: str,
    options: ImportOptions,
    settings: RetargetSettings,
    force: bool,
) -> int:
    """One clip for each motion in ``files``; 0, or 1 where one was left out."""
    console, model = Console(), RobotModel.load(robot)
    read = read_motions(model, files, options, settings)
    written: set[Path] = set()
    for clip in read.clips:
        path = (
            out / f"{Path(clip.name).name}.npz"
        )  # a foreign file's name must not lead out of the folder
        try:
            if path in written:
                raise RunError(
                    f"{path} holds another of these motions already. Rename one, or give each its own --out."
                )
            check_free([path], force)
            written.add(path)
            clip.save(path)
        except (RunError, MotionError) as error:
            read.skipped[str(path)] = str(error)
        else:
            console.print(
                f"{path}: {clip.duration_s:.1f} s, {clip.command[0]:.2f} m/s",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
            for note in clip.metadata.get("notes", ()):
                console.print(f"  {note}", highlight=False, markup=False, soft_wrap=True)
    if read.reports:
        console.print(_retarget_table(read.reports))
    return read.tell_skipped(console)


def run_loop(
    files: Sequence[str], out: Path, robot: str, settings: TrackSettings, force: bool
) -> int:
    """Every variant of every clip into one reference; 0, or 1 where a file was left out."""
    console, model = Console(), RobotModel.load(robot)
    check_free([out, report_file(out)], force)
    read = read_motions(model, files, ImportOptions(robot=robot))
    check_names(read.clips)
    made: list[MotionClip] = []
    for clip in without_images(read.clips) if settings.mirror else read.clips:
        try:
            made += endless_clips(model, clip, settings)
        except MotionError as error:
            read.skipped[clip.name] = str(error)
    code = read.tell_skipped(console)
    if not made:
        raise MotionError("There is no clip to loop.")
    write_without_report(out, made)
    motions, seconds = {clip.motion_id for clip in made}, sum(clip.duration_s for clip in made)
    text = f"{out}: {len(made)} variants of {len(motions)} motions, {seconds:.0f} s"
    console.print(text, highlight=False, soft_wrap=True)
    return code


def run_track(
    files: Sequence[str],
    out: Path,
    robot: str,
    settings: TrackSettings,
    gates: Gates,
    generations: int,
    seconds_per_motion: float | None,
    features: Path | None,
    force: bool,
) -> int:
    """Clips through physics and the gates into a dataset; 0, or 1 where a file was left out."""
    console, model = Console(), RobotModel.load(robot)
    gates = _none_longer(gates, seconds_per_motion)
    if features is not None and features.resolve() == out.resolve():
        raise RunError(
            f"--features and --out are both {out}. Name two files: the second would replace the first."
        )
    check_free([out, report_file(out), features], force)
    read = read_motions(model, files, ImportOptions(robot=robot))
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("clips", total=len(read.clips))
        report = generate(
            model,
            read.clips,
            settings,
            gates,
            generations,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            skipped=read.skipped,
        )
    code = read.tell_skipped(console)
    segments = _kept(report, seconds_per_motion)
    finish(out, report, segments, console)
    if features is not None:
        save_features(features, model, FeatureConfig(), segments)
        console.print(f"Features: {features}", highlight=False, soft_wrap=True)
    return code


def run_perform(
    policy: str, reference: str, out: Path, seconds_per_motion: float | None, force: bool
) -> int:
    """A tracking policy's performance of a reference through the gates into a dataset."""
    console = Console()
    gates = _none_longer(Gates(), seconds_per_motion)
    check_free([out, report_file(out)], force)
    path = find_policy(policy)
    trained = AMPPPO.load(path)
    if trained.extra.get("env_id") != TRACK_ENV_ID:
        raise RunError(
            f"{path} is no policy of {TRACK_ENV_ID}; train one by `wildrobot train track`."
        )
    settings = dict(trained.extra.get("env_kwargs", {}))
    model = RobotModel.load(str(settings.get("robot", "wildrobot")))
    performances = perform(
        reference, lambda obs: trained.predict(obs, deterministic=True)[0], settings
    )
    report = mine(model, performances, gates)
    finish(out, report, _kept(report, seconds_per_motion), console)
    return 0


def _none_longer(gates: Gates, seconds_per_motion: float | None) -> Gates:
    """``gates`` under which no segment is longer than what is kept of its motion: it would be left out, and with it maybe all."""
    if seconds_per_motion is None:
        return gates
    if not seconds_per_motion >= (window_s := gates.window * CONTROL_DT):
        raise ConfigError(
            f"seconds_per_motion is {seconds_per_motion}; allowed: {window_s:g} (a window of the gates) or more."
        )
    return replace(gates, longest=int(min(gates.longest, seconds_per_motion / CONTROL_DT + 1e-6)))


def _kept(report: MiningReport, seconds_per_motion: float | None) -> Sequence[MotionClip]:
    return (
        report.segments
        if seconds_per_motion is None
        else best_segments(report.segments, seconds_per_motion)
    )


def _retarget_table(reports: dict[str, RetargetReport]) -> Table:
    table = number_table("retargeted", "file", [heading for heading, *_ in _RETARGETED])
    for path, report in reports.items():
        cells = (
            f"{_SCALE.get(name, 1) * getattr(report, name):.{digits}f}"
            for _, name, digits in _RETARGETED
        )
        table.add_row(escape(Path(path).name), *cells)
    return table
