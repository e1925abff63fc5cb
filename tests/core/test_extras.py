"""Optional packages: what is missing is named with its extra."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

import wildrobot_gym as wr
from wildrobot_gym.console.error_handling import exit_code_of
from wildrobot_gym.extras import EXTRA_OF, extras_named, require

ROOT = Path(__file__).resolve().parents[2]
IN_NO_EXTRA = {"brax", "gymnax"}  # who adapts our environments to them has them
DISTRIBUTIONS = {  # modules whose distribution has another name, or that come with it
    "sbx": "sbx-rl",
    "tensorflow_probability": "sbx-rl",
}


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


def test_each_extra_installs_the_packages_that_are_said_to_be_in_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for module, extra in EXTRA_OF.items():
        names = {re.split(r"[^\w-]", line)[0].replace("_", "-") for line in extras[extra]}
        assert DISTRIBUTIONS.get(module, module).replace("_", "-") in names, module
    core = {re.split(r"[^\w-]", line)[0] for line in project["dependencies"]}
    assert not core & {DISTRIBUTIONS.get(module, module) for module in EXTRA_OF}
    core = {name.replace("pyyaml", "yaml") for name in core}
    known = {*core, *EXTRA_OF, *IN_NO_EXTRA, *sys.stdlib_module_names, "wildrobot_gym", "amp_sbx"}
    for path in (p for name in ("wildrobot_gym", "amp_sbx") for p in (ROOT / name).rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for module in modules:
                assert module.partition(".")[0] in known, f"{path} imports {module}"
