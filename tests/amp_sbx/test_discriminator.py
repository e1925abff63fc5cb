"""The discriminator: normalization, gradient clip, and its known optima."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from probe_envs import assert_trees_equal, copy_of

from amp_sbx import AMPConfig, AMPLearner, ReferenceFeatures
from amp_sbx.discriminator.objective import discriminator_loss
from amp_sbx.discriminator.state import make_discriminator, make_optimizer, style_rewards

RNG = np.random.default_rng(0)


def make_learner(dim=3, reference=None, **settings):
    config = AMPConfig(
        **(
            {"discriminator_hidden": (16, 8), "batch_size": 64, "replay_buffer_size": 100}
            | settings
        )
    )
    data = RNG.normal(size=(200, dim)) if reference is None else reference
    return AMPLearner(config, ReferenceFeatures.coerce(data))


@pytest.fixture(scope="module")
def spectral():
    """A learner after a hundred fast steps, whose weights are far from their start."""
    learner = make_learner(normalization="spectral", disc_lr=1e-2, update_steps=20)
    for _ in range(5):
        learner.update(RNG.normal(2.0, 1.0, size=(64, 3)))
    return learner


def test_spectral_norm_keeps_the_largest_singular_value_at_one(spectral):
    params, stats = spectral.state.params, spectral.state.batch_stats
    for layer in range(2):
        kernel = np.asarray(params[f"Dense_{layer}"]["kernel"])
        sigma = float(stats[f"SpectralNorm_{layer}"][f"Dense_{layer}/kernel/sigma"])
        assert np.linalg.svd(kernel, compute_uv=False)[0] / sigma == pytest.approx(
            1.0, abs=0.1
        )  # one power iteration a step lags a little


def test_hidden_layers_are_one_lipschitz(spectral):
    model, state = make_discriminator(spectral.config), spectral.state
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    slopes = jax.vmap(jax.grad(lambda x: model.apply(variables, x[None])[0]))(
        jnp.array(RNG.normal(size=(50, 3)))
    )
    output = np.linalg.norm(np.asarray(state.params["Dense_2"]["kernel"]))
    assert np.linalg.norm(slopes, axis=1).max() <= 1.1**2 * output


def test_scoring_changes_nothing():
    learner = make_learner(
        normalization="spectral"
    )  # whose power iteration has a state that could move
    before = copy_of(learner.state)
    features = RNG.normal(size=(20, 3))
    np.testing.assert_array_equal(learner.rewards(features), learner.rewards(features))
    assert_trees_equal(learner.state, before)


def test_layer_norm_learns_to_separate():
    learner = make_learner(
        normalization="layer",
        disc_lr=3e-3,
        update_steps=30,
        r1_gamma=0.0,
        replay_buffer_size=0,
        max_grad_norm=10.0,
    )
    for _ in range(3):
        metrics = learner.update(RNG.normal(4.0, 1.0, size=(64, 3)))
    assert metrics["disc_auc"] > 0.95
    assert metrics["disc_real_mean"] > metrics["disc_fake_mean"]


# No regularization, and enough steps to reach the loss's minimum.
TO_THE_OPTIMUM = {
    "normalization": "none",
    "disc_input_noise_std": 0.0,
    "disc_lr": 3e-3,
    "batch_size": 512,
    "update_steps": 400,
    "replay_buffer_size": 0,
    "max_grad_norm": 10.0,
}


def test_two_gaussians_reach_the_known_optimum():
    """LSGAN's minimizer p_real / (p_real + p_fake) is sigmoid(-2 x) for N(-1, 1) and N(1, 1)."""
    real, fake = RNG.normal(-1, 1, size=(20_000, 1)), RNG.normal(1, 1, size=(20_000, 1))
    learner = make_learner(reference=real, r1_gamma=0.0, **TO_THE_OPTIMUM)
    learner.update(fake)
    grid = np.linspace(-2, 2, 9)[:, None]
    np.testing.assert_allclose(learner.rewards(grid), 1 / (1 + np.exp(2 * grid[:, 0])), atol=0.08)


VARIANTS = [
    {"loss": "bce", "reward": "log_sigmoid"},
    {"loss": "bce", "reward": "clip", "gradient_penalty": "none", "normalization": "spectral"},
    {"loss": "bce", "reward": "softplus", "gradient_penalty": "wgan_gp"},
    {"loss": "wgan", "reward": "softplus", "gradient_penalty": "wgan_gp"},
    {"loss": "wgan", "reward": "softplus", "gradient_penalty": "r1"},
    {"loss": "lsgan", "reward": "quadratic", "target_fake": -1.0},
    {"loss": "lsgan", "label_smoothing": 0.2, "weight_decay": 1e-3},
]


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: "-".join(map(str, v.values())))
def test_every_variant_separates_two_gaussians_and_rewards_the_real_one(variant):
    fake = RNG.normal(2.0, 1.0, size=(500, 1))
    settings = {
        "normalization": "none",
        "disc_lr": 3e-3,
        "update_steps": 100,
        "max_grad_norm": 10.0,
        "r1_gamma": 0.1,
    }
    learner = make_learner(
        reference=RNG.normal(-1.0, 1.0, size=(500, 1)), **{**settings, **variant}
    )
    for _ in range(3):
        metrics = learner.update(fake)
    assert (
        metrics["disc_acc"] > 0.8 or variant["loss"] == "wgan"
    )  # a critic's scores have no place for a threshold
    assert metrics["disc_auc"] > 0.9 and np.isfinite(list(metrics.values())).all()
    real, false = learner.rewards(np.array([[-1.0]])), learner.rewards(np.array([[2.0]]))
    assert real > false >= 0.0


def test_bce_reaches_the_known_optimum():
    """Its minimizer, the log density ratio, is -2 x for N(-1, 1) and N(1, 1)."""
    learner = make_learner(
        reference=RNG.normal(-1, 1, size=(20_000, 1)),
        loss="bce",
        gradient_penalty="none",
        **TO_THE_OPTIMUM,
    )
    learner.update(RNG.normal(1, 1, size=(20_000, 1)))
    grid = np.linspace(-1.5, 1.5, 7)[:, None]
    np.testing.assert_allclose(learner.scores(grid), -2 * grid[:, 0], atol=0.5)


def test_wgan_gp_holds_the_critics_slope_near_one():
    learner = make_learner(
        reference=RNG.normal(0, 1, (500, 1)),
        loss="wgan",
        reward="softplus",
        gradient_penalty="wgan_gp",
        normalization="none",
        disc_lr=3e-3,
        update_steps=300,
        max_grad_norm=10.0,
        feature_min_std=1.0,
    )
    learner.update(RNG.normal(4.0, 1.0, size=(500, 1)))
    grid = np.linspace(0.5, 3.5, 7)[:, None]
    slope = np.diff(learner.scores(grid)) / 0.5
    np.testing.assert_allclose(slope, -1.0, atol=0.35)


def test_r1_lowers_the_gradient_on_real_samples():
    fake = RNG.normal(1.0, 1.0, size=(64, 3))
    settings = {"disc_lr": 3e-3, "update_steps": 40, "max_grad_norm": 10.0, "normalization": "none"}
    free, held = make_learner(**settings, r1_gamma=0.0), make_learner(**settings, r1_gamma=50.0)
    for _ in range(3):
        penalty_free, penalty_held = (
            free.update(fake)["grad_penalty"],
            held.update(fake)["grad_penalty"],
        )
    assert penalty_held < 0.2 * penalty_free


def test_gradients_are_clipped_by_their_global_norm():
    config = AMPConfig(max_grad_norm=0.5)
    clip, state = make_optimizer(config), {"a": jnp.zeros(2), "b": jnp.zeros(1)}
    gradients = {"a": jnp.array([3.0, 0.0]), "b": jnp.array([4.0])}  # global norm 5
    clipped, _ = optax.clip_by_global_norm(config.max_grad_norm).update(
        gradients, optax.EmptyState()
    )
    np.testing.assert_allclose(clipped["a"], [0.3, 0.0], rtol=1e-5)
    # Adam's first moment shows what reached it: 0.1 times the clipped gradient, direction kept.
    _, opt_state = clip.update(gradients, clip.init(state), state)
    moment = opt_state[1][0].mu
    np.testing.assert_allclose(moment["a"], [0.03, 0.0], rtol=1e-5)
    np.testing.assert_allclose(moment["b"], [0.04], rtol=1e-5)


def test_jit_equals_no_jit():
    learner = make_learner(normalization="spectral")
    real, fake = jnp.array(RNG.normal(size=(2, 16, 3)), jnp.float32)
    loss = partial(discriminator_loss, learner.config)
    arguments = (learner.state.params, learner.state.batch_stats, real, fake, jax.random.PRNGKey(0))
    eager, compiled = loss(*arguments), jax.jit(loss)(*arguments)
    for one, other in zip(jax.tree.leaves(eager), jax.tree.leaves(compiled), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_scoring_in_chunks_equals_scoring_at_once():
    learner = make_learner()
    features = jnp.array(RNG.normal(size=(9000, 3)), jnp.float32)
    whole = style_rewards(learner.config, learner.state, features)
    halves = [style_rewards(learner.config, learner.state, part) for part in jnp.split(features, 2)]
    np.testing.assert_allclose(whole, jnp.concatenate(halves), atol=1e-6)
