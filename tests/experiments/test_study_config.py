"""What a study's file says: settings, digests, and what is refused before anything runs."""

from pathlib import Path

import pytest
from study_files import write

from wildrobot_gym.cli.main import main
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.experiments.study.config import Study, digest, load_study
from wildrobot_gym.experiments.study.study import study_runs
from wildrobot_gym.paths import STUDIES
from wildrobot_gym.training import config as run_config


@pytest.mark.parametrize("name", sorted(path.stem for path in STUDIES.glob("*.yaml")))
def test_shipped_studies_are_complete_and_have_one_baseline(name):
    _, shipped = load_study(name)
    arms = study_runs(shipped)
    assert digest(arms["base"][0].config) == digest(load_study("amp")[1].resolve()["base"])
    assert shipped.baseline == "base"
    assert len({digest(runs[0].config) for runs in arms.values()}) == len(
        arms
    )  # no arm is another's twin
    assert all(runs[seed].config.seed == seed for runs in arms.values() for seed in (0, 1, 2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": {"base": {}, "gp": {"amp.lsos": "bce"}}}, r"Arm 'gp'.*Did you mean 'loss'"),
        (
            {"arms": {"gp": {"amp.loss": "bce", "amp.reward": "quadratic"}}},
            r"Arm 'gp'.*'quadratic' does not fit",
        ),
        (
            {"arms": {"gp": {"amp.loss.x": 1}, "base": {}}, "set": {"amp.loss": "bce"}},
            "'loss' is not a section",
        ),
        ({"arms": {"other": {"config": "smoek"}}}, r"Arm 'other'.*Did you mean 'smoke'"),
        ({"arms": {"other": {"seed": 4}}}, "seed cannot be set"),
        ({"arms": {"other": {"amp.reference": "walk_synthetc"}}}, "Did you mean 'walk_synthetic'"),
        ({"arms": {"other": {"env_kwargs.robot": "wildrbot"}}}, "Did you mean 'wildrobot'"),
        ({"arms": {"other": {"env_kwargs.backend": "nativ"}}}, "Did you mean 'native'"),
        ({"arms": {"other": {"trained_agent": "wlak"}}}, "Did you mean 'walk'"),
        ({"arms": {"track": {"config": "track"}}}, "env_id is 'WildRobotTrack-v0'"),
        ({"arms": {}}, "needs arms"),
        ({"arms": {"base": 3}}, "arms.base must be a mapping"),
        ({"episods": 3}, "Did you mean 'episodes'"),
        ({"seeds": [0, 0]}, "each once"),
        ({"seeds": [0, -1]}, "seed is -1"),
        ({"seeds": 3}, "seeds must be a list"),
        ({"episodes": 0}, "episodes is 0"),
        ({"commands": [0.4, 0.4]}, "each once"),
        ({"against": "bsae"}, "Did you mean 'base'"),
    ],
)
def test_wrong_studies_are_refused_before_anything_runs(here, fake, capsys, changes, message):
    assert main(["study", write(**changes)]) == 2
    with pytest.raises(ConfigError, match=message):
        study_runs(load_study("tiny.yaml")[1])
    assert fake.calls == [] and not Path("runs").exists()
    assert "Traceback" not in capsys.readouterr().err


def test_unknown_studies_and_jobs(here, capsys):
    assert main(["study", "histroy"]) == 2
    assert "Did you mean 'history'" in capsys.readouterr().err
    assert main(["study", write(), "--jobs", "0"]) == 2


def test_the_digest_covers_what_the_policy_depends_on():
    def of(*settings, seed=0):
        return digest(run_config.load("smoke", settings, seed))

    same = [
        of("eval.every=0"),
        of("keep_checkpoints=1"),
        of("checkpoint_every=64"),
        of(seed=5),
        of("vf_coef=0.5"),
    ]
    same += [
        of("amp.loss=lsgan"),
        of("env_kwargs.commands.vx=[0.0, 1.0]"),
        of("amp.schedule={initial: 1.0}"),
    ]
    assert {*same} == {of()}
    assert (
        of("amp.r1_gamma=10")
        == of("amp.r1_gamma=10.0")
        == of("amp.r1_gamma=10", "env_kwargs.features.contacts=force")
    )
    assert of("amp.warm_start={}") == of("amp.warm_start.steps=4000") != of()
    # A mapping whose default, {waist_yaw: 0.5}, is replaced as a whole.
    joints = "env_kwargs.action.joint_scale"
    assert (
        len(
            {
                of(),
                of(f"{joints}={{a: 1.0}}"),
                of(f"{joints}={{a: 1.0, waist_yaw: 0.5}}"),
                of(f"{joints}={{}}"),
            }
        )
        == 4
    )
    assert (
        len({of(), of("n_timesteps=2048"), of("amp.weight=0.2"), of("amp=null"), of("gamma=0.9")})
        == 5
    )
    resolved = Study(
        {"a": {"amp.weight": 0.2, "gamma": 0.9}, "b": {"gamma": 0.9, "amp.weight": 0.2}}, "smoke"
    ).resolve()
    assert digest(resolved["a"]) == digest(resolved["b"]) == of("gamma=0.9", "amp.weight=0.2")
    # With a default that has changed since, old runs keep their digest.
    arms = Study(
        {"layer": {}, "spectral": {"amp.normalization": "spectral"}},
        "walk_amp",
        {"n_timesteps": 4e6, "symmetric_policy": "mean"},
    ).resolve()
    assert [digest(config) for config in arms.values()] == ["3e0d0424383d", "453f07aa5aee"]


def test_later_settings_replace_earlier_ones():
    arms = {"a": None, "b": {"amp.weight": 0.4}, "c": {"config": "walk_ppo"}, "d": {"amp": None}}
    resolved = Study(
        arms, "smoke", {"n_timesteps": 2e3, "amp.weight": 0.3} | {"env_kwargs.rewards.slip": -3}
    ).resolve
    with pytest.raises(
        ConfigError, match=r"Arm 'c'.*amp.reference is missing"
    ):  # `set` makes it an amp section
        resolved()
    del arms["c"]
    configs = resolved()
    assert [config.n_timesteps for config in configs.values()] == [2000] * 3
    assert [config.amp and config.amp.weight for config in configs.values()] == [0.3, 0.4, None]
    assert all(config.env.env_kwargs()["rewards"]["slip"] == -3 for config in configs.values())
