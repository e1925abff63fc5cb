"""Networks that commute with a reflection by their layers, not by averaging two passes.

The features of a hidden layer come in pairs `(u, v)`, and the reflection exchanges `u` and `v`. It
keeps their sum, which is called even, and negates their difference, which is called odd. A linear
map commutes with the reflection if it takes even features to even ones and odd to odd.

So a layer is two matrix products, each with half of the inputs and half of the outputs. Together
they have half of a plain layer's parameters. They take a quarter of the multiplications of two
passes through a plain layer. An activation acts on each `u` and each `v` alone.

For equivariant policies in general see Van der Pol et al. 2020, "MDP homomorphic networks",
arXiv:2006.16908.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import tensorflow_probability.substrates.jax as tfp
from jaxtyping import Array, Float
from sbx.ppo.policies import CnnPolicy

from amp_sbx.common.errors import ConfigError
from amp_sbx.common.mirror import Mirror

HALF = 0.5**0.5  # keeps the change between (u, v) and (even, odd) orthonormal
Initializer = Callable[..., Array]
Parts = tuple[Array, Array]  # even and odd


def basis(ids: Sequence[int], signs: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal bases of what a reflection keeps and of what it negates.

    Args:
        ids: source of each column of an image.
        signs: sign of each column, 1 or -1.

    Returns:
        `(even, odd)`, with shapes (column, num_even) and (column, num_odd).
    """
    even: list[np.ndarray] = []
    odd: list[np.ndarray] = []
    unit = np.eye(len(ids), dtype=np.float32)
    for column, (source, sign) in enumerate(zip(ids, signs, strict=True)):
        if source == column:
            (even if sign > 0 else odd).append(unit[column])
        elif column < source:
            even.append(np.float32(HALF) * (unit[column] + sign * unit[source]))
            odd.append(np.float32(HALF) * (unit[column] - sign * unit[source]))
    return tuple(  # type: ignore[return-value]
        np.array(rows, np.float32).reshape(-1, len(ids)).T for rows in (even, odd)
    )


def even_and_odd(
    x: Float[Array, "batch column"], ids: Sequence[int], signs: Sequence[float]
) -> Parts:
    """Coordinates of `x` in the bases of `basis`: no column has more than two terms.

    Args:
        x: columns that a reflection maps to `signs * x[ids]`.
        ids: source of each column of an image.
        signs: sign of each column, 1 or -1.
    """
    source, columns = np.asarray(ids), np.arange(len(ids))
    sign = np.asarray(signs, np.float32)
    image, own = sign * x[:, source], source == columns
    factors = np.where(own, 0.5, HALF).astype(np.float32)
    first = columns < source  # one column of each pair
    even, odd = (first | (own & (sign == of_part)) for of_part in (1.0, -1.0))
    return ((x + image) * factors)[:, even], ((x - image) * factors)[:, odd]


def orbits(ids: Sequence[int]) -> np.ndarray:
    """Number of each column's pair, the same for both partners; a column may be its own."""
    return np.unique(np.minimum(np.arange(len(ids)), ids), return_inverse=True)[1]


class EquivariantDense(nn.Module):
    """A linear map of even to even and of odd to odd columns. Only even ones have a bias.

    Attributes:
        num_even: number of even outputs.
        num_odd: number of odd outputs.
        kernel_init: initializer of both kernels.
    """

    num_even: int
    num_odd: int
    kernel_init: Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, even: Float[Array, "batch even"], odd: Float[Array, "batch odd"]) -> Parts:
        """The images of both parts."""

        def product(name: str, x: Array, width: int) -> Array:
            if not x.shape[-1] or not width:  # no initializer takes an empty kernel
                return jnp.zeros((*x.shape[:-1], width), x.dtype)
            return x @ self.param(name, self.kernel_init, (x.shape[-1], width))

        new_even = product("even", even, self.num_even)
        if self.num_even:
            new_even += self.param("bias", nn.initializers.zeros, (self.num_even,))
        return new_even, product("odd", odd, self.num_odd)


class EquivariantMLP(nn.Module):
    """Hidden layers over raw observations.

    Attributes:
        net_arch: width of each layer; even numbers.
        activation_fn: acts on each feature alone.
        mirror: the reflection.
    """

    net_arch: Sequence[int]
    activation_fn: Callable[[Array], Array]
    mirror: Mirror

    @nn.compact
    def __call__(self, x: Float[Array, "batch obs"]) -> Parts:
        """The last layer's even and odd features."""
        x = x.reshape((x.shape[0], -1))
        even, odd = even_and_odd(x, self.mirror.obs_ids, self.mirror.obs_signs)
        for width in self.net_arch:
            even, odd = EquivariantDense(width // 2, width // 2)(even, odd)
            u, v = (self.activation_fn(HALF * x) for x in (even + odd, even - odd))
            even, odd = HALF * (u + v), HALF * (u - v)
        return even, odd


class EquivariantActor(nn.Module):
    """SBX's actor whose mean of a mirror image is the mirrored mean.

    Partner joints have one standard deviation. The attributes are those of `sbx`'s `Actor`, with
    the reflection.
    """

    action_dim: int
    net_arch: Sequence[int]
    mirror: Mirror
    log_std_init: float = 0.0
    activation_fn: Callable[[Array], Array] = nn.tanh
    ortho_init: bool = False
    features_extractor: None = None

    @nn.compact
    def __call__(self, x: Float[Array, "batch obs"]) -> Any:
        """The distribution of actions."""
        ids, signs = self.mirror.action_ids, self.mirror.action_signs
        even, odd = EquivariantMLP(self.net_arch, self.activation_fn, self.mirror)(x)
        bases = basis(ids, signs)
        init = (
            nn.initializers.orthogonal(0.01) if self.ortho_init else nn.initializers.lecun_normal()
        )
        num_even, num_odd = (part.shape[1] for part in bases)
        parts = EquivariantDense(num_even, num_odd, kernel_init=init)(even, odd)
        mean = jnp.dot(
            jnp.concatenate(parts, axis=-1),
            np.concatenate(bases, axis=1).T,
            precision=jax.lax.Precision.HIGHEST,
        )
        pairs = orbits(ids)
        log_std = self.param(
            "log_std", nn.initializers.constant(self.log_std_init), (int(pairs.max()) + 1,)
        )
        return tfp.distributions.MultivariateNormalDiag(
            loc=mean, scale_diag=jnp.exp(log_std[pairs])
        )


class InvariantCritic(nn.Module):
    """SBX's critic, with equal values of an observation and of its mirror image."""

    net_arch: Sequence[int]
    mirror: Mirror
    activation_fn: Callable[[Array], Array] = nn.tanh
    features_extractor: None = None

    @nn.compact
    def __call__(self, x: Float[Array, "batch obs"]) -> Float[Array, "batch 1"]:
        """The values."""
        even, odd = EquivariantMLP(self.net_arch, self.activation_fn, self.mirror)(x)
        return EquivariantDense(1, 0)(even, odd)[0]


def policy_classes(
    policy_class: type, policy_kwargs: Mapping[str, Any], mirror: Mirror
) -> dict[str, Any]:
    """The `policy_kwargs` that make SBX build these networks.

    Raises:
        ConfigError: the policy has other networks than an MLP, or a width is odd.
    """
    taken = {"actor_class", "critic_class", "features_extractor_class"} & set(policy_kwargs)
    if issubclass(policy_class, CnnPolicy) or taken:
        got = f"policy_kwargs {sorted(taken)}" if taken else policy_class.__name__
        raise ConfigError(
            "symmetric_policy: equivariant has networks of its own, for MlpPolicy only; "
            f"got {got}. Use MlpPolicy without it, or symmetric_policy: mean."
        )
    net_arch = policy_kwargs.get("net_arch") or []
    parts = net_arch.values() if isinstance(net_arch, Mapping) else [net_arch]
    if odd := [width for part in parts for width in part if width % 2]:
        raise ConfigError(
            f"policy_kwargs net_arch has a layer of width {odd[0]}, but the features of an "
            "equivariant policy come in pairs. Use even widths, or symmetric_policy: mean."
        )
    return {
        "actor_class": partial(EquivariantActor, mirror=mirror),
        "critic_class": partial(InvariantCritic, mirror=mirror),
    }
