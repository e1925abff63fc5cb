"""The model card of a policy, made from its evaluation: what it does, how well, how to run it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from wildrobot_gym.config import build
from wildrobot_gym.env.registration import ENV_ID
from wildrobot_gym.errors import RunError
from wildrobot_gym.evaluation.formatting import WALK_HEADINGS, half_text, mean_text
from wildrobot_gym.task.config import CommandConfig, ObservationConfig
from wildrobot_gym.training.policy_fit import observed

SHOWN = ("success", "survived", "velocity_error", "drift_lateral", "cadence", "cost_of_transport")
"""Rows of the card's table, metrics of the walk benchmark."""
GOOD = 0.9  # success rate from which a speed counts as mastered
TAGS = [
    ENV_ID,
    "reinforcement-learning",
    "deep-reinforcement-learning",
    "robotics",
    "legged-locomotion",
    "mujoco",
    "stable-baselines3",
    "adversarial-motion-priors",
]


def model_card(
    results: Mapping[str, Any],
    name: str,
    license: str | None = None,
    video: str | None = None,
    repo: str | None = None,
) -> str:
    """The text of a model card, README.md of a repository on the hub.

    Args:
        results: Evaluation JSON, as `wildrobot eval --json` writes it.
        name: The policy's name.
        license: The policy's license, as the hub names it.
        video: Name of a video beside the card.
        repo: Repository on the hub, "user/name"; None: the card of a shipped policy.

    Raises:
        RunError: `results` is no evaluation.
    """
    try:
        return _card(results, name, license, video, repo)
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"The results of {name} are no evaluation of a policy: {error!r}. Make them by"
            " `wildrobot eval POLICY --json results.json`."
        ) from error


def mastered(results: Mapping[str, Any]) -> list[float]:
    """The commanded speeds at which nine of ten episodes or more are successes, m/s."""
    commands: Mapping[str, Any] = results["commands"]
    return [float(c) for c, metrics in commands.items() if metrics["success"]["mean"] >= GOOD]


def _card(
    results: Mapping[str, Any], name: str, license: str | None, video: str | None, repo: str | None
) -> str:
    header: dict[str, Any] = {
        **({"license": license.lower()} if license else {}),  # the hub's names are lower-case
        "library_name": "wildrobot",
        "pipeline_tag": "reinforcement-learning",
        "tags": TAGS,
        "model-index": [{"name": name, "results": list(_entries(results))}],
    }
    front = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    policy, speeds = results["policy"], mastered(results)
    reach = f"It masters {_list(speeds)} m/s." if speeds else "It masters none of the speeds below."
    if repo:
        fetch = f"wildrobot pull {repo} --out {name}\n"
        shown = f"./{name}"
    else:
        fetch, shown = "", name
    film = f"![The policy walks]({video})\n\n" if video and video.endswith(".gif") else ""
    if video and not film:
        film = f"Video: [{video}]({video})\n\n"
    return f"""---
{front}---

# {name}

A policy for `{ENV_ID}`, a Gymnasium environment of a walking robot.
AMPPPO trained it: PPO with adversarial motion priors, for {policy["num_timesteps"]:,} steps.
The robot is `{results["robot"]}`. {reach}

{_sees(policy.get("env_kwargs") or {})}

{film}## Run it

```
pip install 'wildrobot[train,viz]'
{fetch}wildrobot enjoy {shown}
```

```python
import wildrobot_gym as wr

policy = wr.load_policy("{shown}")
env = policy.make_env(render_mode="rgb_array")
env.get_wrapper_attr("set_commands")(vx={speeds[-1] if speeds else 0.2:g})
obs, info = env.reset(seed=0)
action, _ = policy.predict(obs)
```

The file holds JSON and arrays. Loading it executes nothing.

## Evaluation

Walk benchmark `{results["protocol"]}`, {results["episodes_per_command"]} episodes at each speed,
seed {results["seed"]}: the mean and half of its 95 % bootstrap interval.

{_table(results)}
{_suites(results)}{_style(results)}
Made with {_versions(results)}.
"""


def _sees(env_kwargs: Mapping[str, Any]) -> str:
    """What the policy observes, and what it obeys."""
    where = "env_kwargs"
    seen = build(ObservationConfig, env_kwargs.get("observation"), f"{where}.observation")
    commands = build(CommandConfig, env_kwargs.get("commands"), f"{where}.commands")
    units = {"vx": "m/s", "vy": "m/s", "yaw_rate": "rad/s"}
    ranges = [
        f"{name} {low:g} to {high:g} {unit}"
        for name, unit in units.items()
        for low, high in [getattr(commands, name)]
        if (low, high) != (0.0, 0.0)
    ]
    course = " It holds its course." if commands.heading_gain > 0 else ""
    estimator = (
        "\nOn a robot it needs an estimate of the base's velocity (`root_lin_vel`)."
        if "root_lin_vel" in seen.channels
        else ""
    )
    return (
        f"It observes {observed(seen)}.{estimator}\n"
        f"It was trained for commands of {', '.join(ranges) or 'standing'}.{course}"
    )


def _entries(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The hub's structured results, one for each commanded speed."""
    for command, metrics in results["commands"].items():
        yield {
            "task": {"type": "reinforcement-learning", "name": f"walking at {command} m/s"},
            "dataset": {"name": f"{ENV_ID} at {command} m/s", "type": ENV_ID, "args": command},
            "metrics": [
                {"type": key, "name": WALK_HEADINGS[key], "value": round(value, 4)}
                for key in ("success", "velocity_error")
                if (value := metrics[key]["mean"]) is not None
            ],
        }


def _table(results: Mapping[str, Any]) -> str:
    commands: Mapping[str, Any] = results["commands"]
    rows = [["metric", *(f"{command} m/s" for command in commands)], ["---"] * (len(commands) + 1)]
    for key in SHOWN:
        cells = (f"{mean_text(m[key])} {half_text(m[key])}".strip() for m in commands.values())
        rows.append([WALK_HEADINGS[key], *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _suites(results: Mapping[str, Any]) -> str:
    """Which bars of the benchmark's suites are met, and the worst row of each that is not."""
    rows = ["| suite | an episode | bars met | missed |", "|---|---|---|---|"]
    for name, suite in (results.get("suites") or {}).items():
        bars = suite["bars"]
        missed = [
            f"{bar['metric']} at {bar['row']}: {mean_text({'mean': bar['value']})}"
            for bar in bars
            if not bar["met"]
        ]
        met = f"{len(bars) - len(missed)} of {len(bars)}"
        rows.append(f"| {name} | {suite['episode']} | {met} | {', '.join(missed) or 'none'} |")
    return "\n".join([*rows, "\n"]) if len(rows) > 2 else ""


def _style(results: Mapping[str, Any]) -> str:
    style = results.get("style")
    if not style:
        return ""
    auc = style["two_sample_auc"]["mean"]
    return (
        f"A classifier tells its gait from the reference motion `{style['reference']}` with an"
        f" AUC of {auc:.3f} (0.5: it cannot).\n"
    )


def _versions(results: Mapping[str, Any]) -> str:
    packages: Mapping[str, str] = results["versions"]["packages"]
    shown = ("wildrobot", "gymnasium", "mujoco", "jax", "stable-baselines3", "sbx-rl")
    return ", ".join(f"{name} {packages[name]}" for name in shown if name in packages)


def _list(speeds: list[float]) -> str:
    return ", ".join(f"{speed:g}" for speed in speeds)
