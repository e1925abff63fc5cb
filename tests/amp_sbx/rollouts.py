"""A model with one collected rollout."""

from probe_envs import REFERENCE, SMALL_AMP, ProbeEnv, make_model


def collected(env=None, **kwargs):
    """An AMP model with a collected rollout that it has not learned from."""
    settings = {"amp": SMALL_AMP | kwargs.pop("amp", {}), "reference": REFERENCE} | kwargs
    model = make_model(env or ProbeEnv(8, length=5), **settings)
    _, callback = model._setup_learn(10_000)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    return model


def logged(model, name):
    return model.logger.name_to_value[name]
