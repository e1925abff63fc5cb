"""Settings and reference features: what is refused, and that the message helps."""

import json

import numpy as np
import pytest

from amp_sbx import AMPConfig, AMPError, ConfigError, FeatureError, ReferenceFeatures
from amp_sbx.algorithm.policy_kwargs import describe, resolve
from amp_sbx.reference.features import check_layouts


def test_defaults_are_the_seeds_but_for_layer_norm():
    config = AMPConfig()
    assert (config.weight, config.disc_lr, config.batch_size, config.update_steps) == (
        0.5,
        1e-4,
        2048,
        3,
    )
    assert (config.discriminator_hidden, config.normalization) == ((1024, 512, 256), "layer")
    assert (config.r1_gamma, config.disc_input_noise_std, config.replay_buffer_size) == (
        5.0,
        0.02,
        100_000,
    )
    assert config.threshold == 0.5


def test_dict_round_trip_through_json():
    config = AMPConfig.from_dict(
        {"weight": 1, "discriminator_hidden": [8, 4], "schedule": {"ramp_end": 10}}
    )
    assert AMPConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert hash(config) == hash(AMPConfig.from_dict(config.to_dict()))


def test_unknown_key_names_the_nearest():
    with pytest.raises(ConfigError, match=r"'disc_lrr'.*Did you mean 'disc_lr'"):
        AMPConfig.from_dict({"disc_lrr": 1e-3})
    with pytest.raises(ConfigError, match="Did you mean 'ramp_start'"):
        AMPConfig.from_dict({"schedule": {"rampstart": 3}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"weight": -1},
        {"weight": float("nan")},
        {"disc_lr": 0},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"update_steps": 0},
        {"discriminator_hidden": []},
        {"discriminator_hidden": [0]},
        {"discriminator_hidden": "big"},
        {"normalization": "batch"},
        {"activation": "eluu"},
        {"loss": "wgann"},
        {"reward": "cubic"},
        {"replay_buffer_ratio": 1.5},
        {"replay_buffer_size": -1},
        {"max_grad_norm": "x"},
        {"target_real": 0.0},
        {"schedule": {"ramp_start": 5, "ramp_end": 1}},
        {"schedule": 3},
        {"feature_min_std": 0.0},
        {"reward": "softplus"},
        {"loss": "bce", "reward": "quadratic"},
        {"loss": "bce", "target_real": 1.0, "target_fake": -1.0},
        {"loss": "wgan"},
        {"loss": "wgan", "reward": "softplus", "gradient_penalty": "none"},
        {"loss": "wgan", "reward": "softplus", "r1_gamma": 0.0},
        {"loss": "wgan", "reward": "softplus", "gradient_penalty": "wgan_gp", "gp_lambda": 0.0},
        {"loss": "wgan", "reward": "softplus", "label_smoothing": 0.3},
        {"loss": "wgan", "reward": "softplus", "target_fake": -1.0},
        {"gradient_penalty": "r2"},
        {"label_smoothing": 1.5},
        {"weight_decay": -1e-4},
        {"mix": "product"},
        {"mix": "lerp", "weight": 0.6, "schedule": {"initial": 2.0, "final": 2.0}},
    ],
)
def test_values_are_checked_at_construction(wrong):
    with pytest.raises(ConfigError, match=r"amp\."):
        AMPConfig.from_dict(wrong)


def test_coerce():
    assert AMPConfig.coerce(None) is None
    assert AMPConfig.coerce({"weight": 2.0}).weight == 2.0
    with pytest.raises(AMPError):
        AMPConfig.coerce(3)


def test_weight_schedule_multiplies_the_weight():
    config = AMPConfig(
        weight=0.5, schedule={"initial": 0.0, "ramp_start": 0, "ramp_end": 100, "final": 1.0}
    )
    assert [config.style_weight(t) for t in (0, 50, 100, 1000)] == [0.0, 0.25, 0.5, 0.5]
    assert AMPConfig().style_weight(12345) == 0.5


def test_reference_accepts_arrays_and_objects_with_reference_features():
    reference = ReferenceFeatures.coerce(np.ones((4, 3)) * np.arange(3))
    assert (reference.num_samples, reference.feature_dim, reference.features.dtype) == (
        4,
        3,
        np.float32,
    )

    class Dataset:
        features = np.zeros((5, 29))  # of other columns than `reference_features`

        def reference_features(self):
            return {"features": np.zeros((5, 2)), "weights": np.arange(5), "layout": {"joints": 2}}

    taken = ReferenceFeatures.coerce(Dataset())
    assert taken.layout == {"joints": 2} and taken.feature_dim == 2
    np.testing.assert_array_equal(taken.weights, np.arange(5))
    assert ReferenceFeatures.coerce(taken) is taken and ReferenceFeatures.coerce(None) is None


def test_a_reference_of_another_kind_is_refused():
    class OnlyFeatures:
        features = np.zeros((5, 2))

    class Wrong:
        def reference_features(self):
            return {"feature": np.zeros((5, 2))}

    for value in (OnlyFeatures(), "walk", [[1.0], [2.0]]):
        with pytest.raises(FeatureError, match=r"allowed: ReferenceFeatures, a .num_samples, fea"):
            ReferenceFeatures.coerce(value)
    with pytest.raises(FeatureError, match=r"gave the keys feature; it must return a mapping"):
        ReferenceFeatures.coerce(Wrong())


@pytest.mark.parametrize(
    ("features", "weights"),
    [
        (np.zeros(3), None),
        (np.zeros((1, 3)), None),
        (np.zeros((4, 0)), None),
        (np.array([[0.0, 1.0], [np.nan, 1.0]]), None),
        (np.array([[0.0, 1.0], [np.inf, 1.0]]), None),
        (np.zeros((4, 3)), np.ones(3)),
        (np.zeros((4, 3)), -np.ones(4)),
        (np.zeros((4, 3)), np.zeros(4)),
    ],
)
def test_reference_is_checked(features, weights):
    with pytest.raises(FeatureError):
        ReferenceFeatures(features, weights)


def test_layouts():
    check_layouts({"a": [1]}, {"a": (1,)}, "x", "y")
    check_layouts(None, {"a": 1}, "x", "y")
    with pytest.raises(FeatureError, match=r"\['b'\]"):
        check_layouts({"a": 1, "b": 2}, {"a": 1}, "x", "y")


def test_policy_kwargs_names():
    resolved = resolve({"activation_fn": "elu", "net_arch": [8], "optimizer_class": "adamw"})
    assert describe(resolved) == {
        "activation_fn": "elu",
        "net_arch": [8],
        "optimizer_class": "adamw",
    }
    with pytest.raises(ConfigError, match="allowed"):
        resolve({"activation_fn": "elo"})
    with pytest.raises(ConfigError, match="no name"):
        describe({"activation_fn": lambda x: x})


def test_policy_kwargs_accept_torch_classes():
    from torch import nn

    assert (
        resolve({"activation_fn": nn.SiLU})["activation_fn"]
        is resolve({"activation_fn": "silu"})["activation_fn"]
    )


def test_an_impossible_pair_says_what_would_fit():
    with pytest.raises(
        ConfigError, match=r"allowed with it: softplus; 'clip' goes with: lsgan, bce"
    ):
        AMPConfig(loss="wgan", gradient_penalty="wgan_gp")


def test_what_the_task_keeps():
    added, blended = AMPConfig(task_weight=2.0), AMPConfig(task_weight=2.0, mix="lerp", weight=0.4)
    assert added.task_fraction(0.4) == 2.0 and blended.task_fraction(0.4) == pytest.approx(1.2)
    assert blended.task_fraction(blended.style_weight(0)) == pytest.approx(1.2)


def test_label_smoothing_moves_the_real_target_alone():
    config = AMPConfig(target_real=1.0, target_fake=-1.0, label_smoothing=0.1)
    assert config.smoothed_target == pytest.approx(0.8) and config.threshold == 0.0
