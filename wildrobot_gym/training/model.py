"""The parts of a run: environments, reference, and an algorithm that is ready to learn."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode

from amp_sbx import AMPPPO, GymnasiumVecEnv, ReferenceFeatures
from amp_sbx.algorithm.policy_kwargs import describe
from amp_sbx.common import archive
from wildrobot_gym.errors import RunError
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.policy import find_policy
from wildrobot_gym.training.policy_fit import check_fits
from wildrobot_gym.training.reference import demonstrations, load_reference
from wildrobot_gym.training.run_directory import MOTION_DIGESTS


def make_vec_env(config: RunConfig, **changes: Any) -> GymnasiumVecEnv:
    """The run's environments as SB3 sees them.

    Args:
        config: The run's settings.
        **changes: Replace arguments of `gym.make_vec`, `num_envs` among them.
    """
    arguments = config.env.on_this_machine().arguments()
    arguments = {"num_envs": config.env.n_envs, **arguments, **changes}
    env = gym.make_vec(
        config.env.env_id,
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.SAME_STEP,
        **arguments,
    )
    return GymnasiumVecEnv(env)


def make_reference(config: RunConfig, env: Any) -> ReferenceFeatures | None:
    """The windows that AMP imitates, in the environment's own features; None for plain PPO."""
    if config.reference is None:
        return None
    dataset = load_reference(config.reference.name, env)
    temperature = config.reference.score_temperature
    return ReferenceFeatures(**dataset.reference_features(temperature))


def make_model(config: RunConfig, env: Any, reference: ReferenceFeatures | None) -> AMPPPO:
    """An algorithm with random networks.

    Its files say what environment and motion it learned from, by name and digest.

    Raises:
        RobotError: symmetry is asked for of a robot that is not symmetric.
    """
    mirrored = config.amp is not None and config.amp.symmetry
    if mirrored or config.ppo.symmetric_policy != "none":
        env.get_attr("robot", indices=[0])[0].check_symmetric()
    model = AMPPPO(
        config.ppo.policy,
        env,
        amp=config.amp,
        reference=reference,
        seed=config.seed,
        **config.ppo.arguments(),
    )
    model.extra = {
        "env_id": config.env.env_id,
        "env_kwargs": config.env.env_kwargs(),
        "reference": None if config.reference is None else config.reference.name,
        MOTION_DIGESTS: config.motion_digests(),
    }
    return model


def warm_start(
    model: AMPPPO, config: RunConfig, env: GymnasiumVecEnv, report: Reporter = SILENT
) -> None:
    """Fit the random policy to the reference's own actions, where the settings ask for it."""
    if config.reference is None or config.reference.warm_start is None:
        return
    cloning = config.reference.warm_start
    dataset = load_reference(config.reference.name, env)
    error = model.clone_behavior(*demonstrations(env, dataset), cloning)
    report.info(f"warm start: {cloning.steps:,} steps of behavior cloning, error {error:.3f}")


def start_from(
    model: AMPPPO, trained_agent: str, env: GymnasiumVecEnv, report: Reporter = SILENT
) -> None:
    """Copy a trained policy, and its critic where the new one has its shape and sees the same.

    The optimizers, the counters and the discriminator stay as they are.

    Args:
        model: The new algorithm.
        trained_agent: A policy's file, a run directory, or a shipped name.
        env: The new algorithm's environments.
        report: Receives a message.

    Raises:
        RunError: There is no such policy, or its network is another.
        CheckpointError: It is damaged, or for other spaces.
    """
    path = find_policy(trained_agent)
    settings = (archive.read_meta(path).get("extra") or {}).get("env_kwargs") or {}
    check_fits(path, settings, env.vector_env.unwrapped)
    trained = AMPPPO.load(path, seed=model.seed)
    ours = _policy_network(model)
    for name, theirs in _policy_network(trained).items():
        if theirs != ours[name]:
            raise RunError(
                f"trained_agent {path} was trained with {name} {theirs}, not {ours[name]}."
                " Use the same."
            )
    taken = trained.get_parameters()
    taken.pop("discriminator", None)
    sees_the_same = trained.critic_inputs == model.critic_inputs and _privileged(
        settings
    ) == _privileged(model.extra["env_kwargs"])
    if not sees_the_same or _shapes(taken["critic"]) != _shapes(model.get_parameters()["critic"]):
        taken = {"actor": taken["actor"]}
    model.set_parameters(taken, exact_match=False)
    critic = "its" if "critic" in taken else "a new"
    report.info(f"starting with the policy of {path} and {critic} critic")


def _policy_network(model: AMPPPO) -> dict[str, Any]:
    """What the same arrays need to be the same policy. Its noise is one of the arrays."""
    kwargs = describe(model.policy_kwargs)
    layers = kwargs.get("net_arch")
    return {
        "policy_kwargs.activation_fn": kwargs.get("activation_fn"),
        "policy_kwargs.net_arch.pi": layers["pi"] if isinstance(layers, dict) else layers,
        "symmetric_policy": model.symmetric_policy,
    }


def _privileged(env_kwargs: dict[str, Any]) -> list[str]:
    return list(env_kwargs.get("privileged", ()))


def _shapes(arrays: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in arrays.items()}
