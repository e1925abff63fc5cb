"""Stable-Baselines3, sb3-contrib and SBX on `gym.make`, and SB3's tools on the batched environment.

Each runs for a few steps: what is tested is that the packages fit, not that something is learned.
"""

import gymnasium as gym
import numpy as np
import pytest
import sb3_contrib
import sbx
import stable_baselines3
from stable_baselines3.common.callbacks import (
    CallbackList,
    CheckpointCallback,
    EvalCallback,
    EveryNTimesteps,
    StopTrainingOnMaxEpisodes,
    StopTrainingOnNoModelImprovement,
    StopTrainingOnRewardThreshold,
)
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import load_results
from stable_baselines3.common.vec_env import VecFrameStack, VecMonitor, VecNormalize

import wildrobot_gym  # noqa: F401  registers the environment
from amp_sbx import AMPPPO, GymnasiumVecEnv

pytestmark = pytest.mark.ecosystem
ENV = {"max_episode_steps": 8, "num_threads": 1}
PPO = {"n_steps": 8, "batch_size": 16, "n_epochs": 1}
OFF_POLICY = {"buffer_size": 100, "learning_starts": 4, "batch_size": 4}
ALGORITHMS = {
    "sb3.A2C": (stable_baselines3.A2C, {"n_steps": 8}),
    "sb3.DDPG": (stable_baselines3.DDPG, OFF_POLICY),
    "sb3.PPO": (stable_baselines3.PPO, PPO),
    "sb3.SAC": (stable_baselines3.SAC, OFF_POLICY),
    "sb3.TD3": (stable_baselines3.TD3, OFF_POLICY),
    "contrib.ARS": (sb3_contrib.ARS, {"n_delta": 1}),
    "contrib.CrossQ": (sb3_contrib.CrossQ, OFF_POLICY),
    "contrib.RecurrentPPO": (sb3_contrib.RecurrentPPO, {**PPO, "policy": "MlpLstmPolicy"}),
    "contrib.TQC": (sb3_contrib.TQC, OFF_POLICY),
    "contrib.TRPO": (sb3_contrib.TRPO, {"n_steps": 8, "batch_size": 8}),
    "sbx.PPO": (sbx.PPO, PPO),
    "sbx.SAC": (sbx.SAC, OFF_POLICY),
    "sbx.TD3": (sbx.TD3, OFF_POLICY),
    "sbx.TQC": (sbx.TQC, OFF_POLICY),
    "sbx.CrossQ": (sbx.CrossQ, OFF_POLICY),
}


@pytest.fixture(scope="module")
def walker():
    env = gym.make("WildRobot-v0", **ENV)
    yield env
    env.close()


def small():
    """A new dict each time: the algorithms write into theirs."""
    return {"policy_kwargs": {"net_arch": [16]}}


def walkers(num_envs=4):
    return GymnasiumVecEnv(
        gym.make_vec("WildRobot-v0", num_envs=num_envs, autoreset_mode="same_step", **ENV)
    )


@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_learns_on_gym_make(name, walker):
    algorithm, settings = ALGORITHMS[name]
    settings = {"policy": "MlpPolicy", **small(), **settings}
    model = algorithm(settings.pop("policy"), walker, seed=0, **settings).learn(16)
    assert model.num_timesteps >= 16
    action, _ = model.predict(walker.reset(seed=0)[0], deterministic=True)
    assert walker.action_space.contains(action)


def test_check_env_of_stable_baselines(walker):
    check_env(walker, warn=True, skip_render_check=True)


def test_vec_normalize_frame_stack_and_monitor(tmp_path):
    env = VecMonitor(walkers(), str(tmp_path / "monitor"))
    env = VecFrameStack(VecNormalize(env), 3)
    model = stable_baselines3.PPO("MlpPolicy", env, **PPO, **small()).learn(64)
    assert env.observation_space.shape == (3 * 39,)
    rows = load_results(str(tmp_path))
    assert len(rows) == 4 * 2 and set(rows["l"]) == {8}
    statistics = env.venv.obs_rms
    assert statistics.count > 64 and np.isfinite(statistics.mean).all()
    assert model.ep_info_buffer[-1]["l"] == 8
    env.venv.save(str(tmp_path / "normalize.pkl"))
    again = VecNormalize.load(str(tmp_path / "normalize.pkl"), walkers())
    np.testing.assert_array_equal(again.obs_rms.mean, statistics.mean)


@pytest.mark.parametrize("algorithm", [stable_baselines3.PPO, AMPPPO])
def test_callbacks(algorithm, tmp_path):
    checkpoints = CheckpointCallback(8, str(tmp_path), name_prefix="step", verbose=0)
    stop = StopTrainingOnNoModelImprovement(10)
    evaluate = EvalCallback(
        walkers(2),
        callback_on_new_best=StopTrainingOnRewardThreshold(1e6),
        callback_after_eval=stop,
        n_eval_episodes=2,
        eval_freq=8,
        best_model_save_path=str(tmp_path),
        log_path=str(tmp_path),
        verbose=0,
    )
    every = EveryNTimesteps(32, CheckpointCallback(1, str(tmp_path), name_prefix="every"))
    episodes = StopTrainingOnMaxEpisodes(4)  # of each environment
    model = algorithm("MlpPolicy", walkers(), **PPO, **small())
    model.learn(10_000, callback=CallbackList([checkpoints, evaluate, every, episodes]))
    assert episodes.n_episodes == 4 * 4 and model.num_timesteps == 4 * 4 * 8
    assert len(list(tmp_path.glob("step_*.zip"))) == len(list(tmp_path.glob("every_*.zip"))) == 4
    assert (np.load(tmp_path / "evaluations.npz")["ep_lengths"] == 8).all()
    best = algorithm.load(tmp_path / "best_model.zip")
    assert best.num_timesteps <= model.num_timesteps


def test_evaluate_policy(walker):
    model = stable_baselines3.PPO("MlpPolicy", walker, **PPO, **small())
    mean, _ = evaluate_policy(model, walker, n_eval_episodes=2, warn=False)
    batch, lengths = evaluate_policy(
        model, walkers(), n_eval_episodes=5, return_episode_rewards=True
    )
    assert np.isfinite(mean) and len(batch) == 5 and set(lengths) == {8}
