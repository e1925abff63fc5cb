"""Python and YAML in the documentation works as printed, at tiny sizes."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from doc_blocks import ROOT, Block, blocks

from amp_sbx import AMPConfig
from wildrobot_gym import yaml_io
from wildrobot_gym.experiments.study import config as studies
from wildrobot_gym.robot import RobotFile, find_robot_file, read_robot_file
from wildrobot_gym.training import config as run_config

PYTHON = {
    str(page.relative_to(ROOT)): list(found)
    for page, found in groupby(blocks("python"), lambda block: block.page)
}
YAML = blocks("yaml")


@pytest.mark.parametrize("page", PYTHON)
def test_python_blocks_of_a_page_run_one_after_the_other(page: str, tiny: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in PYTHON[page]:
        code = compile("\n" * (block.line - 1) + block.code, str(block.page), "exec")
        exec(code, namespace)


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_block_is_valid(block: Block, tmp_path: Path) -> None:
    settings = yaml_io.parse(block.code, str(block))
    if "arms" in settings:
        file = tmp_path / "study.yaml"
        file.write_text(block.code)
        assert studies.load_study(str(file))[1].resolve()
    elif "feet" in settings:
        shipped = read_robot_file(find_robot_file("sprout"))
        assert RobotFile.from_mapping(settings, "") == shipped
    elif "amp" in settings:
        AMPConfig.coerce(settings["amp"])
    else:
        run_config.from_mapping({"n_timesteps": 1} | settings)
