"""WildRobotVectorEnv.

Autoreset modes, partial resets, seeds, staggering, windows, saved states, bad input.
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from typing import Any

import gymnasium as gym
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import wildrobot_gym  # noqa: F401  registers the environment
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.errors import (
    ActionError,
    ConfigError,
    PhysicsError,
    RobotError,
    UnknownArgumentError,
    WildRobotError,
)
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.rotations import gravity_direction, rotate, to_heading
from wildrobot_gym.task.config import FeatureConfig
from wildrobot_gym.task.features import make_frame_features

N = 4
LIMIT = 6
DIM = 29  # features of one frame
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED]


def make(
    mode: Any = AutoresetMode.NEXT_STEP,
    num_envs: int = N,
    limit: int | None = LIMIT,
    **settings: Any,
) -> Any:
    settings.setdefault("reset", {"stagger": False})
    return WildRobotVectorEnv(num_envs, limit, autoreset_mode=mode, num_threads=1, **settings)


@pytest.fixture(params=["native", "native-jax", pytest.param("mjx", marks=pytest.mark.slow)])
def backend(request: pytest.FixtureRequest) -> str:
    """Every physics engine in turn."""
    return request.param


def put(env: Any, robot: int, joint: int, value: float) -> None:
    """Set one number of a robot's pose in physics."""
    if env.backend == "native":
        env._simulation.physics.qpos[robot, joint] = value
        return
    state = env.functional_state
    if env.backend == "native-jax":  # float64 as pairs of uint32: the time, then the pose
        rows = np.array(state.engine).view(np.float64)
        rows[robot, 1 + joint] = value
        engine: Any = jnp.asarray(rows.view(np.uint32))
    else:
        engine = state.engine.replace(qpos=state.engine.qpos.at[robot, joint].set(value))
    env.functional_state = state.replace(engine=engine)


def task_of(env: Any) -> Any:
    return env._simulation.task_state


def compiled(env: Any) -> Any:
    return env._simulation._batched


def actions(step: int, num_envs: int = N, joints: int = 9) -> np.ndarray:
    return 0.3 * np.sin(0.7 * step + np.arange(joints) + 2.0 * np.arange(num_envs)[:, None]).astype(
        np.float32
    )


def rollout(env: Any, steps: int, first: int = 0) -> list:
    return [
        env.step(actions(first + i, env.num_envs, env.single_action_space.shape[0]))
        for i in range(steps)
    ]


def assert_equal(a: Any, b: Any, rows: Any = slice(None)) -> None:
    """Bit for bit, through tuples, dicts and object arrays."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_equal(a[key], b[key], rows)
    elif isinstance(a, tuple | list):
        for x, y in zip(a, b, strict=True):
            assert_equal(x, y, rows)
    elif isinstance(a, np.ndarray) and a.dtype == object:
        for x, y in zip(a[rows], b[rows], strict=True):
            np.testing.assert_array_equal(x, y)
    else:
        np.testing.assert_array_equal(np.asarray(a)[rows], np.asarray(b)[rows])


# --- one step ---


@pytest.mark.parametrize("name", ["wildrobot", "wildrobot_8dof"])
def test_observation_follows_its_table(name: str) -> None:
    env = make(robot=name, limit=None)
    n = env.robot.num_joints
    obs, _ = env.reset(seed=0)
    filtered = np.zeros((N, n))
    for step in range(4):
        raw = 3 * actions(step, N, n)
        filtered = 0.7 * np.clip(raw, -1, 1) + 0.3 * filtered
        obs, reward, *_, infos = env.step(raw)
    state = jax.tree.map(jnp.asarray, env.physics_state)
    quat = state.base_quat_w
    table = [
        (state.joint_pos - env.robot.home_joint_pos, 1.0),
        (state.joint_vel, 0.1),
        (to_heading(quat, state.qvel[:, :3]), 1.0),
        (to_heading(quat, rotate(quat, state.qvel[:, 3:6])), 0.25),
        (gravity_direction(quat), 1.0),
        (env.command, 1.0),
        (filtered, 1.0),
    ]
    np.testing.assert_allclose(
        obs, np.concatenate([np.asarray(x) * f for x, f in table], axis=1), atol=1e-5
    )
    assert obs.shape == (N, 3 * n + 12) == env.observation_space.shape
    assert env.observation_space.contains(obs)
    terms = [v for k, v in infos.items() if k.startswith("reward_")]
    np.testing.assert_allclose(np.sum(terms, axis=0), reward, rtol=1e-5, atol=1e-7)
    features = np.asarray(make_frame_features(env.robot, FeatureConfig())(state))
    assert features.shape[1] == 2 * n + 11
    np.testing.assert_allclose(infos["amp_obs"][:, -features.shape[1] :], features, atol=1e-5)


def test_returned_arrays_are_the_callers_own(backend: str) -> None:
    for mode in MODES:
        env, twin = make(mode, backend=backend), make(mode, backend=backend)
        results = [env.reset(seed=0)], [twin.reset(seed=0)]
        for step in range(LIMIT + 3):
            assert_equal(results[0][-1], results[1][-1])
            spoilt = results[0][-1]
            for array in (*spoilt[:-1], *spoilt[-1].values()):
                if isinstance(array, np.ndarray) and array.dtype != object and array.dtype != bool:
                    assert array.flags.writeable
                    array[...] = 1e9
            given = actions(step)
            results[0].append(env.step(given))
            results[1].append(twin.step(actions(step)))
            np.testing.assert_array_equal(given, actions(step))


# --- autoreset modes ---


def test_next_step(backend: str) -> None:
    env = make(backend=backend)
    env.reset(seed=0)
    steps = rollout(env, LIMIT)
    assert [s[3].tolist() for s in steps] == [[False] * N] * (LIMIT - 1) + [[True] * N]
    last = steps[-1]
    obs, reward, terminated, truncated, infos = env.step(actions(9))
    assert not terminated.any() and not truncated.any()
    np.testing.assert_array_equal(reward, 0)
    assert not any(np.any(v) for k, v in infos.items() if k != "amp_obs")
    assert np.abs(obs[:, -9:]).max() == 0  # a new episode: no action yet
    assert np.abs(last[0][:, -9:]).max() > 0
    np.testing.assert_array_equal(env.amp_obs, infos["amp_obs"])
    windows = infos["amp_obs"].reshape(N, -1, DIM)
    np.testing.assert_array_equal(windows, np.repeat(windows[:, -1:], windows.shape[1], axis=1))
    assert not rollout(env, LIMIT - 1)[-1][3].any()
    assert rollout(env, 1)[-1][3].all()


def test_same_step_has_the_finals(backend: str) -> None:
    modes = (AutoresetMode.SAME_STEP, AutoresetMode.DISABLED)
    same, disabled = (make(mode, backend=backend) for mode in modes)
    same.reset(seed=0)
    disabled.reset(seed=0)
    got, want = rollout(same, LIMIT), rollout(disabled, LIMIT)
    assert_equal(got[:-1], want[:-1])
    obs, reward, terminated, truncated, infos = got[-1]
    assert truncated.all() and not terminated.any()
    np.testing.assert_array_equal(reward, want[-1][1])
    assert infos["_final_obs"].all() and infos["_final_info"].all()
    assert infos["final_obs"].dtype == object
    for i in range(N):
        np.testing.assert_array_equal(infos["final_obs"][i], want[-1][0][i])
    assert (obs != want[-1][0]).any(axis=1).all()
    assert np.abs(obs[:, -9:]).max() == 0
    for name, value in want[-1][4].items():  # the step's own metrics, from before the reset
        np.testing.assert_array_equal(infos["final_info"][name], value)
        np.testing.assert_array_equal(infos[name], value)
        assert infos["final_info"][f"_{name}"].all()
    assert (same.amp_obs != infos["amp_obs"]).any(axis=1).all()  # those of the new episodes
    np.testing.assert_array_equal(disabled.amp_obs, want[-1][4]["amp_obs"])
    assert "final_obs" not in same.step(actions(0))[4]


def test_a_fall_ends_only_its_own_episode(backend: str) -> None:
    for mode in MODES:
        env, twin = make(mode, limit=None, backend=backend), make(mode, limit=None, backend=backend)
        for e in (env, twin):
            e.reset(seed=1)
        put(env, 2, 2, 0.75)
        got, want = env.step(actions(0)), twin.step(actions(0))
        assert got[2].tolist() == [False, False, True, False]
        assert not got[3].any()
        rows = [0, 1, 3]
        assert_equal(got[:4], want[:4], rows)
        assert_equal(got[4]["amp_obs"], want[4]["amp_obs"], rows)
        if mode == AutoresetMode.SAME_STEP:
            assert got[4]["_final_obs"].tolist() == [False, False, True, False]
            assert got[4]["final_obs"][0] is None
            assert got[4]["final_obs"][2].shape == (39,)
        assert_equal(env.step(actions(1))[:4], twin.step(actions(1))[:4], rows)


def test_a_blow_up_is_flagged_and_stays_alone(tmp_path, monkeypatch, backend: str) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo's log
    for mode in MODES:
        env, twin = make(mode, limit=None, backend=backend), make(mode, limit=None, backend=backend)
        for e in (env, twin):
            e.reset(seed=1)
        rows = [0, 1, 3]
        for step in range(3):
            put(env, 2, 8, np.nan)
            newest = env.amp_obs[2].reshape(-1, DIM)[-1]
            got, want = env.step(actions(step)), twin.step(actions(step))
            restarting = mode == AutoresetMode.NEXT_STEP and step == 1
            assert (
                got[4]["diverged"].tolist()
                == got[2].tolist()
                == [False, False, not restarting, False]
            )
            assert all(np.isfinite(x).all() for x in (got[0], got[1], got[4]["amp_obs"]))
            if not restarting:  # the last frame is repeated, not the home pose
                window = got[4]["amp_obs"][2].reshape(-1, DIM)
                np.testing.assert_array_equal(window[-1], newest)
            assert_equal(got[:4], want[:4], rows)
        assert env.num_diverged == (2 if mode == AutoresetMode.NEXT_STEP else 3)


def test_disabled_resets_by_mask_and_leaves_the_others_untouched(backend: str) -> None:
    env, twin = (make(AutoresetMode.DISABLED, limit=100, backend=backend) for _ in range(2))
    for e in (env, twin):
        e.reset(seed=0)
        last = rollout(e, 3)[-1]
    before = jax.tree.map(np.array, env.physics_state)
    mask = np.array([False, True, False, True])
    options = {"reset_mask": mask}
    obs, infos = env.reset(options=options)
    assert options == {"reset_mask": mask}  # a wrapper above reads it too
    assert_equal(obs, last[0], ~mask)
    assert_equal(infos["amp_obs"], last[4]["amp_obs"], ~mask)
    assert np.abs(obs[mask, -9:]).max() == 0
    assert_equal(jax.tree.leaves(env.physics_state), jax.tree.leaves(before), ~mask)
    # The others' whole future is what it would have been, commands drawn later too.
    for step in range(3):
        assert_equal(env.step(actions(step))[:4], twin.step(actions(step))[:4], ~mask)
    np.testing.assert_array_equal(
        np.asarray(task_of(env).key)[~mask],
        np.asarray(task_of(twin).key)[~mask],
    )
    assert np.asarray(task_of(env).step_count).tolist() == [6, 3, 6, 3]


def test_a_partial_reset_with_a_seed(backend: str) -> None:
    env = make(AutoresetMode.DISABLED, limit=100, backend=backend)
    first, _ = env.reset(seed=7)
    mask = np.array([True, False, False, True])
    last = rollout(env, 2)[-1]
    obs, _ = env.reset(seed=7, options={"reset_mask": mask})
    np.testing.assert_array_equal(obs[mask], first[mask])
    np.testing.assert_array_equal(obs[~mask], last[0][~mask])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones(3, bool), r"shape \(4,\)"),
        (np.ones(N), "bool"),
        ([1, 0, 0, 0], "bool"),
        (np.zeros(N, bool), "at least one"),
    ],
)
def test_wrong_reset_masks(mask: Any, message: str) -> None:
    env = make(AutoresetMode.DISABLED)
    env.reset(seed=0)
    with pytest.raises(ConfigError, match=message):
        env.reset(options={"reset_mask": mask})


def test_the_first_reset_is_a_full_one() -> None:
    with pytest.raises(ConfigError, match="first reset must be a full one"):
        make(AutoresetMode.DISABLED).reset(
            options={"reset_mask": np.array([True, False, True, True])}
        )


# --- windows and resets ---


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_no_window_spans_a_reset(mode: AutoresetMode) -> None:
    env = make(mode, features={"history": {"frames": 3, "stride": 2}})
    _, infos = env.reset(seed=0)
    frames, episode = [infos["amp_obs"].reshape(N, 3, DIM)[:, -1]], 0
    for _, _, _, truncated, infos in rollout(env, 3 * LIMIT):
        windows = infos["amp_obs"].reshape(N, 3, DIM)
        new = mode == AutoresetMode.NEXT_STEP and len(frames) > LIMIT
        if new:
            frames, episode = [], episode + 1
        frames.append(windows[:, -1])
        if mode == AutoresetMode.SAME_STEP and episode and len(frames) == 1:
            frames.insert(0, windows[:, 0])  # the frame of the reset itself is seen only as past
        for k, back in enumerate((4, 2, 0)):
            np.testing.assert_array_equal(windows[:, k], frames[max(len(frames) - 1 - back, 0)])
        if mode == AutoresetMode.SAME_STEP and truncated.all():
            frames, episode = [], episode + 1
    assert episode >= 2


@pytest.mark.parametrize(
    "features",
    [
        {"history": {"frames": 1, "stride": 1}},
        {"history": {"frames": 3, "stride": 2}, "velocities": "finite_difference"},
    ],
)
def test_a_start_in_the_reference_shows_the_references_own_window(features: dict[str, Any]) -> None:
    """Contacts and height too, though a robot that was just put there is lifted out of the floor
    and carries another load.
    """
    env = make(
        num_envs=16, reference="walk_human", features=features, reset={"reference_fraction": 1.0}
    )
    _, infos = env.reset(seed=0)
    known = ReferenceDataset.load("walk_human", env.robot, env.config.features).windows
    for window in infos["amp_obs"]:
        assert np.abs(known - window).max(axis=1).min() < 1e-6
    rollout(env, 2)


# --- staggering and seeds ---


def test_first_episodes_end_a_few_at_a_time() -> None:
    env = make(
        num_envs=10,
        limit=20,
        reset={"stagger": True},
        termination={"min_height": 0.0, "max_height": 9.0},
    )
    env.reset(seed=0)
    limits = np.sort(np.asarray(task_of(env).episode_limit))
    np.testing.assert_array_equal(limits, 1 + 2 * np.arange(10))
    ends = np.array([s[3].sum() for s in rollout(env, 20)])
    np.testing.assert_array_equal(ends, [1, 0] * 10)
    rollout(env, 2)
    assert (np.asarray(task_of(env).episode_limit) == 20).all()  # later ones are whole


def test_no_stagger_without_a_limit_or_for_one() -> None:
    for env in (make(limit=None, reset={}), make(num_envs=1, limit=9, reset={})):
        env.reset(seed=0)
        assert len(set(np.asarray(task_of(env).episode_limit).tolist())) == 1


def test_seeds(backend: str) -> None:
    a, b = make(reset={}, backend=backend), make(reset={}, backend=backend)
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = [a.reset(seed=5), *rollout(a, 15)]
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert_equal(first, [b.reset(seed=5), *rollout(b, 15)])
    assert_equal(first, [a.reset(seed=5), *rollout(a, 15)])
    assert (a.reset(seed=6)[0] != first[0][0]).any(axis=1).all()
    # Without a seed the streams go on: reproducible, and not the same again.
    b.reset(seed=6)
    once, twice = a.reset()[0], a.reset()[0]
    np.testing.assert_array_equal(once, b.reset()[0])
    assert (once != twice).any(axis=1).all()
    assert len(np.unique(once[:, :3], axis=0)) == N
    one, other = make(backend=backend), make(backend=backend)
    assert (one.reset()[0] != other.reset()[0]).any()


# --- saved states ---


@pytest.mark.parametrize("mode", MODES)
def test_saved_states_continue_bit_for_bit(mode: AutoresetMode, backend: str) -> None:
    env = make(mode, reset={}, backend=backend)
    env.reset(seed=3)
    rollout(env, 4)  # in NEXT_STEP some are finished and waiting
    saved = {k: np.array(v) for k, v in env.get_state().items()}
    assert all(v.dtype != object for v in saved.values())
    want = rollout(env, 10, first=4)
    other = make(mode, reset={}, backend=backend)
    other.set_state(saved)
    assert_equal(rollout(other, 10, first=4), want)
    # And where a partial reset comes first.
    if mode == AutoresetMode.DISABLED:
        mask = {"reset_mask": np.array([True, False, False, False])}
        again = make(mode, reset={}, backend=backend)
        for e in (env, again):
            e.set_state(saved)
        assert_equal(env.reset(options=mask), again.reset(options=mask))
        assert_equal(jax.tree.leaves(env.physics_state), jax.tree.leaves(again.physics_state))


def test_a_foreign_state_is_refused() -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(ConfigError, match="another robot, config, physics engine or number"):
        make(num_envs=N + 1).set_state(env.get_state())
    rollout(env, 3)
    torn = {name: array for name, array in env.get_state().items() if name != "physics_rows"}
    for state, error in (({}, ConfigError), (torn, PhysicsError)):
        with pytest.raises(error, match=r"does not fit|has no rows"):
            env.set_state(state)
    assert np.asarray(task_of(env).step_count).tolist() == [3] * N  # nothing has changed


def test_a_fork_of_a_process_where_jax_runs_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wildrobot_gym.env.arguments._jax_was_inherited", True)
    env = make()  # building one starts no JAX
    with pytest.raises(PhysicsError, match=r"forked.*'context': 'spawn'"):
        env.reset()
    with pytest.raises(PhysicsError, match=r"forked.*'context': 'spawn'"):
        make(reference="walk")


ASYNC = """
import gymnasium as gym, wildrobot_gym
from jax._src import xla_bridge
env = gym.make_vec("WildRobot-v0", num_envs=2, vectorization_mode="async")
print(env.reset(seed=0)[0].shape, [x.shape for x in env.step(env.action_space.sample())[:2]])
env.close(terminate=True)
import jax.numpy
jax.numpy.zeros(1)  # now a fork inherits a running JAX
env = gym.make_vec("WildRobot-v0", num_envs=2, vectorization_mode="async")
try:
    env.reset(seed=0)
except wildrobot_gym.PhysicsError as error:
    print(error)
env.close(terminate=True)
"""


def test_async_environments_work_or_say_what_to_pass() -> None:
    """In a new process, since this one runs JAX. On Linux, whose default start method is fork."""
    command = [sys.executable, "-c", ASYNC]
    environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environ)
    assert "(2, 39) [(2, 39), (2,)]" in done.stdout, done.stderr
    assert "vector_kwargs={'context': 'spawn'}" in done.stdout, done.stderr


# --- commands ---


def test_held_commands_survive_resets_until_released() -> None:
    env = make(commands={"resample_interval_s": 0.04})
    env.reset(seed=0)
    wanted = np.array([[0.1 * i, 0.0, 0.2] for i in range(N)], np.float32)
    env.set_commands(wanted)
    for obs, *_ in rollout(env, 2 * LIMIT):
        np.testing.assert_array_equal(obs[:, 27:30], wanted)
    obs, _ = env.reset(seed=4)
    np.testing.assert_array_equal(obs[:, 27:30], wanted)
    np.testing.assert_array_equal(env.command, wanted)
    env.release_commands()
    rollout(env, 4)
    assert (env.command != wanted).any()
    with pytest.raises(ConfigError, match=r"commands must be finite and of shape \(4, 3\)"):
        env.set_commands(np.zeros(3))


@pytest.mark.parametrize("mode", MODES)
def test_returned_arrays_are_copies(mode: AutoresetMode) -> None:
    """No later step changes it, and writing into it changes no later step."""
    env, twin = make(mode), make(mode)
    returned = [env.reset(seed=0)]
    twin.reset(seed=0)
    kept = copy.deepcopy(returned)
    for step in range(LIMIT + 2):
        returned.append(env.step(actions(step)))
        kept.append(copy.deepcopy(returned[-1]))
    assert_equal(returned, kept)
    for step in range(LIMIT + 2):
        twin_step = twin.step(actions(step))
        assert_equal(twin_step, kept[step + 1])
        for array in (*twin_step[:4], *twin_step[4].values()):
            if isinstance(array, np.ndarray) and array.dtype != object:
                array[...] = 1


def test_commands_by_name_are_numbers_or_one_for_each_environment() -> None:
    env = make()
    env.set_commands(vx=0.6)  # before the first reset, too
    np.testing.assert_allclose(env.command, np.tile([0.6, 0.0, 0.0], (N, 1)))
    speeds = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    env.set_commands(vx=speeds, yaw_rate=-0.5)
    np.testing.assert_allclose(env.command[:, 0], speeds)
    np.testing.assert_allclose(env.command[:, 1:], np.tile([0.0, -0.5], (N, 1)))
    obs = env.step(actions(0))[0]
    np.testing.assert_allclose(obs[:, 27:30], env.command)
    for arguments, message in (
        ({}, "it got none of them"),
        ({"commands": np.zeros((N, 3)), "vx": 0.1}, "it got both"),
        ({"vx": np.zeros(N + 1)}, r"vx must be finite.*\(4,\); got shape \(5,\)"),
        ({"vy": np.inf}, "vy must be finite"),
    ):
        with pytest.raises(ConfigError, match=message):
            env.set_commands(**arguments)


def test_the_autoreset_mode_can_be_changed() -> None:
    env, same = make(AutoresetMode.NEXT_STEP), make(AutoresetMode.SAME_STEP)
    env.set_autoreset_mode("same_step")
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert WildRobotVectorEnv.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    env.reset(seed=0), same.reset(seed=0)
    assert_equal(rollout(env, LIMIT + 1), rollout(same, LIMIT + 1))
    env.set_autoreset_mode(AutoresetMode.NEXT_STEP)
    while not env.step(actions(0))[3].any():
        pass
    with pytest.raises(ConfigError, match=r"\[0, 1, 2, 3\] have finished.*Call reset"):
        env.set_autoreset_mode("disabled")


def test_what_was_missed_under_a_command_stays_missed_when_it_is_changed() -> None:
    """Too slow forwards is not made up for by too slow backwards, whoever changes the command."""
    env = make(limit=None)
    env.begin_with(np.tile([0.9, 0.0, 0.0], (N, 1)), seed=0)
    rollout(env, 3)
    missed = np.abs(np.asarray(task_of(env).velocity_error_sum))
    env.set_commands(env.command)  # the same again: nothing is closed
    assert (np.asarray(task_of(env).velocity_error_closed) == 0).all() and (missed > 0.1).all()
    env.set_commands(np.tile([-0.9, 0.0, 0.0], (N, 1)))
    rollout(env, 3)
    np.testing.assert_allclose(task_of(env).velocity_error_closed, missed)
    assert (np.asarray(task_of(env).velocity_error_sum) > 0).all()


# --- bad input ---


def test_wrong_actions_lose_nothing(backend: str) -> None:
    env, twin = make(backend=backend), make(backend=backend)
    for e in (env, twin):
        e.reset(seed=0)
    bad = actions(0)
    bad[2, 4] = np.nan
    with pytest.raises(ActionError, match="environment 2 was given"):
        env.step(bad)
    for shape in ((N, 8), (N + 1, 9), (9,), (N, 9, 1)):
        with pytest.raises(ActionError, match=r"takes \(4, 9\)"):
            env.step(np.zeros(shape))
    assert_equal(env.step(actions(0)), twin.step(actions(0)))


def test_step_before_reset() -> None:
    env = make()
    with pytest.raises(ActionError, match="before reset"):
        env.step(actions(0))
    with pytest.raises(ActionError, match="before reset"):
        _ = env.physics_state
    with pytest.raises(ActionError, match="before reset"):
        _ = env.amp_obs
    with pytest.raises(ActionError, match="before reset"):
        _ = env.command


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"num_envs": 0}, ConfigError, "num_envs is 0.*1 or more"),
        ({"num_envs": 2.5}, ConfigError, "num_envs is 2.5"),
        ({"max_episode_steps": 0}, ConfigError, "max_episode_steps is 0"),
        ({"max_episode_steps": "500"}, ConfigError, "max_episode_steps is .500."),
        ({"num_threads": 1.5}, ConfigError, "num_threads is 1.5"),
        ({"num_threads": -1}, ConfigError, "num_threads is -1"),
        ({"autoreset_mode": "next"}, ConfigError, "'next'.*NEXT_STEP.*SAME_STEP"),
        ({"render_mode": "rgb"}, ConfigError, "'rgb'.*Did you mean 'rgb_array'"),
        ({"backend": "cuda"}, PhysicsError, "'cuda'.*mjx, native"),
        ({"robot": "wildrobot_9dof"}, RobotError, "Did you mean 'wildrobot_8dof'"),
        ({"control_dt": 0.003}, PhysicsError, "whole multiples"),
        ({"rewardz": {}}, UnknownArgumentError, "'rewardz'.*Did you mean 'rewards'"),
        ({"reset": {"reference_fraction": 0.5}}, ConfigError, "no reference motion"),
        ({"reference": "/nowhere/x.npz"}, WildRobotError, "nowhere"),
    ],
)
def test_wrong_arguments(arguments: dict, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        WildRobotVectorEnv(**arguments)


@pytest.mark.parametrize("text", ["same_step", "SAME_STEP", "SameStep", "NextStep", "disabled"])
def test_autoreset_modes_by_name(text: str) -> None:
    mode = WildRobotVectorEnv(1, autoreset_mode=text).metadata["autoreset_mode"]
    assert mode.name.lower().replace("_", "") == text.lower().replace("_", "")


def test_make_vec_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    env = gym.make_vec("WildRobot-v0", num_envs=3, robot="wildrobot_8dof")
    assert isinstance(env.unwrapped, WildRobotVectorEnv)
    assert env.unwrapped.spec is not None
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    obs, _ = env.reset(seed=0)
    assert obs.shape == (3, 36)
    env.step(env.action_space.sample())
    env.close()
    assert env.unwrapped.task.max_episode_steps == 500
    assert not [
        w for w in recwarn if "gymnasium" in str(w.filename) or issubclass(w.category, UserWarning)
    ]


def test_environments_of_the_same_settings_share_compiled_functions() -> None:
    env = make()
    assert compiled(make(AutoresetMode.SAME_STEP, num_envs=2)) is compiled(env)
    assert compiled(make(limit=LIMIT + 1, reset={"stagger": True})) is compiled(env)
    assert compiled(make(rewards={"alive": 7.0})) is not compiled(env)
    assert compiled(make(robot="wildrobot_8dof")) is not compiled(env)
    references = [
        compiled(make(reference=name, reset={"reference_fraction": 0.5}))
        for name in ("walk_human", "walk_human", "walk_synthetic")
    ]
    assert references[0] is references[1] is not references[2]


def test_a_push_moves_the_robots_until_it_ends() -> None:
    env = WildRobotVectorEnv(2, backend="native")
    env.reset(seed=0)
    env.push([[0.0, 10.0, 0.0], [0.0, 0.0, 0.0]])
    still = np.zeros((2, 9), np.float32)
    before = np.array(env.physics_state.qvel)[:, 1]
    for _ in range(5):  # 0.1 s of 10 N on 3.4 kg
        env.step(still)
    pushed, other = np.array(env.physics_state.qvel)[:, 1] - before
    assert pushed - other > 0.1
    env.push(np.zeros(3))
    assert not np.any(env._simulation.physics.batch.bind("xfrc_applied"))
    env.close()
