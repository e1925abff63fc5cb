"""A critic that sees more than the policy: the environment's `critic_obs`.

The critic only learns values, and no robot needs it. So it may see what no sensor tells: base
velocity, friction, pushes. See Pinto et al. 2018, "Asymmetric actor critic for image-based robot
learning", arXiv:1710.06542.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from amp_sbx.algorithm.collect import predict_values
from amp_sbx.common.critic_infos import critic_width
from amp_sbx.common.errors import AMPError, ConfigError
from amp_sbx.common.mirror import Mirror


@dataclass(frozen=True)
class CriticInputs:
    """What a critic sees in place of the observations.

    Attributes:
        dim: number of columns of `critic_obs`.
        mirror: reflection with `critic_obs` in place of the observations; None for a critic without
            symmetry.
    """

    dim: int
    mirror: Mirror | None = None

    @classmethod
    def of(cls, env: VecEnv | None, equivariant: bool) -> "CriticInputs":
        """What the environments declare.

        Raises:
            ConfigError: they give no `critic_obs`, or do not say how it is mirrored.
        """
        width = 0 if env is None else critic_width(env)
        if width < 1:
            raise ConfigError(
                "critic_obs is on, but the environment gives the critic nothing: its critic_dim is "
                "missing or 0. WildRobot's gives what `privileged` names. One of your own declares "
                "critic_dim and returns info['critic_obs']. Or set critic_obs to false."
            )
        assert env is not None
        return cls(width, Mirror.of_critic(env, width) if equivariant else None)

    def check(
        self, env: VecEnv, error: type[AMPError] = ConfigError, required: bool = False
    ) -> None:
        """Check that the critic of a model sees the same in `env`.

        Args:
            env: the environments.
            error: class of the error.
            required: whether the critic learns there. Acting needs no critic, so that an
                environment without `critic_obs` is enough for it.

        Raises:
            AMPError: it does not; of class `error`.
        """
        width = critic_width(env)
        if width == 0 and not required:
            return
        if width != self.dim:
            raise error(
                f"the critic sees {self.dim} columns of critic_obs, but the environment gives "
                f"{width or 'none'} (critic_dim). Use an environment with the same `privileged` "
                "and `observation`."
            )
        if self.mirror is not None and Mirror.of_critic(env, width) != self.mirror:
            raise error(
                "the environment mirrors critic_obs in another way than the symmetric policy's "
                "critic; use an environment of the same robot and the same `privileged`."
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> "CriticInputs | None":
        """From `to_json`, also after JSON made lists of its tuples; None stays None."""
        if value is None:
            return None
        mirror = value["mirror"]
        read = cls(int(value["dim"]), None if mirror is None else Mirror.from_json(mirror))
        if read.mirror is not None:
            read.mirror.check_critic(read.dim)
        return read


def give_inputs(model: Any) -> None:
    """Replace the critic that SBX built for the observations by one for the model's `critic_obs`.

    Raises:
        ConfigError: the critic has a features extractor, which is for observations.
    """
    policy, inputs = model.policy, model.critic_inputs
    if policy.features_extractor_class is not None:
        raise ConfigError(
            "critic_obs is a vector, but the critic has a features extractor "
            f"({policy.features_extractor_class.__name__}); use MlpPolicy, or set critic_obs to "
            "false."
        )
    changes = {} if inputs.mirror is None else {"mirror": inputs.mirror}
    policy.vf = model.vf = policy.vf.clone(**changes)
    model.key, key = jax.random.split(model.key)
    params = policy.vf.init(key, example(model))
    optimizer = policy.vf_state.tx
    policy.vf_state = policy.vf_state.replace(
        apply_fn=policy.vf.apply, params=params, opt_state=optimizer.init(params)
    )


def example(model: Any) -> jax.Array:
    """One input of a model's critics, for the shapes of their parameters."""
    if model.critic_inputs is not None:
        return jnp.zeros((1, model.critic_inputs.dim))
    return jnp.asarray([model.observation_space.sample()])


@dataclass(frozen=True)
class ValueFunction:
    """`model.policy.predict_values`: the critic's values.

    Attributes:
        policy: the policy.
        inputs: what its critic sees in place of the observations; None: the observations.
    """

    policy: Any
    inputs: CriticInputs | None

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        """Values.

        Args:
            seen: one or several observations, or with `critic_obs=True` what the critic sees.

        Returns:
            (batch,) float32.

        Raises:
            ConfigError: `seen` has another width.
        """
        if self.inputs is None:
            rows = self.policy.prepare_obs(seen)[0]
        else:
            rows = np.atleast_2d(np.asarray(seen, np.float32))
            if rows.shape[1:] != (self.inputs.dim,):
                raise ConfigError(
                    f"the critic sees critic_obs of {self.inputs.dim} columns, got {rows.shape}."
                )
        critic = self.policy.vf_state
        return np.asarray(predict_values(critic.apply_fn, critic.params, rows))
