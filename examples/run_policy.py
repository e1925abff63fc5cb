"""Run the shipped policy, and change its commanded speed every four seconds."""

import wildrobot_gym as wr

policy = wr.load_policy("walk")  # or a run directory, or a file
env = policy.make_env()  # render_mode="human" opens a window
set_commands = env.get_wrapper_attr("set_commands")

obs, info = env.reset(seed=0)
for speed in (0.0, 0.3, 0.6):
    set_commands(vx=speed)  # m/s, held until the next call
    errors = []
    for _ in range(200):
        action, _ = policy.predict(obs)
        obs, reward, terminated, truncated, info = env.step(action)
        errors.append(info["velocity_error"])
        if terminated or truncated:
            obs, info = env.reset()
    print(f"{speed:.1f} m/s: velocity error {sum(errors[100:]) / 100:.3f} m/s")
env.close()
