"""rl_zoo3's own scripts with AMPPPO and WildRobot's batched environments."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from wildrobot_gym.cli.main import main
from wildrobot_gym.env.render import available_render_modes
from wildrobot_gym.errors import RunError

pytestmark = pytest.mark.ecosystem
ROOT = Path(__file__).resolve().parents[2]
TRAIN = ["zoo", "train", "-n", "128", "--seed", "1"]
EVAL = ["--eval-freq", "64", "--eval-episodes", "1", "--save-freq", "64"]
NO_EVAL = ["--eval-freq", "-1"]
SIZES = ["n_envs:8", "n_steps:8", "batch_size:32"]
SMALL = [*["--conf-file", "smoke", "--env-kwargs", "max_episode_steps:16", "-params"], *SIZES]
RUN = Path("logs/amp_ppo/WildRobot-v0_1")
FINAL = RUN / "WildRobot-v0.zip"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder in which rl_zoo3 has trained, with a learning rate that ends at 0."""
    folder = tmp_path_factory.mktemp("zoo")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main([*TRAIN, *EVAL, *SMALL, "learning_rate:'lin_5e-4'", "amp.weight:0.3"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(autouse=True)
def folder(request, monkeypatch, tmp_path):
    shared = "trained" in request.fixturenames
    monkeypatch.chdir(request.getfixturevalue("trained") if shared else tmp_path)


def test_training_leaves_what_rl_zoo3_leaves(trained):
    from amp_sbx import AMPPPO, LinearSchedule

    names = {path.name for path in RUN.iterdir()}
    assert {"WildRobot-v0.zip", "best_model.zip", "evaluations.npz", "0.monitor.csv"} <= names
    assert {"rl_model_64_steps.zip", "rl_model_128_steps.zip"} <= names
    assert (RUN / "WildRobot-v0" / "config.yml").stat().st_size < 10_000
    model = AMPPPO.load(FINAL)
    assert model.num_timesteps == 128 and model.n_envs == 8
    assert model.learner is not None and model.amp.weight == 0.3
    assert model.learning_rate == LinearSchedule(5e-4)
    assert model.extra["env_kwargs"]["max_episode_steps"] == 16
    rows = list(csv.reader((RUN / "0.monitor.csv").read_text().splitlines()[2:]))
    assert len(rows) >= 8 and max(float(length) for _, length, _ in rows) <= 16
    lengths = np.load(RUN / "evaluations.npz")["ep_lengths"]
    assert lengths.tolist() == [[16], [16]]  # two evaluations of one whole episode


def test_wildrobot_reads_the_policy(trained):
    from wildrobot_gym.training.policy import load_policy

    policy = load_policy(RUN / "best_model.zip")
    env = policy.make_vec_env(2)
    obs, _ = env.reset(seed=0)
    assert policy(obs).shape == env.action_space.shape


def test_training_continues(trained):
    from amp_sbx import AMPPPO

    assert main([*TRAIN, *NO_EVAL, "-i", str(FINAL), *SMALL]) == 0
    newest = max(Path("logs/amp_ppo").glob("*/WildRobot-v0.zip"), key=os.path.getmtime)
    assert newest != FINAL
    assert AMPPPO.load(newest)._n_updates > AMPPPO.load(FINAL)._n_updates


@pytest.mark.parametrize("choice", [[], ["--load-best"], ["--load-last-checkpoint"]])
def test_enjoy(choice, trained, capsys):
    assert main([*["zoo", "enjoy", "--no-render", "--exp-id", "1", "-n", "40"], *choice]) == 0
    assert "Mean reward" in capsys.readouterr().out


@pytest.mark.skipif("rgb_array" not in available_render_modes(), reason="needs OpenGL")
def test_record(trained):
    assert main(["zoo", "record", "--exp-id", "1", "-n", "3", "--load-best"]) == 0
    assert [path.stat().st_size > 0 for path in (RUN / "videos").glob("*.mp4")] == [True]


def test_plot(trained, capsys):
    assert main(["zoo", "plot", "-w", "2", "--out", "pictures/curve.png"]) == 0
    assert Path("pictures/curve.png").read_bytes().startswith(b"\x89PNG")
    assert main(["zoo", "plot", "-w", "2", "-f", "nothing"]) == 2
    assert main(["zoo", "plot", "-w", "10000"]) == 2
    assert "no curve to draw" in capsys.readouterr().err


def test_optimize_with_persistent_storage(trained):
    import optuna

    storage = ["--storage", "sqlite:///study.db", "--study-name", "amp"]
    search = [
        "zoo",
        "optimize",
        "-n",
        "128",
        "--n-evaluations",
        "1",
        "--eval-episodes",
        "1",
        "--sampler",
        "tpe",
    ]
    search += ["--pruner", "halving", "--no-optim-plots", "--seed", "1"]
    assert main([*search, *storage, "--n-trials", "2", *SMALL]) == 0
    assert main([*search, *storage, "--n-trials", "1", *SMALL]) == 0
    study = optuna.load_study(study_name="amp", storage="sqlite:///study.db")
    done = [trial for trial in study.trials if trial.value is not None]
    assert len(study.trials) == 3 and done
    assert {"amp_weight", "learning_rate"} <= done[0].params.keys()
    assert list(Path("logs/amp_ppo").glob("report_*.csv"))

    if (chosen := done[-1]).number:  # rl_zoo3 takes trial 0 for none
        trial = ["--trial-id", str(chosen.number)]
        assert main([*TRAIN, *NO_EVAL, *storage, *trial, *SMALL]) == 0
        newest = max(Path("logs/amp_ppo").glob("*/*/config.yml"), key=os.path.getmtime)
        saved = yaml.unsafe_load(newest.read_text())
        assert saved["amp"]["weight"] == chosen.params["amp_weight"]


def test_a_file_of_many_environments_trains_both_ways():
    from run_helpers import SMALL as OF_RUN

    smoke = yaml.safe_load((ROOT / "configs" / "smoke.yaml").read_text())
    for key in ("env_id", "checkpoint_every", "keep_checkpoints", "eval"):
        smoke.pop(key)
    sections = {"default": {"n_timesteps": 1}, "WildRobot-v0": smoke}
    Path("zoo.yml").write_text(yaml.safe_dump(sections))
    train = ["train", "zoo.yml", "--env", "WildRobot-v0", "--out", "run"]
    assert main([*train, *OF_RUN, "eval.every=0"]) == 0 and Path("run/final.zip").is_file()
    assert main([*TRAIN, *NO_EVAL, "--conf-file", "zoo.yml", *SMALL[2:]]) == 0 and FINAL.is_file()


@pytest.mark.parametrize(
    ("file", "function", "refused"),
    [
        ("exp_manager.py", "read", True),
        ("../numpy/core.py", "step", False),
        ("exp_manager.py", "setup_experiment", True),
    ],
)
def test_only_rl_zoo3s_own_refusals_are_messages(monkeypatch, file, function, refused):
    from wildrobot_gym.experiments.zoo import run

    def fail(*_):
        raise ValueError("no such thing")  # as of another library, where setup_experiment calls it

    place = (Path(pytest.importorskip("rl_zoo3").__file__).parent / file).resolve()
    body = "fail()" if function == "setup_experiment" else "raise ValueError('no such thing')"
    names = {"fail": fail}
    exec(compile(f"def {function}(*_, **__): {body}", str(place), "exec"), names)
    monkeypatch.setattr(run.runpy, "run_module", names[function])
    with pytest.raises(RunError if refused else ValueError, match="no such thing") as raised:
        run.run_script("train", [])
    assert isinstance(raised.value, RunError) == refused


def test_what_a_batch_would_ignore_is_refused(capsys):
    wrapper = "env_wrapper:'rl_zoo3.wrappers.TimeFeatureWrapper'"
    assert main([*TRAIN, *NO_EVAL, *SMALL, wrapper]) == 2
    message = capsys.readouterr().err
    assert "vec_env_wrapper" in message and "--vec-env subproc" in message
    assert main([*TRAIN, *["--conf-file", "smoke", "--algo", "sac"]]) == 2
    assert "one run of amp_ppo" in capsys.readouterr().err
    assert main(["zoo", "enjoy", "--no-render"]) == 2
    assert "wildrobot: rl_zoo3: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("algorithm", "small"),
    [
        ("ppo", [*SIZES, "n_epochs:1"]),
        ("sac", ["n_envs:8", "learning_starts:8", "buffer_size:100", "gradient_steps:1"]),
    ],
)
def test_shipped_settings_of_other_algorithms(algorithm, small):
    env = ["--env-kwargs", "reference:'walk_synthetic'", "max_episode_steps:16"]
    assert main([*TRAIN, *NO_EVAL, "--algo", algorithm, *env, "-params", *small]) == 0
    file = Path(f"logs/{algorithm}/WildRobot-v0_1/WildRobot-v0/config.yml")
    saved = yaml.unsafe_load(file.read_text())
    assert saved["env_kwargs"]["rewards"]["alive"] == 4.0  # beside what --env-kwargs changes


def test_amp_on_a_foreign_task():
    from amp_sbx import AMPPPO

    features = np.random.default_rng(0).normal(size=(400, 12)).astype(np.float32)
    np.savez("half_cheetah.npz", features=features)
    sizes = ["-params", "n_envs:2", "n_steps:16", "batch_size:32"]
    assert main([*TRAIN, *NO_EVAL, "--env", "HalfCheetah-v5", *sizes]) == 0
    model = AMPPPO.load("logs/amp_ppo/HalfCheetah-v5_1/HalfCheetah-v5.zip")
    assert model.learner.feature_dim == 12 and model.num_timesteps == 128


STOCK = """
import runpy, site
site.addsitedir({folder!r})
runpy.run_module("rl_zoo3.train", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [("amp_ppo", "--conf-file smoke"), ("ppo", "--env-kwargs reference:'walk_synthetic'")],
)
def test_rl_zoo3s_own_command_line(algorithm, settings):
    """The .pth file, which a wheel installs, is read as Python reads it at its start."""
    code = STOCK.format(folder=str(ROOT / "packaging"))
    words = f"--algo {algorithm} --env WildRobot-v0 --gym-packages wildrobot_gym {settings}"
    command = [sys.executable, "-c", code, *words.split(), *TRAIN[2:], *NO_EVAL, "-params", *SIZES]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(f"logs/{algorithm}/WildRobot-v0_1/WildRobot-v0.zip").is_file()
