"""Small studies in a temporary directory, with replaced processes."""

import json
from pathlib import Path

import yaml

from amp_sbx.common import archive as checkpoint
from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.evaluation.protocol import PROTOCOL
from wildrobot_gym.experiments.study.metrics import (
    BENCHMARK,
)
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.run_directory import MOTION_DIGESTS, RunDirectory

ARMS = {"base": {}, "bce": {"amp.loss": "bce"}}
TINY = {"config": "smoke", "seeds": [0, 1, 2], "commands": [0.4], "episodes": 2, "arms": ARMS}


def write(name="tiny", **changes) -> str:
    Path(f"{name}.yaml").write_text(yaml.safe_dump(TINY | changes))
    return f"{name}.yaml"


class FakeProcesses:
    """Write the files of `wildrobot train` and `eval` at once. `codes`: exit codes by command."""

    calls: list[list[str]] = []  # noqa: RUF012
    codes: dict[str, int] = {}  # noqa: RUF012

    def execute(self, arguments, log):
        self.calls.append(list(arguments))
        if code := self.codes.get(arguments[0], 0):
            return code
        value = {
            name: arguments[arguments.index(name) + 1]
            for name in ("--out", "--json")
            if name in arguments
        }
        if arguments[0] == "train":
            run, config = RunDirectory(Path(value["--out"])), run_config.load(arguments[1])
            if "--resume" not in arguments:
                run.begin(config)
            run.progress.write_text(f"{STEPS},time/time_elapsed,amp/disc_acc\n1024,60,0.7\n")
            checkpoint.write(run.final, {"extra": {MOTION_DIGESTS: config.motion_digests()}}, {})
        else:
            config = run_config.from_mapping(RunDirectory(Path(arguments[1]).parent).read_config())
            mean = config.seed + (10 if config.amp.loss == "bce" else 0)
            overall = {name: {"mean": mean, "n": 6} for name in (*BENCHMARK, "survived")}
            overall |= {"slip": {"mean": None, "n": 0}, "velocity_error": {"mean": mean, "n": 3}}
            style = {
                "reference": config.reference.name,
                "two_sample_auc": {"mean": 0.75},
                "dtw": {"mean": mean},
            }
            results = {"protocol": PROTOCOL, "overall": overall, "style": style}
            if "all" in arguments:
                rows = {f"row {i}": {"metrics": {"survived": {"mean": i}}} for i in (0, 1)}
                results["suites"] = {"push": {"rows": rows}}
            Path(value["--json"]).write_text(json.dumps(results | {"versions": {"git": None}}))
        return 0


def words(fake):
    return [call[0] for call in fake.calls]
