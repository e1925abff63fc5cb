"""The page of a comparison, and the sections that other pages share."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import chain

from wildrobot_gym.evaluation.comparison import MIN_EPISODES
from wildrobot_gym.evaluation.cycles import Cycles, clip_cycles, nearest_clips, recorded_cycles
from wildrobot_gym.evaluation.plots import comparison as compare_plots
from wildrobot_gym.evaluation.torque_use import TorqueUse, torque_use
from wildrobot_gym.experiments.compare.parts import cell_html, chip, grid, legend, run_table
from wildrobot_gym.experiments.compare.run import ComparedRun, differences
from wildrobot_gym.experiments.compare.suites import suites_section
from wildrobot_gym.experiments.compare.table import rows_of
from wildrobot_gym.experiments.html_document import Section, document
from wildrobot_gym.experiments.style_eval import compared_with

HOW_TO_READ = (
    "Each cell has the mean over episodes and its 95 % bootstrap interval."
    " “better than 2”: the interval lies wholly apart from that of run 2, on the better side."
    " “differs from 2”: the same of a metric that has no better side."
    " Success and survival are compared by Wilson's intervals."
    " Episodes with an early fall have no gait metrics; the cell then says how many were measured."
    " Intervals that overlap decide nothing. They describe the episodes of these policies, not"
    " other seeds of their training. Among many metrics, a few lie apart by chance."
    f" Nothing is marked with fewer than {MIN_EPISODES} episodes."
    " Style metrics are marked among runs that were compared with the same motions, all held out"
    " or none. The two-sample AUC also needs the same AMP features."
)


def page(runs: Sequence[ComparedRun]) -> str:
    """The whole HTML document of a comparison.

    Everything that comes from a run is escaped.

    Args:
        runs: The runs, in the order of their numbers and colors.
    """
    title = "WildRobot: " + " against ".join(run.name for run in runs)
    return document(
        title,
        [
            Section("runs", "What was compared", about(runs)),
            Section("metrics", "Metrics", metrics(runs)),
            *suites_section(runs),
            Section("curves", "Learning curves", curves(runs)),
            Section("gait", "Gait", gait(runs)),
        ],
    )


def about(runs: Sequence[ComparedRun]) -> str:
    """What the runs are, and the settings that differ."""
    first = runs[0].results
    protocol = (
        f"Walk benchmark {first['protocol']}: {first['episodes_per_command']} episodes of"
        f" {first['steps']} steps at each of"
        f" {', '.join(first['commands'])} m/s, seed {first['seed']}, backend {first['backend']}."
    )
    rows = [
        ("policy", [str(run.policy.path) for run in runs]),
        ("steps of training", [f"{run.policy.model.num_timesteps:,}" for run in runs]),
        ("robot", [run.result.robot.name for run in runs]),
        ("reference motion", [run.reference or "-" for run in runs]),
        (
            "style compared with",
            [compared_with(style) if (style := run.results.get("style")) else "-" for run in runs],
        ),
        ("verdicts on the discriminator, by iterations", [run.verdicts or "-" for run in runs]),
    ]
    if any(run.missing for run in runs):
        rows.append(("missing here", ["; ".join(run.missing) or "-" for run in runs]))
    content = f"<p>{escape(protocol)}</p>" + run_table(
        "The runs", runs, [(name, map(escape, values)) for name, values in rows]
    )
    known = [run for run in runs if run.config]
    if len(known) > 1:
        differing = [
            (key, map(escape, values))
            for key, values in differences([run.config for run in known]).items()
        ]
        content += (
            run_table("Settings that differ", known, differing, runs)
            if differing
            else "<p>Their settings are the same.</p>"
        )
    return content


def metrics(runs: Sequence[ComparedRun]) -> str:
    """Tables of the metrics, over all commands and for each."""

    def table(caption: str, command: str | None) -> str:
        return run_table(
            caption, runs, [(name, map(cell_html, cells)) for name, cells in rows_of(runs, command)]
        )

    content = f"<p>{escape(HOW_TO_READ)}</p>" + table("Over all commands", None)
    for command in runs[0].results["commands"]:
        heading = f"At {command} m/s"
        content += f"<details><summary>{heading}</summary>{table(heading, command)}</details>"
    return content


def curves(runs: Sequence[ComparedRun]) -> str:
    """Learning curves, a panel for each metric."""
    without = [run.name for run in runs if not run.curves]
    note = (
        f"<p>No learning curves of {escape(', '.join(without))}. The first table says why.</p>"
        if without
        else ""
    )
    panels = compare_plots.curve_panels([run.curves for run in runs])
    return note + (legend(runs) + grid(panels) if panels else "")


def gait(runs: Sequence[ComparedRun]) -> str:
    """Contacts, joint angles and torque use at each command."""
    return "".join(_gait(runs, index) for index in range(len(runs[0].result.commands)))


def _gait(runs: Sequence[ComparedRun], index: int) -> str:
    """The plots of one command; those of the middle command are open."""
    commands = runs[0].result.commands
    command, key = commands[index], f"gait{index}"
    opened = " open" if index == len(commands) // 2 else ""
    content = "<h3>Feet that carry load</h3>"
    for number, run in enumerate(runs):
        picture = compare_plots.contacts_svg(
            run.result.recording_of(index),
            run.result.robot,
            run.result.control_dt,
            number,
            f"{key}-feet{number}",
        )
        content += (
            f"<figure><figcaption>{chip(number, run)}</figcaption>"
            f"<div class=wide tabindex=0>{picture}</div></figure>"
        )
    content += "<h3>Joints over the gait cycle</h3>" + _joints(runs, index, key)
    used = [
        torque_use(run.result.recording_of(index), run.result.robot, run.result.control_dt)
        for run in runs
    ]
    content += "<h3>Torque use</h3>" + _torque(runs, used, key)
    return f"<details{opened}><summary>At {command:g} m/s</summary>{content}</details>"


def _joints(runs: Sequence[ComparedRun], index: int, key: str) -> str:
    cycles = [_run_cycles(run, index) for run in runs]
    references: dict[str, Cycles] = {}
    for run in runs:
        name = f"{run.reference} of {run.result.robot.name}"
        if run.clips and name not in references:
            references[name] = _reference_cycles(run, index)
    notes = [_cycles_note(of_run) for of_run in cycles]
    items = "".join(
        f'<li><span class="line dash{i % len(compare_plots.DASHES)}" aria-hidden="true"></span>'
        f"reference {i + 1}: {escape(name)}, {_cycles_note(of_reference)}</li>"
        for i, (name, of_reference) in enumerate(references.items())
    )
    text = (
        "<p>From one touchdown of the left foot to the next: mean and one standard deviation.</p>"
    )
    return (
        text
        + legend(runs, notes, items)
        + grid(compare_plots.joint_panels(cycles, list(references.values()), key))
    )


def _run_cycles(run: ComparedRun, index: int) -> Cycles:
    """All gait cycles of a run at one command."""
    robot, dt = run.result.robot, run.result.control_dt
    return Cycles.of(
        robot, chain.from_iterable(recorded_cycles(run.result.recording_of(index), robot, dt)), dt
    )


def _reference_cycles(run: ComparedRun, index: int) -> Cycles:
    """The gait cycles of the reference's clips that are nearest to that command."""
    robot, dt = run.result.robot, run.result.control_dt
    near = nearest_clips(run.clips, run.result.commands[index])
    return Cycles.of(robot, chain.from_iterable(clip_cycles(robot, clip, dt) for clip in near), dt)


def _cycles_note(cycles: Cycles) -> str:
    return (
        f"{len(cycles)} cycles of {cycles.duration_s.mean():.2f} s" if len(cycles) else "no cycles"
    )


def _torque(runs: Sequence[ComparedRun], used: Sequence[TorqueUse | None], key: str) -> str:
    names = dict.fromkeys(name for use in used if use is not None for name in use.joint_names)
    if not names:
        return "<p>No episode lasted long enough to measure.</p>"
    rows = []
    for name in names:
        fractions = [
            "-"
            if use is None or name not in use.joint_names
            else f"{100 * use.saturated[use.joint_names.index(name)]:.1f}"
            for use in used
        ]
        rows.append((name.replace("_", " "), fractions))
    caption = "Saturation: % of the time at the limit"
    return (
        "<p>Box: the middle half of the time. Stroke: the median. Line: 5th to 95th percentile.</p>"
        + legend(runs)
        + "<figure class=wide tabindex=0>"
        + compare_plots.torque_svg(used, f"{key}-torque")
        + "</figure>"
        + run_table(caption, runs, rows)
    )
