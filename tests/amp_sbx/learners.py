"""Tiny learners, and iterations of them."""

import numpy as np

from amp_sbx import AMPConfig, AMPLearner, ReferenceFeatures

LAYOUT = {"channels": [["pos", 1], ["vel", 1]], "definitions": {"history": {"frames": 2}}}


SMALL = {
    "discriminator_hidden": (16,),
    "batch_size": 64,
    "replay_buffer_size": 100,
    "disc_lr": 3e-3,
    "max_grad_norm": 10.0,
    "held_out_fraction": 0.0,
}


BOUNDS = {"update_steps": [1, 4], "disc_lr": [1e-3, 5e-3], "penalty": [2.0, 20.0]}


RAMP = {"initial": 0.0, "ramp_start": 100, "ramp_end": 1100, "final": 1.0}


def learner_of(reference=None, layout=LAYOUT, **settings):
    data = np.random.default_rng(1).normal(size=(500, 4)) if reference is None else reference
    return AMPLearner(AMPConfig(**(SMALL | settings)), ReferenceFeatures(data, layout=layout))


def run(learner, policy, iterations, start=0, steps=100, **known):
    """Run `iterations` updates with the controller; returns the metrics of each."""
    found = []
    for count in range(start + 1, start + iterations + 1):
        metrics = learner.update(policy)
        style = learner.rewards(policy)
        metrics |= {"reward_mean": float(style.mean()), "reward_std": float(style.std())}
        length, task = known.get("episode_length"), known.get("task_reward", 0.0)
        episodes = None if length is None else [{"l": length}]
        found.append(metrics | learner.observe(metrics, count * steps, steps, task, episodes))
    return found
