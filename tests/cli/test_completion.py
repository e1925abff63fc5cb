"""Shell completion: what can follow a command line, and the scripts in the shells themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wildrobot_gym.cli.completion import SCRIPTS, VARIABLE
from wildrobot_gym.cli.main import COMMANDS, main
from wildrobot_gym.cli.motion.commands import COMMANDS as MOTION_COMMANDS

ROOT = Path(__file__).resolve().parents[2]
CASES = {
    "": sorted(COMMANDS),
    "tra": ["train"],
    "train walk_": ["walk_amp", "walk_directions", "walk_ppo"],
    "train walk_amp --res": ["--resume"],
    "eval walk_8": ["walk_8dof"],
    "eval walk --backend nat": ["native", "native-jax"],
    "eval walk --reference walk_h": ["walk_human"],
    "study los": ["loss"],
    "completion ": ["bash", "fish", "zsh"],
    "motion ": sorted(MOTION_COMMANDS),
    "robot check wildrobot_": ["wildrobot_8dof"],
    "motion check-features walk_h": ["walk_human"],
    "nonsense ": [],
    "record no_such_policy": [],
}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")


@pytest.mark.parametrize("line", CASES)
def test_what_can_follow(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split(" ")) == 0
    assert capsys.readouterr().out.split() == CASES[line]


def test_no_option_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "walk", "--"]) == 0
    options = ["--backend", "--commands", "--episodes", "--help", "--json", "--no-style"]
    assert capsys.readouterr().out.split() == [
        *options,
        "--reference",
        "--robot",
        "--seed",
        "--suite",
        "--video",
    ]


# Each prints what it completes `wildrobot train walk_` to.
USES = {
    "bash": "COMP_WORDS=(wildrobot train walk_); COMP_CWORD=2; _wildrobot wildrobot;"
    ' echo "${COMPREPLY[@]}"',
    "zsh": "words=(wildrobot train walk_); CURRENT=3; _wildrobot",
    "fish": "complete -C 'wildrobot train walk_'",
}
ZSH = "compdef() { }; compadd() { echo $found }; "  # the completion system needs a terminal


@pytest.mark.parametrize("shell", SCRIPTS)
def test_script_in_its_shell(shell: str, tmp_path: Path, capsys, monkeypatch) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell}")
    monkeypatch.delenv(VARIABLE)
    assert main(["completion", shell]) == 0
    script = (ZSH if shell == "zsh" else "") + capsys.readouterr().out + USES[shell]
    command = tmp_path / "wildrobot"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wildrobot_gym.cli.main "$@"\n')
    command.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        cwd=tmp_path,
    )
    assert (done.stdout.split(), done.stderr) == (["walk_amp", "walk_directions", "walk_ppo"], "")
