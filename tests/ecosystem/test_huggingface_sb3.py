"""huggingface_sb3's own package_to_hub and load_from_hub with files of AMPPPO."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.ecosystem
sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))


def test_a_policy_is_packaged_and_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tools = pytest.importorskip("huggingface_sb3")
    from hub_stand_in import HubStandIn
    from huggingface_hub import constants

    import wildrobot_gym as wr
    from amp_sbx import AMPPPO

    hub = HubStandIn()
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    address = hub.url + template[template.index("/{repo_id}") :]
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    monkeypatch.setenv("TRUST_REMOTE_CODE", "True")
    policy = wr.load_policy("walk")
    env = policy.make_env(max_episode_steps=10, render_mode="rgb_array", width=64, height=48)
    tools.package_to_hub(
        policy.model, "walk", "AMPPPO", "WildRobot-v0", env, "me/walk",
        n_eval_episodes=1, video_length=5,
    )  # fmt: skip
    files = hub.repos["me/walk"]
    assert {"walk.zip", "config.json", "results.json", "README.md"} <= set(files)
    assert json.loads(files["config.json"])["load_with"] == "amp_sbx.AMPPPO.load"
    loaded = AMPPPO.load(tools.load_from_hub("me/walk", "walk.zip"))
    obs = np.random.default_rng(0).normal(size=(4, 39)).astype(np.float32)
    np.testing.assert_array_equal(loaded.predict(obs, deterministic=True)[0], policy(obs))
    hub.close()
