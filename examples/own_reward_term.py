"""Add a reward term without changing the package: penalize a waist that is turned."""

import gymnasium as gym
import jax.numpy as jnp

import wildrobot_gym  # noqa: F401 (registers WildRobot-v0)


def turned_waist(inputs, config):
    """Square of the waist's angle, rad^2, for one robot."""
    return jnp.square(inputs.state.qpos[..., 7])  # after the base's position and quaternion


if __name__ == "__main__":
    # The key names this module and the function; the value is the term's weight.
    env = gym.make("WildRobot-v0", rewards={"own_reward_term:turned_waist": -5.0})
    obs, info = env.reset(seed=0)
    for _ in range(20):
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        print(f"{info['reward_turned_waist']:.5f} of {reward:.5f}")
    env.close()
