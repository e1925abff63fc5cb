"""WildRobotEnv: one walking robot, and the specification of `WildRobot-v0`."""

from __future__ import annotations

from typing import Any

import numpy as np

from wildrobot_gym.env.robot_env import RobotEnv
from wildrobot_gym.env.vector_env import WildRobotVectorEnv


class WildRobotEnv(RobotEnv):
    """A 3.4 kg biped with nine position servos walks at a commanded velocity.

    ## Action
    `Box(-1, 1, (n,), float32)`, n = 9 (`wildrobot`) or 8 (`wildrobot_8dof`), at 50 Hz. One number
    for each joint, in this
    order: waist_yaw (n = 9), then hip_pitch, hip_roll, knee_pitch and ankle_pitch of the left leg,
        then of the right leg.

    - Filter: a = 0.7 * new + 0.3 * old.
    - Servo target: home + scale * a, clipped to the joint's limit. The scale is 0.5 rad for the
      waist, 1.0 rad for the legs.
    - Ten physics steps of 2 ms follow.

    ## Observation
    `Box(-10, 10, (3n + 12,), float32)`: 39 numbers for n = 9, each times a fixed factor. The
    heading frame is the world turned by the robot's yaw.

    | index (n = 9) | channel | what | unit | frame | factor |
    |---|---|---|---|---|---|
    | 0 - 8 | joint_offset | joint positions minus the home pose | rad | joint | 1 |
    | 9 - 17 | joint_vel | joint velocities | rad/s | joint | 0.1 |
    | 18 - 20 | root_lin_vel | root linear velocity | m/s | heading | 1 |
    | 21 - 23 | root_ang_vel | root angular velocity | rad/s | heading | 0.25 |
    | 24 - 26 | gravity | gravity direction; (0, 0, -1) upright | unit vector | base | 1 |
    | 27 - 29 | command | command | m/s, m/s, rad/s | heading | 1 |
    | 30 - 38 | action | last filtered action | -1 to 1 | joint | 1 |

    ## Reward
    `scale * sum(weight * term)`, scale 0.02. The infos have each weighted term as `reward_<name>`,
    and they sum to the reward. Weights are `rewards` settings; 0 switches a term off. A term of
    your own stands under its module and name: `rewards={"my_module:my_term": 1.0}`.

    | term | default weight | value |
    |---|---|---|
    | tracking_lin_vel | 5 | exp(-((vx - command) / 0.25)^2) |
    | lin_vel_error | 0 | abs(vx - command), m/s |
    | tracking_lateral | 1 | exp(-((vy - command) / 0.25)^2) |
    | lateral_error | 0 | abs(mean of vy - command), m/s |
    | yaw_error | 0 | abs(mean of yaw rate - command), rad/s |
    | tracking_yaw | 1 | exp(-((yaw rate - command) / 0.5)^2) |
    | tracking_mean | 0 | Product of the bells of all three mean errors of the velocity |
    | base_height | 0.3 | exp(-((height - target) / 0.05)^2) |
    | orientation | 0.5 | exp(-(sine of tilt / 0.3)^2) |
    | alive | 0.5 | 1 |
    | action_rate | -0.01 | Sum of squared changes of the filtered action |
    | torque_penalty | -0.001 | Sum of squared servo torques, (N*m)^2 |
    | saturation | -0.1 | Number of servos at 98 % of their force limit or more |
    | slip | -0.2 | Pads' tangential speeds times the fraction of the weight each carries, m/s |
    | flight | -0.5 | 1 while neither foot carries a tenth of the weight |
    | standing_steps | 0 | Number of feet in the air under the command to stand |
    | standing_motion | 0 | Sum of absolute joint velocities under the command to stand, rad/s |
    | standing_tilt | 0 | Sine of the tilt under the command to stand |
    | feet_air_time | 0 | At a touchdown: air time minus 0.25 s, at most 0.25 s, while walking |
    | short_double_support | 0 | At a liftoff: 1 - time on both feet / 0.08 s, at least 0 |
    | contact_schedule | 0 | Number of feet whose load does not fit the gait clock |

    ## Commands
    vx is uniform in 0 to 1.0 m/s; vy and yaw rate are 0. A tenth of the draws is standing. A new
    draw follows every 5 s. `set_commands` holds a command, on an environment of `gym.make` by
    `env.get_wrapper_attr("set_commands")(vx=0.6)`.

    ## Start
    The home pose (a slight crouch) with uniform noise on joints (0.05 rad), velocities (0.1) and
    tilt (0.03 rad), in any heading. A fraction `reset.reference_fraction` of the episodes begins in
    a frame of the `reference`, with its command.

    ## End
    - Terminated: the base is below 0.2 m or above 0.7 m, the tilt exceeds `termination.max_tilt`
      where one is set, or the simulation diverged (`info["diverged"]`).
    - Truncated: after 500 steps (10 s), `max_episode_steps`.

    ## Infos
    - `amp_obs`: (frames * features,) float32, the window of AMP features that ends in this step,
      from before any reset. `amp_layout` says what its columns are. The channels of a frame:
      joint_pos, joint_vel, root_lin_vel, root_ang_vel, root_height, foot_contacts.
    - `reward_<term>`: one for each reward term.
    - `gait_cadence`: touchdowns of a foot, 1/s. `gait_double_support`, `gait_flight`: 1 while all
      feet or no foot carry load. `gait_slip`: fraction of the feet that slide under load.
      `gait_saturation`: fraction of the servos at their force limit. Their means over time count.
    - `forward_velocity`: m/s. `velocity_error`: m/s.
    - `is_success`: 1 if the robot has not fallen and its mean velocity is within 0.10 m/s of each
      command so far, on average over the steps. Read it at an episode's end.
    - `diverged`: whether the simulation diverged.

    All arrays are copies: a later step does not change them.

    ## Arguments
    Those of `WildRobotVectorEnv` without `num_envs` and `autoreset_mode`:

    - where the simulation runs: `backend` ('native' for one robot), `num_threads`
    - pictures: `render_mode`, `width`, `height`, `camera`
    - `reference` and `max_episode_steps`
    - the settings of `wildrobot_gym.task.config.EnvConfig`, as plain mappings: `commands={"vx": (0,
      0.6)}`. A setting that a mapping leaves out keeps its default.

    | setting | default | what |
    |---|---|---|
    | robot | wildrobot | a shipped robot, or a folder with its `robot.yaml` |
    | control_dt | 0.02 s | a whole number of physics steps of 2 ms |
    | observation.channels | those above | or others of the channel table: `ObservationConfig` |
    | observation.history | frames 1, stride 1 | the frames that the policy sees, oldest first |
    | observation.sensors | {} | scale, noise, bias, delay_s, dropout, quantization, by channel |
    | privileged | none | channels that the critic sees, too: `critic_obs` in the infos |
    | features.channels | all | the channels of an AMP frame: see above |
    | features.contacts | force | or estimated, proxy, none; constants: `FeatureConfig` |
    | features.root_velocity, velocity_frame | direction, heading | or clipped, raw; or world |
    | features.velocities | simulation | or finite_difference: from the step's two poses |
    | features.history | frames 8, stride 2 | the AMP window; the stride is in control steps |
    | action | scale 1.0, joint_scale {waist_yaw: 0.5}, filter 0.7 | rad |
    | commands | vx (0, 1), vy (0, 0), yaw_rate (0, 0) | m/s, m/s, rad/s |
    | commands.standing_fraction, resample_interval_s | 0.1, 5 s | fraction of standing draws |
    | commands.axis_fraction, axis_shares | 0, (1, 1, 1) | fraction of draws along one axis alone |
    | commands.ramp_fraction, ramp_s | 0, 1 s | fraction of changes that take ramp_s |
    | commands.acceleration | none | m/s^2, m/s^2, rad/s^2: how fast commands are approached |
    | commands.heading_gain, heading_limit | 0 (off), 0.4 rad/s | 1/s; holds the course |
    | commands.curriculum_start | 1 (off) | part of the ranges that training begins with |
    | reset | joint_noise 0.05, velocity_noise 0.1, tilt_noise 0.03 | rad; m/s and rad/s; rad |
    | reset.reference_fraction, stagger | 0, false | stagger: first episodes end one by one |
    | randomization | {} | `{term: [low, high]}`, drawn once an episode: docs/guides/randomization |
    | randomization_fraction | 1 | of the episodes; the others have the model's own values |
    | disturbances | none | push, force, payload_drop, friction_patch, within episodes |
    | terrain | kind flat | or rough, steps, slope, mixed; their sizes: `TerrainConfig` |
    | termination | min_height 0.2, max_height 0.7 (by the robot), max_tilt none | m, m, rad |
    | rewards | the weights above | and the terms' numbers, such as tracking_sigma 0.25 m/s |

    ## Versions
    v0: first version.
    """

    vector_class = WildRobotVectorEnv
    _vector: WildRobotVectorEnv

    def set_commands(
        self, commands: Any = None, *, vx: Any = None, vy: Any = None, yaw_rate: Any = None
    ) -> None:
        """Command a velocity and hold it until `release_commands`, through resets.

        On an environment of `gym.make`, call it as `env.get_wrapper_attr("set_commands")(vx=0.6)`.

        Args:
            commands: (3,) velocity: vx m/s, vy m/s, yaw rate rad/s.
            vx: Forward velocity, m/s. 0 by default.
            vy: Velocity to the left, m/s. 0 by default.
            yaw_rate: Turning rate to the left, rad/s. 0 by default.

        Raises:
            ConfigError: both forms or none are given, a shape does not fit, or a number is not
                finite.
        """
        if commands is not None:
            commands = np.asarray(commands)[None]
        self._vector.set_commands(commands, vx=vx, vy=vy, yaw_rate=yaw_rate)

    def release_commands(self) -> None:
        """Let resets and the resampling interval draw commands again."""
        self._vector.release_commands()
