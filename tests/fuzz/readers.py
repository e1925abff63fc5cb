"""Every reader of files that people may bring, each with a good file to damage."""

from __future__ import annotations

import functools
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mutations
import numpy as np
from acclaim_files import write_amc
from amass_files import write_amass, write_body_model
from bvh_files import write_bvh
from deepmimic_files import write_deepmimic
from test_csv_clip import written as write_csv
from test_gmr import gmr_data
from test_tracking_npz import tracking

from amp_sbx import AMPPPO, ReferenceFeatures
from amp_sbx.common import archive
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.log import load_log
from wildrobot_gym.experiments.about_policy import read_results
from wildrobot_gym.experiments.export.export import export_policy
from wildrobot_gym.experiments.settings import ExportSettings
from wildrobot_gym.experiments.study.config import load_study
from wildrobot_gym.motion.clip import MotionClip
from wildrobot_gym.motion.clip_files import load_clips, save_clips
from wildrobot_gym.motion.import_options import ImportOptions
from wildrobot_gym.motion.importers import load as import_motion
from wildrobot_gym.motion.importers.table import read_table
from wildrobot_gym.motion.reference import ReferenceDataset
from wildrobot_gym.physics.drive import Drive
from wildrobot_gym.physics.dumps import Recorder
from wildrobot_gym.physics.native import NativePhysics
from wildrobot_gym.physics.replay import replay
from wildrobot_gym.robot import RobotModel
from wildrobot_gym.task.config import FeatureConfig
from wildrobot_gym.terrain import TerrainConfig, make_ground
from wildrobot_gym.training import config as run_config
from wildrobot_gym.training.config.for_zoo import zoo_settings
from wildrobot_gym.training.env_state import read_arrays
from wildrobot_gym.training.policy import load_policy

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        make: Writes a good file, and what belongs to it, into a folder; returns the file to damage.
        read: Reads the file as users do.
        mutate: Damages the file's content.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    mutate: mutations.Mutation


def _copied(source: Path) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return Path(shutil.copy(source, folder / source.name))

    return make


def _short_reference(folder: Path) -> Path:
    robot = RobotModel.load("wildrobot")
    return save_clips(folder / "walks.npz", load_clips("walk_synthetic", robot)[:2])


def _clip(folder: Path) -> Path:
    return load_clips("walk_synthetic", RobotModel.load("wildrobot"))[0].save(folder / "clip.npz")


def _features(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    arrays = {"features": rng.normal(size=(40, 6)), "weights": np.ones(40)}
    np.savez(folder / "features.npz", **arrays, motion_ids=np.arange(40) // 10)
    return folder / "features.npz"


def _gmr(folder: Path) -> Path:
    path = folder / "clip.pkl"
    path.write_bytes(pickle.dumps(gmr_data(RobotModel.load("wildrobot")), protocol=4))
    return path


def _tracking(folder: Path) -> Path:
    clip = load_clips("walk_synthetic", RobotModel.load("wildrobot"))[0]
    np.savez(folder / "motion.npz", **tracking(clip))
    return folder / "motion.npz"


def _amass(folder: Path) -> Path:
    write_body_model(folder)
    return write_amass(folder)


def _body_model(folder: Path) -> Path:
    write_amass(folder)
    return write_body_model(folder)


def _asf(folder: Path) -> Path:
    return next(write_amc(folder).parent.glob("*.asf"))


def _import(path: Path) -> Any:
    """As `wildrobot motion import` reads it, with the files beside it."""
    beside = {file.name: file for file in path.parent.iterdir()}
    motion = next((f for n, f in beside.items() if n.endswith((".amc", "_poses.npz"))), path)
    return import_motion(motion, ImportOptions(body_model=beside.get("model.npz")))


def _robot(folder: Path) -> Path:
    shutil.copytree(ROOT / "assets" / "robots" / "sprout", folder, dirs_exist_ok=True)
    return folder / "robot.yaml"


def _exported(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        export_policy("walk", folder, ExportSettings(format="npz"))
        return folder / name

    return make


def _state(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    np.savez(folder / "step.npz", last_obs=rng.normal(size=(4, 9)), env_key=np.arange(4))
    return folder / "step.npz"


def _log(folder: Path) -> Path:
    np.savez(folder / "log.npz", about=np.array('{"reason": "done"}'), now=np.arange(5.0))
    return folder / "log.npz"


def _dump(folder: Path) -> Path:
    """On uneven ground, with what a config may add to a step."""
    ground = make_ground(TerrainConfig(kind="rough", height=0.01))
    robot = replace(RobotModel.load("wildrobot"), ground=ground)
    physics, targets = NativePhysics(robot, 1, 0.02, 1), robot.home_qpos[None, 7:]
    drive = Drive(targets, targets, np.array([4]), 0.01 * np.ones_like(targets), np.zeros((1, 3)))
    physics.recorder = Recorder(robot, 0.02, folder)
    for _ in range(3):
        physics.advance(drive)
    physics.recorder.write(np.array([0]))
    return next(folder.iterdir())


def _study(folder: Path) -> Path:
    return _copied(ROOT / "configs" / "studies" / "normalization.yaml")(folder)


def _results(folder: Path) -> Path:
    return _copied(policy_folder("walk") / "results.json")(folder)


@functools.cache
def _steps() -> int:
    """Of the policy whose results are read."""
    return archive.read_meta(policy_folder("walk") / "policy.zip")["counters"]["num_timesteps"]


def policy_folder(name: str) -> Path:
    """Folder of a shipped policy."""
    return ROOT / "assets" / "policies" / name


READERS: dict[str, Reader] = {
    "policy": Reader(_copied(policy_folder("walk") / "policy.zip"), load_policy, mutations.of_zip),
    "checkpoint": Reader(
        _copied(policy_folder("walk") / "policy.zip"), AMPPPO.load, mutations.of_zip
    ),
    "checkpoint's environments": Reader(_state, read_arrays, mutations.of_zip),
    "reference": Reader(
        _short_reference,
        lambda path: ReferenceDataset.load(path, RobotModel.load("wildrobot"), FeatureConfig()),
        mutations.of_zip,
    ),
    "features": Reader(_features, ReferenceFeatures.from_file, mutations.of_zip),
    "clip": Reader(
        _clip,
        lambda path: MotionClip.load(path).check(RobotModel.load("wildrobot"), str(path)),
        mutations.of_zip,
    ),
    "GMR": Reader(_gmr, _import, mutations.of_pickle),
    "BVH": Reader(write_bvh, _import, mutations.of_text),
    "ASF": Reader(_asf, _import, mutations.of_text),
    "AMC": Reader(write_amc, _import, mutations.of_text),
    "AMASS": Reader(_amass, _import, mutations.of_zip),
    "body model": Reader(_body_model, _import, mutations.of_zip),
    "DeepMimic": Reader(write_deepmimic, _import, mutations.of_json),
    "CSV": Reader(
        lambda folder: write_csv(folder, RobotModel.load("wildrobot")), _import, mutations.of_text
    ),
    "tracking clip": Reader(_tracking, _import, mutations.of_zip),
    "skeleton table": Reader(
        _copied(ROOT / "configs" / "skeletons" / "lafan1.yaml"), read_table, mutations.of_yaml
    ),
    "robot": Reader(_robot, lambda path: RobotModel.load(path.parent), mutations.of_yaml),
    "run config": Reader(
        _copied(ROOT / "configs" / "walk_directions.yaml"),
        lambda path: run_config.load(str(path)),
        mutations.of_yaml,
    ),
    "study": Reader(_study, lambda path: load_study(str(path)), mutations.of_yaml),
    "zoo file": Reader(
        _copied(ROOT / "configs" / "hyperparams" / "amp_ppo.yml"),
        lambda path: zoo_settings(str(path), "WildRobot-v0", "amp_ppo"),
        mutations.of_yaml,
    ),
    "exported policy": Reader(
        _exported("policy.json"), lambda path: Controller.load(path.parent), mutations.of_json
    ),
    "exported network": Reader(
        _exported("policy.npz"), lambda path: Controller.load(path.parent), mutations.of_zip
    ),
    "log": Reader(_log, load_log, mutations.of_zip),
    "record of a simulation": Reader(_dump, lambda path: list(replay(path)), mutations.of_zip),
    "results": Reader(
        _results, lambda path: read_results(path, Path("policy.zip"), _steps()), mutations.of_json
    ),
}
"""By what people call the file."""
