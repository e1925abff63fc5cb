"""TorchRL, Tianshou, skrl and CleanRL's loop in the environments, each by its own package.

The core install is enough beside them. A package that is missing is skipped.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import wildrobot_gym  # noqa: F401  registers the environments

pytestmark = pytest.mark.ecosystem
OBS, JOINTS = 39, 9


def test_torchrl_checks_the_environment_and_collects() -> None:
    """Its GymEnv passes `frameskip`, and tries again without it after Python's TypeError."""
    pytest.importorskip("torchrl")
    from torchrl.envs import GymEnv
    from torchrl.envs.utils import check_env_specs

    env = GymEnv("WildRobot-v0")
    check_env_specs(env)
    rollout = env.rollout(8)
    assert rollout["observation"].shape[-1] == OBS and rollout["action"].shape[-1] == JOINTS
    assert rollout["next", "reward"].isfinite().all()
    env.close()


def test_tianshou_trains_ppo() -> None:
    pytest.importorskip("tianshou")
    import torch
    from tianshou.algorithm import PPO
    from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
    from tianshou.algorithm.optim import AdamOptimizerFactory
    from tianshou.data import Collector, VectorReplayBuffer
    from tianshou.env import DummyVectorEnv
    from tianshou.trainer import OnPolicyTrainerParams
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic

    one = gym.make("WildRobot-v0")
    envs = DummyVectorEnv([lambda: gym.make("WildRobot-v0", max_episode_steps=8)] * 2)
    actor = ContinuousActorProbabilistic(
        preprocess_net=Net(state_shape=(OBS,), hidden_sizes=[16]), action_shape=(JOINTS,)
    )
    critic = ContinuousCritic(preprocess_net=Net(state_shape=(OBS,), hidden_sizes=[16]))
    policy = ProbabilisticActorPolicy(
        actor=actor,
        dist_fn=lambda out: torch.distributions.Independent(torch.distributions.Normal(*out), 1),
        action_space=one.action_space,
    )
    before = [p.detach().clone() for p in actor.parameters()]
    algorithm = PPO(policy=policy, critic=critic, optim=AdamOptimizerFactory(lr=1e-3))
    result = algorithm.run_training(
        OnPolicyTrainerParams(
            training_collector=Collector(algorithm, envs, VectorReplayBuffer(64, 2)),
            max_epochs=1,
            epoch_num_steps=32,
            collection_step_num_env_steps=16,
            batch_size=16,
            show_progress=False,
            verbose=False,
        )
    )
    assert result.train_step >= 32
    assert any((p != q).any() for p, q in zip(actor.parameters(), before, strict=True))
    envs.close()
    one.close()


def test_skrl_trains_ppo(tmp_path: Any) -> None:
    pytest.importorskip("skrl")
    import torch
    from skrl.agents.torch.ppo import PPO, PPO_CFG
    from skrl.envs.wrappers.torch import wrap_env
    from skrl.memories.torch import RandomMemory
    from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
    from skrl.trainers.torch import SequentialTrainer

    env = wrap_env(gym.make_vec("WildRobot-v0", num_envs=4), wrapper="gymnasium")
    spaces = {
        "observation_space": env.observation_space,
        "action_space": env.action_space,
        "device": "cpu",
    }

    class Actor(GaussianMixin, Model):
        def __init__(self) -> None:
            Model.__init__(self, **spaces)
            GaussianMixin.__init__(self)
            self.net = torch.nn.Linear(OBS, JOINTS)
            self.log_std = torch.nn.Parameter(torch.zeros(JOINTS))

        def compute(self, inputs: Any, role: str = "") -> Any:
            return self.net(inputs["observations"]), {"log_std": self.log_std}

    class Critic(DeterministicMixin, Model):
        def __init__(self) -> None:
            Model.__init__(self, **spaces)
            DeterministicMixin.__init__(self)
            self.net = torch.nn.Linear(OBS, 1)

        def compute(self, inputs: Any, role: str = "") -> Any:
            return self.net(inputs["observations"]), {}

    cfg = PPO_CFG()
    cfg.rollouts, cfg.mini_batches, cfg.learning_epochs = 8, 2, 2
    cfg.experiment.directory = str(tmp_path)
    cfg.experiment.write_interval = cfg.experiment.checkpoint_interval = 0
    models = {"policy": Actor(), "value": Critic()}
    before = models["policy"].net.weight.detach().clone()
    agent = PPO(models=models, memory=RandomMemory(memory_size=8, num_envs=4), cfg=cfg, **spaces)
    trainer_cfg = {"timesteps": 16, "disable_progressbar": True, "headless": True}
    SequentialTrainer(env=env, agents=agent, cfg=trainer_cfg).train()
    assert (models["policy"].net.weight != before).any()


def test_cleanrls_loop_learns_from_next_step_resets() -> None:
    """CleanRL's PPO loop: a SyncVectorEnv of wrapped single environments, statistics in infos."""
    torch = pytest.importorskip("torch")

    def one() -> gym.Env:
        env = gym.make("WildRobot-v0", max_episode_steps=6)
        env = gym.wrappers.RecordEpisodeStatistics(gym.wrappers.FlattenObservation(env))
        env = gym.wrappers.NormalizeObservation(gym.wrappers.ClipAction(env))
        return gym.wrappers.NormalizeReward(env, gamma=0.99)

    envs = gym.vector.SyncVectorEnv([one] * 2)
    assert isinstance(envs.single_action_space, gym.spaces.Box)
    actor, critic = torch.nn.Linear(OBS, JOINTS), torch.nn.Linear(OBS, 1)
    optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=1e-3)
    obs, _ = envs.reset(seed=1)
    returns, logs, values, rewards = [], [], [], []
    for _ in range(16):
        x = torch.as_tensor(obs, dtype=torch.float32)
        distribution = torch.distributions.Normal(actor(x), 1.0)
        action = distribution.sample()
        obs, reward, _, _, infos = envs.step(action.numpy())
        logs.append(distribution.log_prob(action).sum(1))
        values.append(critic(x)[:, 0])
        rewards.append(torch.as_tensor(np.asarray(reward, np.float32)))
        if "episode" in infos:
            returns += infos["episode"]["r"][infos["_episode"]].tolist()
    advantages = torch.stack(rewards) - torch.stack(values)
    loss = -(torch.stack(logs) * advantages.detach()).mean() + advantages.square().mean()
    loss.backward()
    optimizer.step()
    assert len(returns) == 4 and np.isfinite(returns).all() and loss.isfinite()
    envs.close()
