"""WildRobotVectorEnv: many robots behind Gymnasium's vector API, on either physics engine."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from wildrobot_gym.config import EnvConfig, build
from wildrobot_gym.env.render import NO_SCREEN, SceneRenderer, available_render_modes, has_screen
from wildrobot_gym.errors import ActionError, ConfigError, PhysicsError, unknown_name
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.physics import make_physics
from wildrobot_gym.physics.state import PhysicsState, TaskState, select
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.contact import lowest_corner
from wildrobot_gym.task.observations import CLIP
from wildrobot_gym.task.resets import ReferenceStates, Start
from wildrobot_gym.task.walk import NO_LIMIT, WalkTask

SOLE_DEPTH = (
    1e-3  # m; about how far the robot's weight presses a resting sole into MuJoCo's soft floor
)


class WildRobotVectorEnv(gym.vector.VectorEnv):
    """``num_envs`` walking robots, stepped together. See :class:`~wildrobot_gym.env.single_env.WildRobotEnv` for the
    specification of observation, action, reward and episode.

    Every step's infos hold, for all environments and from before any autoreset, the array ``amp_obs`` (num_envs,
    feature_dim), one array ``reward_<term>`` for each reward term (they sum to the reward), ``forward_velocity``,
    ``velocity_error``, ``is_success`` and ``diverged``.

    Args:
        num_envs: number of robots, 1 or more.
        max_episode_steps: time limit in control steps; None: none.
        backend: 'native' (MuJoCo's batch on threads), or 'mjx', on a GPU.
        num_threads: for 'native'; 0 takes every CPU.
        autoreset_mode: NEXT_STEP (Gymnasium's default), SAME_STEP (what the SB3 adapter needs), or DISABLED (reset finished
            environments with ``reset(options={"reset_mask": mask})``).
        reference: dataset for reference-state initialisation (``reset.reference_fraction``): a file, or a shipped name.
        render_mode: None, 'rgb_array', or 'human' (a window on the first environment).
        **settings: the fields of :class:`~wildrobot_gym.config.EnvConfig`, as objects or as plain mappings.

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
        _check_process()
        _check_count("num_envs", num_envs, 1, "robots")
        _check_count("num_threads", num_threads, 0, "threads; 0 takes every CPU")
        if max_episode_steps is not None:
            _check_count("max_episode_steps", max_episode_steps, 1, "control steps, or None")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigError(
                unknown_name("render_mode", str(render_mode), self.metadata["render_modes"])
            )
        if render_mode == "human" and not has_screen():
            raise PhysicsError(NO_SCREEN)
        self.config = build(self.config_class, settings)
        self.num_envs = int(num_envs)
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.metadata["render_fps"] = round(1 / self.config.control_dt)
        self.metadata["render_modes"] = available_render_modes()
        self.robot = RobotModel.load(self.config.robot)
        self.task = self._make_task(reference, max_episode_steps)
        self.physics = make_physics(
            backend, self.robot, self.num_envs, self.config.control_dt, num_threads
        )
        self.single_observation_space = gym.spaces.Box(
            -CLIP, CLIP, (self.task.obs_dim,), np.float32
        )
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (self.robot.num_joints,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.amp_layout = self.task.layout
        self.mirror = self.task.mirror()
        self.render_mode = render_mode
        self._renderer = SceneRenderer(self.robot, width, height, camera)
        self._state: PhysicsState | None = None
        self._task_state: TaskState | None = None
        self._finished = np.zeros(self.num_envs, bool)
        # Present observation and AMP window of all: what a partial reset returns for the environments it leaves alone.
        self._last: tuple[Any, Any] = (
            np.zeros((self.num_envs, self.task.obs_dim), np.float32),
            np.zeros((self.num_envs, self.task.feature_dim), np.float32),
        )
        self._compile()
        _remember_process()

    def _make_task(self, reference: str | None, max_episode_steps: int | None) -> WalkTask:
        states = (
            None if reference is None else _reference_states(reference, self.robot, self.config)
        )
        return WalkTask(self.robot, self.config, max_episode_steps, states)

    def _compile(self) -> None:
        """Batch the task's functions once. Episode limits vary only where first episodes are staggered."""
        task = self.task

        def advance(task_state: TaskState, state: PhysicsState, action: jax.Array) -> Any:
            next_task, output = jax.vmap(task.advance)(task_state, state, action)
            keys = jax.vmap(lambda k: jax.random.split(k, 3))(next_task.key)
            # A beginning is drawn for every environment at every step: it costs less than choosing whom to draw for.
            return (
                dataclasses.replace(next_task, key=keys[:, 0]),
                output,
                jax.vmap(task.draw_start)(keys[:, 1]),
            )

        def begin(
            mask: jax.Array,
            old: TaskState,
            start: Start,
            state: PhysicsState,
            limit: Any,
            last: Any,
        ) -> Any:
            fresh, *seen = jax.vmap(task.begin)(old, start, state, limit)
            return select(mask, (fresh, tuple(seen)), (old, last))

        self._target = jax.jit(jax.vmap(task.target))
        self._advance = jax.jit(advance)
        self._begin = jax.jit(begin)
        self._draw_all = jax.jit(jax.vmap(task.draw_start))
        self._empty = jax.jit(jax.vmap(task.blank))

    # --- Gymnasium's API ---

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin new episodes, in all environments or where ``options["reset_mask"]`` (num_envs,) bool says.

        A full reset with a seed makes everything after it reproducible; one without continues the random streams.
        """
        mask = _reset_mask(options, self.num_envs)
        if seed is not None or self._task_state is None:
            root = jax.random.PRNGKey(np.random.SeedSequence(seed).generate_state(1)[0])
            fresh = self._empty(jax.random.split(root, self.num_envs))
            keep = self._task_state
            if keep is not None:
                fresh = dataclasses.replace(
                    fresh, command=keep.command, command_held=keep.command_held
                )
            self._task_state = fresh if keep is None else select(mask, fresh, keep)
        if self._state is None and not mask.all():
            raise ConfigError(
                "The first reset must be a full one: call reset() once before reset with a reset_mask."
            )
        keys = jax.vmap(lambda k: jax.random.split(k, 3))(self._task_state.key)
        self._task_state = select(
            mask, dataclasses.replace(self._task_state, key=keys[:, 0]), self._task_state
        )
        before = self._state
        limits = np.full(self.num_envs, self.task.max_episode_steps, np.int32)
        if (
            "reset_mask" not in (options or {})
            and self.config.reset.stagger
            and self.num_envs > 1
            and limits[0] < NO_LIMIT
        ):
            # Even spread, drawn order: time-outs then come a few at a time for the whole run.
            order = np.asarray(
                jax.random.permutation(jax.random.fold_in(keys[0, 2], 0), self.num_envs), np.int64
            )
            limits = np.asarray(
                1 + (order * self.task.max_episode_steps) // self.num_envs, np.int32
            )
        obs, amp_obs = self._restart(mask, self._draw_all(keys[:, 1]), limits)
        if before is not None and not mask.all():
            self._state = select(mask, self._state, before)
        self._finished = self._finished & ~mask
        self._show_in_time()
        return np.array(obs, np.float32), {"amp_obs": np.array(amp_obs, np.float32)}

    def step(
        self, actions: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One control step of every environment.

        Raises:
            ActionError: ``actions`` has another shape than (num_envs, joint) or holds a NaN or infinity.
        """
        actions = self._checked(actions)
        if self._task_state is None or self._state is None:
            raise ActionError("step() was called before reset().")
        restart = self._finished if self.autoreset_mode == AutoresetMode.NEXT_STEP else None
        filtered, targets = self._target(self._task_state, actions)
        self._state = self.physics.step(np.asarray(targets), frozen=restart)
        self._task_state, out, starts = self._advance(self._task_state, self._state, filtered)
        self._last = (out.obs, out.amp_obs)
        obs, reward, amp_obs = (
            np.array(x, np.float32) for x in (out.obs, out.reward, out.amp_obs)
        )  # with x64 on, too
        terminated, truncated = np.array(out.terminated), np.array(out.truncated)
        infos: dict[str, Any] = {"amp_obs": amp_obs, "diverged": np.array(self._state.diverged)}
        infos |= {f"reward_{name}": np.array(value) for name, value in out.terms.items()}
        infos |= {name: np.array(value) for name, value in out.metrics.items()}
        if restart is not None and restart.any():
            new_obs, new_amp = self._restart(restart, starts)
            obs[restart], amp_obs[restart] = new_obs[restart], new_amp[restart]
            for value in (
                reward,
                terminated,
                truncated,
                *(v for k, v in infos.items() if k != "amp_obs"),
            ):
                value[restart] = 0
        self._finished = terminated | truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and self._finished.any():
            infos |= self._final_infos(obs, infos)
            done = self._finished
            new_obs, _ = self._restart(done, starts)
            obs[done] = new_obs[done]
            self._finished = np.zeros(self.num_envs, bool)
        self._show_in_time()
        return obs, reward, terminated, truncated, infos

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One (height, width, 3) uint8 frame for each environment; in 'human' mode the window is brought up to date, as every
        reset and step does by itself, in real time.
        """
        if self.render_mode is None or self._state is None:
            return None
        if self.render_mode == "human":
            self._renderer.show(np.asarray(self._state.qpos)[0])
            return None
        return tuple(self._renderer.frame(qpos) for qpos in np.asarray(self._state.qpos))

    def close_extras(self, **kwargs: Any) -> None:
        self._renderer.close()

    # --- beyond Gymnasium ---

    def set_autoreset_mode(self, mode: AutoresetMode | str) -> None:
        """Change how finished environments restart, from the next step on.

        Args:
            mode: `NEXT_STEP`, `SAME_STEP` or `DISABLED`, as `gymnasium.vector.AutoresetMode` or its name.

        Raises:
            ConfigError: the mode is unknown, or an environment has finished and waits for its reset.
        """
        if self._finished.any():
            raise ConfigError(
                f"Environments {np.flatnonzero(self._finished)[:10].tolist()} have finished and wait for their"
                " reset. Call reset() before set_autoreset_mode."
            )
        self.autoreset_mode = _autoreset_mode(mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}

    @property
    def has_begun(self) -> bool:
        """Whether there has been a first reset."""
        return self._task_state is not None

    @property
    def physics_state(self) -> PhysicsState:
        """The present physics state of all environments (for evaluation; not for policies)."""
        if self._state is None:
            raise ActionError("physics_state was read before reset().")
        return self._state

    @property
    def amp_obs(self) -> np.ndarray:
        """Present AMP windows (num_envs, feature_dim); where an autoreset came after the last step, the new episode's."""
        if self._state is None:
            raise ActionError("amp_obs was read before reset().")
        return np.array(self._last[1])

    @property
    def command(self) -> np.ndarray:
        """Present commands (num_envs, 3): vx m/s, vy m/s, yaw rate rad/s."""
        if self._task_state is None:
            raise ActionError("command was read before reset().")
        return np.array(self._task_state.command)

    def set_commands(
        self, commands: Any = None, *, vx: Any = None, vy: Any = None, yaw_rate: Any = None
    ) -> None:
        """Command a velocity in every environment and hold it until `release_commands`.

        Held commands survive resets. Observations show them from the next step or reset on. Before the first
        reset this resets all environments.

        Args:
            commands: (num_envs, 3) velocities: vx m/s, vy m/s, yaw rate rad/s.
            vx: Forward velocity, m/s: one number, or (num_envs,). 0 by default.
            vy: Velocity to the left, m/s: one number, or (num_envs,). 0 by default.
            yaw_rate: Turning rate to the left, rad/s: one number, or (num_envs,). 0 by default.

        Raises:
            ConfigError: both forms or none are given, a shape does not fit, or a number is not finite.

        Example:
            >>> env.set_commands(vx=0.6)
            >>> env.set_commands(vx=np.linspace(0.2, 0.8, env.num_envs), yaw_rate=0.3)
        """
        commands = velocity_commands(self.num_envs, commands, vx, vy, yaw_rate)
        if self._task_state is None:
            self.reset()
        task = self._task_state
        assert task is not None
        changed = jnp.any(
            task.command != commands, axis=1
        )  # what was missed under the old command stays missed (`is_success`)
        self._task_state = dataclasses.replace(
            task,
            command=jnp.asarray(commands),
            command_held=jnp.ones(self.num_envs, bool),
            velocity_error_sum=jnp.where(changed, 0.0, task.velocity_error_sum),
            velocity_error_closed=task.velocity_error_closed
            + jnp.where(changed, jnp.abs(task.velocity_error_sum), 0.0),
        )

    def begin_with(self, commands: Any, seed: int) -> np.ndarray:
        """Begin new episodes everywhere with these commands held (:meth:`set_commands`); the observations."""
        self.reset(seed=seed)
        self.set_commands(commands)
        obs, _ = self.reset()  # the first observation shows the commands too
        return obs

    def release_commands(self) -> None:
        """Let resets and the resampling interval draw commands again."""
        if self._task_state is not None:
            self._task_state = dataclasses.replace(
                self._task_state, command_held=jnp.zeros(self.num_envs, bool)
            )

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays (for checkpoints)."""
        leaves = jax.tree_util.tree_leaves(self._task_state)
        task = {f"task_{i}": np.asarray(leaf) for i, leaf in enumerate(leaves)}
        physics = {f"physics_{k}": v for k, v in self.physics.get_state().items()}
        last = dict(zip(("obs", "amp_obs"), map(np.asarray, self._last), strict=True))
        return {**task, **physics, **last, "finished": self._finished.copy()}

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from what :meth:`get_state` gave in an environment of the same settings."""
        if self._task_state is None:
            self.reset(seed=0)
        leaves, tree = jax.tree_util.tree_flatten(self._task_state)
        given = [arrays.get(f"task_{i}") for i in range(len(leaves))]
        fits = all(
            g is not None and g.shape == leaf.shape for g, leaf in zip(given, leaves, strict=True)
        )
        if not fits or not {"obs", "amp_obs", "finished"} <= set(arrays):
            raise ConfigError(
                "The saved environment state does not fit: another robot, config or number of environments."
            )
        # Physics first: it refuses what does not fit, and then nothing has changed.
        self._state = self.physics.set_state(
            {k.removeprefix("physics_"): v for k, v in arrays.items() if k.startswith("physics_")}
        )
        self._task_state = jax.tree_util.tree_unflatten(tree, [jnp.asarray(g) for g in given])
        self._last = (jnp.asarray(arrays["obs"]), jnp.asarray(arrays["amp_obs"]))
        self._finished = np.array(arrays["finished"])

    # --- inside ---

    def _show_in_time(self) -> None:
        if self.render_mode == "human":
            self._renderer.show(np.asarray(self.physics_state.qpos)[0], self.config.control_dt)

    def _restart(
        self, mask: np.ndarray, starts: Start, limits: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """New episodes where ``mask``; observations and AMP windows of all environments, the others' as they were."""
        ids = np.flatnonzero(mask)
        if limits is None:
            limits = np.full(self.num_envs, self.task.max_episode_steps, np.int32)
        qpos, qvel = np.array(starts.qpos)[ids], np.asarray(starts.qvel)[ids]
        self._state = self.physics.reset(ids, qpos, qvel)
        # Noise on joints and tilt can press a sole into the floor, which would throw the robot up: stand it on the floor.
        soles = lowest_corner(
            np.asarray(self._state.pad_pos_w)[ids],
            np.asarray(self._state.foot_quat_w)[ids],
            self.robot.pad_half_size,
            self.robot.pad_ids_of_foot,
        )
        depth = np.maximum(-soles.min(axis=-1), 0.0)
        if (depth > SOLE_DEPTH).any():
            qpos[:, 2] += np.where(depth > SOLE_DEPTH, depth, 0.0)
            self._state = self.physics.reset(ids, qpos, qvel)
        self._task_state, self._last = self._begin(
            mask, self._task_state, starts, self._state, limits, self._last
        )
        obs, amp_obs = self._last
        return np.asarray(obs), np.asarray(amp_obs)

    def _final_infos(self, obs: np.ndarray, infos: dict[str, Any]) -> dict[str, Any]:
        """Gymnasium's SAME_STEP entries: final observations as an object array, final infos with their masks."""
        done = self._finished
        final_obs = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(done):
            final_obs[i] = obs[i].copy()
        final_info: dict[str, Any] = {}
        for name, value in infos.items():
            final_info[name] = value
            final_info[f"_{name}"] = done
        return {
            "final_obs": final_obs,
            "_final_obs": done,
            "final_info": final_info,
            "_final_info": done,
        }

    def _checked(self, actions: Any) -> np.ndarray:
        actions = np.asarray(actions, dtype=np.float32)
        expected = (self.num_envs, self.robot.num_joints)
        if actions.shape != expected:
            raise ActionError(
                f"actions have shape {actions.shape}; this environment takes {expected} (num_envs, joint)."
            )
        if not np.isfinite(actions).all():
            row = int(np.flatnonzero(~np.isfinite(actions).all(axis=1))[0])
            raise ActionError(
                f"actions must be finite; environment {row} was given {actions[row]}. A policy that outputs NaN has"
                " usually diverged: look at its losses."
            )
        return actions


def velocity_commands(num_envs: int, commands: Any, vx: Any, vy: Any, yaw_rate: Any) -> np.ndarray:
    """Commands (num_envs, 3) from the two forms that `set_commands` takes.

    Raises:
        ConfigError: see `WildRobotVectorEnv.set_commands`.
    """
    parts = {"vx": vx, "vy": vy, "yaw_rate": yaw_rate}
    if (commands is None) == all(part is None for part in parts.values()):
        raise ConfigError(
            f"set_commands takes an array (num_envs, 3), or one or more of {', '.join(parts)}; it got"
            f" {'none of them' if commands is None else 'both'}."
        )
    if commands is not None:
        commands = np.asarray(commands, np.float32)
        if commands.shape != (num_envs, 3) or not np.isfinite(commands).all():
            raise ConfigError(
                f"commands must be finite and of shape ({num_envs}, 3), got shape {commands.shape}."
            )
        return commands
    columns = []
    for name, part in parts.items():
        column = np.asarray(0.0 if part is None else part, np.float32)
        if column.shape not in ((), (num_envs,)) or not np.isfinite(column).all():
            raise ConfigError(
                f"{name} must be finite, and one number or of shape ({num_envs},); got shape {column.shape}."
            )
        columns.append(np.broadcast_to(column, (num_envs,)))
    return np.stack(columns, axis=1)


_process: int | None = None  # that built the first environment


def _check_process() -> None:
    """Raise PhysicsError in a fork of a process that has built environments: JAX's threads are not in it, and it would hang."""
    if _process not in (None, os.getpid()):
        raise PhysicsError(
            "This process was forked from one that has built environments, and JAX would hang in it. Start it by 'spawn' or"
            " 'forkserver' (gym.make_vec: vector_kwargs={'context': 'spawn'}), or step many robots in one process:"
            " gym.make_vec('WildRobot-v0', num_envs=...)."
        )


def _remember_process() -> None:
    global _process
    _process = os.getpid()


def _check_count(name: str, value: Any, low: int, what: str) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < low:
        raise ConfigError(f"{name} is {value!r}; allowed: a whole number, {low} or more {what}.")


def _reference_states(reference: str, robot: RobotModel, config: EnvConfig) -> ReferenceStates:
    states = ReferenceDataset.load(
        reference, robot, config.features, config.control_dt
    ).initial_states()
    fields = (states.qpos, states.qvel, states.commands, states.features, states.history)
    return ReferenceStates(*(jnp.asarray(field, jnp.float32) for field in fields))


def _autoreset_mode(mode: AutoresetMode | str) -> AutoresetMode:
    if isinstance(mode, AutoresetMode):
        return mode
    for candidate in AutoresetMode:
        if str(mode).lower().replace("_", "") in (
            candidate.name.lower().replace("_", ""),
            candidate.value.lower(),
        ):
            return candidate
    raise ConfigError(unknown_name("autoreset_mode", str(mode), [m.name for m in AutoresetMode]))


def _reset_mask(options: Mapping[str, Any] | None, num_envs: int) -> np.ndarray:
    mask = (options or {}).get("reset_mask")
    if mask is None:
        return np.ones(num_envs, bool)
    mask = np.asarray(mask)
    if mask.shape != (num_envs,) or mask.dtype != bool:
        raise ConfigError(
            f"reset_mask must be a bool array of shape ({num_envs},), got {mask.dtype} {mask.shape}."
        )
    if not mask.any():
        raise ConfigError("reset_mask names no environment: at least one entry must be True.")
    return mask
