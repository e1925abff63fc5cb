"""What every task offers, and what one control step gives."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jaxtyping import Array, Bool, Float

from wildrobot_gym.config import to_dict
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.engine import model_digest
from wildrobot_gym.physics.state import PhysicsState
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.rotations import AnyArray
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.randomization.catalog import TERMS

NO_LIMIT = int(jnp.iinfo(jnp.int32).max)  # control steps: an episode without a time limit


@struct.dataclass
class Seen:
    """What an environment shows at one instant."""

    obs: Float[AnyArray, "*b obs"]
    amp_obs: Float[AnyArray, "*b window"]
    critic_obs: Float[AnyArray, "*b critic"] | None = None


@struct.dataclass
class StepOutput:
    """What one control step gives for one environment, before any autoreset."""

    obs: Float[Array, "*b obs"]
    reward: Float[Array, "*b"]
    terminated: Bool[Array, "*b"]
    truncated: Bool[Array, "*b"]
    amp_obs: Float[Array, "*b window"]
    critic_obs: Float[Array, "*b critic"] | None  # None without privileged channels
    terms: dict[str, Float[Array, "*b"]]
    metrics: dict[str, Float[Array, "*b"]]

    @property
    def seen(self) -> Seen:
        """What the environment shows after the step."""
        return Seen(self.obs, self.amp_obs, self.critic_obs)

    @property
    def infos(self) -> dict[str, Float[Array, "*b"]]:
        """Reward terms as `reward_<name>`, and the metrics."""
        return {f"reward_{name}": value for name, value in self.terms.items()} | self.metrics


class Task(Protocol):
    """Pure functions of one environment, which `vmap` batches. A control step is

    target -> physics -> advance -> (where the episode ended) draw_start -> physics reset -> begin

    Attributes:
        robot: The robot.
        config: All settings.
        max_episode_steps: Control steps after which an episode is truncated; `NO_LIMIT`: never.
        layout: What the columns of the AMP window mean.
        obs_dim: Width of the observation.
        feature_dim: Width of the AMP window.
        critic_dim: Width of what the critic sees; 0 if it sees the observation.
    """

    robot: RobotModel
    config: Any
    max_episode_steps: int
    layout: dict[str, Any]
    obs_dim: int
    feature_dim: int
    critic_dim: int

    def sharing_key(self) -> str | None:
        """What the functions depend on, as text: tasks with one key share compiled functions.

        None: the functions depend on more than a key can hold, such as a user's code.
        """
        ...

    def mirror(self) -> dict[str, list[Any]]:
        """Reflection y -> -y of observation, action and AMP window, by index lists and signs."""
        ...

    def blank(self, key: jax.Array) -> Any:
        """A task state for `begin` to start the first episode from."""
        ...

    def draw_start(self, key: jax.Array) -> Any:
        """Where a new episode begins: a `Start`."""
        ...

    def begin(
        self, before: Any, start: Any, state: PhysicsState, episode_limit: Any = None
    ) -> tuple[Any, Seen]:
        """Task state of a new episode and what it shows, once physics stands at `start`."""
        ...

    def target(
        self, task: Any, action: Float[Array, "joint"]
    ) -> tuple[Float[Array, "joint"], Drive]:
        """Filtered action, and what acts on the robot, for one raw action in -1 to 1."""
        ...

    def advance(
        self, task: Any, state: PhysicsState, action: Float[Array, "joint"]
    ) -> tuple[Any, StepOutput]:
        """Task state and output after physics took one control step with the filtered `action`."""
        ...


def sharing_key(robot: RobotModel, config: EnvConfig, motions: Any) -> str | None:
    """What a task's functions depend on, as text; None with a user's own terms.

    The time limit and `reset.stagger` are no part of it: environments pass each episode's length.

    Args:
        robot: The robot.
        config: All settings.
        motions: A tree of the arrays that the task reads, or None.
    """
    own_rewards = set(config.rewards.weights) - set(config.rewards.registry)
    if own_rewards or set(config.randomization) - set(TERMS):
        return None
    plain = to_dict(config)
    del plain["reset"]["stagger"]
    digest = hashlib.sha256(model_digest(robot.model).encode())
    for array in (robot.home_qpos, *jax.tree.leaves(motions)):
        digest.update(np.asarray(array).tobytes())
    parts = [type(config).__name__, plain, robot.config, digest.hexdigest()]
    return json.dumps(parts, sort_keys=True)


def episode_steps(max_episode_steps: int | None) -> int:
    """The time limit in control steps as a number that fits 32 bits; None: `NO_LIMIT`."""
    return NO_LIMIT if max_episode_steps is None else min(int(max_episode_steps), NO_LIMIT)
