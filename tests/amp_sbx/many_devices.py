"""A program of the tests: trains on several numbers of devices, and saves each result.

Arguments: a folder, the iterations, "amp", "critic" or "ppo", and numbers of devices. A number as
"2:4" continues for two more iterations on two devices from what four devices saved.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import jax
import numpy as np
from critic_envs import HiddenGoal
from functional_envs import ITERATION, PointMass, point_model
from probe_envs import REFERENCE, SMALL_AMP

from amp_sbx import AMPPPO
from amp_sbx.common.functional_vector_env import FunctionalVectorEnv


def train(_, iterations, devices, settings):
    """A new model, and with it the environments' states."""
    env = HiddenGoal() if "critic_obs" in settings else PointMass()
    model = point_model(env, devices=devices, learning_rate=1e-3, **settings)
    return model.learn(iterations * ITERATION)


def resume(folder, start, devices, settings):
    """A loaded model that learns for two iterations more."""
    env = FunctionalVectorEnv(PointMass(), 8)
    model = AMPPPO.load(folder / f"{start}.zip", env=env, devices=devices, **settings)
    arrays = dict(np.load(folder / f"{start}.npz"))
    env.reset(seed=0)
    leaves, tree = jax.tree.flatten(env.functional_state)
    saved = [arrays[str(i)] for i in range(len(leaves))]
    env.functional_state = jax.tree.unflatten(tree, saved)
    model._last_obs, model._last_episode_starts = env.functional_state.obs, arrays["starts"]
    return model.learn(2 * ITERATION, reset_num_timesteps=False)


def save(model, folder, name):
    model.save(folder / f"{name}.zip")
    states = jax.tree.leaves(model.env.vector_env.functional_state)
    arrays = {str(i): np.asarray(leaf) for i, leaf in enumerate(states)}
    np.savez(folder / f"{name}.npz", starts=model._last_episode_starts, **arrays)
    return len(states[0].sharding.device_set)


def main(folder, iterations, kind, *runs):
    settings = {} if kind == "ppo" else {"amp": SMALL_AMP, "reference": REFERENCE}
    if kind == "critic":
        settings |= {"amp": SMALL_AMP | {"critic": "separate"}, "critic_obs": True}
    for run in runs:
        devices, _, start = run.partition(":")
        begin = (resume, start) if start else (train, int(iterations))
        model = begin[0](Path(folder), begin[1], int(devices), settings)
        assert save(model, Path(folder), run.replace(":", "-after-")) == int(devices)


if __name__ == "__main__":
    main(*sys.argv[1:])
