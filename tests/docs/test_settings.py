"""The pages that list settings list all of them, with the defaults of the code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from amp_sbx.discriminator.config import AMPConfig
from amp_sbx.discriminator.config_checks import CRITICS, MIXES, ORDERS
from amp_sbx.discriminator.losses import DISCRIMINATOR_LOSSES, GRADIENT_PENALTIES
from amp_sbx.discriminator.network import NORMALIZATIONS
from amp_sbx.discriminator.rewards import STYLE_REWARDS
from wildrobot_gym import yaml_io
from wildrobot_gym.evaluation.suites.catalog import SUITES
from wildrobot_gym.evaluation.suites.table import markdown_table
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.config.sections import ENV_ARGUMENTS

DOCS = Path(__file__).resolve().parents[2] / "docs"
CONFIGURATION = DOCS / "reference" / "configuration.md"
AMP_GUIDE = DOCS / "guides" / "amp.md"
ARGUMENT_DEFAULTS = {
    "max_episode_steps": 500,
    "backend": "auto",
    "num_threads": 0,
    "reference": None,
}


def values_of(text: str, count: int) -> list[Any]:
    """Reads a cell of defaults: one YAML value, or one per key with commas. Empty is null."""
    if count == 1 or not text:
        return [yaml_io.parse(text, "default")] * count
    return list(yaml_io.parse(f"[{text}]", "defaults"))


def tables() -> dict[str, dict[str, Any]]:
    """Reads the default of every key, for each table of the configuration page.

    A table is named after its head: `eval:` or `env_kwargs.rewards`.
    """
    found: dict[str, dict[str, Any]] = {}
    section, table = "", {}
    for line in CONFIGURATION.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip("`")
        if not line.startswith("| "):
            continue
        head, default, _ = (cell.strip() for cell in line[1:-1].split("|"))
        keys = re.findall("`(.+?)`", head)
        if head.startswith("key"):
            table = found.setdefault(keys[0] if keys else section, {})
        else:
            table.update(zip(keys, values_of(default, len(keys)), strict=True))
    return found


def flat(settings: dict[str, Any], *sections: str) -> dict[str, Any]:
    """Turns `{"reset": {"stagger": True}}` into `{"reset.stagger": True}`, for these sections."""
    inner = {f"{name}.{key}": value for name in sections for key, value in settings[name].items()}
    return {key: value for key, value in settings.items() if key not in sections} | inner


def defaults() -> dict[str, dict[str, Any]]:
    run = RunConfig(n_timesteps=1).to_mapping()
    env, evaluation, wandb = (run.pop(name) for name in ("env_kwargs", "eval", "wandb"))
    rewards, features = env.pop("rewards"), env.pop("features")
    env = flat(env, "action", "commands", "observation", "reset", "termination", "terrain")
    env = flat(env | {"history": env.pop("observation.history")}, "history")
    env = {k.replace("history.", "observation.history."): value for k, value in env.items()}
    return {
        "The run": {**run, "n_timesteps": 0, "env_kwargs": {}, "eval": None, "wandb": None},
        "eval:": evaluation,
        "wandb:": wandb,
        "env_kwargs": env | ARGUMENT_DEFAULTS,
        "env_kwargs.rewards": rewards,
        "env_kwargs.features": flat(features, "history"),
    }


@pytest.mark.parametrize("table", defaults())
def test_configuration_page_lists_every_key_and_its_default(table: str) -> None:
    assert tables()[table] == defaults()[table]


def test_all_environment_arguments_are_compared() -> None:
    assert set(ARGUMENT_DEFAULTS) == set(ENV_ARGUMENTS)


def test_amp_guide_names_every_setting() -> None:
    """Only code counts, because most names are also ordinary words."""
    text = AMP_GUIDE.read_text(encoding="utf-8")
    named = {
        word
        for code in re.findall(r"```yaml(.+?)```|`([^`\n]+)`", text, re.S)
        for word in re.findall(r"\w+", "".join(code))
    }
    assert not {item.name for item in dataclasses.fields(AMPConfig)} - named


@pytest.mark.parametrize(
    ("setting", "choices"),
    [
        ("loss", DISCRIMINATOR_LOSSES),
        ("reward", STYLE_REWARDS),
        ("gradient_penalty", GRADIENT_PENALTIES),
        ("normalization", NORMALIZATIONS),
        ("mix", MIXES),
        ("critic", CRITICS),
        ("order", ORDERS),
    ],
)
def test_amp_guide_lists_every_choice_with_the_default_first(
    setting: str, choices: Iterable[str]
) -> None:
    text = AMP_GUIDE.read_text(encoding="utf-8")
    named = re.findall("`(.+?)`", re.search(rf"^\| `{setting}` \|(.+?)\|", text, re.M)[1])
    assert set(choices) <= set(named) and named[0] == getattr(AMPConfig(), setting)


def test_the_guide_has_the_table_of_suites() -> None:
    assert markdown_table(SUITES.values()) in (DOCS / "guides" / "evaluate.md").read_text("utf-8")
