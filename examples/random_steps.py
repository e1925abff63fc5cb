"""Take random actions in the environment for ten seconds."""

import gymnasium as gym

import wildrobot_gym  # noqa: F401 (registers WildRobot-v0)

env = gym.make("WildRobot-v0")
obs, info = env.reset(seed=0)
falls, rewards = 0, 0.0
for _ in range(500):
    obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
    rewards += reward
    falls += terminated
    if terminated or truncated:
        obs, info = env.reset()
env.close()
print(f"{falls} falls, mean reward {rewards / 500:.3f}, {len(obs)} observations")
