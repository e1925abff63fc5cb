"""What a robot touches on each kind of ground, and that level ground is what it always was."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from wildrobot_gym.env.scene import Scene
from wildrobot_gym.errors import PhysicsError
from wildrobot_gym.physics.base import restart_pose
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.fields import model_fields
from wildrobot_gym.physics.ground_contacts import find_floor, make_world
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.native_jax import NativeEngine
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.contact import sole_heights, sole_points
from wildrobot_gym.terrain import Ground, TerrainConfig, make_ground

N = 8
STEEP = np.deg2rad(5)


def on(robot: RobotModel, **settings: object) -> RobotModel:
    return replace(robot, ground=make_ground(TerrainConfig(**settings)))


def poses(robot: RobotModel, above: float = 0.0) -> np.ndarray:
    """Home poses at random places, so much above where the lowest sole would touch."""
    rng = np.random.default_rng(0)
    qpos = np.tile(robot.home_qpos, (N, 1))
    qpos[:, :2] = rng.uniform(-4, 4, (N, 2))
    physics = NativePhysics(robot, N, num_threads=1)
    state = physics.reset(np.arange(N), qpos, np.zeros((N, robot.model.nv)))
    qpos[:, 2] += above - sole_heights(robot, state).min(axis=-1)
    return qpos


def stood(robot: RobotModel, seconds: float = 2.0) -> NativePhysics:
    """Robots after they have stood at home for a while."""
    physics = NativePhysics(robot, N, num_threads=1)
    physics.reset(np.arange(N), poses(robot), np.zeros((N, robot.model.nv)))
    for _ in range(round(seconds / 0.02)):
        physics.step(Drive(np.tile(robot.home_joint_pos, (N, 1))))
    return physics


def test_level_ground_is_the_robots_own_model(robot: RobotModel) -> None:
    assert make_world(robot, points=False).model is robot.simulated.model
    assert not make_world(robot, points=True).moves
    assert Scene(robot).model is robot.model
    state = NativePhysics(robot, 1, num_threads=1).step(Drive(robot.home_joint_pos[None]))
    assert state.ground is None
    np.testing.assert_array_equal(state.base_height, state.qpos[:, 2])
    np.testing.assert_array_equal(state.pad_height, state.pad_pos_w[..., 2])
    np.testing.assert_array_equal(state.foot_height, state.foot_pos_w[..., 2])


def test_one_plane_of_the_floors_kind_for_each_corner(wildrobot: RobotModel) -> None:
    flat, world = wildrobot.model, make_world(on(wildrobot, kind="rough"), points=False)
    model = world.model
    assert model.npair == model.nmocap == len(world.geoms) == 16
    pads = {int(flat.geom(pad).bodyid[0]) for pad in wildrobot.pad_names}
    assert {int(model.geom_bodyid[geom]) for geom in world.geoms} == pads
    floor = flat.geom("floor")
    np.testing.assert_array_equal(
        model.pair_friction[:, [0, 2, 3]], np.tile(floor.friction, (16, 1))
    )
    assert set(model.pair_dim) == {int(floor.condim[0])}
    # Nothing else can touch, and the robot is the same.
    assert not (model.geom_contype[:, None] & model.geom_conaffinity[None]).any()
    count = flat.nbody
    np.testing.assert_array_equal(model.body_mass[:count], flat.body_mass)
    np.testing.assert_array_equal(model.sensor_adr, flat.sensor_adr)
    assert (model.nq, model.nv, model.nu) == (flat.nq, flat.nv, flat.nu)


@pytest.mark.parametrize("kind", ["rough", "steps", "mixed"])
def test_each_corner_touches_at_the_grounds_height(wildrobot: RobotModel, kind: str) -> None:
    """Depth and normal of MuJoCo's contacts are those of the triangle under each corner."""
    robot = on(wildrobot, kind=kind, height=0.01)
    physics = stood(robot, 0.2)
    model, data = physics._world.model, mujoco.MjData(physics._world.model)
    seen = 0
    for i in range(N):
        data.qpos[:] = physics.qpos[i]
        mujoco.mj_kinematics(model, data)
        data.mocap_pos[:], data.mocap_quat[:] = physics._world.planes(data.geom_xpos)
        mujoco.mj_forward(model, data)
        for contact in data.contact:
            (touching,) = set(contact.geom) & set(physics._world.geoms)
            corner = data.geom_xpos[touching]
            height, dx, dy = robot.ground.facet(corner[:2])
            length = np.sqrt(1 + dx * dx + dy * dy)
            normal = np.array([-dx, -dy, 1.0]) / length
            np.testing.assert_allclose(np.abs(contact.frame[:3] @ normal), 1.0, atol=1e-6)
            assert contact.dist == pytest.approx((corner[2] - height) / length, abs=3e-6)
            seen += 1
    assert seen >= 3 * N


def test_a_robot_stands_on_rough_ground_with_its_weight(wildrobot: RobotModel) -> None:
    robot = on(wildrobot, kind="rough", height=0.01)
    state = stood(robot).step(Drive(np.tile(robot.home_joint_pos, (N, 1))))
    up = -state.projected_gravity[:, 2]
    standing = np.asarray(up > 0.98)
    assert standing.sum() >= N - 2  # home is no balance: a few tip over where the ground leans
    np.testing.assert_allclose(state.pad_forces.sum(axis=1)[standing], robot.weight, rtol=0.03)
    # The lowest point of each sole rests on the ground.
    np.testing.assert_allclose(sole_heights(robot, state)[standing], 0.0, atol=2e-3)


def test_a_slope_bears_what_a_slope_bears(wildrobot: RobotModel) -> None:
    """Pads on a plane of 5 degrees: their forces along its normal are the weight's part there."""
    robot = on(wildrobot, kind="slope", slope=STEEP)
    assert not make_world(robot, points=False).moves
    physics = NativePhysics(robot, 1, num_threads=1)
    qpos = robot.home_qpos[None].copy()
    # Turned with the slope, about y against the sun: the soles lie flat on it.
    mujoco.mju_axisAngle2Quat(qpos[0, 3:7], np.array([0.0, 1.0, 0.0]), -STEEP)
    state = physics.reset(np.arange(1), qpos, np.zeros((1, robot.model.nv)))
    points = sole_points(robot, state).reshape(-1, 3)
    gaps = points[:, 2] - robot.ground.height(points[:, :2])
    assert np.ptp(gaps) < 2e-3
    qpos[0, 2] -= gaps.max()
    state = physics.reset(np.arange(1), qpos, np.zeros((1, robot.model.nv)))
    for _ in range(8):
        state = physics.step(Drive(robot.home_joint_pos[None]))
    normal = robot.weight * np.cos(STEEP)
    assert state.pad_forces.sum() == pytest.approx(normal, rel=0.1)
    assert state.base_height[0] == pytest.approx(
        state.qpos[0, 2] - np.tan(STEEP) * state.qpos[0, 0], abs=1e-6
    )


def test_rough_ground_of_no_height_is_a_floor(wildrobot: RobotModel) -> None:
    """The same motion on a floor and on moving planes that lie level."""
    level = replace(wildrobot, ground=Ground(np.zeros((4, 4), np.float32), cell=0.5))
    floor, planes = (NativePhysics(r, 2, num_threads=1) for r in (wildrobot, level))
    assert planes._world.moves
    rng = np.random.default_rng(0)
    qpos = np.tile(wildrobot.home_qpos, (2, 1))
    qpos[1, :2] = 3.3, -1.2
    for physics in (floor, planes):
        physics.reset(np.arange(2), qpos, np.zeros((2, wildrobot.model.nv)))
    for _ in range(10):
        ctrl = wildrobot.home_joint_pos + rng.uniform(-0.1, 0.1, (2, wildrobot.num_joints))
        one, other = (physics.step(Drive(ctrl)) for physics in (floor, planes))
        np.testing.assert_allclose(one.qpos, other.qpos, atol=2e-5)
        np.testing.assert_allclose(one.pad_forces, other.pad_forces, atol=0.5)


def test_friction_and_masses_can_be_drawn(wildrobot: RobotModel) -> None:
    """The fields of randomization reach the planes: on ice, a foot that is dragged slides."""
    robot = on(wildrobot, kind="rough", height=0.001)
    physics = NativePhysics(robot, 2, num_threads=1)
    masses = np.tile(model_fields(robot)["mass"].nominal, (2, 1))
    fields = {"friction": np.array([1.0, 0.05]), "mass": masses * [[1.0], [1.2]]}
    qpos = np.tile(robot.home_qpos, (2, 1))
    physics.reset(np.arange(2), qpos, np.zeros((2, robot.model.nv)), fields)
    wrench = np.tile([6.0, 0, 0, 0, 0, 0], (2, 1))
    drive = Drive(np.tile(robot.home_joint_pos, (2, 1)), wrench=wrench, fields=fields)
    for _ in range(20):
        state = physics.step(drive)
    slid = np.abs(state.foot_pos_w[..., 0]).mean(axis=1)
    assert slid[0] < 0.02 < 2 * 0.02 < slid[1]


def test_native_jax_is_native(wildrobot: RobotModel) -> None:
    robot = on(wildrobot, kind="rough")
    engine, physics = NativeEngine(robot, num_threads=1), NativePhysics(robot, 1, num_threads=1)
    qpos, qvel = poses(robot)[:1].astype(np.float32), np.zeros((1, robot.model.nv), np.float32)
    state = physics.reset(np.arange(1), qpos, qvel)
    rows, mine = engine.init(qpos[0], qvel[0])
    for _ in range(3):
        np.testing.assert_array_equal(np.asarray(mine.qpos), state.qpos[0])
        np.testing.assert_array_equal(np.asarray(mine.pad_forces), state.pad_forces[0])
        np.testing.assert_allclose(np.asarray(mine.ground.pads), state.ground.pads[0], atol=1e-6)
        rows, mine = engine.step(rows, Drive(np.asarray(robot.home_joint_pos, np.float32)))
        state = physics.step(Drive(robot.home_joint_pos[None].astype(np.float32)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rough", "slope"])
def test_mjx_agrees(wildrobot: RobotModel, kind: str) -> None:
    import jax

    from wildrobot_gym.physics.mjx import MjxEngine

    robot = on(wildrobot, kind=kind)
    engine, physics = MjxEngine(robot), NativePhysics(robot, N, num_threads=1)
    qpos, qvel = poses(robot, above=-1e-3), np.zeros((N, robot.model.nv))
    state = physics.reset(np.arange(N), qpos, qvel)
    init, step = (jax.jit(jax.vmap(f)) for f in (engine.init, engine.step))
    data, other = init(qpos.astype(np.float32), qvel.astype(np.float32))
    np.testing.assert_allclose(other.pad_forces, state.pad_forces, atol=0.3)
    for i in range(10):
        wave = 0.06 * np.sin(0.4 * i + np.arange(robot.num_joints) + np.arange(N)[:, None])
        state = physics.step(Drive(robot.home_joint_pos + wave))
        data, other = step(data, Drive((robot.home_joint_pos + wave).astype(np.float32)))
    for name in ("qpos", "pad_pos_w", "foot_pos_w"):
        np.testing.assert_allclose(getattr(other, name), getattr(state, name), atol=5e-3)
    np.testing.assert_allclose(other.base_height, state.base_height, atol=1e-3)


def test_saved_states_continue_bit_for_bit(wildrobot: RobotModel) -> None:
    robot = on(wildrobot, kind="steps")
    physics = stood(robot, 0.1)
    saved = {name: array.copy() for name, array in physics.get_state().items()}
    ctrl = np.tile(robot.home_joint_pos + 0.1, (N, 1))
    wanted = [physics.step(Drive(ctrl)).qpos for _ in range(4)]
    other = NativePhysics(robot, N, num_threads=1)
    other.set_state(saved)
    for want in wanted:
        np.testing.assert_array_equal(other.step(Drive(ctrl)).qpos, want)


def test_a_diverged_robot_restarts_over_the_ground(
    wildrobot: RobotModel, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its warnings there
    robot = on(wildrobot, kind="mixed")
    physics = stood(robot, 0.02)
    physics.qpos[2, 9] = np.nan
    state = physics.step(Drive(np.tile(robot.home_joint_pos, (N, 1))))
    assert state.diverged.tolist() == [i == 2 for i in range(N)]
    np.testing.assert_allclose(state.qpos[2], restart_pose(robot), atol=1e-6)
    assert sole_heights(robot, state)[2].min() >= -1e-3
    assert all(
        np.isfinite(part).all() for part in (state.qpos, state.pad_forces, state.base_height)
    )


def test_the_scene_shows_the_ground_wherever_the_robot_is(wildrobot: RobotModel) -> None:
    robot = on(wildrobot, kind="rough")
    scene = Scene(robot)
    model, data = scene.model, mujoco.MjData(scene.model)
    solid = np.array([1, 0, 0, 0, 0, 0], np.uint8)
    for place in ((0.0, 0.0), (3.9, -3.9), (101.3, 47.7)):
        scene.follow(np.array(place))
        mujoco.mj_kinematics(model, data)
        for offset in np.random.default_rng(0).uniform(-3.9, 3.9, (20, 2)):
            x, y = place + offset
            hit = np.zeros(1, np.int32)
            down = mujoco.mj_ray(model, data, [x, y, 1.0], [0.0, 0.0, -1.0], solid, 1, -1, hit)
            # Every second point of the grid is drawn.
            assert 1.0 - down == pytest.approx(
                float(robot.ground.height(np.array([x, y]))), abs=5e-4
            )


@pytest.mark.parametrize("floors", [0, 2])
def test_a_robot_without_a_floor_to_replace(wildrobot: RobotModel, floors: int) -> None:
    spec = wildrobot.spec()
    for number in range(floors - 1):
        spec.worldbody.add_geom(
            name=f"wall_{number}", type=mujoco.mjtGeom.mjGEOM_BOX, size=[1, 1, 1], contype=1
        )
    if not floors:
        spec.delete(spec.geom("floor"))
    found = r"floor \(plane\), wall_0 \(box\)" if floors else "none"
    with pytest.raises(PhysicsError, match=rf"stand on: {found}. Allowed: one plane.*'flat'"):
        find_floor(wildrobot, spec)
