"""WildRobotEnv: one robot behind Gymnasium's single-environment API, and the specification of WildRobot-v0."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import ConfigError


class WildRobotEnv(gym.Env):
    """A 3.4 kg biped with nine position servos is asked to walk at a commanded velocity.

    ## Action
    ``Box(-1, 1, (n,), float32)``, n = 9 (``wildrobot``) or 8 (``wildrobot_8dof``), at 50 Hz, in joint order (waist_yaw,
    left hip pitch, hip roll, knee, ankle, right the same). It is filtered, a = 0.7 * new + 0.3 * old, and moves the servo
    target from the home pose: target = home + scale * a, clipped to the joint's limit; scale 0.5 rad for the waist, 1.0
    rad for the legs. Ten physics steps of 2 ms follow.

    ## Observation
    ``Box(-10, 10, (3n + 12,), float32)``: 39 numbers for n = 9, each with a fixed factor.

    | index (n = 9) | what | unit | frame | factor |
    |---|---|---|---|---|
    | 0 - 8 | joint positions minus the home pose | rad | joint | 1 |
    | 9 - 17 | joint velocities | rad/s | joint | 0.1 |
    | 18 - 20 | root linear velocity | m/s | heading (yaw removed) | 1 |
    | 21 - 23 | root angular velocity | rad/s | heading | 0.25 |
    | 24 - 26 | gravity direction; (0, 0, -1) upright | - | base | 1 |
    | 27 - 29 | command vx, vy, yaw rate | m/s, m/s, rad/s | heading | 1 |
    | 30 - 38 | last filtered action | -1 ... 1 | joint | 1 |

    ## Reward
    ``scale * sum(weight * term)``, scale 0.02; each weighted term is in the infos as ``reward_<name>`` and they sum to the
    reward. Weights are ``rewards`` settings; 0 switches a term off.

    | term | default weight | value |
    |---|---|---|
    | tracking_lin_vel | 5.0 | exp(-((vx - command) / 0.25)^2) |
    | lin_vel_error | 0 | abs(vx - command), m/s |
    | tracking_lateral | 1.0 | exp(-((vy - command) / 0.25)^2) |
    | tracking_yaw | 1.0 | exp(-((yaw rate - command) / 0.5)^2) |
    | base_height | 0.3 | exp(-((height - 0.45) / 0.05)^2) |
    | orientation | 0.5 | exp(-(sine of tilt / 0.3)^2) |
    | alive | 0.5 | 1 |
    | action_rate | -0.01 | sum of squared changes of the filtered action |
    | torque_penalty | -0.001 | sum of squared servo torques, (N*m)^2 |
    | saturation | -0.1 | servos at 98 % of their force limit or more |
    | slip | -0.2 | pads' tangential speed weighted by the load each carries, m/s |
    | flight | -0.5 | 1 while neither foot carries a tenth of the weight |
    | feet_air_time | 0 | at a touchdown: air time minus 0.25 s, at most 0.25 s, while walking is commanded |
    | short_double_support | 0 | at a liftoff: 1 less the time both feet had carried load over 0.08 s, at least 0 |

    ## Commands
    vx is uniform in 0 ... 1.0 m/s, vy and yaw rate are 0; a tenth of the draws is standing; a new draw every 5 s.

    ## Start
    The home pose (a slight crouch) with uniform noise on joints (0.05 rad), velocities (0.1) and tilt (0.03 rad), and any
    heading; for ``reset.reference_fraction`` of the episodes a frame of the ``reference`` dataset, with that frame's command.

    ## End
    Terminated: base under 0.2 m or over 0.7 m, ``termination.max_tilt`` exceeded where set, or the simulation diverged
    (``info["diverged"]``). Truncated: after 500 steps (10 s) by ``max_episode_steps``.

    ## Infos
    ``amp_obs``: (frames * features,) float32, the window of AMP features that ends in this step, from before any reset;
    its columns are described by ``amp_layout``. ``reward_<term>``, ``forward_velocity`` (m/s), ``velocity_error`` (m/s),
    ``is_success`` (not fallen, and so far a mean velocity within 0.10 m/s of each command, on average by their steps: read it at
    an episode's end), ``diverged``.

    ## Arguments
    Those of :class:`~wildrobot_gym.env.vector_env.WildRobotVectorEnv`, less ``num_envs`` and ``autoreset_mode``: where the
    simulation runs (``backend``, ``num_threads``), pictures (``render_mode``, ``width``, ``height``, ``camera``),
    ``reference``, ``max_episode_steps``, and the settings of :class:`~wildrobot_gym.config.EnvConfig`, as plain mappings
    (``gym.make(..., commands={"vx": (0, 0.6)})``); what a mapping leaves out keeps its default.

    | setting | default | what |
    |---|---|---|
    | robot | wildrobot | a shipped robot (``wildrobot_8dof``), or a folder with its ``robot_config.yaml`` |
    | control_dt | 0.02 s | a whole number of physics steps of 2 ms |
    | features.channels | all | of joint_pos, joint_vel, root_lin_vel, root_ang_vel, root_height, foot_contacts |
    | features.contacts | force | or estimated, proxy, none; their constants are in ``FeatureConfig`` |
    | features.root_velocity, velocity_frame | direction, heading | or clipped, raw; or world |
    | features.velocities | simulation | or finite_difference: of the last control step, from its two poses |
    | features.history | frames 8, stride 2 | the AMP window, in control steps |
    | action | scale 1.0, joint_scale {waist_yaw: 0.5}, filter 0.7 | rad |
    | commands | vx (0, 1), vy (0, 0), yaw_rate (0, 0) | m/s, m/s, rad/s |
    | commands.standing_fraction, resample_interval_s | 0.1, 5 s | share of draws that are (0, 0, 0) |
    | reset | joint_noise 0.05, velocity_noise 0.1, tilt_noise 0.03 | rad; m/s and rad/s; rad |
    | reset.reference_fraction, stagger | 0, false | stagger: of many robots in training, the first episodes end one by one |
    | termination | min_height 0.2, max_height 0.7, max_tilt none | m, m, rad |
    | rewards | the weights above | and the terms' scales, such as tracking_sigma 0.25 m/s |

    ## Versions
    v0: first version.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 50}  # noqa: RUF012
    vector_class: type[WildRobotVectorEnv] = WildRobotVectorEnv

    def __init__(
        self, *, render_mode: str | None = None, num_threads: int = 1, **settings: Any
    ) -> None:
        for name in ("num_envs", "autoreset_mode"):
            if name in settings:
                raise ConfigError(
                    f"{name} is of many robots; one has none. Use gym.make_vec('WildRobot-v0', num_envs=...)."
                )
        # The time limit is the wrapper's that gym.make adds, or the caller's own argument.
        settings.setdefault("max_episode_steps", None)
        self._vector = self.vector_class(
            1,
            autoreset_mode=AutoresetMode.DISABLED,
            render_mode=render_mode,
            num_threads=num_threads,
            **settings,
        )
        self.observation_space = self._vector.single_observation_space
        self.action_space = self._vector.single_action_space
        self.config = self._vector.config
        self.amp_layout = self._vector.amp_layout
        self.mirror = self._vector.mirror
        self.render_mode = render_mode
        self.metadata = {k: self._vector.metadata[k] for k in ("render_modes", "render_fps")}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a new episode; a seed makes all that follows reproducible."""
        super().reset(seed=seed)
        if seed is None and not self._vector.has_begun:
            seed = int(self.np_random.integers(2**31))
        obs, infos = self._vector.reset(seed=seed)
        return obs[0], _first(infos)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One control step (20 ms)."""
        obs, reward, terminated, truncated, infos = self._vector.step(np.asarray(action)[None])
        return obs[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), _first(infos)

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """The robot as a (height, width, 3) uint8 frame, or None in 'human' mode."""
        frames = self._vector.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        self._vector.close()

    def set_commands(
        self, commands: Any = None, *, vx: Any = None, vy: Any = None, yaw_rate: Any = None
    ) -> None:
        """Command a velocity and hold it until `release_commands`, through resets.

        On an environment from `gym.make`, call it as `env.get_wrapper_attr("set_commands")(vx=0.6)`.

        Args:
            commands: (3,) velocity: vx m/s, vy m/s, yaw rate rad/s.
            vx: Forward velocity, m/s. 0 by default.
            vy: Velocity to the left, m/s. 0 by default.
            yaw_rate: Turning rate to the left, rad/s. 0 by default.

        Raises:
            ConfigError: both forms or none are given, a shape does not fit, or a number is not finite.
        """
        if commands is not None:
            commands = np.asarray(commands)[None]
        self._vector.set_commands(commands, vx=vx, vy=vy, yaw_rate=yaw_rate)

    def release_commands(self) -> None:
        """Let resets and the resampling interval draw commands again."""
        self._vector.release_commands()

    @property
    def vector(self) -> WildRobotVectorEnv:
        """The environment of one that does the work (physics state, commands)."""
        return self._vector


def _first(infos: dict[str, Any]) -> dict[str, Any]:
    """The only row of every array; scalars as Python numbers."""
    return {k: v[0] if v.ndim > 1 else v[0].item() for k, v in infos.items()}
