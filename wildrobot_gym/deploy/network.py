"""The exported network: observations to actions, by onnxruntime or by NumPy alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from wildrobot_gym import npz_io
from wildrobot_gym.deploy.description import NPZ, NetworkSpec, PolicyDescription
from wildrobot_gym.errors import ConfigError, RunError
from wildrobot_gym.extras import require
from wildrobot_gym.files import file_digest

Array = np.ndarray


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def _gelu(x: Array) -> Array:
    return 0.5 * x * (1.0 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "celu": _elu,
    "elu": _elu,
    "gelu": _gelu,
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x * _sigmoid(x),
    "tanh": np.tanh,
}


class Network(Protocol):
    """Maps observations (batch, obs) to actions (batch, joint) in -1 to 1, float32."""

    def __call__(self, observations: Array) -> Array: ...


class NumpyNetwork:
    """Dense layers in NumPy.

    Args:
        spec: The network's description.
        path: The .npz file with `kernel_0`, `bias_0`, `kernel_1` and so on.

    Raises:
        RunError: The file is damaged, or is not of this network.
        ConfigError: The activation is unknown.
    """

    def __init__(self, spec: NetworkSpec, path: Path) -> None:
        if spec.activation not in ACTIVATIONS:
            raise ConfigError(
                f"policy.json beside {path}: activation is {spec.activation!r};"
                f" allowed: {', '.join(sorted(ACTIVATIONS))}."
            )
        names = [f"{part}_{i}" for i in range(len(spec.layers)) for part in ("kernel", "bias")]
        arrays = npz_io.read(
            *(path, RunError, "network", "Export the policy again."),
            {name: npz_io.Wanted(2 if name.startswith("kernel") else 1) for name in names},
        )
        self._layers = [
            tuple(arrays[f"{part}_{i}"].astype(np.float32) for part in ("kernel", "bias"))
            for i in range(len(spec.layers))
        ]
        self._activation = ACTIVATIONS[spec.activation]
        self._mirror = spec.mirror
        self._low, self._high = np.float32(spec.low), np.float32(spec.high)

    def __call__(self, observations: Array) -> Array:
        """Actions (batch, joint) of observations (batch, obs)."""
        x = np.asarray(observations, np.float32)
        if self._mirror is None:
            return np.clip(self._pass(x), self._low, self._high)
        m = self._mirror
        both = self._pass(np.concatenate([x, x[:, m.obs_ids] * m.obs_signs]))
        here, there = both[: len(x)], both[len(x) :]
        mean = 0.5 * (here + there[:, m.action_ids] * m.action_signs)
        return np.clip(mean, self._low, self._high)

    def _pass(self, x: Array) -> Array:
        for kernel, bias in self._layers[:-1]:
            x = self._activation(x @ kernel + bias)
        kernel, bias = self._layers[-1]
        return x @ kernel + bias


class OnnxNetwork:
    """The network in onnxruntime, on one thread: it is too small for more.

    Args:
        path: The .onnx file.

    Raises:
        MissingPackageError: onnxruntime is not installed. A policy exported with `--format npz`
            does not need it.
        RunError: onnxruntime cannot read the file.
    """

    def __init__(self, path: Path) -> None:
        onnxruntime = require("onnxruntime", "deploy")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises errors of its own C++ types
            raise RunError(f"onnxruntime cannot read {path}: {error}") from error

    def __call__(self, observations: Array) -> Array:
        """Actions (batch, joint) of observations (batch, obs)."""
        feed = {"observation": np.ascontiguousarray(observations, np.float32)}
        actions: Array = self._session.run(["action"], feed)[0]
        return actions


def load_network(folder: Path, description: PolicyDescription) -> Network:
    """The network of an exported policy.

    Args:
        folder: The folder that `wildrobot export` wrote.
        description: The folder's `policy.json`.

    Raises:
        RunError: The file is missing or is another than the one that was exported.
    """
    spec = description.network
    path = folder / spec.file
    if not path.is_file() or file_digest(path) != spec.sha256:
        problem = "has other bytes than" if path.is_file() else "is missing beside"
        raise RunError(f"{path} {problem} the file that policy.json describes. Export it again.")
    return NumpyNetwork(spec, path) if spec.format == NPZ else OnnxNetwork(path)
