"""The vector environment that all tasks share: Gymnasium's vector API on either physics engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from wildrobot_gym.config import build
from wildrobot_gym.env.arguments import (
    check_counts,
    check_process,
    checked_actions,
    remember_process,
)
from wildrobot_gym.env.autoreset import autoreset_mode as parse_mode
from wildrobot_gym.env.autoreset import final_infos, reset_mask
from wildrobot_gym.env.batched_task import batched
from wildrobot_gym.env.render import SceneRenderer, available_render_modes, check_render_mode
from wildrobot_gym.env.saved_state import pack, unpack_physics, unpack_task
from wildrobot_gym.env.starts import episode_limits, place_on_floor
from wildrobot_gym.errors import ActionError, ConfigError
from wildrobot_gym.physics import make_physics
from wildrobot_gym.physics.state import PhysicsState, select
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.observations import CLIP
from wildrobot_gym.task.protocol import Task


class RobotVectorEnv(gym.vector.VectorEnv):
    """`num_envs` robots with one task. `WildRobotVectorEnv` documents arguments and infos.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """

    metadata = {  # noqa: RUF012
        "render_modes": ["rgb_array", "human"],
        "render_fps": 50,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    config_class: type[EnvConfig] = EnvConfig

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int | None = 500,
        *,
        backend: str = "native",
        num_threads: int = 0,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        reference: str | None = None,
        render_mode: str | None = None,
        width: int = 480,
        height: int = 360,
        camera: str = "track",
        **settings: Any,
    ) -> None:
        check_process()
        check_counts(num_envs, num_threads, max_episode_steps)
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.config = config = build(self.config_class, settings)
        self.num_envs = int(num_envs)
        self.autoreset_mode = parse_mode(autoreset_mode)
        self.metadata = {
            "render_modes": available_render_modes(),
            "render_fps": round(1 / config.control_dt),
            "autoreset_mode": self.autoreset_mode,
        }
        self.robot = RobotModel.load(config.robot)
        self.task = self._make_task(reference, max_episode_steps)
        num_envs, control_dt = self.num_envs, config.control_dt
        self.physics = make_physics(backend, self.robot, num_envs, control_dt, num_threads)
        obs_shape, action_shape = (self.task.obs_dim,), (self.robot.num_joints,)
        self.single_observation_space = gym.spaces.Box(-CLIP, CLIP, obs_shape, np.float32)
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, action_shape, np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.amp_layout = self.task.layout
        self.mirror = self.task.mirror()
        self.render_mode = render_mode
        self._renderer = SceneRenderer(self.robot, width, height, camera)
        self._batched = batched(self.task)
        self._task_state: Any = None
        self._state: PhysicsState | None = None
        self._finished = np.zeros(self.num_envs, bool)
        # Present observations and AMP windows: what a partial reset returns of the others.
        self._last: tuple[Any, Any] = (
            np.zeros((num_envs, self.task.obs_dim), np.float32),
            np.zeros((num_envs, self.task.feature_dim), np.float32),
        )
        remember_process()

    def _make_task(self, reference: str | None, max_episode_steps: int | None) -> Task:
        raise NotImplementedError

    # --- Gymnasium's API ---

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin new episodes, in all environments or some.

        Args:
            seed: Makes everything after a full reset reproducible; None continues the random
                streams.
            options: `reset_mask`, (num_envs,) bool, has the environments to reset; all by default.

        Returns:
            Observations (num_envs, obs), and infos with `amp_obs` (num_envs, feature_dim).

        Raises:
            ConfigError: the mask does not fit, or the first reset is a partial one.
        """
        mask = reset_mask(options, self.num_envs)
        if self._state is None and not mask.all():
            raise ConfigError(
                "The first reset must be a full one: call reset() without a reset_mask."
            )
        if seed is not None or self._task_state is None:
            self._seed(mask, seed)
        keys = jax.vmap(lambda key: jax.random.split(key, 3))(self._task_state.key)
        self._task_state = select(
            mask, dataclasses.replace(self._task_state, key=keys[:, 0]), self._task_state
        )
        before = self._state
        stagger = self.config.reset.stagger and "reset_mask" not in (options or {})
        limit = self.task.max_episode_steps
        limits = episode_limits(keys[0, 2] if stagger else None, limit, self.num_envs)
        obs, amp_obs = self._restart(mask, self._batched.draw_starts(keys[:, 1]), limits)
        if before is not None and not mask.all():
            self._state = select(mask, self._state, before)
        self._finished = self._finished & ~mask
        self._show_in_time()
        return np.array(obs, np.float32), {"amp_obs": np.array(amp_obs, np.float32)}

    def step(
        self, actions: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One control step of every environment.

        Args:
            actions: (num_envs, joint) in -1 to 1.

        Returns:
            Observations, rewards, terminations, truncations and infos.

        Raises:
            ActionError: `actions` has another shape or holds a NaN or infinity, or there was no
                reset before.
        """
        actions = checked_actions(actions, (self.num_envs, self.robot.num_joints))
        if self._task_state is None:
            raise ActionError("step() was called before reset().")
        restart = self._finished if self.autoreset_mode == AutoresetMode.NEXT_STEP else None
        filtered, targets = self._batched.target(self._task_state, actions)
        state = self.physics.step(np.asarray(targets), frozen=restart)
        self._state = state
        self._task_state, out, starts = self._batched.advance(self._task_state, state, filtered)
        self._last = (out.obs, out.amp_obs)
        # float32 also where JAX computes in float64.
        obs, reward, amp_obs = (np.array(x, np.float32) for x in (out.obs, out.reward, out.amp_obs))
        terminated, truncated = np.array(out.terminated), np.array(out.truncated)
        infos: dict[str, Any] = {"amp_obs": amp_obs, "diverged": np.array(state.diverged)}
        named = {f"reward_{name}": value for name, value in out.terms.items()} | out.metrics
        infos |= {name: np.array(value) for name, value in named.items()}
        if restart is not None and restart.any():
            new_obs, new_amp = self._restart(restart, starts)
            obs[restart], amp_obs[restart] = new_obs[restart], new_amp[restart]
            others = (value for name, value in infos.items() if name != "amp_obs")
            for array in (reward, terminated, truncated, *others):
                array[restart] = 0
        self._finished = terminated | truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and self._finished.any():
            done = self._finished
            infos |= final_infos(done, obs, infos)
            new_obs, _ = self._restart(done, starts)
            obs[done] = new_obs[done]
            self._finished = np.zeros(self.num_envs, bool)
        self._show_in_time()
        return obs, reward, terminated, truncated, infos

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One (height, width, 3) uint8 picture of each environment.

        In 'human' mode the window is updated, as every reset and step does in real time.
        """
        if self.render_mode is None or self._state is None:
            return None
        if self.render_mode == "human":
            self._renderer.show(np.asarray(self._state.qpos)[0])
            return None
        return tuple(map(self._renderer.frame, np.asarray(self._state.qpos)))

    def close_extras(self, **kwargs: Any) -> None:
        """Close the renderer and the window."""
        self._renderer.close()

    # --- beyond Gymnasium ---

    def set_autoreset_mode(self, mode: AutoresetMode | str) -> None:
        """Change how finished environments restart, from the next step on.

        Args:
            mode: `NEXT_STEP`, `SAME_STEP` or `DISABLED`, as `gymnasium.vector.AutoresetMode` or its
                name.

        Raises:
            ConfigError: the mode is unknown, or an environment has finished and waits for its
                reset.
        """
        if self._finished.any():
            raise ConfigError(
                f"Environments {np.flatnonzero(self._finished)[:10].tolist()} have finished and"
                " wait for their"
                " reset. Call reset() before set_autoreset_mode."
            )
        self.autoreset_mode = parse_mode(mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}

    @property
    def has_begun(self) -> bool:
        """Whether there has been a first reset."""
        return self._task_state is not None

    @property
    def physics_state(self) -> PhysicsState:
        """The present physics state of all environments: for evaluation, not for policies."""
        if self._state is None:
            raise ActionError("physics_state was read before reset().")
        return self._state

    @property
    def amp_obs(self) -> np.ndarray:
        """Present AMP windows (num_envs, feature_dim).

        Those of the new episodes after an autoreset.
        """
        if self._state is None:
            raise ActionError("amp_obs was read before reset().")
        return np.array(self._last[1])

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays, for checkpoints."""
        return pack(self._task_state, self.physics.get_state(), self._last, self._finished)

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from what `get_state` gave in an environment of the same settings.

        Raises:
            ConfigError: the arrays are from an environment of other settings.
        """
        if self._task_state is None:
            self.reset(seed=0)
        task_state = unpack_task(arrays, self._task_state)
        # Physics first: it refuses what does not fit, and then nothing has changed.
        self._state = self.physics.set_state(unpack_physics(arrays))
        self._task_state = task_state
        self._last = (jnp.asarray(arrays["obs"]), jnp.asarray(arrays["amp_obs"]))
        self._finished = np.array(arrays["finished"])

    # --- inside ---

    def _seed(self, mask: np.ndarray, seed: int | None) -> None:
        """New random streams where `mask`; held commands stay."""
        root = jax.random.PRNGKey(np.random.SeedSequence(seed).generate_state(1)[0])
        blank, keep = self._batched.blank(jax.random.split(root, self.num_envs)), self._task_state
        if keep is None:
            self._task_state = blank
            return
        blank = dataclasses.replace(blank, command=keep.command, command_held=keep.command_held)
        self._task_state = select(mask, blank, keep)

    def _show_in_time(self) -> None:
        if self.render_mode == "human":
            self._renderer.show(np.asarray(self.physics_state.qpos)[0], self.config.control_dt)

    def _restart(
        self, mask: np.ndarray, starts: Any, limits: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """New episodes where `mask`.

        Observations and AMP windows of all environments, the others' as they were.
        """
        if limits is None:
            limits = episode_limits(None, self.task.max_episode_steps, self.num_envs)
        self._state = place_on_floor(self.physics, mask, starts)
        self._task_state, self._last = self._batched.begin(
            mask, self._task_state, starts, self._state, limits, self._last
        )
        obs, amp_obs = self._last
        return np.asarray(obs), np.asarray(amp_obs)
