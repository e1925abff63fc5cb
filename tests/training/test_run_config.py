"""Run configs: what is read, and what is refused with a message that helps."""

import pytest

from amp_sbx.common.errors import AMPError
from wildrobot_gym import yaml_io
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.paths import CONFIGS
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config.policy_kwargs import parse_policy_kwargs
from wildrobot_gym.training.resume import check_same_run
from wildrobot_gym.training.run_directory import RunDirectory

MINIMAL = {"n_timesteps": 1000}


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_shipped_configs_are_whole(name):
    config = run_config.load(name)
    assert run_config.from_mapping(config.to_mapping()) == config
    assert run_config.from_mapping(yaml_io.parse(yaml_io.dump(config.to_mapping()), "")) == config
    if config.amp is not None:
        assert config.reference.path.is_file()
        assert config.amp.weight > 0


def test_walk_ppo_is_walk_amp_without_amp_and_with_lighter_penalties_and_more_noise():
    amp, ppo = (run_config.load(name).to_mapping() for name in ("walk_amp", "walk_ppo"))
    assert ppo["amp"] is None
    longer = {"n_timesteps", "checkpoint_every", "eval"}  # it starts from random weights
    differs = {"amp", "env_kwargs", "ent_coef"} | longer
    assert {k for k in amp if amp[k] != ppo[k]} == differs
    ours, theirs = amp["env_kwargs"], ppo["env_kwargs"]
    assert {k for k in ours if ours[k] != theirs[k]} == {"rewards", "reset", "commands"}
    assert all(
        ours["rewards"][name] <= theirs["rewards"][name]
        for name in ("slip", "lin_vel_error", "saturation", "flight", "contact_schedule")
    )


def test_numbers_as_people_write_them():
    assert yaml_io.parse("[3e-4, 1e6, -2.5E+3, .5e1, 0.1, 7, lin_3e-4, e5]", "") == [
        3e-4,
        1e6,
        -2500.0,
        5.0,
        0.1,
        7,
        "lin_3e-4",
        "e5",
    ]
    config = run_config.from_mapping(
        {"n_timesteps": 1e6, "learning_rate": "lin_3e-4", "eval": {"every": 1e5}}
    )
    assert (config.n_timesteps, config.eval.every) == (1_000_000, 100_000)
    assert isinstance(config.n_timesteps, int)


def test_rl_zoos_own_form(tmp_path):
    file = tmp_path / "zoo.yml"
    file.write_text(
        "WildRobot-v0:\n  n_timesteps: !!float 1e6\n  learning_rate: lin_1e-3\n"
        '  policy_kwargs: "dict(net_arch=dict(pi=[64], vf=[32]), activation_fn=nn.ELU,'
        ' log_std_init=-1)"\n'
    )
    config = run_config.load(str(file), ["policy_kwargs.log_std_init=-2", "n_envs=8"], seed=5)
    assert config.ppo.policy_kwargs == {
        "net_arch": {"pi": [64], "vf": [32]},
        "activation_fn": "elu",
        "log_std_init": -2,
    }
    assert (config.n_timesteps, config.env.n_envs, config.seed) == (1_000_000, 8, 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_timestep": 1}, "Did you mean 'n_timesteps'"),
        ({**MINIMAL, "amp": {"wieght": 1}}, "Did you mean 'weight'"),
        ({**MINIMAL, "amp": {"weight": 1}}, "amp.reference is missing"),
        ({**MINIMAL, "env_kwargs": {"rewads": {}}}, "Did you mean 'rewards'"),
        (
            {**MINIMAL, "env_kwargs": {"reset": {"joint_niose": 1}}},
            r"env_kwargs.reset.*Did you mean 'joint_noise'",
        ),
        ({**MINIMAL, "critic_obs": True}, "critic_obs is true, but env_kwargs.privileged names no"),
        ({**MINIMAL, "critic_obs": 1}, "critic_obs"),
        ({**MINIMAL, "eval": {"evry": 1}}, "Did you mean 'every'"),
        ({**MINIMAL, "eval": {"seed": -1}}, "eval: seed is -1; allowed"),
        ({**MINIMAL, "eval": {"commands": [0.4, 0.4]}}, "eval: commands .* each once"),
        ({**MINIMAL, "n_envs": 0}, "n_envs is 0; allowed"),
        ({**MINIMAL, "n_envs": 1.5}, "n_envs must be int"),
        ({**MINIMAL, "env_id": "Walker2d-v5"}, "env_id"),
        ({}, "n_timesteps is missing"),
        ({"n_timesteps": 0}, "n_timesteps is 0; allowed"),
        ({**MINIMAL, "amp": 3}, "amp must be a mapping of settings, or null, got 3"),
        ({**MINIMAL, "env_kwargs": [1]}, r"env_kwargs must be a mapping of settings, got \[1\]"),
        ({**MINIMAL, "eval": [1]}, r"eval must be a mapping of settings, or null, got \[1\]"),
        ({**MINIMAL, "learning_rate": "fast"}, "learning_rate is 'fast'"),
        ({**MINIMAL, "learning_rate": -1}, "learning_rate is -1.0; allowed"),
        ({**MINIMAL, "clip_range_vf": -1}, "clip_range_vf is -1.0; allowed"),
        ({**MINIMAL, "gamma": 7}, "gamma is 7.0; allowed: 0 to 1"),
        ({**MINIMAL, "max_grad_norm": 0}, "max_grad_norm is 0.0; allowed"),
        ({**MINIMAL, "critic_learning_rate": 0}, "critic_learning_rate is 0.0; allowed"),
        ({**MINIMAL, "vf_coef": -1}, "vf_coef is -1.0; allowed"),
        ({**MINIMAL, "seed": -1}, "seed is -1; allowed"),
        ({**MINIMAL, "policy": "MlpPolcy"}, "Did you mean 'MlpPolicy'"),
        ({**MINIMAL, "policy_kwargs": {"actvation_fn": "elu"}}, "Did you mean 'activation_fn'"),
        ({**MINIMAL, "amp": {"reference": "x", "loss": "lsgna"}}, "Did you mean 'lsgan'"),
        (
            {**MINIMAL, "amp": {"reference": "x", "warm_start": {"stesp": 1}}},
            r"amp.warm_start.*Did you mean 'steps'",
        ),
        (
            {**MINIMAL, "amp": {"reference": "x", "score_temperature": 0}},
            r"amp.score_temperature is 0; allowed",
        ),
        (
            {**MINIMAL, "env_id": "WildRobotTrack-v0"},
            r"eval.every is 1000000, but WildRobotTrack-v0 has no walk benchmark",
        ),
        (
            {**MINIMAL, "amp": {"reference": "x", "warm_start": {"noise": -1}}},
            r"warm_start.noise is -1\.0",
        ),
    ],
)
def test_wrong_settings_are_named(values, message):
    with pytest.raises((ConfigError, AMPError), match=message):
        run_config.from_mapping(values)


def test_yaml_as_rl_zoos_files_have_it_and_as_nobody_should():
    merged = yaml_io.parse("defaults: &d {n_envs: 8, gamma: 0.9}\nrun: {<<: *d, gamma: 0.8}", "")
    assert merged["run"] == {"n_envs": 8, "gamma": 0.8}
    deep = yaml_io.parse("d: &d {g: 1}\nx: {y: &a {<<: *d, g: 2}}\nrun: {<<: *a}", "")
    assert deep["run"] == deep["x"]["y"] == {"g": 2}
    with pytest.raises(ConfigError, match="Key 'gamma' stands twice"):
        yaml_io.parse("{gamma: 1, gamma: 2}", "")
    for text in ("!!int x", "!!float x", "!!bool x", "!!timestamp x", "!!map foo"):
        with pytest.raises(ConfigError, match=r"f\.yaml is not valid YAML"):
            yaml_io.parse(text, "f.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("n_envs", "is not key=value"),
        ("n_envs.x=1", "is not a section"),
        ("amp.wieght=1", "weight"),
        ("seed=[", "not valid YAML"),
    ],
)
def test_wrong_overrides_are_named(override, message):
    with pytest.raises(ConfigError, match=message):
        run_config.load("smoke", [override])


def test_rl_zoos_form_around_no_mapping(tmp_path):
    file = tmp_path / "zoo.yml"
    file.write_text("WildRobot-v0: [1]\n")
    with pytest.raises(ConfigError, match=r"must hold a mapping of settings, .* it holds"):
        run_config.load(str(file))


def test_null_switches_the_evaluation_off():
    assert run_config.from_mapping({"n_timesteps": 1, "eval": None}).eval.every == 0


def test_overrides():
    config = run_config.load(
        "smoke",
        ["amp.weight=0.25", "env_kwargs.rewards.alive=1e-2", "policy_kwargs.log_std_init=-2"],
    )
    assert config.amp.weight == 0.25
    rewards = run_config.load("smoke").to_mapping()["env_kwargs"]["rewards"]
    assert config.to_mapping()["env_kwargs"]["rewards"] == {**rewards, "alive": 0.01}
    assert config.ppo.policy_kwargs["log_std_init"] == -2
    plain = run_config.load("smoke", ["amp=null"])
    assert plain.amp is None and plain.reference is None


def test_unknown_files_name_the_shipped_ones(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'walk_amp'"):
        run_config.load("walk_apm")
    with pytest.raises(ConfigError, match="walk_synthetic"):
        run_config.find_motion("walk_wildrobt")
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: 1\na: 2\n")
    with pytest.raises(ConfigError, match="stands twice"):
        run_config.load(str(bad))
    bad.write_text("- 1\n")
    with pytest.raises(ConfigError, match="must hold a mapping"):
        run_config.load(str(bad))
    bad.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError):
        run_config.load(str(bad))


def test_policy_kwargs_text_is_read_as_syntax():
    text = (
        "dict(net_arch=dict(pi=[256, 128], vf=(256,)), activation_fn=nn.ELU, log_std_init=-1.5,"
        " ortho_init=False)"
    )
    assert parse_policy_kwargs(text) == {
        "net_arch": {"pi": [256, 128], "vf": [256]},
        "activation_fn": "elu",
        "log_std_init": -1.5,
        "ortho_init": False,
    }
    assert parse_policy_kwargs("{'log_std_init': 0}") == {"log_std_init": 0}
    assert parse_policy_kwargs(None) == {}


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "dict(a=open('/etc/passwd'))",
        "dict(**globals())",
        "dict(a=[x for x in (1,)])",
        "dict(a=os.path)",
        "dict(a=",
        "5",
    ],
)
def test_policy_kwargs_text_is_never_run(text):
    with pytest.raises(ConfigError, match="policy_kwargs"):
        parse_policy_kwargs(text)


def test_a_run_is_resumed_with_the_same_settings_however_they_are_written(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.begin(run_config.load("smoke"))
    same = run_config.load(
        "smoke",
        ["amp.loss=lsgan", "amp.r1_gamma=5", "env_kwargs.control_dt=0.02", "n_timesteps=2048"],
    )
    check_same_run(run, same)
    with pytest.raises(
        RunError, match=r"other settings\. amp\.r1_gamma: run 5\.0, asked 6\. Use the same"
    ):
        check_same_run(run, run_config.load("smoke", ["amp.r1_gamma=6"]))
    with pytest.raises(RunError, match=r"amp\.weight: run 0\.1, asked None"):
        check_same_run(run, run_config.load("smoke", ["amp=null"]))
