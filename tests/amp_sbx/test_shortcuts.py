"""Functions that stand in for JAX's own and cost less: the same numbers come out."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from amp_sbx.algorithm.policy_kwargs import describe, resolve
from amp_sbx.common.activations import elu
from amp_sbx.common.shuffle import shuffled

X = jnp.concatenate([jnp.linspace(-20.0, 20.0, 401), jnp.array([-100.0, -1e-6, 1e-6, 100.0])])


def test_elu_has_the_values_and_the_derivatives_of_flax():
    np.testing.assert_array_equal(jax.jit(elu)(X), jax.jit(nn.elu)(X))
    for order in (jax.grad, lambda f: jax.grad(jax.grad(f))):
        ours, theirs = (jax.vmap(order(f))(X) for f in (elu, nn.elu))
        away = np.abs(X) > 1e-9  # the second derivative jumps at 0
        np.testing.assert_allclose(ours[away], theirs[away], rtol=1e-5, atol=2e-7)


def test_flax_elu_is_taken_for_ours_and_stored_by_name():
    resolved = resolve({"activation_fn": nn.elu})
    assert resolved == resolve({"activation_fn": "elu"}) == {"activation_fn": elu}
    assert describe(resolved) == {"activation_fn": "elu"}


def test_shuffles_hold_every_number_once_and_are_uniform():
    many = np.asarray(
        jax.vmap(lambda key: shuffled(key, 6))(jax.random.split(jax.random.key(0), 6000))
    )
    np.testing.assert_array_equal(np.sort(many, axis=1), np.tile(np.arange(6), (6000, 1)))
    for place in range(6):  # 1,000 of each number at each place, standard deviation 29
        assert np.abs(np.bincount(many[:, place], minlength=6) - 1000).max() < 150
