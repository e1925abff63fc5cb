"""Golden values and identities of the quaternion helpers.

MuJoCo's own functions as a second opinion.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from state_makers import quat

from wildrobot_gym import rotations as R

S = np.sqrt(0.5)


def random_quats(n: int = 50) -> np.ndarray:
    q = np.random.default_rng(0).normal(size=(n, 4))
    return (q / np.linalg.norm(q, axis=1, keepdims=True)).astype(np.float32)


def test_rotation_vectors() -> None:
    """A quarter turn about z, no turn, a millionth, half a turn.

    And of a rotation's two quaternions either.
    """
    quats = np.array(
        [[S, 0, 0, S], [1, 0, 0, 0], [1, 5e-8, 0, 0], [0, 0, 1, 0], [-S, 0, 0, -S]], np.float32
    )
    want = [[0, 0, np.pi / 2], [0, 0, 0], [1e-7, 0, 0], [0, np.pi, 0], [0, 0, np.pi / 2]]
    np.testing.assert_allclose(R.rotation_vector(quats), want, atol=1e-6)
    axes = np.random.default_rng(0).normal(size=(20, 3))
    for axis in axes:
        quat_of = np.zeros(4)
        mujoco.mju_axisAngle2Quat(quat_of, axis / np.linalg.norm(axis), np.linalg.norm(axis))
        np.testing.assert_allclose(R.rotation_vector(jnp.asarray(quat_of)), axis, atol=1e-5)


def test_golden_quarter_turns() -> None:
    left = jnp.array([S, 0, 0, S])  # 90 degrees about z: x goes to y
    np.testing.assert_allclose(R.rotate(left, jnp.array([1.0, 0, 0])), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(
        R.rotate_inverse(left, jnp.array([1.0, 0, 0])), [0, -1, 0], atol=1e-6
    )
    np.testing.assert_allclose(R.quat_mul(left, left), [0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(R.yaw_of(left), np.pi / 2, atol=1e-6)
    np.testing.assert_allclose(R.yaw_quat(jnp.array(np.pi / 2)), left, atol=1e-6)


def test_gravity_golden() -> None:
    np.testing.assert_allclose(R.gravity_direction(jnp.array([1.0, 0, 0, 0])), [0, 0, -1])
    # Nose down by 30 degrees (positive pitch): down has a forward part in the body.
    down = R.gravity_direction(jnp.asarray(quat(pitch=np.pi / 6), jnp.float32))
    np.testing.assert_allclose(down, [0.5, 0, -np.sqrt(0.75)], atol=1e-6)


def test_products_agree_with_mujoco() -> None:
    a, b = random_quats(), random_quats()[::-1]
    v = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    for qa, qb, vec in zip(a, b, v, strict=True):
        product, turned = np.zeros(4), np.zeros(3)
        mujoco.mju_mulQuat(product, qa.astype(float), qb.astype(float))
        mujoco.mju_rotVecQuat(turned, vec.astype(float), qa.astype(float))
        np.testing.assert_allclose(R.quat_mul(jnp.array(qa), jnp.array(qb)), product, atol=1e-5)
        np.testing.assert_allclose(R.rotate(jnp.array(qa), jnp.array(vec)), turned, atol=1e-5)


def test_identities_on_batches() -> None:
    q = jnp.array(random_quats())
    v = jnp.array(np.random.default_rng(2).normal(size=(50, 3)).astype(np.float32))
    np.testing.assert_allclose(R.rotate_inverse(q, R.rotate(q, v)), v, atol=1e-5)
    np.testing.assert_allclose(
        R.quat_mul(q, R.quat_conjugate(q)), np.tile([1, 0, 0, 0], (50, 1)), atol=1e-6
    )
    np.testing.assert_allclose(
        jnp.linalg.norm(R.rotate(q, v), axis=-1), jnp.linalg.norm(v, axis=-1), rtol=1e-5
    )
    np.testing.assert_allclose(R.to_heading(q, v)[:, 2], v[:, 2], atol=1e-6)


@pytest.mark.parametrize("yaw", [-3.0, -1.0, 0.0, 0.4, 2.9])
def test_yaw_is_taken_from_a_tilted_body(yaw: float) -> None:
    q = jnp.asarray(quat(roll=0.3, pitch=-0.4, yaw=yaw), jnp.float32)
    np.testing.assert_allclose(R.yaw_of(q), yaw, atol=1e-5)
    forward = jnp.array([np.cos(yaw), np.sin(yaw), 0.0], jnp.float32)
    np.testing.assert_allclose(R.to_heading(q, forward), [1, 0, 0], atol=1e-5)


def test_jit_equals_no_jit() -> None:
    q, v = jnp.array(random_quats()), jnp.ones((50, 3))
    for function in (R.rotate, R.rotate_inverse, R.to_heading):
        np.testing.assert_allclose(jax.jit(function)(q, v), function(q, v), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        jax.jit(R.gravity_direction)(q), R.gravity_direction(q), rtol=1e-6, atol=1e-6
    )
