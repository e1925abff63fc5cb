"""Reference motion for `wildrobot zoo train --env HalfCheetah-v5`: writes half_cheetah.npz."""

import gymnasium as gym
import numpy as np

from amp_sbx import ObservationFeatures

ANGLES, VELOCITIES = range(2, 8), range(11, 17)  # columns of the observation

# The columns and scales of configs/hyperparams/amp_ppo.yml.
env = ObservationFeatures(
    gym.make("HalfCheetah-v5", max_episode_steps=200),
    columns=[*ANGLES, *VELOCITIES],
    scales=[1.0] * 6 + [0.1] * 6,
)
features = []
for step in range(400):
    if step % 200 == 0:
        env.reset(seed=step)
    phases = 0.5 * step + np.linspace(0, np.pi, 6)
    info = env.step(0.8 * np.sin(phases))[-1]
    features.append(info["amp_obs"])
np.savez("half_cheetah.npz", features=np.stack(features))
print(f"half_cheetah.npz: {len(features)} samples of {len(features[0])} columns")
