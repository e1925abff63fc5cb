"""The parts of a run: environments, reference, and an algorithm that is ready to learn."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode

from amp_sbx import AMPPPO, GymnasiumVecEnv, ReferenceFeatures
from amp_sbx.common import archive
from wildrobot_gym.errors import RunError
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.config import RunConfig
from wildrobot_gym.training.policy import find_policy
from wildrobot_gym.training.policy_fit import check_fits
from wildrobot_gym.training.reference import demonstrations, load_reference
from wildrobot_gym.training.run_directory import MOTION_DIGESTS

# The same in a run and in the policy that it starts from.
NETWORK_SETTINGS = ("policy_kwargs", "symmetric_policy", "critic_obs")


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
    """Copy policy and critic of a trained policy.

    The optimizers, the counters and the discriminator stay as they are.

    Args:
        model: The new algorithm.
        trained_agent: A policy's file, a run directory, or a shipped name.
        env: The new algorithm's environments.
        report: Receives a message.

    Raises:
        RunError: There is no such policy, or its networks are others.
        CheckpointError: It is damaged, or for other spaces or AMP features.
    """
    path = find_policy(trained_agent)
    extra = archive.read_meta(path).get("extra") or {}
    check_fits(path, extra.get("env_kwargs") or {}, env.vector_env.unwrapped)
    trained = AMPPPO.load(path, env=env, seed=model.seed)  # this seeds the environments, too
    for name in NETWORK_SETTINGS:
        theirs, ours = getattr(trained, name), getattr(model, name)
        if theirs != ours:
            raise RunError(
                f"trained_agent {path} was trained with {name} {theirs}, not {ours}. Use the same."
            )
    networks = {
        name: arrays for name, arrays in trained.get_parameters().items() if name != "discriminator"
    }
    model.set_parameters(networks, exact_match=False)
    report.info(f"starting with the networks of {path}")
