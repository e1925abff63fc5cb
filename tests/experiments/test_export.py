"""Exported policies compute what the policies do, and nothing else is taken for one."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from gymnasium.vector import AutoresetMode

from amp_sbx import AMPPPO, GymnasiumVecEnv
from amp_sbx.algorithm.plain_actor import PlainActor, plain_actor
from amp_sbx.algorithm.policy_kwargs import _REGISTRIES
from amp_sbx.common.errors import ConfigError
from amp_sbx.common.mirror import Mirror
from wildrobot_gym import RunError
from wildrobot_gym.cli.main import main
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.description import NetworkSpec
from wildrobot_gym.deploy.golden import check_golden
from wildrobot_gym.deploy.network import NumpyNetwork, OnnxNetwork, load_network
from wildrobot_gym.deploy.reading import load_description
from wildrobot_gym.errors import MissingPackageError
from wildrobot_gym.experiments.export import export as library
from wildrobot_gym.experiments.export.onnx_file import OPSET, onnx_model
from wildrobot_gym.experiments.settings import ExportSettings
from wildrobot_gym.paths import POLICIES
from wildrobot_gym.training.policy import load_policy

FORMATS = ("onnx", "npz")
ENVS, STEPS = 40, 250  # 10,000 observations


@pytest.fixture(scope="module")
def walk():
    return load_policy("walk")


@pytest.fixture(scope="module")
def recorded(walk):
    return library.record_instants(walk, ENVS, STEPS)


@pytest.fixture(scope="module")
def exported(walk, recorded, tmp_path_factory):
    """The shipped policy in both formats."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "record_instants", lambda *_: recorded.first(10, 50))
        for name in FORMATS:
            library.export_policy(walk, folder / name, ExportSettings(format=name))
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_ten_thousand_actions_of_real_rollouts_are_the_policys(exported, recorded, walk, name):
    network = load_network(exported / name, load_description(exported / name))
    observations = recorded.observation
    assert len(observations) == ENVS * STEPS
    actions, _ = walk.predict(observations)
    assert np.abs(actions).max() > 0.5  # it walks
    assert np.abs(network(observations) - actions).max() < 1e-5


@pytest.mark.parametrize("name", FORMATS)
def test_golden_vectors_of_the_environment_hold_without_jax(exported, name):
    errors = check_golden(exported / name)
    assert set(errors) == {"observation", "action", "filtered", "target"}


@pytest.mark.parametrize("way", ["none", "mean", "equivariant"])
def test_every_symmetric_form_is_exported_whole(recorded, walk, way, tmp_path):
    env = walk.make_vec_env(1, backend="native", autoreset_mode=AutoresetMode.SAME_STEP)
    network = {"net_arch": [24, 16], "activation_fn": "elu"}
    sizes = {"n_steps": 8, "batch_size": 8, "seed": 3}
    with_env = GymnasiumVecEnv(env)
    model = AMPPPO("MlpPolicy", with_env, symmetric_policy=way, policy_kwargs=network, **sizes)
    env.close()
    randomize(model)
    observations = recorded.observation[::33]
    actions = model.predict(observations, deterministic=True)[0]
    assert np.abs(actions).max() == 1.0 and np.abs(actions).std() > 0.1
    actor = plain_actor(model)
    assert [len(bias) for _, bias in actor.layers] == [24, 16, 9]
    assert (actor.mirror is None) == (way != "mean")
    for network in networks(actor, tmp_path):
        assert np.abs(network(observations) - actions).max() < 1e-5


def randomize(model):
    """Random numbers in the actor, biases included."""
    import jax

    rng = np.random.default_rng(4)
    state = model.policy.actor_state
    params = jax.tree.map(
        lambda leaf: rng.normal(0.0, 0.3, leaf.shape).astype(np.float32), state.params
    )
    model.policy.actor_state = state.replace(params=params)


def networks(actor, folder):
    """The actor in onnxruntime and in NumPy."""
    for name in FORMATS:
        library.write_network(folder / f"p.{name}", name, actor, {})
    spec = NetworkSpec(
        file="p.npz",
        format="npz",
        sha256="",
        layers=tuple(len(bias) for _, bias in actor.layers),
        activation=actor.activation,
        mirror=None
        if actor.mirror is None
        else SimpleNamespace(
            **{
                name: np.array(value, np.int64 if name.endswith("ids") else np.float32)
                for name, value in vars(actor.mirror).items()
            }
        ),
        low=-1.0,
        high=1.0,
    )
    return OnnxNetwork(folder / "p.onnx"), NumpyNetwork(spec, folder / "p.npz")


@pytest.mark.parametrize("activation", sorted(_REGISTRIES["activation_fn"]))
def test_every_activation_is_jaxs(activation, tmp_path):
    rng = np.random.default_rng(0)
    eye = np.eye(5, dtype=np.float32)
    layers = ((eye, np.zeros(5, np.float32)), (0.2 * eye, np.zeros(5, np.float32)))
    actor = PlainActor(layers, activation, None, -np.ones(5), np.ones(5))
    x = rng.uniform(-4, 4, (200, 5)).astype(np.float32)
    wanted = 0.2 * np.asarray(_REGISTRIES["activation_fn"][activation](x))
    for network in networks(actor, tmp_path):
        assert np.abs(network(x) - wanted).max() < 1e-6


def test_mean_over_both_passes_by_hand(tmp_path):
    kernel = np.array([[1.0, 0.0], [0.0, 2.0]], np.float32)
    mirror = Mirror((0, 1), (1.0, -1.0), (1, 0), (-1.0, -1.0))
    actor = PlainActor(((kernel, np.zeros(2, np.float32)),), "elu", mirror, -np.ones(2), np.ones(2))
    x = np.array([[0.2, 0.3]], np.float32)
    # f(x) = (0.2, 0.6); the image sees (0.2, -0.6), which is mirrored back to (0.6, -0.2).
    for network in networks(actor, tmp_path):
        np.testing.assert_allclose(network(x), [[0.4, 0.2]], atol=1e-6)


def test_what_the_files_say(exported, wildrobot):
    described = load_description(exported / "onnx")
    assert described.joint_names == wildrobot.joint_names
    assert described.robot_digest == wildrobot.digest
    assert described.obs_dim == 210 and described.control_dt == 0.02
    assert described.command_ranges["vx"] == (0.0, 0.9)
    waist, hip = described.joints[:2]
    assert (waist.scale, hip.scale, hip.home, hip.low) == (0.5, 1.0, 0.25, -0.0873)
    assert (hip.kp, hip.kd, hip.force_limit) == (21.1, 0.5, 4.0)
    assert described.content["license"] == "MIT"
    benchmark = described.content["benchmark"]["commands"]
    results = json.loads((POLICIES / "walk" / "results.json").read_text())["commands"]
    assert benchmark["0.6"]["success"] == results["0.6"]["success"]["mean"]
    model = onnx.load(exported / "onnx" / "policy.onnx")
    assert [entry.version for entry in model.opset_import] == [OPSET]
    inside = json.loads({p.key: p.value for p in model.metadata_props}["wildrobot"])
    assert inside["joints"] == described.content["joints"]


def test_the_command_writes_the_same_files(walk, recorded, exported, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(library, "load_policy", lambda _: walk)
    monkeypatch.setattr(library, "record_instants", lambda *_: recorded.first(10, 50))
    arguments = ["export", "walk", "--out", str(tmp_path / "policy")]
    assert main(arguments) == 0
    assert "observations" in capsys.readouterr().out
    assert {f.name for f in (tmp_path / "policy").iterdir()} == {
        "policy.onnx",
        "policy.json",
        "golden.npz",
    }
    ours, theirs = (f / "policy.onnx" for f in (tmp_path / "policy", exported / "onnx"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0


def test_results_of_another_policy_are_refused(walk, tmp_path):
    results = json.loads((POLICIES / "walk" / "results.json").read_text())
    results["policy"]["num_timesteps"] = 7
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results))
    with pytest.raises(RunError, match="trained for 7 steps"):
        library.export_policy(walk, tmp_path / "out", ExportSettings(results=file))
    file.write_text("[]")
    with pytest.raises(RunError, match="holds no results"):
        library.export_policy(walk, tmp_path / "out", ExportSettings(results=file))
    assert not (tmp_path / "out").exists()


def test_a_wrong_network_is_found_and_nothing_counts_as_written(
    walk, recorded, tmp_path, monkeypatch
):
    wrong = plain_actor(walk.model)
    wrong.layers[-1][1][3] += 1e-3  # a knee; the mean of both passes cancels the waist's
    monkeypatch.setattr(library, "plain_actor", lambda _: wrong)
    monkeypatch.setattr(library, "record_instants", lambda *_: recorded.first(2, 25))
    with pytest.raises(RunError, match="differ from the policy's own"):
        library.export_policy(walk, tmp_path / "out")
    with pytest.raises(RunError, match="holds no exported policy"):
        Controller.load(tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_without_onnx_the_message_names_the_extra(walk, recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(library, "record_instants", lambda *_: recorded.first(2, 25))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match=r"wildrobot\[export\]"):
        library.export_policy(walk, tmp_path / "out")


def test_an_unnamed_activation_is_refused(walk):
    import jax.numpy as jnp

    network = walk.model.policy.actor.clone(activation_fn=jnp.sin)
    policy = SimpleNamespace(actor=network, actor_state=walk.model.policy.actor_state)
    model = SimpleNamespace(
        policy=policy,
        action_space=walk.model.action_space,
        observation_space=walk.model.observation_space,
    )
    with pytest.raises(ConfigError, match="no name"):
        plain_actor(model)


def test_onnx_of_an_unknown_activation_is_refused():
    layer = np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
    actor = PlainActor((layer, layer), "sine", None, -np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="no ONNX operator"):
        onnx_model(actor, {})
