"""``wildrobot study``: what is refused before anything runs, what is run, what is not run again, and the table of it."""

import json
import math
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from amp_sbx.common import archive as checkpoint
from wildrobot_gym.cli.main import main
from wildrobot_gym.console.signals import stop_signals
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.evaluation.benchmark import PROTOCOL
from wildrobot_gym.evaluation.progress import STEPS
from wildrobot_gym.experiments.study import processes as study_processes
from wildrobot_gym.experiments.study.config import Study, digest, load_study
from wildrobot_gym.experiments.study.metrics import (
    BENCHMARK,
    HEADINGS,
    arm_metrics,
    run_metrics,
    training_metrics,
)
from wildrobot_gym.experiments.study.processes import Processes
from wildrobot_gym.experiments.study.study import study_runs
from wildrobot_gym.paths import STUDIES, motion_file
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.run_directory import MOTION_DIGESTS, RunDirectory

ARMS = {"base": {}, "bce": {"amp.loss": "bce"}}
TINY = {"config": "smoke", "seeds": [0, 1, 2], "commands": [0.4], "episodes": 2, "arms": ARMS}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in; its path."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name="tiny", **changes) -> str:
    Path(f"{name}.yaml").write_text(yaml.safe_dump(TINY | changes))
    return f"{name}.yaml"


class FakeProcesses(Processes):
    """In place of `wildrobot train` and `eval`: files of the same names, at once. ``codes``: by arguments' first word."""

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
            Path(value["--json"]).write_text(json.dumps(results | {"versions": {"git": None}}))
        return 0


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(study_processes, "Processes", FakeProcesses)
    monkeypatch.setattr(FakeProcesses, "calls", [])
    monkeypatch.setattr(FakeProcesses, "codes", {})
    return FakeProcesses


def words(fake):
    return [call[0] for call in fake.calls]


@pytest.mark.parametrize("name", sorted(path.stem for path in STUDIES.glob("*.yaml")))
def test_shipped_studies_are_whole_and_share_their_baseline(name):
    _, shipped = load_study(name)
    arms = study_runs(shipped)
    assert digest(arms["base"][0].config) == digest(load_study("amp")[1].resolve()["base"])
    assert shipped.baseline == "base"
    assert len({digest(runs[0].config) for runs in arms.values()}) == len(
        arms
    )  # no arm is another's twin
    assert all(runs[seed].config.seed == seed for runs in arms.values() for seed in (0, 1, 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": {"base": {}, "gp": {"amp.lsos": "bce"}}}, r"Arm 'gp'.*Did you mean 'loss'"),
        (
            {"arms": {"gp": {"amp.loss": "bce", "amp.reward": "quadratic"}}},
            r"Arm 'gp'.*'quadratic' does not fit",
        ),
        (
            {"arms": {"gp": {"amp.loss.x": 1}, "base": {}}, "set": {"amp.loss": "bce"}},
            "'loss' is not a section",
        ),
        ({"arms": {"other": {"config": "smoek"}}}, r"Arm 'other'.*Did you mean 'smoke'"),
        ({"arms": {"other": {"seed": 4}}}, "seed cannot be set"),
        ({"arms": {"other": {"amp.reference": "walk_synthetc"}}}, "Did you mean 'walk_synthetic'"),
        ({"arms": {"other": {"env_kwargs.robot": "wildrbot"}}}, "Did you mean 'wildrobot'"),
        ({"arms": {"other": {"env_kwargs.backend": "nativ"}}}, "Did you mean 'native'"),
        ({"arms": {"other": {"trained_agent": "wlak"}}}, "Did you mean 'walk'"),
        ({"arms": {"track": {"config": "track"}}}, "env_id is 'WildRobotTrack-v0'"),
        ({"arms": {}}, "needs arms"),
        ({"arms": {"base": 3}}, "arms.base must be a mapping"),
        ({"episods": 3}, "Did you mean 'episodes'"),
        ({"seeds": [0, 0]}, "each once"),
        ({"seeds": [0, -1]}, "seed is -1"),
        ({"seeds": 3}, "seeds must be a list"),
        ({"episodes": 0}, "episodes is 0"),
        ({"commands": [0.4, 0.4]}, "each once"),
        ({"against": "bsae"}, "Did you mean 'base'"),
    ],
)
def test_wrong_studies_are_refused_before_anything_runs(here, fake, capsys, changes, message):
    assert main(["study", write(**changes)]) == 2
    with pytest.raises(ConfigError, match=message):
        study_runs(load_study("tiny.yaml")[1])
    assert fake.calls == [] and not Path("runs").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_unknown_studies_and_jobs(here, capsys):
    assert main(["study", "histroy"]) == 2
    assert "Did you mean 'history'" in capsys.readouterr().err
    assert main(["study", write(), "--jobs", "0"]) == 2


def test_the_digest_is_of_what_the_policy_depends_on():
    def of(*settings, seed=0):
        return digest(run_config.load("smoke", settings, seed))

    same = [
        of("eval.every=0"),
        of("keep_checkpoints=1"),
        of("checkpoint_every=64"),
        of(seed=5),
        of("vf_coef=0.5"),
    ]
    same += [
        of("amp.loss=lsgan"),
        of("env_kwargs.commands.vx=[0.0, 1.0]"),
        of("amp.schedule={initial: 1.0}"),
    ]
    assert {*same} == {of()}
    assert (
        of("amp.r1_gamma=10")
        == of("amp.r1_gamma=10.0")
        == of("amp.r1_gamma=10", "env_kwargs.features.contacts=force")
    )
    assert of("amp.warm_start={}") == of("amp.warm_start.steps=4000") != of()
    joints = "env_kwargs.action.joint_scale"  # a mapping whose default, {waist_yaw: 0.5}, is replaced as a whole
    assert (
        len(
            {
                of(),
                of(f"{joints}={{a: 1.0}}"),
                of(f"{joints}={{a: 1.0, waist_yaw: 0.5}}"),
                of(f"{joints}={{}}"),
            }
        )
        == 4
    )
    assert (
        len({of(), of("n_timesteps=2048"), of("amp.weight=0.2"), of("amp=null"), of("gamma=0.9")})
        == 5
    )
    resolved = Study(
        {"a": {"amp.weight": 0.2, "gamma": 0.9}, "b": {"gamma": 0.9, "amp.weight": 0.2}}, "smoke"
    ).resolve()
    assert digest(resolved["a"]) == digest(resolved["b"]) == of("gamma=0.9", "amp.weight=0.2")
    # A default that has become another since leaves the runs that are there what they were.
    arms = Study(
        {"layer": {}, "spectral": {"amp.normalization": "spectral"}},
        "walk_amp",
        {"n_timesteps": 4e6},
    ).resolve()
    assert [digest(config) for config in arms.values()] == ["b63a3d8eb832", "17f59e3db42c"]


def test_settings_lie_on_top_of_one_another():
    arms = {"a": None, "b": {"amp.weight": 0.4}, "c": {"config": "walk_ppo"}, "d": {"amp": None}}
    resolved = Study(
        arms, "smoke", {"n_timesteps": 2e3, "amp.weight": 0.3} | {"env_kwargs.rewards.slip": -3}
    ).resolve
    with pytest.raises(
        ConfigError, match=r"Arm 'c'.*amp.reference is missing"
    ):  # `set` makes it an amp section
        resolved()
    del arms["c"]
    configs = resolved()
    assert [config.n_timesteps for config in configs.values()] == [2000] * 3
    assert [config.amp and config.amp.weight for config in configs.values()] == [0.3, 0.4, None]
    assert all(config.env.settings.rewards.slip == -3 for config in configs.values())


def test_jobs_are_runs_at_the_same_time(here, fake, monkeypatch):
    """Each of the two waits for the other."""
    both = threading.Barrier(2, timeout=30)
    execute = FakeProcesses.execute
    monkeypatch.setattr(FakeProcesses, "execute", lambda *given: (both.wait(), execute(*given))[1])
    assert main(["study", write(arms={"base": {}}, seeds=[0, 1]), "--jobs", "2"]) == 0


def test_each_run_is_done_once_and_the_table_tells(here, fake, capsys):
    file = write(arms=ARMS | {"twin": {"eval.every": 0}})
    assert main(["study", file, "--jobs", "2"]) == 0
    assert sorted(words(fake)) == ["eval"] * 6 + ["train"] * 6  # base and twin are the same runs
    assert "base, twin, seed 0: done" in capsys.readouterr().out
    assert main(["study", file]) == 0
    assert (
        main(["study", write("other", arms={"mine": {}}, seeds=[2])]) == 0
    )  # another study's baseline
    assert len(fake.calls) == 12
    assert (
        main(["study", write("longer", arms={"mine": {}}, seeds=[2], episodes=3)]) == 0
    )  # judged anew, not trained
    assert words(fake)[12:] == ["eval"]

    found = json.loads(Path("runs/studies/tiny/results.json").read_text())["arms"]
    assert found["base"]["over_seeds"]["success"] == {"mean": 1.0, "low": 0.0, "high": 2.0, "n": 3}
    assert found["bce"]["difference"]["success"] == {
        "mean": 10.0,
        "low": 10.0,
        "high": 10.0,
        "n": 3,
    }
    assert "success" in found["bce"]["differs"] and "minutes" not in found["bce"]["differs"]
    assert found["twin"]["differs"] == [] and found["twin"]["digest"] == found["base"]["digest"]
    assert found["base"]["runs"]["1"]["metrics"] == dict.fromkeys(BENCHMARK, 1.0) | {
        "measured": 0.5, "slip": None, "two_sample_auc": 0.75, "dtw": 1.0, "frechet": None,
        "disc_acc_fraction": 1.0, "style_mean": None, "style_variance": None, "minutes": 1.0,
    }  # fmt: skip
    table = Path("runs/studies/tiny/table.md").read_text()
    assert (
        "| success | 1.000 (0.000 ... 2.000) | 11.000 (10.000 ... 12.000)<br>**+10.000\\*** |"
        in table
    )
    assert "| slip | - | - | - |" in table


def test_style_is_compared_only_where_it_was_measured_alike(here, fake):
    other = {"amp.loss": "bce", "amp.reference": "walk_synthetic"}
    seen = {"amp.loss": "bce", "env_kwargs.features.contacts": "none"}
    assert (
        main(
            [
                "study",
                write(arms=ARMS | {"other": other, "seen": seen}, set={"amp.reference": "walk"}),
            ]
        )
        == 0
    )
    arms = json.loads(Path("runs/studies/tiny/results.json").read_text())["arms"]
    assert {"success", "dtw"} <= set(arms["bce"]["differs"])
    assert "success" in arms["other"]["differs"] and "dtw" not in arms["other"]["differs"]
    compared = {
        arm: [arms[arm]["difference"][name]["n"] for name in ("two_sample_auc", "dtw")]
        for arm in arms
    }
    assert compared == {"base": [3, 3], "bce": [3, 3], "other": [0, 0], "seen": [0, 3]}
    table = Path("runs/studies/tiny/table.md").read_text()
    assert "| time warping distance, rad | 1.000 (0.000 ... 2.000) |" in table


def test_results_without_style_are_made_anew(here, fake):
    file = write(arms={"base": {}}, seeds=[0])
    assert main(["study", file]) == 0
    run = study_runs(load_study(file)[1])["base"][0]
    results = run.results()
    run.results_file.write_text(json.dumps(results | {"style": None}))
    assert main(["study", file]) == 0 and words(fake) == ["train", "eval"]
    del results["style"]
    run.results_file.write_text(json.dumps(results))
    assert main(["study", file]) == 0 and words(fake) == ["train", "eval", "eval"]


def test_a_table_of_what_is_done_runs_nothing(here, fake, capsys):
    assert main(["study", write(), "--table", "--out", "mine"]) == 0
    assert fake.calls == [] and not Path("runs").exists()
    assert "0 of 3" in Path("mine/table.md").read_text()
    assert "0 of 3" in capsys.readouterr().out
    assert main(["study", "history", "--table"]) == 0
    assert (
        capsys.readouterr().out.count("0 of 3") == 7
    )  # wider than the terminal, and nothing cut off


def test_a_failed_run_is_told_and_the_others_go_on(here, fake, monkeypatch, capsys):
    execute = fake.execute

    def fails_at_seed_1(self, arguments, log):
        if "-s1" not in arguments[1]:
            return execute(self, arguments, log)
        log.write(b"bar\nwildrobot: the update is not finite\nand was not applied\n")
        log.flush()
        return 2

    monkeypatch.setattr(fake, "execute", fails_at_seed_1)
    assert main(["study", write(arms={"base": {}})]) == 1
    assert (
        "Failed: base, seed 1: the update is not finite and was not applied"
        in Path("runs/studies/tiny/table.md").read_text()
    )
    assert "2 of 3" in capsys.readouterr().out
    assert main(["study", "tiny.yaml", "--table"]) == 0  # by what lies on the disk
    assert "Failed: base, seed 1: the update is not finite" in capsys.readouterr().out
    monkeypatch.setattr(fake, "execute", execute)
    assert main(["study", "tiny.yaml"]) == 0  # tried again, and no longer told
    assert "Failed" not in Path("runs/studies/tiny/table.md").read_text()


def test_an_unfinished_run_is_resumed_and_a_killed_one_named(here, fake, capsys):
    file = write(arms={"base": {}}, seeds=[0])
    fake.codes = {"train": 128 + signal.SIGTERM}
    assert main(["study", file]) == 1
    assert "base, seed 0: unfinished" in capsys.readouterr().out
    fake.codes = {"train": -9}
    assert main(["study", file]) == 1
    assert "killed by signal 9" in capsys.readouterr().out
    run = study_runs(load_study(file)[1])["base"][0]
    run.folder.begin(run.config)
    fake.codes = {}
    assert main(["study", file]) == 0
    assert (
        "--resume" not in fake.calls[0]
        and "--resume" in fake.calls[-2]
        and fake.calls[-1][0] == "eval"
    )
    assert fake.calls[-1][1] == str(run.folder.final)  # not the best by evaluation


def test_a_run_whose_reference_is_another_file_by_now_is_not_done(here, fake, capsys):
    motion = here / "mine.npz"
    motion.write_bytes(motion_file("walk_synthetic").read_bytes())
    file = write(arms={"base": {}}, seeds=[0], set={"amp.reference": str(motion)})
    assert main(["study", file]) == 0 and main(["study", file]) == 0
    assert words(fake) == ["train", "eval"]
    motion.write_bytes(b"made anew")
    for code, arguments in ((0, ["study", file, "--table"]), (1, ["study", file])):
        assert main(arguments) == code
        assert f"learned from another file than {motion} is now" in " ".join(
            capsys.readouterr().out.split()
        )
    for results in Path("runs/studies").glob("*/eval_*.json"):
        results.unlink()
    assert main(["study", file]) == 1
    assert words(fake) == ["train", "eval"]  # nor is it judged
    assert "0 of 1" in Path("runs/studies/tiny/table.md").read_text()


def test_a_run_in_another_studys_hands_and_a_foreign_folder_are_left_alone(here, fake, capsys):
    file = write(arms={"base": {}}, seeds=[0, 1])
    first, second = study_runs(load_study(file)[1])["base"].values()
    first.root.mkdir(parents=True)
    second.folder.begin(run_config.load("smoke", ["gamma=0.5"], 1))
    with first._claimed():
        assert main(["study", file]) == 1
    output = capsys.readouterr().out
    assert (
        "Another study is working on it" in output and "holds a run with other settings" in output
    )
    assert fake.calls == []


def test_a_run_of_settings_that_are_refused_by_now_fails_alone(here, fake, capsys):
    file = write(arms={"base": {}}, seeds=[0, 1])
    first, second = study_runs(load_study(file)[1])["base"].values()
    first.root.mkdir(parents=True)
    first.folder.begin(first.config)
    first.folder.config.write_text(
        first.folder.config.read_text().replace("loss: lsgan", "loss: hinge")
    )
    assert main(["study", file]) == 1
    assert (
        first.state().name == "failed"
        and "hinge" in first.state().reason
        and second.state().name == "done"
    )


def test_a_signal_stops_the_processes_and_no_further_one_begins(here):
    codes, before = [], signal.getsignal(signal.SIGINT)
    processes = Processes()
    with stop_signals(processes.on_signal), open("log", "wb") as log:
        thread = threading.Thread(
            target=lambda: codes.append(processes.execute(["train", "smoke"], log))
        )
        thread.start()
        while not processes._running:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        thread.join()
        codes.append(processes.execute(["doctor"], log))
    assert codes == [-signal.SIGTERM, 128 + signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before


def test_metrics_of_the_training_by_hand():
    columns = {
        STEPS: np.arange(1.0, 11.0),
        "amp/disc_acc": np.array([np.nan, 0.7, 0.7, 0.9, 0.6, 0.55, 0.8, 0.81, 0.5, 0.7]),
        "amp/reward_mean": np.array([np.nan, 9, 9, 9, 9, 9, 9, 9, 0.2, 0.4]),
        "amp/reward_std": np.array([np.nan, 9, 9, 9, 9, 9, 9, 9, 0.1, 0.3]),
        "time/time_elapsed": np.array(
            [30, 60, 90, 120, 30, 60, 90, 120, 150, np.nan]
        ),  # resumed after the fourth
    }
    found = training_metrics(columns, ramp_end=4)
    assert found["disc_acc_fraction"] == pytest.approx(4 / 7)
    waited = columns | {
        "amp/ramp_waited": np.array([np.nan, 0, 0, 1, 2, 2, 2, 2, 2, 2])
    }  # the ramp ends at step 6
    assert training_metrics(waited, ramp_end=4)["disc_acc_fraction"] == pytest.approx(3 / 5)
    assert found["style_mean"] == pytest.approx(0.3)
    assert found["style_variance"] == pytest.approx((0.01 + 0.09) / 2)
    assert found["minutes"] == pytest.approx((120 + 150) / 60)
    assert all(math.isnan(value) for value in training_metrics({}, 0.0).values())


def test_a_damaged_progress_csv_costs_its_metrics_alone(here, fake):
    file = write(arms={"base": {}}, seeds=[0])
    assert main(["study", file]) == 0
    run = study_runs(load_study(file)[1])["base"][0]
    run.folder.progress.write_text(f"{STEPS},time/time_elapsed\n1024,much\n")
    metrics = run_metrics(run)
    assert metrics["success"] == 0.0 and math.isnan(metrics["minutes"])


def test_arms_are_compared_by_equal_seeds():
    def runs(**by_seed):
        return {int(seed[1:]): dict.fromkeys(HEADINGS, value) for seed, value in by_seed.items()}

    base = runs(s0=1.0, s1=2.0, s2=3.0, s3=100.0)
    found = arm_metrics(runs(s0=2.0, s1=2.5, s2=5.0) | {3: None}, base)
    assert found.over_seeds["success"]["n"] == 3
    assert found.difference["success"] == {
        "mean": pytest.approx(3.5 / 3),
        "low": 0.5,
        "high": 2.0,
        "n": 3,
    }
    assert found.differs("success")
    assert not arm_metrics(runs(s0=2.0, s1=2.5), base).differs("success")  # two seeds alone
    assert not arm_metrics(runs(s0=2.0, s1=2.5, s2=2.5), base).differs("success")  # they disagree
    assert not arm_metrics(base, base).differs("success")


def test_a_real_run_through_train_and_eval(here):
    """The arguments that the study makes are those that the commands take; in this process, to spare the start of two."""
    small = {
        "n_envs": 8,
        "n_steps": 8,
        "batch_size": 32,
        "n_timesteps": 128,
        "eval.every": 0,
        "amp": None,
    }
    run = study_runs(load_study(write(arms={"base": {}}, seeds=[4], set=small, episodes=1))[1])[
        "base"
    ][4]
    assert run.execute(lambda arguments, _: main(list(arguments))).name == "done"
    assert main(["study", "tiny.yaml", "--table"]) == 0
    assert checkpoint.read(run.folder.final)[0]["counters"]["num_timesteps"] == 128
    metrics = json.loads(Path("runs/studies/tiny/results.json").read_text())["arms"]["base"][
        "runs"
    ]["4"]["metrics"]
    assert metrics["success"] == 0 and metrics["minutes"] > 0 and metrics["style_mean"] is None
