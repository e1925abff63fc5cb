"""Parameters: reading and replacing the learned arrays."""

import numpy as np
import pytest
from laid_out import LAYOUT, LaidOut, amp_model
from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, SignEnv, assert_trees_equal, make_model
from sbx.ppo.policies import PPOPolicy

from amp_sbx import AMPPPO, CheckpointError, ReferenceFeatures


def test_get_and_set_parameters(trained, saved):
    other = amp_model(seed=9)
    other.set_parameters(trained.get_parameters())
    assert_trees_equal(other.get_parameters(), trained.get_parameters())
    another = amp_model(seed=10)
    another.set_parameters(str(saved))
    assert_trees_equal(another.get_parameters(), trained.get_parameters())
    given = trained.get_parameters()
    other.set_parameters(given)
    for array in given["actor"].values():
        array += 1.0  # the caller's copy
    assert_trees_equal(other.get_parameters(), trained.get_parameters())
    part = {"actor": trained.get_parameters()["actor"]}
    with pytest.raises(CheckpointError, match="critic"):
        other.set_parameters(part)
    other.set_parameters(part, exact_match=False)
    part["actor"] = {name: array[:1] for name, array in part["actor"].items()}
    with pytest.raises(CheckpointError, match="shape"):
        other.set_parameters(part, exact_match=False)


def test_parameters_bring_what_normalizes_the_features(trained):
    other = make_model(
        LaidOut(8, length=4),
        amp=SMALL_AMP,
        reference=ReferenceFeatures(2 * REFERENCE + 1, layout=LAYOUT),
    )
    other.learn(128)
    assert int(other.learner.state.replay.size) > 0
    other.set_parameters(trained.get_parameters())
    np.testing.assert_array_equal(
        other.learner.rewards(REFERENCE), trained.learner.rewards(REFERENCE)
    )
    assert int(other.learner.state.replay.size) == 0  # its samples were normalized differently
    resumed = amp_model(seed=3).learn(128)
    resumed.set_parameters(trained.get_parameters())
    assert int(resumed.learner.state.replay.size) > 0


def test_parameters_leave_the_schedules_mask(trained):
    named = ReferenceFeatures(REFERENCE, layout={"channels": [["a", 1], ["b", 1]]})
    amp = SMALL_AMP | {"reintroduce": [{"channels": ["b"], "at": 1e6}]}
    waiting = make_model(ProbeEnv(8), amp=amp, reference=named)
    assert waiting.learner.state.mask.tolist() == [1.0, 0.0]
    waiting.set_parameters(trained.get_parameters())
    assert waiting.learner.state.mask.tolist() == [1.0, 0.0]
    trained_again = amp_model(seed=3)
    trained_again.set_parameters(waiting.get_parameters())
    assert trained_again.learner.state.mask.tolist() == [1.0, 1.0]


def test_parameters_of_networks_that_compute_something_else(trained, saved):
    """Each fits by its shapes."""
    relu = amp_model(policy_kwargs={"net_arch": [16], "activation_fn": "relu"})
    with pytest.raises(CheckpointError, match="another activation_fn"):
        relu.set_parameters(saved)
    other = amp_model(amp={"normalization": "none"})
    with pytest.raises(CheckpointError, match=r"amp\.normalization: file 'layer'"):
        other.set_parameters(saved)
    with pytest.raises(CheckpointError, match="no array discriminator/params/LayerNorm_0"):
        other.set_parameters(trained.get_parameters())


def test_parameters_of_a_policy_class_of_ones_own(tmp_path):
    class Own(PPOPolicy):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    own = AMPPPO(Own, SignEnv(8), n_steps=16)
    own.save(tmp_path / "own")
    AMPPPO(Own, SignEnv(8), n_steps=16, seed=1).set_parameters(tmp_path / "own")
    relu = AMPPPO(Own, SignEnv(8), n_steps=16, policy_kwargs={"activation_fn": "relu"})
    with pytest.raises(CheckpointError, match="another activation_fn"):
        relu.set_parameters(tmp_path / "own")


def test_parameters_of_other_features(saved):
    foreign = make_model(
        ProbeEnv(8),
        amp=SMALL_AMP,
        reference=ReferenceFeatures(REFERENCE, layout={"channels": ["c"]}),
    )
    with pytest.raises(CheckpointError, match="layouts differ"):
        foreign.set_parameters(saved)
