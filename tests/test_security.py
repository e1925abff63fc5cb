"""What docs/security.md promises, beside what tests/fuzz and the tests of each reader show."""

import json
import sys
import zipfile

import numpy as np
import pytest

import wildrobot_gym as wr
from wildrobot_gym.experiments.export.export import export_policy
from wildrobot_gym.experiments.rehearse.serve import open_server
from wildrobot_gym.experiments.settings import ExportSettings, PageSettings, ViewSettings
from wildrobot_gym.paths import POLICIES


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A policy that names terms of a module that can be imported, and leaves a mark if it is."""
    (tmp_path / "hostile_terms.py").write_text(
        "import pathlib\n"
        "pathlib.Path(__file__).with_name('executed').write_text('')\n"
        "def term(inputs, config):\n    return 0.0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "policy.zip"
    with (
        zipfile.ZipFile(POLICIES / "walk" / "policy.zip") as good,
        zipfile.ZipFile(path, "w") as bad,
    ):
        for name in good.namelist():
            content = good.read(name)
            if name == "meta.json":
                meta = json.loads(content)
                settings = meta["extra"]["env_kwargs"]
                settings["rewards"] = {"hostile_terms:term": 1.0}
                settings["randomization"] = {"hostile_terms:term": [0.0, 1.0]}
                settings["disturbances"] = {"hostile_terms:term": {"interval_s": [1.0, 2.0]}}
                content = json.dumps(meta).encode()
            bad.writestr(name, content)
    yield path
    assert "hostile_terms" not in sys.modules and not (tmp_path / "executed").exists()


def test_a_policy_that_is_run_evaluated_and_exported_imports_nothing(hostile, tmp_path):
    policy = wr.load_policy(hostile)
    env = policy.make_env()
    obs, _ = env.reset(seed=0)
    for _ in range(3):
        obs, *_ = env.step(policy.predict(obs)[0])
    env.close()
    wr.evaluate(hostile, commands=[0.4], episodes=1)
    export_policy(hostile, tmp_path / "export", ExportSettings(format="npz"))
    assert np.isfinite(obs).all()


def test_what_listens_is_reached_from_this_computer_alone():
    """`test_view_browser` tries the pages' other addresses."""
    assert ViewSettings().host == PageSettings().host == "127.0.0.1"
    server = open_server(0)
    assert server._socket.getsockname()[0] == "127.0.0.1"
    server.close()
