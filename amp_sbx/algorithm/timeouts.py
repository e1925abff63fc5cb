"""Values of the terminal observations of time-outs."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from amp_sbx.common.critic_infos import final_critic_obs


class TimeoutBootstrap:
    """Collects the terminal observations of time-outs and values them in one batched call.

    SBX makes one call per time-out, 50 to 80 microseconds each. A thousand environments that time
    out together would then take most of the rollout's time.

    Args:
        critic_obs: whether the critic sees `info["critic_obs"]` in place of the observation.
    """

    def __init__(self, critic_obs: bool = False) -> None:
        self._critic_obs = critic_obs
        self._steps: list[int] = []
        self._envs: list[int] = []
        self._observations: list[Any] = []

    def record(self, step: int, env_ids: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Keep the terminal observations of the time-outs among finished environments.

        Args:
            step: step of the rollout.
            env_ids: indices of the finished environments.
            infos: infos of all environments.

        Raises:
            FeatureError: nobody says what the critic sees of a terminal observation.
        """
        for index in env_ids.tolist():
            info = infos[index]
            observation = info.get("terminal_observation")
            if info.get("TimeLimit.truncated", False) and observation is not None:
                if self._critic_obs:
                    observation = final_critic_obs(info, index)
                self._steps.append(step)
                self._envs.append(index)
                self._observations.append(observation)

    def values(
        self,
        shape: tuple[int, int],
        prepare: Callable[[np.ndarray], np.ndarray],
        value_fn: Callable[[np.ndarray], Array],
        gamma: float,
    ) -> Float[np.ndarray, "time env"]:
        """`gamma * V(terminal observation)` at each time-out, 0 elsewhere.

        The batch is padded to a power of two, so that `value_fn` compiles for few sizes.

        Args:
            shape: (time, env) of the rollout.
            prepare: preprocesses observations for `value_fn`.
            value_fn: values (batch,) of observations.
            gamma: discount factor.
        """
        bootstrap = np.zeros(shape, dtype=np.float32)
        count = len(self._observations)
        if count:
            observations = prepare(np.stack(self._observations))
            padding = (1 << (count - 1).bit_length()) - count
            padded = np.concatenate([observations, np.repeat(observations[:1], padding, axis=0)])
            bootstrap[self._steps, self._envs] = gamma * np.asarray(value_fn(padded))[:count]
        return bootstrap
