"""WildRobot's style reward with training libraries that have no AMP."""

import gymnasium as gym
import numpy as np
import pytest
import sbx
import stable_baselines3
from probe_envs import SMALL_AMP, assert_trees_equal, copy_of, make_model
from stable_baselines3.common.callbacks import BaseCallback

import wildrobot_gym  # noqa: F401  registers the environment
from amp_sbx import AMPPPO, AMPRewardWrapper, GymnasiumVecEnv

ENV = {
    "max_episode_steps": 5,
    "num_threads": 1,
    "features": {"channels": ["joint_pos"], "history": {"frames": 2, "stride": 1}},
}
STYLE = {
    "mix": "lerp",
    "weight": 0.4,
    "task_weight": 2.0,
}  # at the end of its schedule, so the task's weight is 2 (1 - 0.4)
STYLE |= {
    "schedule": {"initial": 0.0, "ramp_end": 1e6, "final": 1.0},
    "reward": "quadratic",
    "target_fake": -1.0,
}


def walkers():
    return gym.make_vec("WildRobot-v0", num_envs=4, autoreset_mode="same_step", **ENV)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """File and reference of a model whose discriminator never learned: it pays about 0.75."""
    env = walkers()
    reference = np.random.default_rng(0).normal(
        0.0, 0.1, size=(100, env.unwrapped.task.feature_dim)
    )
    model = make_model(env, amp=SMALL_AMP | STYLE, reference=reference)
    path = tmp_path_factory.mktemp("judge") / "judge.zip"
    model.save(path)
    return path, reference


class Watch(BaseCallback):
    """Records rewards as the trainer gets them, the task's rewards alone, and AMP observations."""

    def _on_training_start(self):
        self.rewards, self.task, self.features, self.dones = [], [], [], []

    def _on_step(self):
        infos = self.training_env.batch_infos
        self.rewards.append(self.locals["rewards"].copy())
        self.task.append(
            np.sum([values for name, values in infos.items() if name.startswith("reward_")], axis=0)
        )
        self.features.append(infos["amp_obs"].copy())
        self.dones.append(self.locals["dones"].copy())
        return True


@pytest.mark.parametrize(
    "trainer", [stable_baselines3.PPO, sbx.PPO], ids=["stable_baselines3", "sbx"]
)
def test_another_trainer_learns_from_task_and_style_of_a_frozen_discriminator(judged, trainer):
    path, reference = judged
    judge = AMPPPO.load(path, reference=reference)  # which could learn
    before, watch = copy_of(judge.learner.state), Watch()
    env = GymnasiumVecEnv(AMPRewardWrapper(walkers(), judge))
    settings = {
        "n_steps": 8,
        "batch_size": 32,
        "n_epochs": 2,
        "seed": 0,
        "policy_kwargs": {"net_arch": [16]},
    }
    model = trainer("MlpPolicy", env, **settings)
    seen = np.zeros((1, *env.observation_space.shape), np.float32)
    untrained = model.predict(seen, deterministic=True)[0]
    model.learn(64, callback=watch)
    assert np.abs(model.predict(seen, deterministic=True)[0] - untrained).max() > 0
    assert_trees_equal(judge.learner.state, before)

    assert np.sum(watch.dones) == 4 * 3  # of 16 steps, every fifth ended an episode
    features = np.concatenate(watch.features)
    style = AMPPPO.load(path).learner.rewards(features).reshape(16, 4)
    assert style.mean() > 0.1 and style.std() > 1e-4
    np.testing.assert_allclose(
        watch.rewards, 1.2 * np.stack(watch.task) + 0.4 * style, rtol=1e-5, atol=1e-6
    )
