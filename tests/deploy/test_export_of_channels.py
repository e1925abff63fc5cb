"""What a robot's sensors give is what the environment showed: histories, switches, a course."""

import dataclasses
import json

import numpy as np
import pytest
from policies import CHANNELS, ENV, random_policy

import wildrobot_gym as wr
from amp_sbx import CheckpointError
from wildrobot_gym.deploy import golden
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.golden import check_golden
from wildrobot_gym.deploy.robot_io import Sensors
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.experiments.export.export import export_policy
from wildrobot_gym.experiments.export.rollout import record_instants
from wildrobot_gym.experiments.settings import ExportSettings
from wildrobot_gym.experiments.view.session import PolicySession
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.model import make_vec_env, start_from
from wildrobot_gym.training.policy import load_policy


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return random_policy(tmp_path_factory.mktemp("policy") / "seen.zip", **ENV)


@pytest.fixture(scope="module")
def instants(policy):
    return record_instants(policy, 6, 100)


@pytest.fixture(scope="module")
def exported(policy, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "seen"
    return export_policy(policy, folder, ExportSettings(format="npz"))


def test_observations_over_rollouts_are_the_environments(policy, instants, exported):
    controller = Controller.load(exported.folder)
    errors = golden.compare(controller, instants.arrays())
    assert max(errors.values()) < 1e-5
    # The rollouts show what is compared: steps of both feet, turns that were corrected, a past.
    width = controller.description.obs_dim // 3
    names = [c.name for c in controller.description.channels for _ in c.columns]
    columns = {name: np.flatnonzero(np.array(names) == name) for name in CHANNELS}
    frame = instants.observation[:, -width:]
    switches = frame[:, columns["foot_switches"]]
    assert set(np.unique(switches)) == {0.0, 1.0} and (switches.std(axis=0) > 0.05).all()
    given = frame[:, columns["command"]] - instants.command
    assert (np.abs(given[:, 0]) > 0.01).mean() > 0.3  # the command is approached
    straight = instants.command[:, 2] == 0
    corrected = given[straight, 2]
    assert np.abs(corrected).max() == pytest.approx(0.3, abs=1e-6)
    assert (np.abs(corrected) > 0).mean() > 0.5
    assert (instants.observation[:, :width] != frame).any(axis=1).mean() > 0.9


@pytest.mark.parametrize("change", ["gain", "stride", "clock_hz", "factor", "order"])
def test_every_part_of_the_description_counts(instants, exported, change):
    """A comparison that a wrong controller passes would prove nothing."""
    controller = Controller.load(exported.folder)
    d = controller.description
    wrong = {
        "gain": {"heading": dataclasses.replace(d.heading, gain=1.9)},
        "stride": {"history": dataclasses.replace(d.history, stride=1)},
        "clock_hz": {"clock_hz": 1.4},
        "factor": {"channels": (dataclasses.replace(d.channels[0], factor=0.99), *d.channels[1:])},
        "order": {"channels": d.channels[::-1]},
    }[change]
    other = Controller(dataclasses.replace(d, **wrong), controller._network)
    with pytest.raises(RunError, match="differ from the policy's own"):
        golden.compare(other, instants.first(6, 30).arrays())


def test_an_export_says_what_its_policy_observes(exported):
    assert max(exported.errors.values()) < 1e-5 and exported.num_compared > 300
    check_golden(exported.folder)
    observation = exported.description.content["observation"]
    assert [c["name"] for c in observation["channels"]] == list(CHANNELS)
    factors = {c["name"]: c["factor"] for c in observation["channels"]}
    assert factors["gyro"] == 0.5 and factors["joint_vel"] == 0.1
    assert observation["history"] == {"frames": 3, "stride": 2}
    assert observation["dim"] == exported.description.obs_dim == 3 * (3 * 9 + 3 * 3 + 4 + 3 + 9 + 2)
    assert exported.description.switch_names == (
        *("left_toe", "left_heel", "right_toe", "right_heel"),
    )
    pads = {pad["name"]: pad for pad in exported.description.content["robot"]["pads"]}
    left, right = pads["left_toe"]["place"], pads["right_toe"]["place"]
    np.testing.assert_allclose(left, np.multiply(right, [1, -1, 1]), atol=2e-4)
    assert left[0] > pads["left_heel"]["place"][0]  # m forward
    assert left[2] < 0


@pytest.mark.parametrize("channel", ["root_height", "foot_contacts"])
def test_what_no_sensor_gives_cannot_be_exported(channel, tmp_path):
    env = {"observation": {"channels": ["gravity", channel]}}
    policy = random_policy(tmp_path / "p.zip", **env)
    with pytest.raises(ConfigError, match=rf"'p' observes '{channel}', which no sensor.*gravity"):
        export_policy(policy, tmp_path / "out", ExportSettings(format="npz"))
    assert not (tmp_path / "out").exists()


def test_a_policy_with_a_critic_of_its_own_loads_and_exports_alike(policy, exported, tmp_path):
    privileged = random_policy(tmp_path / "p.zip", **ENV, privileged=["root_lin_vel"])
    obs = np.random.default_rng(0).normal(size=(5, policy.model.observation_space.shape[0]))
    np.testing.assert_array_equal(privileged(obs), policy(obs))
    env = privileged.make_vec_env(2)
    _, infos = env.reset(seed=0)
    env.close()
    assert "critic_obs" not in infos


def test_a_policys_file_imports_no_module(tmp_path):
    """Its training may have drawn a term of the user's own; acting needs none."""
    path = tmp_path / "p.zip"
    model = random_policy(path, **ENV).model
    terms = {"randomization": {"no_such_module:term": [0.0, 1.0]}, "privileged": ["draw_term"]}
    model.extra = {"env_id": "WildRobot-v0", "env_kwargs": ENV | terms}
    model.save(path)
    assert load_policy(path).env_kwargs["randomization"] == terms["randomization"]


def test_a_viewer_commands_all_that_it_was_trained_for(policy):
    session = PolicySession(policy, (0.3, 0.2, -0.2))
    try:
        assert session.ranges == {"vx": (-0.2, 0.8), "vy": (-0.1, 0.1), "yaw_rate": (-0.5, 0.5)}
        np.testing.assert_allclose(session.command, [0.3, 0.1, -0.2])
        for _ in range(3):
            snapshot = session.step()
        assert snapshot.time == pytest.approx(0.06)
        np.testing.assert_allclose(session.env.command[0], session.command, atol=1e-6)
    finally:
        session.close()


def test_an_environment_of_other_channels_is_named(policy, tmp_path):
    env = policy.make_env(observation={"channels": ["gyro"]})
    obs, _ = env.reset(seed=0)
    env.close()
    wanted = r"shape \(3,\), but the policy .*seen.zip for the robot 'wildrobot' observes 162"
    with pytest.raises(wr.ConfigError, match=wanted):
        policy.predict(obs)
    other = {"observation": {"channels": ["joint_pos", *ENV["observation"]["channels"][1:]]}}
    with pytest.raises(wr.ConfigError, match="once"):
        policy.make_env(**other)
    # As wide, but another column first: the shapes alone would not show it.
    channels = ["joint_pos", "joint_offset", *ENV["observation"]["channels"][2:]]
    settings = {**ENV, "observation": {**ENV["observation"], "channels": channels}}
    config = run_config.from_mapping(
        {"n_timesteps": 64, "n_envs": 1, "env_kwargs": settings, "eval": {"every": 0}}
    )
    vec_env = make_vec_env(config)
    try:
        with pytest.raises(
            CheckpointError, match=r"(?s)seen.zip does not fit.*joint_offset, joint"
        ):
            start_from(None, str(policy.path), vec_env)
    finally:
        vec_env.close()


def test_files_of_version_1_still_load(plain_folder, tmp_path):
    """They have neither history nor heading, and golden vectors of single instants."""
    content = json.loads((plain_folder / "policy.json").read_text())
    content["format_version"] = 1
    del content["heading"], content["robot"]["pads"]
    for name in ("history", "switch_force", "clock_hz"):
        del content["observation"][name]
    (tmp_path / "policy.json").write_text(json.dumps(content))
    (tmp_path / "policy.npz").write_bytes((plain_folder / "policy.npz").read_bytes())
    old, new = Controller.load(tmp_path), Controller.load(plain_folder)
    assert old.description.history.frames == 1 and old.description.heading.gain == 0
    home = new.description.of_joints("home")
    sensed = {
        "joint_pos": home[None],
        "joint_vel": np.full((1, 9), 0.1),
        "quat": np.array([[1.0, 0, 0, 0]]),
        "gyro": np.full((1, 3), 0.2),
        "lin_vel": np.full((1, 3), 0.3),
    }
    before, command = np.full(9, 0.2, np.float32), np.array([0.4, 0.0, 0.0])
    new.filtered = before
    made = new.step(Sensors(0.0, **{name: values[0] for name, values in sensed.items()}), command)
    results = {
        "observation": made.observation[None],
        "action": made.action[None],
        "filtered": new.filtered[None],
        "target": made.targets[None],
    }
    single = {**sensed, "command": command[None], "filtered_before": before[None], **results}
    np.savez(tmp_path / "golden.npz", **single)
    assert max(check_golden(tmp_path).values()) < 1e-7
    content["format_version"] = 3
    (tmp_path / "policy.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"format version 3; this package reads 1 to 2"):
        Controller.load(tmp_path)
