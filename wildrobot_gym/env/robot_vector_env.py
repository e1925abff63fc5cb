"""The vector environment that all tasks share: Gymnasium's vector API on any physics engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from wildrobot_gym.config import build
from wildrobot_gym.env.arguments import (
    check_counts,
    check_process,
    checked_actions,
    known_settings,
    random_keys,
)
from wildrobot_gym.env.autoreset import autoreset_mode as parse_mode
from wildrobot_gym.env.autoreset import final_infos, reset_mask
from wildrobot_gym.env.copies import Copyable, remembering
from wildrobot_gym.env.device_simulation import DeviceSimulation
from wildrobot_gym.env.functional import FunctionalEnv, State
from wildrobot_gym.env.memory import within_memory
from wildrobot_gym.env.named_reference import NamedReference
from wildrobot_gym.env.readings import Readings
from wildrobot_gym.env.render import SceneRenderer, available_render_modes, check_render_mode
from wildrobot_gym.env.saved_state import MISFIT
from wildrobot_gym.env.simulation import HostSimulation, Simulation
from wildrobot_gym.env.starts import episode_limits
from wildrobot_gym.env.tasks import load_robot
from wildrobot_gym.errors import ActionError, ConfigError
from wildrobot_gym.physics import AUTO, make_engine, resolve_backend
from wildrobot_gym.task.config import EnvConfig
from wildrobot_gym.task.observations import CLIP
from wildrobot_gym.task.protocol import Task


class RobotVectorEnv(NamedReference, Readings, Copyable, gym.vector.VectorEnv):
    """`num_envs` robots with one task. `WildRobotVectorEnv` documents arguments and infos.

    Attributes:
        backend: Name of the physics engine, never 'auto'.
        functional: The environment as pure functions; None with physics on the host ('native').
        critic_dim: Width of `critic_obs`; 0 without privileged channels.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """

    metadata = {  # noqa: RUF012
        "render_modes": ["rgb_array", "human"],
        "render_fps": 50,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }
    config_class: type[EnvConfig] = EnvConfig

    @remembering
    @within_memory
    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int | None = 500,
        *,
        backend: str = AUTO,
        num_threads: int = 0,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        reference: str | None = None,
        render_mode: str | None = None,
        width: int = 480,
        height: int = 360,
        camera: str = "track",
        **settings: Any,
    ) -> None:
        check_counts(num_envs, num_threads, max_episode_steps)
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.config = config = build(self.config_class, known_settings(type(self), settings))
        self.num_envs = int(num_envs)
        self.autoreset_mode = parse_mode(autoreset_mode)
        self.metadata = {
            "render_modes": available_render_modes(),
            "render_fps": round(1 / config.control_dt),
            "autoreset_mode": self.autoreset_mode,
        }
        self.robot = load_robot(config)
        self.backend = resolve_backend(backend)
        if reference is not None or self.backend != "native":
            check_process()  # building these runs JAX
        self.task = self._make_task(reference, max_episode_steps)
        self.functional: FunctionalEnv | None = None
        self._simulation = self._make_simulation(num_threads)
        self.single_observation_space = gym.spaces.Box(-CLIP, CLIP, (self.task.obs_dim,))
        self.single_action_space = gym.spaces.Box(-1.0, 1.0, (self.robot.num_joints,))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.critic_dim = self.task.critic_dim
        self.amp_layout = self.task.layout
        self.mirror = self.task.mirror() if self.robot.mirror else None
        self.render_mode = render_mode
        self._renderer = SceneRenderer(self.robot, width, height, camera)
        self._finished = np.zeros(self.num_envs, bool)
        self._whole_episodes = episode_limits(None, self.task.max_episode_steps, self.num_envs)

    def _make_task(self, reference: str | None, max_episode_steps: int | None) -> Task:
        raise NotImplementedError

    # --- Gymnasium's API ---

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin new episodes, in all environments or some.

        Args:
            seed: Makes everything after a full reset reproducible; None continues the random
                streams. A list has a seed for each environment, which then does what an
                environment of `gym.make` does with it.
            options: `reset_mask`, (num_envs,) bool, has the environments to reset; all by default.

        Returns:
            Observations (num_envs, obs), and infos with `amp_obs` (num_envs, feature_dim), and with
            privileged channels `critic_obs` (num_envs, critic_dim).

        Raises:
            ConfigError: the mask or the seed does not fit, or the first reset is a partial one.
        """
        check_process()
        mask = reset_mask(options, self.num_envs)
        if not self.has_begun and not mask.all():
            raise ConfigError(
                "The first reset must be a full one: call reset() without a reset_mask."
            )
        if seed is not None or not self.has_begun:
            keys, seeded = random_keys(seed, self.num_envs, self.has_begun)
            self._simulation.seed(keys, mask & seeded)
        limits = self._whole_episodes
        if self.config.reset.stagger and "reset_mask" not in (options or {}):
            # From the first environment's random stream, so that the seed decides.
            stream = np.random.default_rng(np.asarray(self._simulation.task_state.key[0]))
            limits = episode_limits(stream, self.task.max_episode_steps, self.num_envs)
        self._simulation.restart(mask, limits)
        self._finished = self._finished & ~mask
        self._show_in_time()
        return self._seen("obs"), self._shown(self._simulation.seen)

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
        if not self.has_begun:
            raise ActionError("step() was called before reset().")
        next_step = self.autoreset_mode == AutoresetMode.NEXT_STEP
        same_step = self.autoreset_mode == AutoresetMode.SAME_STEP
        waiting = self._finished & next_step
        out, diverged = self._simulation.step(actions, waiting, same_step, self._whole_episodes)
        # float32 also where JAX computes in float64.
        obs, reward = np.array(out.obs, np.float32), np.array(out.reward, np.float32)
        terminated, truncated = np.array(out.terminated), np.array(out.truncated)
        shown = self._shown(out)
        others = {"diverged": diverged}
        others |= {name: np.array(value) for name, value in out.infos.items()}
        if waiting.any():
            obs[waiting] = self._seen("obs")[waiting]
            for name, array in shown.items():
                array[waiting] = self._seen(name)[waiting]
            for array in (reward, terminated, truncated, *others.values()):
                array[waiting] = 0
        infos: dict[str, Any] = shown | others
        self._finished = terminated | truncated
        if same_step and self._finished.any():
            infos |= final_infos(self._finished, obs, infos)
            obs = self._seen("obs")
            if self.critic_dim:  # it belongs to the observations beside it
                infos["critic_obs"] = self._seen("critic_obs")
            self._finished = np.zeros(self.num_envs, bool)
        self._show_in_time()
        return obs, reward, terminated, truncated, infos

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One (height, width, 3) uint8 picture of each environment.

        In 'human' mode the window is updated, as every reset and step does in real time.
        """
        if self.render_mode is None or not self.has_begun:
            return None
        qpos = np.asarray(self.physics_state.qpos)
        if self.render_mode == "human":
            self._renderer.show(qpos[0])
            return None
        return tuple(map(self._renderer.frame, qpos))

    def close_extras(self, **kwargs: Any) -> None:
        """Close the renderer and the window."""
        if hasattr(self, "_renderer"):  # Gymnasium also closes what was refused while it was made
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
    def task_state(self) -> Any:
        """What the tasks remember (`wildrobot_gym.task.state.TaskState`); None before a reset."""
        return self._simulation.task_state

    @property
    def functional_state(self) -> State:
        """The environments as `functional.step` takes them, with a leading environment axis.

        A program that steps `functional` itself takes the state from here and puts it back.

        Raises:
            ActionError: there was no reset before, or physics is on the host.
        """
        if isinstance(self._simulation, DeviceSimulation) and self._simulation.state is not None:
            return self._simulation.state
        raise ActionError(f"backend {self.backend!r} has no functional state, or no reset yet.")

    @functional_state.setter
    def functional_state(self, state: State) -> None:
        if self.functional_state is not state:
            self._simulation.state = state  # type: ignore[attr-defined]

    def get_state(self) -> dict[str, np.ndarray]:
        """Everything needed to continue bit for bit, as arrays, for checkpoints."""
        return {**self._simulation.get_state(), "finished": self._finished.copy()}

    def set_state(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from what `get_state` gave in an environment of the same settings.

        Raises:
            ConfigError: the arrays are from an environment of other settings.
            PhysicsError: the arrays are from another physics engine.
        """
        if not self.has_begun:
            self.reset(seed=0)
        finished = np.array(arrays.get("finished", False))
        if finished.shape != (self.num_envs,):
            raise ConfigError(MISFIT)
        self._simulation.set_state(arrays)
        self._finished = finished

    # --- inside ---

    def _make_simulation(self, num_threads: int) -> Simulation:
        control_dt = self.config.control_dt
        if self.backend == "native":
            return HostSimulation(self.task, self.robot, self.num_envs, control_dt, num_threads)
        engine = make_engine(self.backend, self.robot, control_dt, num_threads)
        self.functional = FunctionalEnv(self.task, engine)
        return DeviceSimulation(self.functional, self.num_envs)

    def _shown(self, seen: Any) -> dict[str, np.ndarray]:
        """The arrays of the infos that show a state, such as `amp_obs`."""
        names = ("amp_obs", "critic_obs") if self.critic_dim else ("amp_obs",)
        return {name: np.array(getattr(seen, name), np.float32) for name in names}

    def _show_in_time(self) -> None:
        if self.render_mode == "human":
            self._renderer.show(np.asarray(self.physics_state.qpos)[0], self.config.control_dt)
