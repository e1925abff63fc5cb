"""One reader for both forms of a file: one run's settings, or many environments' as in rl-zoo."""

from pathlib import Path

import gymnasium as gym
import pytest
import yaml
from stable_baselines3.common.monitor import Monitor

from amp_sbx.common.schedules import LinearSchedule, parse_schedule
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.zoo.vec_env import batched_vec_env
from wildrobot_gym.paths import CONFIGS
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config import override
from wildrobot_gym.training.config.for_zoo import zoo_settings
from wildrobot_gym.training.config.reader import PPO_KEYS

MANY = """
default: {n_timesteps: 1e4, policy: MlpPolicy}
WildRobot-v0: &walk
  n_timesteps: 2e4
  learning_rate: lin_5e-4
  policy_kwargs: "dict(log_std_init=-1, net_arch=[32], activation_fn=nn.ELU)"
  normalize: false
  reference: walk_synthetic
  amp: {weight: 0.3}
WildRobotTrack-v0:
  <<: *walk
  env_kwargs: {reference: walk_synthetic}
  reference: null
  amp: null
"""


@pytest.fixture
def many(tmp_path: Path) -> str:
    file = tmp_path / "many.yml"
    file.write_text(MANY)
    return str(file)


@pytest.mark.parametrize(
    ("env_id", "recipe"), [("WildRobot-v0", "walk_amp"), ("WildRobotTrack-v0", "track")]
)
def test_the_shipped_file_has_the_recipes(env_id, recipe):
    """A recipe must not differ between `wildrobot train` and rl_zoo3."""
    of_zoo = run_config.load("amp_ppo", env_id=env_id).to_mapping()
    of_run = run_config.load(recipe).to_mapping()
    for key in ("eval", "checkpoint_every", "keep_checkpoints"):
        of_zoo.pop(key), of_run.pop(key)
    assert of_zoo == of_run


def test_what_a_policy_observes_reaches_the_batch(tmp_path):
    """Nested settings go from a file of either form into one vector environment, and stay."""
    observation = {
        "channels": ["gyro", "gravity", "command"],
        "history": {"frames": 3},
        "sensors": {"gyro": {"noise": 0.1}},
    }
    env_kwargs = {
        "observation": observation,
        "privileged": ["root_lin_vel"],
        "commands": {"yaw_rate": [-0.5, 0.5], "heading_gain": 1.0},
    }
    section = {"n_timesteps": 100, "policy": "MlpPolicy", "env_kwargs": env_kwargs}
    files = {"zoo.yml": {"WildRobot-v0": section}, "run.yaml": {**section, "eval": {"every": 0}}}
    found = []
    for name, content in files.items():
        (tmp_path / name).write_text(yaml.safe_dump(content))
        found.append(zoo_settings(str(tmp_path / name), "WildRobot-v0", "amp_ppo").hyperparameters)
    assert found[0] == found[1]
    override(found[0], "env_kwargs.observation.history.frames", 4)
    settings = found[0]["env_kwargs"]
    assert settings["observation"]["sensors"]["gyro"]["noise"] == 0.1
    env = batched_vec_env([lambda: Monitor(gym.make("WildRobot-v0", **settings))] * 3)
    try:
        assert env.num_envs == 3 and env.observation_space.shape == (4 * 9,)
        config = env.unwrapped.vector_env.unwrapped.config
        assert config.privileged == ("root_lin_vel",) and config.commands.heading_gain == 1.0
        assert config.observation.sensors["gyro"].noise == 0.1
    finally:
        env.close()


def test_a_critic_that_sees_more_in_both_forms(tmp_path):
    file = tmp_path / "many.yml"
    own = "  critic_obs: true\n  env_kwargs: {privileged: [root_lin_vel]}\n"
    file.write_text(f"WildRobot-v0:\n  n_timesteps: 1e4\n{own}")
    assert run_config.load(str(file)).ppo.critic_obs
    given = zoo_settings(str(file), "WildRobot-v0", "amp_ppo").hyperparameters
    assert given["critic_obs"] and list(given["env_kwargs"]["privileged"]) == ["root_lin_vel"]


def test_a_section_is_a_run(many):
    config = run_config.load(many, ["amp.weight=0.4"], env_id="WildRobot-v0")
    assert (config.n_timesteps, config.amp.weight) == (20_000, 0.4)
    assert config.reference.name == "walk_synthetic"
    assert config.ppo.policy_kwargs["activation_fn"] == "elu"
    assert parse_schedule(config.ppo.learning_rate) == LinearSchedule(5e-4)
    track = run_config.load(many, env_id="WildRobotTrack-v0")
    assert track.amp is None and track.eval.every == 0
    only_default = run_config.from_mapping(run_config.read_mapping(many, "WildRobot-v0") | {})
    assert only_default.env.env_id == "WildRobot-v0"


def test_default_is_for_environments_without_a_section(tmp_path):
    file = tmp_path / "file.yml"
    file.write_text("default: {n_timesteps: 5}\nWildRobotTrack-v0: {n_timesteps: 6}\n")
    assert run_config.load(str(file), env_id="WildRobot-v0").n_timesteps == 5


@pytest.mark.parametrize(
    ("text", "env_id", "message"),
    [
        (MANY, None, r"has settings for default, WildRobot-v0, .*--env WildRobot-v0"),
        ("WildRobot-v0: {n_timesteps: 1}", "WildRobotTrack-v0", "Unknown environment in"),
        ("WildRobot-v0: {n_timesteps: 1, normalize: true}", None, "which only rl_zoo3 does"),
        ("WildRobot-v0: {env_wrapper: a.B, n_timesteps: 1}", None, "wildrobot zoo train"),
        ("WildRobot-v0: {reference: a, amp: {reference: b}}", None, "Name one"),
        ("WildRobot-v0: null", None, "it holds nothing"),
        ("n_timesteps: 1", "WildRobotTrack-v0", "is for WildRobot-v0, not for WildRobotTrack-v0"),
    ],
)
def test_what_does_not_fit_is_named(text, env_id, message, tmp_path):
    file = tmp_path / "file.yml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        run_config.load(str(file), env_id=env_id)


def test_rl_zoo3_gets_a_run_with_every_default():
    settings = zoo_settings("smoke", "WildRobot-v0", "amp_ppo")
    found = settings.hyperparameters
    assert found["amp"]["reference"] == "walk_synthetic" and found["gae_lambda"] == 0.95
    assert settings.left_out == {
        "checkpoint_every": "--save-freq",
        "keep_checkpoints": "--save-freq",
        "eval": "--eval-freq",
    }
    assert found.keys() <= {"n_timesteps", "n_envs", "env_kwargs", "amp", *PPO_KEYS}
    assert "clip_range_vf" not in found  # null
    assert not {"backend", "num_threads"} & found["env_kwargs"].keys()


def test_rl_zoo3_gets_a_section(many):
    settings = zoo_settings(many, "WildRobot-v0", "amp_ppo")
    run = run_config.load(many, env_id="WildRobot-v0").to_mapping()
    found = settings.hyperparameters
    assert found["normalize"] is False and not settings.left_out
    assert found["amp"] == run["amp"] and found["n_steps"] == run["n_steps"]
    other = zoo_settings(str(CONFIGS / "hyperparams" / "sac.yml"), "WildRobot-v0", "sac")
    assert other.hyperparameters["learning_rate"] == 3e-4  # PyYAML alone reads a text
    cheetah = zoo_settings("amp_ppo", "HalfCheetah-v5", "amp_ppo").hyperparameters
    assert cheetah["amp"]["reference"] == "half_cheetah.npz" and "env_id" not in cheetah


def test_a_run_is_of_amp_ppo():
    with pytest.raises(ConfigError, match=r"one run of amp_ppo\. Train it with --algo amp_ppo"):
        zoo_settings("smoke", "WildRobot-v0", "ppo")
