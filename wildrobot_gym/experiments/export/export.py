"""Export a policy: a folder that runs without JAX, Stable-Baselines3 and MuJoCo."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amp_sbx.algorithm.plain_actor import PlainActor, plain_actor
from wildrobot_gym.deploy import golden
from wildrobot_gym.deploy.controller import Controller
from wildrobot_gym.deploy.description import FILE, NPZ, PolicyDescription
from wildrobot_gym.deploy.network import load_network
from wildrobot_gym.deploy.observation import check_channels
from wildrobot_gym.deploy.reading import parse_description
from wildrobot_gym.errors import RunError
from wildrobot_gym.experiments.about_policy import is_shipped, license_of, read_results
from wildrobot_gym.experiments.export.describe import describe_policy
from wildrobot_gym.experiments.export.onnx_file import onnx_model
from wildrobot_gym.experiments.export.rollout import record_instants
from wildrobot_gym.experiments.settings import ExportSettings
from wildrobot_gym.files import atomic_write, check_free, file_digest, folder_write, write_json
from wildrobot_gym.reporting import SILENT, Reporter
from wildrobot_gym.training.policy import LoadedPolicy, load_policy

GOLDEN = (4, 32)  # robots, and control steps of each
_ENVS, _STEPS = 8, 125


@dataclass(frozen=True, eq=False)
class ExportResult:
    """What an export wrote.

    Attributes:
        folder: The folder.
        description: The content of its `policy.json`.
        errors: Greatest difference from the policy's own `observation`, `action`, `filtered` (the
            action after the filter) and `target` (rad).
        num_compared: Number of instants that were compared.
    """

    folder: Path
    description: PolicyDescription
    errors: dict[str, float]
    num_compared: int


def export_policy(
    policy: str | Path | LoadedPolicy,
    out: str | Path,
    settings: ExportSettings | None = None,
    *,
    report: Reporter = SILENT,
) -> ExportResult:
    """Write a policy as a network file, `policy.json` and golden vectors.

    Its results are compared with the policy's own over real rollouts before it counts as written.

    Args:
        policy: A loaded policy, a .zip file, a run directory, or the name of a shipped policy.
        out: Folder to write.
        settings: Format, license and results.
        report: Receives messages.

    Raises:
        RunError: There is no such policy, a file exists, the network's results differ, or the
            evaluation is of another policy.
        ConfigError: The policy's network has no exported form, or it observes a channel that no
            sensor of a robot gives.
    """
    settings, folder = settings or ExportSettings(), Path(out)
    network = f"policy.{settings.format}"
    check_free((folder / name for name in (network, golden.FILE, FILE)), settings.force)
    loaded = policy if isinstance(policy, LoadedPolicy) else load_policy(policy)
    results_file = settings.results
    if results_file is None and is_shipped(loaded.path):
        results_file = loaded.path.with_name("results.json")
    results = None
    if results_file is not None:
        results = read_results(results_file, loaded.path, loaded.model.num_timesteps)
    license = license_of(loaded.path, settings.license)
    actor = plain_actor(loaded.model)
    content = describe_policy(loaded, actor, _name(loaded), license, results)
    check_channels(content["name"], [c["name"] for c in content["observation"]["channels"]])
    report.info("Running the policy, to compare the exported network with it.")
    instants = record_instants(loaded, _ENVS, _STEPS)
    try:
        with folder_write(folder, last=FILE) as part:
            write_network(part / network, settings.format, actor, content)
            digest = file_digest(part / network)
            content["network"] |= {"file": network, "format": settings.format, "sha256": digest}
            description = parse_description(content)
            controller = Controller(description, load_network(part, description))
            errors = golden.compare(controller, instants.arrays())
            with atomic_write(part / golden.FILE) as stream:
                np.savez_compressed(stream, **instants.first(*GOLDEN).arrays())
            write_json(part / FILE, content)
    except OSError as problem:
        raise RunError(f"Cannot write into {folder}: {problem}.") from problem
    return ExportResult(folder, description, errors, len(instants.action))


def write_network(path: Path, format: str, actor: PlainActor, content: dict[str, Any]) -> None:
    """Write a network as .onnx, which carries the description along, or as .npz."""
    with atomic_write(path) as stream:
        if format == NPZ:
            arrays: dict[str, Any] = {}
            for i, (kernel, bias) in enumerate(actor.layers):
                arrays |= {f"kernel_{i}": kernel, f"bias_{i}": bias}
            np.savez(stream, **arrays)
        else:
            model = onnx_model(actor, {"wildrobot": json.dumps(content)})
            stream.write(model.SerializeToString(deterministic=True))


def _name(policy: LoadedPolicy) -> str:
    """The shipped name, or the name of the run's folder or of the file."""
    run = policy.run_directory
    if is_shipped(policy.path):
        return policy.path.parent.name
    return policy.path.stem if run is None else run.path.resolve().name
