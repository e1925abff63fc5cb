"""The command line itself: exit codes, messages, and a help that answers at once."""

import importlib.util
import inspect
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wildrobot_gym.cli import dispatch
from wildrobot_gym.cli.dispatch import load_command
from wildrobot_gym.cli.listing import WIDTH, summary
from wildrobot_gym.cli.main import COMMANDS, GROUPS, NESTED, main
from wildrobot_gym.cli.motion.commands import COMMANDS as MOTION_COMMANDS
from wildrobot_gym.cli.robot.commands import COMMANDS as ROBOT_COMMANDS
from wildrobot_gym.cli.zoo import COMMANDS as ZOO_COMMANDS
from wildrobot_gym.experiments.bench.bench import ratios_of

ROOT = Path(__file__).resolve().parents[2]
ALL = [
    target
    for commands in (COMMANDS, MOTION_COMMANDS, ROBOT_COMMANDS, ZOO_COMMANDS)
    for target in commands.values()
]


@pytest.mark.parametrize("line", [[], ["--help"], ["-h"]])
def test_the_list_has_every_command_under_its_heading_in_one_line(line, capsys):
    assert main(line) == 0
    output = capsys.readouterr().out
    assert max(map(len, output.splitlines())) <= WIDTH
    sections = dict(part.split(":\n", 1) for part in output.split("\n\n")[2:-1])
    assert list(sections) == [heading for heading, commands in GROUPS.items() if commands]
    for heading, text in sections.items():
        found = dict(row.split(maxsplit=1) for row in text.splitlines())
        assert found == {name: summary(target) for name, target in GROUPS[heading].items()}


@pytest.mark.parametrize(
    ("group", "commands"),
    [("motion", MOTION_COMMANDS), ("robot", ROBOT_COMMANDS), ("zoo", ZOO_COMMANDS)],
)
def test_each_line_of_a_groups_list_fits(group, commands, capsys):
    assert main([group]) == 0
    output = capsys.readouterr().out
    assert max(map(len, output.splitlines())) <= WIDTH
    assert all(f"  {name} " in output for name in commands)


@pytest.mark.parametrize(
    ("line", "nearest"), [("trian walk", "train"), ("motion plai", "play"), ("zoo trian", "train")]
)
def test_an_unknown_command_names_the_nearest(line, nearest, capsys):
    assert main(line.split()) == 2
    message = capsys.readouterr().err
    assert f"Did you mean {nearest!r}?" in message
    group = "".join(f" {word}" for word in line.split()[:-1] if word in NESTED)
    assert f"Type wildrobot{group} to see" in message


def test_an_option_before_the_command_is_refused(capsys):
    assert main(["--seed", "1"]) == 2
    assert "takes a command first, not '--seed'" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["train", "eval x --backend warp9", "train x --nope"])
def test_misuse_exits_with_2(line):
    with pytest.raises(SystemExit) as end:
        main(line.split())
    assert end.value.code == 2


def test_help_imports_nothing_heavy():
    """With JAX or torch, the help of a command takes seconds."""
    code = """
import sys
from wildrobot_gym.cli.dispatch import load_command
from wildrobot_gym.cli.main import COMMANDS
from wildrobot_gym.cli.motion.commands import COMMANDS as MOTION_COMMANDS
from wildrobot_gym.cli.robot.commands import COMMANDS as ROBOT_COMMANDS
from wildrobot_gym.cli.zoo import COMMANDS as ZOO_COMMANDS
heavy = {"jax", "matplotlib", "mujoco", "scipy", "torch"}
groups = (COMMANDS, MOTION_COMMANDS, ROBOT_COMMANDS, ZOO_COMMANDS)
for target in [target for commands in groups for target in commands.values()]:
    load_command(target)
    if found := heavy & set(sys.modules):
        sys.exit(f"{target} imports {found}")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("target", ALL)
def test_every_command_is_where_the_list_says_and_has_a_summary(target):
    function = load_command(target)
    assert inspect.getdoc(function).replace("\n", " ").startswith(summary(target))
    assert summary(target).endswith(".")


def test_errors_are_one_message_and_debug_shows_where(capsys):
    assert main(["train", "no_such_config"]) == 2
    plain = capsys.readouterr().err
    assert (
        plain.startswith("wildrobot: Unknown config 'no_such_config'") and "Traceback" not in plain
    )
    assert main(["--debug", "train", "no_such_config"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_unforeseen_error_is_not_hidden(monkeypatch):
    def broken(_: str) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(dispatch, "load_command", broken)
    with pytest.raises(ZeroDivisionError):
        main(["doctor"])


def test_ctrl_c_is_130(monkeypatch, capsys):
    def interrupted(_: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(dispatch, "load_command", interrupted)
    assert main(["doctor"]) == 130


def test_doctor_finds_this_machine_healthy_in_little_cpu_time():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = [sys.executable, "-m", "wildrobot_gym.cli.main", "doctor"]
    done = subprocess.run(code, capture_output=True, text=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    for check in ("MuJoCo batch", "offscreen rendering", "GPU", "training"):
        assert check in done.stdout
    assert after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime < 20


def test_robot_check_says_what_a_robot_is(capsys):
    assert main(["robot", "check", "wildrobot_8dof"]) == 0
    told = capsys.readouterr().out
    assert "left_hip_pitch = -right_hip_pitch" in told and "stands at home" in told
    assert main(["robot", "check", "none.xml"]) == 2


def test_seed_documents_flags():
    spec = importlib.util.spec_from_file_location("train_script", ROOT / "scripts" / "train.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    arguments = script.arguments_of(
        "smoke", iterations=5, num_envs=4, lr=1e-3, amp_weight=0.3, seed=9
    )
    assert arguments[:2] == ["train", "smoke"]
    assert {
        "n_envs=4",
        "learning_rate=0.001",
        "amp.weight=0.3",
        f"n_timesteps={5 * 4 * 16}",
    } <= set(arguments)
    assert arguments[-2:] == ["--seed", "9"]
    assert "amp=null" in script.arguments_of("smoke", no_amp=True)
    assert "eval.every=0" in script.arguments_of("smoke", verify=True)
    assert script.main(["--config", "none", "--iterations", "1"]) == 2


def test_bench_ratios_are_medians_of_rounds():
    samples = {"train_steps_per_s": [1.0, 4.0, 9.0], "raw_physics_steps_per_s": [2.0, 4.0, 10.0]}
    metrics = {"vector_env_steps_per_s": 30.0, "subproc_steps_per_s": 3.0}
    assert ratios_of(metrics, samples) == {
        "train_over_raw_physics": 0.9,
        "vector_env_over_subproc": 10.0,
    }


@pytest.mark.slow
def test_bench(tmp_path):
    assert (
        main(
            [
                "bench",
                "--quick",
                "--envs",
                "16",
                "--config",
                "smoke",
                "--json",
                str(tmp_path / "b.json"),
            ]
        )
        == 0
    )
    found = json.loads((tmp_path / "b.json").read_text())
    assert all(value > 0 for value in found["metrics"].values())
    assert found["ratios"]["amp_fraction_of_training_time"] == pytest.approx(
        1 - found["ratios"]["train_over_train_no_amp"]
    )
