"""Episodes on other ground: where they begin and end, what is seen, and that all is repeatable."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from state_makers import make_state, quat, step_fields

from wildrobot_gym.env.single_env import WildRobotEnv
from wildrobot_gym.env.starts import SOLE_DEPTH
from wildrobot_gym.env.vector_env import WildRobotVectorEnv
from wildrobot_gym.evaluation.recording import read_step
from wildrobot_gym.motion.clip_files import load_clips
from wildrobot_gym.motion.states import clip_features
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.channels import GROUND_SCAN, Sample, width
from wildrobot_gym.task.config import FeatureConfig, RewardConfig, TerminationConfig
from wildrobot_gym.task.contact import sole_heights
from wildrobot_gym.task.ground_scan import OFFSETS
from wildrobot_gym.task.rewards import RewardInputs
from wildrobot_gym.task.terminations import terminated
from wildrobot_gym.terrain import Ground, GroundHeights

N = 32
RAMP = Ground(np.zeros((1, 1), np.float32), cell=8.0, tilt=float(np.arctan(0.1)))


@pytest.fixture(scope="module")
def env() -> WildRobotVectorEnv:
    """Robots on mixed ground, whose critic sees the ground; compiled once for this file."""
    return WildRobotVectorEnv(
        N,
        backend="native",
        num_threads=1,
        terrain={"kind": "mixed", "height": 0.01},
        privileged=("ground_scan", "root_height"),
    )


def test_starts_stand_on_the_ground_anywhere_in_any_heading(env: WildRobotVectorEnv) -> None:
    env.reset(seed=0)
    state = env.physics_state
    low = sole_heights(env.robot, state).min(axis=-1)
    # As on a floor: no sole is deeper than a resting one, and noise of the pose lifts few.
    assert low.min() >= -SOLE_DEPTH - 1e-5 and low.max() < 0.02
    assert np.ptp(state.base_pos_w[:, :2], axis=0).min() > 6.0  # of 8 m
    assert np.ptp(np.asarray(state.yaw)) > 5.0
    assert np.ptp(state.ground.base) > 0.05  # on pyramids and in pits
    home = float(env.robot.home_qpos[2])
    # Feet may be off the ground under the base by a step and, on a side of 5 degrees, by 2 cm.
    np.testing.assert_allclose(state.base_height, home, atol=0.04)


def test_a_seed_repeats_everything(env: WildRobotVectorEnv) -> None:
    rng = np.random.default_rng(1)
    actions = rng.uniform(-0.3, 0.3, (5, N, 9)).astype(np.float32)
    runs = []
    for _ in range(2):
        rows = [env.reset(seed=3)[0]]
        for action in actions:
            obs, reward, *_ = env.step(action)
            rows += [obs, reward]
        saved = env.get_state()
        runs.append(rows)
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)
    ahead = env.step(actions[0])
    env.set_state(saved)
    again = env.step(actions[0])
    np.testing.assert_array_equal(ahead[0], again[0])
    np.testing.assert_array_equal(ahead[4]["critic_obs"], again[4]["critic_obs"])


def test_new_episodes_meet_other_ground(env: WildRobotVectorEnv) -> None:
    env.reset(seed=0)
    before = env.physics_state.base_pos_w[:, :2].copy()
    mask = np.arange(N) % 2 == 0
    env.reset(options={"reset_mask": mask})
    moved = np.linalg.norm(env.physics_state.base_pos_w[:, :2] - before, axis=1)
    assert moved[mask].min() > 0.01 and not moved[~mask].any()


def test_the_critic_sees_the_ground_around_the_feet(env: WildRobotVectorEnv) -> None:
    _, infos = env.reset(seed=0)
    columns = width(GROUND_SCAN, env.robot)
    assert columns == 2 * 9
    seen = infos["critic_obs"][:, env.task.obs_dim :]
    assert seen.shape == (N, columns + 1)
    state, ground = env.physics_state, env.robot.ground
    ahead, left = OFFSETS[8]
    cos, sin = np.cos(np.asarray(state.yaw)), np.sin(np.asarray(state.yaw))
    foot = np.asarray(state.foot_pos_w)[:, 1]
    place = foot[:, :2] + np.stack([cos * ahead - sin * left, sin * ahead + cos * left], axis=-1)
    np.testing.assert_allclose(seen[:, 9 + 8], 10 * (foot[:, 2] - ground.height(place)), atol=1e-4)
    np.testing.assert_allclose(seen[:, -1], state.base_height, atol=1e-6)


def test_a_level_start_is_as_without_terrain() -> None:
    """Terrain of kind flat changes no number of any step."""
    plain, flat = (
        WildRobotVectorEnv(4, backend="native", num_threads=1, **settings)
        for settings in ({}, {"terrain": {"kind": "flat", "height": 0.05, "seed": 7}})
    )
    action = np.full((4, 9), 0.2, np.float32)
    for one, other in zip(
        [plain.reset(seed=5)[0], *plain.step(action)[:2]],
        [flat.reset(seed=5)[0], *flat.step(action)[:2]],
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_episodes_end_by_the_height_over_the_ground(wildrobot: RobotModel) -> None:
    config = TerminationConfig(min_height=0.2, max_height=0.7)
    for height, under, ends in (
        (0.45, 0.0, False),
        (0.45, 0.3, True),  # 0.15 m over the ground: it has fallen on a hill
        (0.15, -0.3, False),  # 0.45 m over the ground of a pit
        (0.45, -0.3, True),  # 0.75 m
    ):
        ground = GroundHeights(jnp.float32(under), jnp.zeros(4), jnp.zeros(2))
        state = make_state(wildrobot, height=height).replace(ground=ground)
        assert bool(terminated(state, config)) is ends


def test_heights_mean_over_the_ground(wildrobot: RobotModel) -> None:
    """In a reward, in the AMP features' root height, in the proxy of contacts, in a recording."""
    robot = replace(wildrobot, ground=RAMP)  # rises 0.1 m a meter
    x = 2.0
    pads, feet = np.tile([x, 0.0, 0.205], (4, 1)), np.tile([x, 0.0, 0.23], (2, 1))
    state = make_state(wildrobot, pad_pos_w=pads, foot_pos_w=feet)
    qpos = state.qpos.at[0].set(x).at[2].add(0.2)
    state = state.replace(qpos=qpos)
    state = state.replace(ground=RAMP.under(state.base_pos_w, state.pad_pos_w, state.foot_pos_w))
    assert float(state.base_height) == pytest.approx(wildrobot.home_qpos[2], abs=1e-6)
    np.testing.assert_allclose(state.pad_height, 0.005, atol=1e-6)
    np.testing.assert_allclose(state.foot_height, 0.03, atol=1e-6)
    # A level sole on a ramp: its forward corners are the lowest over the ground.
    lowest = 0.005 - 0.1 * wildrobot.pad_half_size[:, 0].max()
    np.testing.assert_allclose(sole_heights(robot, state), lowest, atol=1e-6)
    batch = type(state)(
        **{k: v[None] for k, v in vars(state).items() if k != "ground"}, ground=state.ground
    )
    row = read_step(robot, batch, np.zeros((1, 9)), np.ones(1, bool))
    np.testing.assert_allclose(row["sole_height"], lowest, atol=1e-6)
    term = RewardConfig().registry["base_height"].function
    inputs = RewardInputs(**(step_fields(wildrobot) | {"state": state}))
    reward = term(inputs, RewardConfig(target_height=float(wildrobot.home_qpos[2])))
    assert float(reward) == pytest.approx(1.0, abs=1e-5)


def test_a_scan_by_hand(wildrobot: RobotModel) -> None:
    """Facing up a ramp of 0.1, points 0.1 m ahead are 1 cm nearer to the foot."""
    feet = np.array([[0.0, 0.05, 0.02], [0.0, -0.05, 0.02]])
    state = make_state(wildrobot, foot_pos_w=feet)
    scan = np.asarray(GROUND_SCAN.read(Sample(state, ground=RAMP))).reshape(2, 3, 3)
    np.testing.assert_allclose(
        scan, np.tile(np.array([0.03, 0.02, 0.01])[:, None], (2, 1, 3)), atol=1e-6
    )
    turned = make_state(wildrobot, foot_pos_w=feet, base_quat=quat(yaw=np.pi / 2))
    scan = np.asarray(GROUND_SCAN.read(Sample(turned, ground=RAMP))).reshape(2, 3, 3)
    # Now the ramp rises to the right.
    np.testing.assert_allclose(scan, np.tile(np.array([0.01, 0.02, 0.03]), (2, 3, 1)), atol=1e-6)


def test_the_mirror_image_of_a_scan(wildrobot: RobotModel) -> None:
    rng = np.random.default_rng(0)
    heights = rng.uniform(0, 0.1, (6, 6))
    # The image of the ground: y -> -y, which needs a table that is its own reverse about 0.
    image = np.roll(heights[:, ::-1], 1, axis=1)
    feet = np.array([[0.3, 0.4, 0.1], [0.2, -0.6, 0.12]])
    here = make_state(wildrobot, foot_pos_w=feet)
    there = make_state(wildrobot, foot_pos_w=feet[::-1] * [1, -1, 1])
    ids, signs = GROUND_SCAN.kind.image(wildrobot)

    def on_grid(table: np.ndarray) -> Ground:
        return Ground(table.astype(np.float32), cell=0.1)  # all points lie on the grid

    one = np.asarray(GROUND_SCAN.read(Sample(here, ground=on_grid(heights))))
    other = np.asarray(GROUND_SCAN.read(Sample(there, ground=on_grid(image))))
    np.testing.assert_allclose(other, np.array(signs) * one[ids], atol=1e-5)


def test_pictures_show_the_ground() -> None:
    frames = {}
    for kind in ("flat", "steps"):
        env = WildRobotEnv(render_mode="rgb_array", width=160, height=120, terrain={"kind": kind})
        env.reset(seed=0)
        frames[kind] = env.render().astype(float)[80:, :50]  # beside the robot
        env.close()
    # Light and dark tiles: far more contrast than the floor's.
    assert frames["steps"].std() > 1.5 * frames["flat"].std() > 0


def test_clips_walk_on_a_level_floor_whatever_the_terrain(wildrobot: RobotModel) -> None:
    """A slope would lift or sink a clip's root height and pads with the way that it went."""
    clip = load_clips("walk_synthetic", wildrobot)[0]
    features = FeatureConfig(channels=("root_height", "foot_contacts"), contacts="proxy")
    there = replace(wildrobot, ground=RAMP)
    np.testing.assert_array_equal(
        clip_features(there, features, clip), clip_features(wildrobot, features, clip)
    )
