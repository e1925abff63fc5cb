"""Train a policy with AMP, and save it. Takes a few minutes on a CPU."""

import gymnasium as gym

import wildrobot_gym as wr
from amp_sbx import AMPPPO

# Joint positions alone make the best gait. Other features are also possible.
features = {"channels": ["joint_pos"], "contacts": "none"}
env = gym.make_vec("WildRobot-v0", num_envs=1024, features=features, reset={"stagger": True})
reference = wr.load_reference("walk", env)

model = AMPPPO(
    "MlpPolicy",
    env,
    n_steps=24,
    batch_size=6144,
    n_epochs=4,
    symmetric_policy=True,
    policy_kwargs={"net_arch": [256, 128], "activation_fn": "elu", "log_std_init": -1.7},
    amp={"weight": 0.4, "discriminator_hidden": (256, 128)},
    reference=reference,
    seed=0,
    verbose=1,
)
error = model.clone_behavior(*wr.demonstrations(env, reference))  # begin near the reference's gait
print(f"The policy differs from the demonstrated actions by {error:.3f}")
model.learn(1_000_000, progress_bar=True)

# With these two, wildrobot eval and record know the policy's environment and reference.
model.extra = {"env_kwargs": {"features": features}, "reference": "walk"}
model.save("my_walk")
