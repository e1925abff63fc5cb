"""Pure functions: values by hand, one identity each, and jit equals no jit."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probe_envs import assert_trees_equal
from stable_baselines3.common import utils as sb3

from amp_sbx.algorithm import losses as ppo_losses
from amp_sbx.algorithm.advantage import gae
from amp_sbx.algorithm.returns import total_rewards
from amp_sbx.common import metrics
from amp_sbx.common.errors import ConfigError
from amp_sbx.common.schedules import LinearSchedule, parse_schedule, ramp
from amp_sbx.discriminator import losses, replay_buffer
from amp_sbx.discriminator.normalizer import fit_normalizer
from amp_sbx.discriminator.rewards import REWARDS_OF_LOSS, STYLE_REWARDS, probability_of_real

RNG = np.random.default_rng(0)


def test_lsgan_loss():
    real, fake = jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0])
    assert losses.lsgan_loss(real, fake, 1.0, 0.0) == pytest.approx(0.5 * (0.5 + 2.0))
    assert losses.lsgan_loss(jnp.ones(3), jnp.zeros(5), 1.0, 0.0) == 0.0
    # Symmetric under swapping the roles together with the targets.
    assert losses.lsgan_loss(real, fake, 1.0, 0.0) == losses.lsgan_loss(fake, real, 0.0, 1.0)


def test_bce_loss():
    """Logits 0 and log 3 are the probabilities 1/2 and 3/4."""
    real, fake = jnp.array([0.0, jnp.log(3.0)]), jnp.array([0.0])
    want = 0.5 * (-(np.log(0.5) + np.log(0.75)) / 2 - np.log(0.5))
    assert losses.bce_loss(real, fake, 1.0, 0.0) == pytest.approx(want, rel=1e-5)
    assert losses.bce_loss(real, fake, 1.0, 0.0) == pytest.approx(
        float(losses.bce_loss(-fake, -real, 1.0, 0.0)), rel=1e-5
    )


def test_wgan_loss():
    assert losses.wgan_loss(jnp.array([1.0, 3.0]), jnp.array([-1.0]), 1.0, 0.0) == -3.0


def test_wgan_gp_of_a_linear_critic_is_how_far_its_slope_is_from_one():
    slope, rows = jnp.array([3.0, -4.0]), jnp.array(RNG.normal(size=(2, 6, 2)), jnp.float32)
    penalty = losses.wgan_gp(lambda x: x @ slope, *rows, jax.random.PRNGKey(0))
    assert penalty == pytest.approx(16.0, rel=1e-5)
    flat, gradient = jax.value_and_grad(
        lambda a: losses.wgan_gp(lambda x: a * x[:, 0], *rows, jax.random.PRNGKey(0))
    )(0.0)
    assert flat == pytest.approx(1.0, abs=1e-4) and np.isfinite(gradient)


def test_wgan_gp_looks_between_the_two():
    """The slope of x^2 at a point between 1 and 2 lies between 2 and 4, whatever the draw."""
    real, fake = jnp.ones((500, 1)), jnp.full((500, 1), 2.0)
    penalty = losses.wgan_gp(lambda x: (x**2).sum(-1), real, fake, jax.random.PRNGKey(1))
    assert penalty == pytest.approx(np.mean((2 * np.linspace(1, 2, 10_001) - 1) ** 2), rel=0.1)


def test_r1_of_a_linear_discriminator_is_its_squared_slope():
    slope = jnp.array([3.0, -4.0])
    scores, penalty = losses.scores_and_r1(
        lambda x: x @ slope + 7.0, jnp.array(RNG.normal(size=(6, 2)))
    )
    assert penalty == pytest.approx(25.0)
    assert scores.shape == (6,)
    _, flat = losses.scores_and_r1(lambda x: jnp.zeros(x.shape[0]), jnp.ones((4, 2)))
    assert flat == 0.0


def test_r1_is_a_mean_over_samples_not_over_channels():
    _, penalty = losses.scores_and_r1(
        lambda x: 0.5 * (x**2).sum(-1), jnp.array([[3.0, 4.0], [0.0, 1.0]])
    )
    assert penalty == pytest.approx((25 + 1) / 2)  # gradient is x itself


def test_auc_and_accuracy():
    assert metrics.auc(jnp.array([2.0, 3.0]), jnp.array([0.0, 1.0])) == 1.0
    assert metrics.auc(jnp.array([1.0, 1.0]), jnp.array([1.0, 1.0])) == 0.5  # all tied
    # pairs: (1 > 0), (1 = 1) half, (3 > 0), (3 > 1) -> 3.5 / 4
    real, fake = jnp.array([1.0, 3.0]), jnp.array([0.0, 1.0])
    assert metrics.auc(real, fake) == pytest.approx(0.875)
    assert metrics.auc(fake, real) == pytest.approx(1 - 0.875)
    assert metrics.accuracy(jnp.array([0.6, 0.4]), jnp.array([0.1, 0.2]), 0.5) == pytest.approx(
        0.75
    )
    assert metrics.accuracy(jnp.zeros(3), jnp.zeros(3), 0.5) == pytest.approx(0.5)


def test_auc_equals_pair_counting():
    real, fake = (
        RNG.integers(0, 5, 40).astype(np.float32),
        RNG.integers(0, 5, 30).astype(np.float32),
    )
    pairs = (real[:, None] > fake[None]).mean() + 0.5 * (real[:, None] == fake[None]).mean()
    assert metrics.auc(jnp.array(real), jnp.array(fake)) == pytest.approx(pairs, abs=1e-6)


def test_approx_kl_and_explained_variance():
    assert metrics.approx_kl(jnp.zeros(4)) == 0.0
    assert metrics.approx_kl(jnp.log(jnp.array([2.0]))) == pytest.approx(1 - np.log(2), rel=1e-5)
    returns = jnp.array([1.0, 2.0, 3.0])
    assert metrics.explained_variance(returns, returns) == 1.0
    assert metrics.explained_variance(jnp.zeros(3), returns) == pytest.approx(0.0, abs=1e-6)
    assert jnp.isnan(metrics.explained_variance(returns, jnp.ones(3)))


def test_gae_by_hand():
    # Gamma 0.5, lambda 1, values 0: advantages 1 + 1 + 1 + 1, 2 + 2 + 2 and 4 + 4.
    ones = {"gamma": 0.5, "gae_lambda": 1.0}
    rewards, values, starts = (
        jnp.array([[1.0], [2.0], [4.0]]),
        jnp.zeros((3, 1)),
        jnp.array([[1.0], [0.0], [0.0]]),
    )
    advantages, returns = gae(rewards, values, starts, jnp.array([8.0]), jnp.zeros(1), **ones)
    np.testing.assert_allclose(advantages[:, 0], [4.0, 6.0, 8.0])
    np.testing.assert_allclose(returns, advantages)
    # A boundary before step 2, and the last step done: nothing crosses either.
    starts = jnp.array([[1.0], [0.0], [1.0]])
    advantages, _ = gae(rewards, values, starts, jnp.array([8.0]), jnp.ones(1), **ones)
    np.testing.assert_allclose(advantages[:, 0], [2.0, 2.0, 4.0])


def test_gae_equals_a_plain_loop():
    time, envs, gamma, lam = 23, 5, 0.97, 0.9
    rewards, values = RNG.normal(size=(2, time, envs)).astype(np.float32)
    starts = (RNG.random((time, envs)) < 0.2).astype(np.float32)
    last_values, last_dones = (
        RNG.normal(size=envs).astype(np.float32),
        np.array([0, 1, 0, 1, 1], np.float32),
    )
    expected, carry = np.zeros((time, envs)), np.zeros(envs)
    for t in reversed(range(time)):
        alive = 1 - (last_dones if t == time - 1 else starts[t + 1])
        following = last_values if t == time - 1 else values[t + 1]
        carry = rewards[t] + gamma * following * alive - values[t] + gamma * lam * alive * carry
        expected[t] = carry
    inputs = [jnp.array(x) for x in (rewards, values, starts, last_values, last_dones)]
    advantages, returns = gae(*inputs, gamma, lam)
    np.testing.assert_allclose(advantages, expected, atol=1e-5)
    np.testing.assert_allclose(returns, expected + values, atol=1e-5)


def test_clipped_surrogate():
    ratio, advantages = jnp.array([1.5, 0.5, 1.5, 0.5]), jnp.array([1.0, 1.0, -1.0, -1.0])
    # min(1.5, 1.2), min(0.5, 0.8), min(-1.5, -1.2), min(-0.5, -0.8)
    assert ppo_losses.clipped_surrogate(ratio, advantages, 0.2) == pytest.approx(
        -(1.2 + 0.5 - 1.5 - 0.8) / 4
    )
    assert ppo_losses.clipped_surrogate(
        jnp.ones(3), jnp.array([1.0, 2.0, 3.0]), 0.2
    ) == pytest.approx(-2.0)


def test_value_loss():
    values, old, returns = jnp.array([2.0, 0.1]), jnp.zeros(2), jnp.array([1.0, 1.0])
    assert ppo_losses.value_loss(values, old, returns, None) == pytest.approx((1.0 + 0.81) / 2)
    assert ppo_losses.value_loss(values, old, returns, 0.5) == pytest.approx(
        (0.25 + 0.81) / 2, rel=1e-5
    )
    assert ppo_losses.value_loss(values, old, returns, 1e9) == ppo_losses.value_loss(
        values, old, returns, None
    )


def test_style_reward_pays_nothing_for_a_score_of_zero():
    real = jnp.array([-3.0, 0.0, 0.25, 1.0, 9.0])
    np.testing.assert_allclose(STYLE_REWARDS["clip"](real, real), [0, 0, 0.25, 1, 1])


def test_rewards_on_their_losses_scales():
    """What is surely fake, undecided, surely real: by the targets of least squares, by a logit."""
    scores = jnp.array([-1.0, 0.0, 1.0])
    real = probability_of_real("lsgan", scores, 1.0, -1.0)
    np.testing.assert_allclose(real, [0.0, 0.5, 1.0])
    np.testing.assert_allclose(STYLE_REWARDS["quadratic"](scores, real), [0.0, 0.75, 1.0])
    logits = jnp.array([-jnp.log(3.0), 0.0, 50.0])
    real = probability_of_real("bce", logits, 1.0, 0.0)
    np.testing.assert_allclose(real, [0.25, 0.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(
        STYLE_REWARDS["log_sigmoid"](logits, real),
        [np.log(4 / 3), np.log(2), np.log(1e4)],
        rtol=1e-4,
    )
    np.testing.assert_allclose(
        STYLE_REWARDS["softplus"](logits, real), [np.log(4 / 3), np.log(2), 50.0], rtol=1e-5
    )
    assert set(REWARDS_OF_LOSS) == set(losses.DISCRIMINATOR_LOSSES)
    assert {reward for rewards in REWARDS_OF_LOSS.values() for reward in rewards} == set(
        STYLE_REWARDS
    )


def test_total_rewards_leave_the_bootstrap_alone():
    task, style, bootstrap = jnp.array([[1.0]]), jnp.array([[0.5]]), jnp.array([[10.0]])
    assert total_rewards(task, style, bootstrap, 2.0, 0.5)[0, 0] == pytest.approx(2.0 + 0.25 + 10.0)
    assert total_rewards(task, style, bootstrap, 0.0, 0.0)[0, 0] == pytest.approx(10.0)
    assert total_rewards(task, None, bootstrap, 1.0, 0.5)[0, 0] == pytest.approx(11.0)


def test_normalizer_statistics_floor_and_clip():
    features = np.array([[0.0, 5.0, 0.0], [2.0, 5.0, 0.0]])
    normalizer = fit_normalizer(features, min_std=0.01, clip=10.0)
    np.testing.assert_allclose(normalizer.mean, [1.0, 5.0, 0.0])
    np.testing.assert_allclose(
        normalizer.std, [1.0, 0.05, 0.01], rtol=1e-5
    )  # the floor is 1 % of |mean|, at least 0.01
    np.testing.assert_allclose(normalizer(jnp.array([3.0, 5.1, 7.0])), [2.0, 2.0, 10.0], rtol=1e-4)
    data = RNG.normal(3.0, 2.0, size=(500, 4))
    normalized = fit_normalizer(data)(jnp.array(data, jnp.float32))
    np.testing.assert_allclose(normalized.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(normalized.std(0), 1, atol=1e-5)


def test_normalizer_weights_equal_repetition():
    features = np.array([[0.0], [1.0], [4.0]])
    repeated = fit_normalizer(features[[0, 1, 1, 2]])
    weighted = fit_normalizer(features, np.array([1.0, 2.0, 1.0]))
    np.testing.assert_allclose(weighted.mean, repeated.mean)
    np.testing.assert_allclose(weighted.std, repeated.std)


def rows(*numbers):
    return jnp.array(numbers, jnp.float32)[:, None]


def test_ring_buffer_wraps_and_takes_batches_larger_than_itself():
    buffer = replay_buffer.init(4, 1)
    buffer = replay_buffer.add(buffer, rows(1, 2, 3))
    assert (int(buffer.position), int(buffer.size)) == (3, 3)
    buffer = replay_buffer.add(buffer, rows(4, 5))
    np.testing.assert_array_equal(buffer.data[:, 0], [5, 2, 3, 4])
    assert (int(buffer.position), int(buffer.size)) == (1, 4)
    buffer = replay_buffer.add(buffer, rows(*range(10, 17)))
    assert sorted(buffer.data[:, 0].tolist()) == [13, 14, 15, 16]
    assert int(buffer.position) == (1 + 7) % 4
    # The oldest is the next to go, as if the rows had come one by one.
    one_by_one = replay_buffer.init(4, 1)
    for number in [1, 2, 3, 4, 5, *range(10, 17)]:
        one_by_one = replay_buffer.add(one_by_one, rows(number))
    np.testing.assert_array_equal(buffer.data, one_by_one.data)


def test_ring_buffer_disabled_empty_and_off():
    buffer = replay_buffer.add(replay_buffer.init(4, 1), rows(1, 2))
    same = replay_buffer.add(buffer, rows(7, 8, 9), enabled=jnp.array(False))
    assert_trees_equal(same, buffer)
    assert set(replay_buffer.sample(buffer, jax.random.PRNGKey(0), 50)[:, 0].tolist()) == {1.0, 2.0}
    off = replay_buffer.add(replay_buffer.init(0, 1), rows(1))
    assert off.data.shape == (0, 1)


def test_ramp_and_schedules():
    settings = {"initial": 0.0, "ramp_start": 100.0, "ramp_end": 300.0, "final": 2.0}
    assert [ramp(t, **settings) for t in (0, 100, 200, 300, 1e9)] == [0.0, 0.0, 1.0, 2.0, 2.0]
    assert ramp(5, 1.0, 0.0, 0.0, 1.0) == 1.0
    assert [LinearSchedule(4.0)(p) for p in (1.0, 0.5, 0.0, -0.1)] == [4.0, 2.0, 0.0, 0.0]
    assert parse_schedule("lin_3e-4") == LinearSchedule(3e-4)
    assert parse_schedule(str(LinearSchedule(3e-4))) == LinearSchedule(3e-4)
    assert parse_schedule("0.1") == 0.1
    part = LinearSchedule(4.0, 1.0, 0.5)
    theirs = sb3.LinearSchedule(4.0, 1.0, 0.5)
    assert [part(p) for p in (1.0, 0.75, 0.5, 0.2)] == [4.0, 2.5, 1.0, 1.0]
    assert [part(p) for p in (0.9, 0.6, 0.1)] == pytest.approx([theirs(p) for p in (0.9, 0.6, 0.1)])
    assert (
        parse_schedule(str(part)) == parse_schedule("lin_4_1_0.5") == parse_schedule(theirs) == part
    )
    assert parse_schedule(sb3.FloatSchedule(0.1)) == 0.1
    for wrong in ("cos_3", "lin_", "lin_-1", "lin_0", "lin_1_2_3_4", "lin_1_0_0", True, [1]):
        with pytest.raises(ConfigError):
            parse_schedule(wrong, "learning_rate")


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: losses.lsgan_loss(x, y, 1.0, 0.0),
        lambda x, y: losses.bce_loss(x, y, 1.0, 0.0),
        lambda x, y: losses.wgan_loss(x, y, 1.0, 0.0),
        lambda x, y: ppo_losses.clipped_surrogate(jnp.exp(x), y, 0.2),
        lambda x, y: ppo_losses.value_loss(x, y, y + 1, 0.2),
        metrics.auc,
        lambda x, y: metrics.accuracy(x, y, 0.5),
        lambda x, y: metrics.explained_variance(x, y),
        lambda x, y: gae(
            x[:, None], y[:, None], (x > 0).astype(float)[:, None], x[:1], y[:1] * 0, 0.9, 0.8
        )[0].sum(),
        lambda x, y: replay_buffer.add(
            replay_buffer.init(7, 1), jnp.concatenate([x, y])[:, None]
        ).data.sum(),
    ],
)
def test_jit_equals_no_jit(function):
    x, y = jnp.array(RNG.normal(size=(2, 9)), jnp.float32)
    np.testing.assert_allclose(jax.jit(function)(x, y), function(x, y), rtol=1e-5, atol=1e-6)
