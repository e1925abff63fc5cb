"""AMASS motions: .npz with parameters of an SMPL-H or SMPL-X body, which a body model turns into
joints.

The body model is the user's own copy, since its license does not allow to ship it. It is an .npz
with J_regressor, v_template, shapedirs and kintree_table. Only joints are computed, never the skin:
J = J_regressor (v_template + shapedirs betas). N. Mahmood et al., "AMASS", 2019; M. Loper et al.,
"SMPL", 2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from wildrobot_gym.errors import MotionError
from wildrobot_gym.motion.human import HumanMotion
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers.assemble import to_human
from wildrobot_gym.motion.importers.reading import check_finite, check_fps, read_npz
from wildrobot_gym.motion.importers.skeleton import Recording, Skeleton
from wildrobot_gym.motion.importers.table import NameTable, choose_table, shipped_tables

_TABLE = "smpl"
_MODEL = ("J_regressor", "v_template", "shapedirs", "kintree_table")
_FAMILY = {24: "SMPL", 52: "SMPL-H", 55: "SMPL-X"}  # by number of joints
_RATES = ("mocap_framerate", "mocap_frame_rate", "fps")


def load_amass(path: Path, options: ImportOptions) -> HumanMotion:
    """Load a motion from an AMASS .npz and `options.body_model`.

    Raises:
        MotionError: There is no body model, it does not fit the motion, a file is truncated, or a
            value is not finite; see also `to_human`.
    """
    motion = read_npz(path, ("trans", "betas"), f"AMASS motion (trans, poses, betas, {_RATES[0]})")
    poses, trans, betas = _parameters(motion, path)
    rates = [rate for rate in _RATES if rate in motion and motion[rate].size]
    if not rates and options.fps is None:
        raise MotionError(f"{path} does not say its frame rate ({', '.join(_RATES)}). Pass fps.")
    fps = check_fps(options.fps or motion[rates[0]].flat[0], path, rates[0] if rates else "fps")
    if options.body_model is None:
        raise MotionError(
            f"{path} holds the parameters of an SMPL body, and joints need a body model."
            " Get SMPL-H or SMPL-X as .npz from its makers, and pass its path as body_model."
        )
    model = Path(options.body_model)
    layout = shipped_tables(_TABLE)[_TABLE]  # of the body's joints; hands and face come after them
    _, table = choose_table(options.table or _TABLE, _TABLE, layout.joint_names, str(path))
    rest = _rest(model, betas, layout, poses.shape[1], path)
    offsets = np.stack(
        [rest[i] - (rest[p] if p >= 0 else 0.0) for i, p in enumerate(layout.joint_parents)]
    )
    moving = np.tile(offsets, (len(poses), 1, 1))
    moving[:, 0] += trans
    rotations = tuple(Rotation.from_rotvec(poses[:, i]) for i in range(len(offsets)))
    skeleton = Skeleton(layout.joint_names, layout.joint_parents, offsets)
    notes = (
        f"body model: {model.name} ({body_model_kind(model)}); the motion's gender is"
        f" {motion.get('gender', 'not said')}",
    )
    try:
        return to_human(Recording(path, skeleton, fps, rotations, moving, notes), table, options)
    except MotionError as error:
        raise MotionError(f"{error} The body model was {model}.") from error


def body_model_kind(path: Path) -> str:
    """Return which body model of the SMPL family an .npz holds, by its number of joints.

    Raises:
        MotionError: The file is damaged.
    """
    names = ("kintree_table",)
    return _named(read_npz(path, names, "body model", only=names)["kintree_table"].shape[-1])


def _named(joints: int) -> str:
    return f"{_FAMILY.get(joints, 'no model of the SMPL family')}, {joints} joints"


def _parameters(
    motion: Mapping[str, np.ndarray], path: Path
) -> tuple[
    Float[np.ndarray, "time joint 3"], Float[np.ndarray, "time 3"], Float[np.ndarray, " shape"]
]:
    """Return rotation vectors of all joints (the body's first), the root's positions, and the
    body's proportions.
    """
    try:
        poses = (
            motion["poses"]
            if "poses" in motion
            else np.concatenate([motion["root_orient"], motion["pose_body"]], axis=-1)
        )
        poses = poses.astype(np.float64).reshape(len(poses), -1, 3)
        trans = motion["trans"].astype(np.float64).reshape(len(poses), 3)
        betas = motion["betas"].reshape(1, -1).astype(np.float64)  # of the whole motion
    except (KeyError, TypeError, ValueError) as error:
        shapes = {name: array.shape for name, array in motion.items() if array.ndim}
        raise MotionError(
            f"{path} has {shapes} ({error}); needed: trans (frames, 3), poses (frames, 3 for each"
            " joint) or root_orient and"
            " pose_body, and betas (numbers)."
        ) from error
    for name, values in (("poses", poses), ("trans", trans), ("betas", betas)):
        check_finite(values, path, name)
    return poses, trans, betas[0]


def _rest(
    model_path: Path, betas: Float[np.ndarray, " shape"], layout: NameTable, posed: int, path: Path
) -> Float[np.ndarray, "joint 3"]:
    """Return the joints of the body with these proportions, in the model's own pose."""
    if model_path.suffix.lower() == ".pkl":
        raise MotionError(
            f"{model_path} is a pickle, which is not read, since it could execute anything."
            " Get the body model as .npz from its makers."
        )
    model = read_npz(model_path, _MODEL, f"body model ({', '.join(_MODEL)})")
    regressor, template, shapes, tree = (model[name] for name in _MODEL)
    if (
        regressor.ndim != 2
        or template.shape != (regressor.shape[1], 3)
        or shapes.ndim != 3
        or shapes.shape[:2] != template.shape
    ):
        found = {name: model[name].shape for name in _MODEL}
        raise MotionError(
            f"{model_path}: the body model's arrays do not fit each other: {found}."
            " Download it again."
        )
    count, body = len(regressor), len(layout.joints)
    same_tree = (
        tree.shape == (2, count) and tuple(tree[0, 1:body]) == layout.joint_parents[1:]
    )  # the root's is any number.
    if posed not in (count, body) or not same_tree:  # pose_body alone has the body's joints only
        raise MotionError(
            f"{model_path} is {_named(count)} and does not fit {path}, which moves {posed} joints:"
            f" {_named(posed)}. The body models of AMASS, SMPL-H (52 joints) and SMPL-X (55), begin"
            f" with {', '.join(layout.joint_names)}. Pass the one that the motion was made with."
        )
    for name in _MODEL[:3]:
        check_finite(model[name], model_path, name)
    used = min(len(betas), shapes.shape[2])
    return (regressor @ (template + shapes[..., :used] @ betas[:used]))[:body]
