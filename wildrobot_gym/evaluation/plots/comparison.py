"""Plots of several policies side by side, as parts of an HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from wildrobot_gym.evaluation.cycles import POINTS, Cycles
from wildrobot_gym.evaluation.gait_events import find_events
from wildrobot_gym.evaluation.metrics import SETTLING_S, first_step, side_name
from wildrobot_gym.evaluation.plots.gait import CURVES, marker_of
from wildrobot_gym.evaluation.plots.inline_svg import INK, RUN_COLORS, Panel, drawing, inline_svg
from wildrobot_gym.evaluation.recording import Recording
from wildrobot_gym.evaluation.torque_use import PERCENTILES, TorqueUse
from wildrobot_gym.robot import RobotModel

SMALL = (3.4, 2.1)  # inches; a phone shows one beside nothing
WIDE = 6.6
CONTACTS_S = 3.0
DASHES = ("--", ":", "-.")  # of references, in their order


def curve_panels(curves: Sequence[Mapping[str, Float[np.ndarray, "point 2"]]]) -> list[Panel]:
    """A panel for each curve that any run has, over millions of environment steps."""
    panels: list[Panel] = []
    for column, title in CURVES:
        drawn = {i: of_run[column] for i, of_run in enumerate(curves) if column in of_run}
        if not drawn:
            continue
        with drawing(*SMALL) as (figure, axis):
            for i, points in drawn.items():
                axis.plot(
                    points[:, 0] / 1e6,
                    points[:, 1],
                    color=RUN_COLORS[i],
                    marker=marker_of(points),
                    linewidth=1.1,
                )
            axis.locator_params(axis="x", nbins=5)
            axis.set_xlabel("environment steps, millions")
            last = ", ".join(
                f"run {i + 1} ends at {points[-1, 1]:.3g}" for i, points in drawn.items()
            )
            panels.append(
                Panel(
                    title,
                    inline_svg(figure, f"curve{len(panels)}", f"{title} over training: {last}"),
                )
            )
    return panels


def contacts_svg(
    recording: Recording, robot: RobotModel, control_dt: float, run: int, key: str
) -> str:
    """When each foot carries load, for `CONTACTS_S` seconds.

    Args:
        recording: The episodes. The first that lasts long enough is drawn, or else the first one.
        robot: The robot.
        control_dt: Seconds between control steps.
        run: The run's place in the order, 0 to 7.
        key: A name that is unique on the page.
    """
    begin = first_step(control_dt)
    end = begin + round(CONTACTS_S / control_dt)
    lasting = recording.alive[: end + 1].all(axis=0)
    episode = recording.envs(slice(e := int(np.argmax(lasting)), e + 1))
    alive = episode.alive[:, 0]
    events = find_events(episode.foot_force, episode.sole_height, robot.weight, control_dt)
    with drawing(WIDE, 0.42 + 0.3 * len(robot.foot_names)) as (figure, axis):
        texts = []
        for row, foot in enumerate(robot.foot_names):
            loaded = (events.loaded[:, 0, row] & alive)[begin:end]
            bars = [(SETTLING_S + a * control_dt, n * control_dt) for a, n in stretches(loaded)]
            axis.broken_barh(bars, (row - 0.38, 0.76), facecolors=RUN_COLORS[run], linewidth=0)
            texts.append(
                f"{side_name(foot)} foot loaded {len(bars)} times, {loaded.mean():.0%} of the time"
            )
        if not alive[min(end, len(alive) - 1)]:
            texts.append(f"fallen after {alive.sum() * control_dt:.1f} s")
            axis.text(0.99, 0.5, texts[-1], transform=axis.transAxes, ha="right", va="center")
        axis.set_yticks(
            range(len(robot.foot_names)),
            [side_name(foot) for foot in robot.foot_names],
            parse_math=False,
        )
        axis.set_ylim(len(robot.foot_names) - 0.5, -0.5)
        axis.set_xlim(SETTLING_S, end * control_dt)
        axis.set_xlabel("time, s")
        return inline_svg(figure, key, "; ".join(texts))


def stretches(true: Bool[np.ndarray, " time"]) -> list[tuple[int, int]]:
    """First step and number of steps of each stretch of True."""
    edges = np.diff(np.concatenate([[0], true.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(a), int(b - a)) for a, b in zip(starts, ends, strict=True)]


def joint_panels(runs: Sequence[Cycles], references: Sequence[Cycles], key: str) -> list[Panel]:
    """Mean and standard deviation of each joint over the gait cycle.

    Args:
        runs: Gait cycles of each run.
        references: Gait cycles of each reference, drawn as dashed lines in the color of the text.
        key: A name that is unique on the page.

    Returns:
        A panel for each joint of any robot.
    """
    percent = np.linspace(0, 100, POINTS)
    drawn = [
        (f"run {i + 1}", cycles, RUN_COLORS[i], "-") for i, cycles in enumerate(runs) if len(cycles)
    ]
    for i, cycles in enumerate(references):
        if len(cycles):
            drawn.append((f"reference {i + 1}", cycles, INK, DASHES[i % len(DASHES)]))
    names = dict.fromkeys(name for _, cycles, _, _ in drawn for name in cycles.joint_names)
    panels = []
    for number, name in enumerate(names):
        with drawing(*SMALL) as (figure, axis):
            texts = []
            for who, cycles, color, line in drawn:
                if name not in cycles.joint_names:
                    continue
                j = cycles.joint_names.index(name)
                mean, spread = cycles.mean[:, j], cycles.spread[:, j]
                axis.fill_between(
                    percent, mean - spread, mean + spread, color=color, alpha=0.16, linewidth=0
                )
                axis.plot(percent, mean, color=color, linestyle=line, linewidth=1.4)
                texts.append(f"{who} {mean.min():.2f} to {mean.max():.2f}")
            axis.set_xlim(0, 100)
            axis.set_xlabel("gait cycle, %")
            axis.set_ylabel("rad")
            description = f"{name} over the gait cycle, rad: {', '.join(texts)}"
            panels.append(
                Panel(
                    name.replace("_", " "), inline_svg(figure, f"{key}-joint{number}", description)
                )
            )
    return panels


def torque_svg(runs: Sequence[TorqueUse | None], key: str) -> str:
    """Percentiles of |torque| / limit, for each joint and run.

    Args:
        runs: Torque use of each run; None if it was not measured.
        key: A name that is unique on the page.
    """
    drawn = [(i, use) for i, use in enumerate(runs) if use is not None]
    names = list(dict.fromkeys(name for _, use in drawn for name in use.joint_names))
    height = 0.7 / max(len(drawn), 1)
    with drawing(WIDE, 0.6 + (0.17 * len(drawn) + 0.12) * len(names)) as (figure, axis):
        texts = []
        for row, (i, use) in enumerate(drawn):
            boxes = dict(zip(PERCENTILES, use.fraction, strict=True))
            y = (
                np.array([names.index(name) for name in use.joint_names])
                - 0.35
                + height * (row + 0.5)
            )
            axis.hlines(y, boxes[5], boxes[95], color=RUN_COLORS[i], linewidth=1)
            axis.barh(
                y,
                boxes[75] - boxes[25],
                0.8 * height,
                boxes[25],
                color=RUN_COLORS[i],
                alpha=0.75,
                linewidth=0,
            )
            axis.vlines(boxes[50], y - 0.4 * height, y + 0.4 * height, color=INK, linewidth=1.4)
            texts.append(
                f"run {i + 1} median {boxes[50].min():.0%} to {boxes[50].max():.0%} of the limit,"
                " by joint"
            )
        axis.set_yticks(
            range(len(names)), [name.replace("_", " ") for name in names], parse_math=False
        )
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_xlim(0, 1.02)
        axis.set_xlabel("|torque| / limit")
        return inline_svg(figure, key, "Torque use: " + "; ".join(texts))
