"""Train a shipped recipe with other settings, as `wildrobot train` does."""

import wildrobot_gym as wr

run = wr.train("walk_amp", seed=1, overrides={"n_timesteps": 4e6, "amp.weight": 0.3})
print(f"{run.status} after {run.num_timesteps:,} steps; the policy is {run.policy}")
