"""Optional packages: what is missing is named with its extra."""

from __future__ import annotations

import sys

import pytest

import wildrobot_gym as wr
from wildrobot_gym.console.error_handling import exit_code_of
from wildrobot_gym.extras import extras_named, require


def test_an_installed_package_is_imported() -> None:
    assert require("json.decoder", "zoo") is sys.modules["json.decoder"]


def test_a_missing_package_is_named_with_its_extra() -> None:
    with pytest.raises(wr.MissingPackageError, match=r"no_such_package, which is not installed.*"
                       r"pip install 'wildrobot\[zoo\]'") as raised:  # fmt: skip
        require("no_such_package.part", "zoo")
    assert isinstance(raised.value, ImportError) and raised.value.name == "no_such_package"


def test_a_package_that_lacks_another_says_which(tmp_path, monkeypatch) -> None:
    (tmp_path / "half_installed.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(wr.MissingPackageError, match=r"cannot be imported.*no_such_package"):
        require("half_installed", "zoo")


def test_other_missing_modules_are_raised_as_they_are() -> None:
    with pytest.raises(ModuleNotFoundError) as raised, extras_named():
        import no_such_package  # noqa: F401
    assert not isinstance(raised.value, wr.MissingPackageError)


def test_a_command_without_its_package_ends_with_one_message(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed

    def command() -> int:
        import torch  # noqa: F401

        return 0

    assert exit_code_of(command, "wildrobot train") == 2
    assert "pip install 'wildrobot[train]'" in capsys.readouterr().err
