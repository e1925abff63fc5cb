"""The evaluation during training that selects best.zip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from amp_sbx.common import archive
from amp_sbx.common.errors import AMPError, CheckpointError
from wildrobot_gym.config import to_dict
from wildrobot_gym.evaluation.benchmark import WalkBenchmark
from wildrobot_gym.evaluation.metrics import SUCCESS_SLIP
from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.evaluation.suites.benchmark import SuiteBenchmark
from wildrobot_gym.evaluation.suites.catalog import chosen_suites
from wildrobot_gym.reporting import Reporter
from wildrobot_gym.task.walk import SUCCESS_VELOCITY_ERROR
from wildrobot_gym.training.callbacks import RunCallback, is_due
from wildrobot_gym.training.config import EvalSettings, RunConfig
from wildrobot_gym.training.run_directory import RunDirectory

LOGGED = ("success", "survived", "velocity_error", "cadence", "clearance", "slip", "saturation")
_GIVEN_UP = "evaluation_given_up"  # key in a checkpoint
Score = tuple[float, float, float]
"""Of a policy, by `eval_score`; a greater one is better."""


class _GivenUpError(Exception):
    """A signal came during an evaluation."""


def eval_score(means: Mapping[str, Any]) -> Score:
    """The score by which policies are compared.

    More success is better, where further suites count as much as the walks: with the share of
    their bars that is met. Of equal ones, more survived episodes are. Of equal ones, the smaller
    sum of velocity error and slip is, each as a fraction of its limit for a success. Without slip
    in the score, the policy that follows the command closest can slip twice as much as the next.

    Args:
        means: Mean metrics over all episodes; a missing one counts as infinite. `suites` has the
            share of the bars that is met in each further suite.
    """
    limits = {"velocity_error": SUCCESS_VELOCITY_ERROR, "slip": SUCCESS_SLIP}
    fractions = [
        np.inf if (mean := means.get(name)) is None else mean / limit
        for name, limit in limits.items()
    ]
    shares = [float(means["success"] or 0.0), *(means.get("suites") or {}).values()]
    return float(np.mean(shares)), float(means["survived"] or 0.0), -float(sum(fractions))


def protocol_of(settings: EvalSettings) -> dict[str, Any]:
    """What two evaluations must have in common for their scores to be compared, as JSON types."""
    own = to_dict(settings)
    # Left out where there are none: runs from before there were suites have no such entry.
    left_out = ("every",) if settings.suites else ("every", "suites")
    return {name: value for name, value in own.items() if name not in left_out}


def best_score(run: RunDirectory, settings: EvalSettings) -> Score | None:
    """The score of best.zip, which a worse policy of the resumed run must not replace.

    None where there is no best.zip, or where it was evaluated by another protocol.
    """
    if not run.best.is_file():
        return None
    try:
        evaluation = archive.read(run.best)[0]["extra"]["evaluation"]
        wanted = protocol_of(settings)
        return eval_score(evaluation) if evaluation.get("protocol", wanted) == wanted else None
    except (CheckpointError, AttributeError, KeyError, TypeError):
        return None


class EvalCallback(RunCallback):
    """Runs a short walk benchmark every `eval.every` steps and keeps the best policy as best.zip.

    Of equally good policies it keeps the newest.

    Args:
        run: Where best.zip is.
        config: The run's settings.
        report: Receives a warning where best.zip cannot be written.
        best: The score of the best.zip that is there.
        stopping: Whether to give up an evaluation. It is made when the run is resumed.
    """

    def __init__(
        self,
        run: RunDirectory,
        config: RunConfig,
        report: Reporter,
        best: Score | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self._run, self._settings, self._report = run, config.eval, report
        self._env_kwargs = config.env.env_kwargs()
        self._best, self._stopping = best, stopping
        self._last = 0
        self._benchmark: WalkBenchmark | None = None
        self._suites: SuiteBenchmark | None = None

    def _on_training_start(self) -> None:
        given_up = self.model.extra.pop(_GIVEN_UP, False)
        self._last = -1 if given_up else self.num_timesteps

    def _on_rollout_start(self) -> None:
        if self._settings.every and is_due(self._last, self.num_timesteps, self._settings.every):
            self.evaluate()

    def evaluate(self) -> None:
        """Evaluate now, log the metrics, and keep the policy where it is the best so far."""
        self._last = self.model.num_timesteps
        if self._benchmark is None:
            s = self._settings
            # MuJoCo itself, whatever the training runs on. It is the faster for so few robots, it
            # needs no compilation, and one engine judges all runs.
            self._benchmark = WalkBenchmark(
                self._env_kwargs, s.commands, s.episodes, s.steps, s.seed, backend="native"
            )
        try:
            result = self._benchmark.run(self._act)
            shares = self._shares()
        except _GivenUpError:
            self.model.extra[_GIVEN_UP] = True  # in the checkpoint that follows
            return
        overall = result.to_json()["overall"]
        means = {name: overall[name]["mean"] for name in LOGGED}
        steps = self.model.num_timesteps
        metrics = {f"eval/{name}": mean for name, mean in means.items() if mean is not None}
        if shares:
            metrics["eval/suites"] = float(np.mean(list(shares.values())))
        metrics[STEPS] = steps
        # Written now, not with the next iteration's row: a checkpoint can come first, and a run
        # that resumes from it repeats that row.
        for writer in self.logger.output_formats:
            writer.write(metrics, dict.fromkeys(metrics, ()), steps)
        about: dict[str, Any] = {
            name: means[name] for name in ("success", "survived", "velocity_error", "slip")
        }
        if shares:
            about["suites"] = shares
        score = eval_score(about)
        if self._best is None or score >= self._best:
            about |= {"num_timesteps": steps, "protocol": protocol_of(self._settings)}
            self._save_best(score, about)

    def _act(self, obs: np.ndarray) -> np.ndarray:
        if self._stopping():
            raise _GivenUpError
        action: np.ndarray = self.model.predict(obs, deterministic=True)[0]
        return action

    def _shares(self) -> dict[str, float]:
        """Share of the bars that the policy meets in each further suite."""
        s = self._settings
        if not s.suites:
            return {}
        if self._suites is None:
            self._suites = SuiteBenchmark(self._env_kwargs, s.episodes, s.seed, "native")
        suites = [suite for name in s.suites for suite in chosen_suites(name)]
        return {suite.name: self._suites.run(suite, self._act).share_met for suite in suites}

    def _save_best(self, score: Score, about: dict[str, Any]) -> None:
        try:
            self.model.save(self._run.best, exclude=["replay_buffer"], extra={"evaluation": about})
            self._best = score  # not before: a policy that is not on the disk is not the best
        except AMPError as problem:
            self._report.warning(f"The best policy so far was not written: {problem}")
        finally:
            self.model.extra.pop("evaluation", None)
