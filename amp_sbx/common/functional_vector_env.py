"""A `gymnasium.vector.VectorEnv` of any functional environment."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from amp_sbx.common.checks import check_integer
from amp_sbx.common.errors import ConfigError, VecEnvError
from amp_sbx.common.functional import FunctionalEnv, batched, step_infos
from amp_sbx.common.memory import within_memory


class FunctionalVectorEnv(VectorEnv[Any, Any, Any]):
    """Steps `num_envs` functional environments with one compiled call.

    `AMPPPO` takes it as it takes every vector environment, and trains on it without leaving the
    device. Autoreset is `SAME_STEP`. The infos of a step hold `amp_obs`, `reward_<term>` and the
    metrics, all from before any restart. `critic_obs` belongs to the observations that are
    returned, and in `final_info` to those of `final_obs`.

    Args:
        env: one environment as pure functions.
        num_envs: number of environments, 1 or more.

    Attributes:
        functional: the environment as pure functions.

    Raises:
        ConfigError: `env` has no `reset`, `step` or spaces, or `num_envs` is below 1.

    Example:
        >>> model = AMPPPO("MlpPolicy", FunctionalVectorEnv(MyEnv(), num_envs=1024))
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    render_mode = None

    def __init__(self, env: FunctionalEnv, num_envs: int) -> None:
        check_integer("num_envs", num_envs, 1)
        if not isinstance(env, FunctionalEnv):
            raise ConfigError(
                f"{type(env).__name__} is no functional environment: it needs reset(key), "
                "step(state, action), observation_space and action_space."
            )
        self.functional, self.num_envs = env, num_envs
        self.single_observation_space = env.observation_space
        self.single_action_space = env.action_space
        self.observation_space = batch_space(env.observation_space, num_envs)
        self.action_space = batch_space(env.action_space, num_envs)
        for name in ("amp_layout", "mirror", "critic_dim"):
            if hasattr(env, name):
                setattr(self, name, getattr(env, name))
        self._functions = batched(env)
        self._state: Any = None

    @property
    def functional_state(self) -> Any:
        """The states of all environments, a pytree with a leading environment axis.

        A fused loop borrows it and gives a new one back.

        Raises:
            VecEnvError: there was no reset yet.
        """
        if self._state is None:
            raise VecEnvError("functional_state was read before reset().")
        return self._state

    @functional_state.setter
    def functional_state(self, state: Any) -> None:
        self._state = state

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin new episodes in all environments.

        Args:
            seed: seed of everything that follows; None draws one.
            options: none are supported.

        Returns:
            Observations (num_envs, ...), and infos with any `critic_obs` (num_envs, critic_dim).
        """
        root = jax.random.PRNGKey(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        with within_memory(self.num_envs):
            self._state = self._functions.reset(jax.random.split(root, self.num_envs))
        if not hasattr(self._state, "obs"):
            raise ConfigError(
                f"The state of {type(self.functional).__name__} is a {type(self._state).__name__} "
                "without `obs`, the observation for the next action. Return a tree with that field."
            )
        return np.array(self._state.obs), self._shown()

    def step(
        self, actions: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of every environment.

        Args:
            actions: (num_envs, ...) actions.

        Returns:
            Observations, rewards, terminations, truncations and infos.
        """
        with within_memory(self.num_envs):
            self._state, step = self._functions.step(self.functional_state, np.asarray(actions))
        infos: dict[str, Any] = {name: np.array(value) for name, value in step_infos(step).items()}
        if step.amp_obs is not None:
            infos["amp_obs"] = np.array(step.amp_obs)
        terminated, truncated = np.array(step.terminated, bool), np.array(step.truncated, bool)
        done = terminated | truncated
        if done.any():
            final = infos | self._shown(step)
            shown = final | {f"_{name}": done for name in final}
            infos |= {"final_obs": np.array(step.final_obs), "_final_obs": done}
            infos |= {"final_info": shown, "_final_info": done}
        infos |= self._shown()
        return np.array(step.obs), np.array(step.reward), terminated, truncated, infos

    def _shown(self, step: Any = None) -> dict[str, np.ndarray]:
        """What the critic sees of the present states, or of a step before any restart."""
        seen = getattr(self._state if step is None else step, "critic_obs", None)
        return {} if seen is None else {"critic_obs": np.array(seen)}
