"""The table of a study: as Markdown, and as JSON with the metrics of every run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wildrobot_gym.config import to_dict
from wildrobot_gym.evaluation.formatting import mean_text, range_text
from wildrobot_gym.evaluation.suites.catalog import FLAT
from wildrobot_gym.experiments.study.config import digest
from wildrobot_gym.experiments.study.metrics import (
    HEADINGS,
    MIN_PAIRS,
    SURVIVED,
    ArmMetrics,
    arm_metrics,
    incomparable,
    run_metrics,
)
from wildrobot_gym.experiments.study.study import StudyResult
from wildrobot_gym.files import write_json, write_text


@dataclass(frozen=True)
class StudyTable:
    """The metrics of a study.

    Attributes:
        result: The runs and their states.
        metrics: The metrics of each run, by arm and seed; None if it is not done.
        arms: The metrics of each arm.
    """

    result: StudyResult
    metrics: Mapping[str, Mapping[int, Mapping[str, float] | None]]
    arms: Mapping[str, ArmMetrics]

    @classmethod
    def of(cls, result: StudyResult) -> StudyTable:
        """Collect the metrics of all runs that are done."""
        runs = {arm: [run for run, _ in of.values()] for arm, of in result.runs.items()}
        metrics = {
            arm: {seed: run_metrics(run) for seed, (run, _) in of.items()}
            for arm, of in result.runs.items()
        }
        base = result.study.baseline
        arms = {
            arm: arm_metrics(metrics[arm], metrics[base], incomparable(runs[arm], runs[base]))
            for arm in runs
        }
        return cls(result, metrics, arms)

    @property
    def done(self) -> dict[str, str]:
        """How many runs of each arm are done, e.g. `2 of 3`."""
        return {
            arm: f"{sum(found is not None for found in of.values())} of {len(of)}"
            for arm, of in self.metrics.items()
        }

    @property
    def headings(self) -> dict[str, str]:
        """The metrics of the table, with their names in words."""
        left_out = SURVIVED if self.result.study.suite == FLAT.name else {}
        return {name: words for name, words in HEADINGS.items() if name not in left_out}

    def value(self, arm: str, metric: str) -> str:
        """Mean and, of more than one run, interval of a metric."""
        interval, digits = self.arms[arm].over_seeds[metric], _digits(metric)
        between = f" ({range_text(interval, digits)})" if interval["n"] > 1 else ""
        return mean_text(interval, digits) + between

    def difference(self, arm: str, metric: str) -> str:
        """Difference to the baseline; "" if there is none. A star marks one that excludes zero."""
        found = self.arms[arm]
        mean = found.difference[metric]["mean"]
        if arm == self.result.study.baseline or mean is None:
            return ""
        return f"{mean:+.{_digits(metric)}f}{'*' if found.differs(metric) else ''}"

    def notes(self) -> list[str]:
        """How to read the table, and which runs failed."""
        study = self.result.study
        speeds = ", ".join(f"{command:g}" for command in study.commands)
        notes = [
            f"Final policies, {study.episodes} episodes at each of {speeds} m/s. Each cell has the"
            " mean over seeds and its 95 % bootstrap interval. Under it is the difference to"
            f" {study.baseline} by paired seeds. A star: its interval excludes zero, with"
            f" {MIN_PAIRS} seeds or more."
        ]
        states = [[state for _, state in of.values()] for of in self.result.runs.values()]
        if max(sum(state.name == "done" for state in of) for of in states) <= MIN_PAIRS:
            notes.append("With up to three seeds, an interval spans the lowest to the highest.")
        commits = {str(results["versions"].get("git")) for results in self._results()}
        if len(commits) > 1:
            notes.append(
                f"{len(commits)} different states of the code evaluated these runs; results.json"
                " names them."
            )
        # A run that belongs to two arms is listed once for each.
        failed = [
            f"Failed: {arm}, seed {seed}: {state.reason}"
            for arm, of in self.result.runs.items()
            for seed, (_, state) in of.items()
            if state.name == "failed"
        ]
        return notes + failed

    def _results(self) -> list[dict[str, Any]]:
        found = [run.results() for of in self.result.runs.values() for run, _ in of.values()]
        return [results for results in found if results is not None]

    def to_markdown(self) -> str:
        """The table and its notes as Markdown."""

        def line(cells: list[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

        lines = [
            f"# Study {self.result.name}",
            "",
            line(["metric", *self.arms]),
            "|---" * (len(self.arms) + 1) + "|",
            line(["runs done", *self.done.values()]),
        ]
        for metric, heading in self.headings.items():
            cells = [heading]
            for arm, found in self.arms.items():
                difference = self.difference(arm, metric)
                if found.differs(metric):
                    difference = f"**{difference[:-1]}\\***"
                cells.append("<br>".join(filter(None, [self.value(arm, metric), difference])))
            lines.append(line(cells))
        return "\n".join([*lines, "", *(f"{note}\n" for note in self.notes())])

    def to_json(self) -> dict[str, Any]:
        """The metrics of every run and arm as JSON types."""
        return {
            "study": self.result.name,
            "settings": to_dict(self.result.study),
            "against": self.result.study.baseline,
            "arms": {
                arm: {
                    "digest": digest(next(iter(of.values()))[0].config),
                    "runs": {str(seed): self._run_json(arm, seed) for seed in of},
                    "over_seeds": self.arms[arm].over_seeds,
                    "difference": self.arms[arm].difference,
                    "differs": [name for name in HEADINGS if self.arms[arm].differs(name)],
                }
                for arm, of in self.result.runs.items()
            },
        }

    def _run_json(self, arm: str, seed: int) -> dict[str, Any]:
        run, state = self.result.runs[arm][seed]
        found, results = self.metrics[arm][seed], run.results()
        known = None
        if found is not None:
            known = {name: value if math.isfinite(value) else None for name, value in found.items()}
        return {
            "folder": str(run.folder.path.relative_to(run.cwd)),
            "state": state.name,
            "reason": state.reason,
            "metrics": known,
            "git": results and results["versions"].get("git"),
        }

    def write(self, out: Path) -> tuple[Path, Path]:
        """Write `table.md` and `results.json`.

        Args:
            out: Directory for the files.

        Returns:
            The two files.

        Raises:
            RunError: A file cannot be written.
        """
        table, results = out / "table.md", out / "results.json"
        write_json(results, self.to_json())
        write_text(table, self.to_markdown())
        return table, results


def _digits(metric: str) -> int:
    return 1 if metric == "minutes" else 3
