"""Fixtures of the package's tests."""

import pytest
from laid_out import amp_model


@pytest.fixture(scope="session")
def trained():
    return amp_model(learning_rate="lin_3e-3", target_kl=0.01).learn(16 * 8 * 2)


@pytest.fixture
def saved(trained, tmp_path):
    trained.save(tmp_path / "model", extra={"run": "walk", "seed": 3})
    return tmp_path / "model.zip"
