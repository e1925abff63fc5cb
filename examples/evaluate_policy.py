"""Run the walk benchmark on a policy, and print some of its metrics."""

import wildrobot_gym as wr

policy = wr.load_policy("walk")
results = wr.evaluate(policy, commands=[0.2, 0.6], episodes=16)
for speed, metrics in results.commands.items():
    print(f"{speed} m/s")
    for name in ("success", "velocity_error", "cadence", "clearance", "slip"):
        metric = metrics[name]
        print(f"  {name:15} {metric['mean']:.3f} ({metric['low']:.3f} ... {metric['high']:.3f})")
