"""Policies to the Hugging Face hub and back, through a stand-in on this machine."""

from __future__ import annotations

import filecmp
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import HubStandIn

import wildrobot_gym as wr
from amp_sbx import CheckpointError
from wildrobot_gym.cli.main import main
from wildrobot_gym.experiments.about_policy import summarize
from wildrobot_gym.experiments.hub.card import mastered, model_card
from wildrobot_gym.experiments.hub.settings import PullSettings, PushSettings
from wildrobot_gym.experiments.hub.transfer import pull, push
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.training.policy import find_policy

SHIPPED = sorted(path.name for path in POLICIES.iterdir() if path.is_dir())
NO_VIDEO = PushSettings(no_video=True)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubStandIn]:
    constants = pytest.importorskip("huggingface_hub.constants")
    stand_in = HubStandIn()
    monkeypatch.setattr(constants, "ENDPOINT", stand_in.url)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    address = stand_in.url + template[template.index("/{repo_id}") :]
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    yield stand_in
    stand_in.close()


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_policies_carry_the_cards_of_their_evaluations(name: str) -> None:
    folder = POLICIES / name
    results = json.loads((folder / "results.json").read_text())
    assert (folder / "README.md").read_text() == model_card(results, name, license="mit")


def test_a_card_is_what_the_hub_reads() -> None:
    hub = pytest.importorskip("huggingface_hub")
    results = json.loads((POLICIES / "walk" / "results.json").read_text())
    card = hub.ModelCard(model_card(results, "walk", "mit", "replay.mp4", "me/walk"))
    assert card.data.license == "mit" and "WildRobot-v0" in card.data.tags
    found = {(e.task_name, e.metric_type): e.metric_value for e in card.data.eval_results}
    assert found["walking at 0.6 m/s", "success"] == 1.0
    error = results["commands"]["0.6"]["velocity_error"]["mean"]
    assert found["walking at 0.6 m/s", "velocity_error"] == round(error, 4)
    assert mastered(results) == [0.2, 0.4, 0.6, 0.8]
    assert "[replay.mp4](replay.mp4)" in card.text and "| success | 1.000" in card.text
    assert "wildrobot pull me/walk --out walk" in card.text
    assert "command, action, clock, in 5 frames a control step apart.\nIt was" in card.text
    assert "It was trained for commands of vx 0 to 0.9 m/s.\n" in card.text
    del results["policy"]["env_kwargs"]["observation"]
    text = model_card(results, "walk")
    assert "root_ang_vel, gravity, command, action.\nOn a robot it needs an estimate" in text
    results["policy"]["env_kwargs"] |= {
        "observation": {"channels": ["gyro", "command"], "history": {"frames": 5}},
        "commands": {"vx": [-0.2, 0.6], "yaw_rate": [-0.5, 0.5], "heading_gain": 1.0},
    }
    own = model_card(results, "walk")
    assert "It observes gyro, command, in 5 frames a control step apart.\nIt was" in own
    assert "of vx -0.2 to 0.6 m/s, yaw_rate -0.5 to 0.5 rad/s. It holds its course.\n" in own
    bars = [
        {"metric": "still", "row": "standing", "value": 0.5, "met": False},
        {"metric": "final_rate", "row": "standing", "value": None, "met": False},
        {"metric": "survived", "row": "standing", "value": 1.0, "met": True},
    ]
    stand = {
        "episode": "60 s at command 0",
        "episodes_per_row": 8,
        "passed": False,
        "bars": bars,
        "rows": {"standing": {"metrics": {"still": {"mean": 0.5, "n": 8}}}},
    }
    results["suites"] = {"flat": stand, "stand": stand}
    missed = "still at standing: 0.500, final_rate at standing: -"
    assert f"| stand | 60 s at command 0 | 1 of 3 | {missed} |\n" in model_card(results, "walk")
    short = {"passed": False, "episodes_per_row": 8, "rows": {"standing": {"still": 0.5}}}
    assert summarize(results)["suites"] == {"stand": short}
    assert set(summarize({"protocol": "walk-2", "suites": {"stand": stand}})) == {
        "protocol",
        "suites",
    }
    with pytest.raises(wr.RunError, match="no evaluation of a policy"):
        model_card({"commands": {}}, "walk")


def test_a_policy_comes_back_as_it_went(hub: HubStandIn, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"a film")
    pushed = push("walk", "me/my-walk", PushSettings(video=film, private=True))
    assert hub.private == {"me/my-walk"} and pushed.url.startswith(hub.url)
    assert set(pushed.files) == set(hub.repos["me/my-walk"])
    assert set(pushed.files) == {
        "README.md", "config.yaml", "policy.zip", "replay.mp4", "results.json",
    }  # fmt: skip
    assert b"license: mit" in hub.repos["me/my-walk"]["README.md"]
    pulled = pull("me/my-walk", tmp_path / "walk")
    assert set(pulled.files) == set(pushed.files)
    for name in ("policy.zip", "config.yaml", "results.json"):
        assert filecmp.cmp(pulled.folder / name, POLICIES / "walk" / name, shallow=False)
    assert find_policy(pulled.folder) == pulled.folder / "policy.zip"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "walk"]  # nothing is left
    with pytest.raises(wr.RunError, match="exists"):
        pull("me/my-walk", tmp_path / "walk")
    del hub.repos["me/my-walk"]["config.yaml"]
    pulled = pull("me/my-walk", tmp_path / "walk", PullSettings(force=True))
    assert {path.name for path in pulled.folder.iterdir()} == set(pushed.files) - {"config.yaml"}
    with pytest.raises(wr.RunError, match=r"film\.mp4.*no folder.*--out"):
        pull("me/my-walk", film, PullSettings(force=True))
    assert film.read_bytes() == b"a film"


def test_commands(hub: HubStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", "walk_8dof", "me/small", "--no-video"]) == 0
    assert main(["pull", "me/small", "--out", str(tmp_path / "small")]) == 0
    assert f"wildrobot enjoy {tmp_path / 'small'}" in capsys.readouterr().out.replace("\n", "")
    assert main(["pull", "me/none", "--out", str(tmp_path / "none")]) == 2
    assert "The hub has no me/none that you may see" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_pushed_or_pulled(hub: HubStandIn, tmp_path: Path) -> None:
    alone = tmp_path / "alone.zip"
    alone.write_bytes(find_policy("walk").read_bytes())
    with pytest.raises(wr.RunError, match=r"no results .*results\.json.*wildrobot eval"):
        push(alone, "me/alone", NO_VIDEO)
    results = json.loads((POLICIES / "walk" / "results.json").read_text())
    results["policy"]["num_timesteps"] = 7
    other = tmp_path / "alone.json"
    other.write_text(json.dumps(results))
    with pytest.raises(wr.RunError, match="of a policy trained for 7 steps"):
        push("walk", "me/walk", PushSettings(no_video=True, results=other))
    with pytest.raises(wr.RunError, match="user/name"):
        push("walk", "me/too/much", NO_VIDEO)
    with pytest.raises(wr.RunError, match=r"an .mp4 file that exists"):
        push("walk", "me/walk", PushSettings(video=tmp_path / "none.mp4"))
    assert hub.repos == {}
    hub.repos["me/odd"] = {"a.zip": b"PK", "b.zip": b"PK", "evil.py": b"import os"}
    with pytest.raises(wr.RunError, match=r"several; pass --file.*a\.zip, b\.zip"):
        pull("me/odd", tmp_path / "odd")
    with pytest.raises(CheckpointError, match="damaged"):
        pull("me/odd", tmp_path / "odd", PullSettings(file="a.zip"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["alone.json", "alone.zip"]


def test_a_hub_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # before each of its retries
    with pytest.raises(wr.RunError, match="did not take the request"):
        pull("me/walk", tmp_path / "walk")
