"""A policy's network as an ONNX file, written with the onnx package's own helpers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from amp_sbx.algorithm.plain_actor import PlainActor
from wildrobot_gym.errors import ConfigError
from wildrobot_gym.extras import require

if TYPE_CHECKING:
    import onnx

# Operators of 2021 and 2022: every onnxruntime since 1.12 reads them, those of vendors included.
OPSET, IR_VERSION = 17, 8
INPUT, OUTPUT = "observation", "action"
_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "celu": ("Celu", {}),
    "elu": ("Elu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "tanh": ("Tanh", {}),
}


def onnx_model(actor: PlainActor, properties: dict[str, str]) -> onnx.ModelProto:
    """The network from observations (batch, obs) to clipped actions (batch, joint).

    The mean over both passes of a symmetric policy is inside.

    Args:
        actor: The network.
        properties: Texts that the file carries along, by name.

    Raises:
        MissingPackageError: The package onnx is not installed. `--format npz` does not need it.
        ConfigError: The activation has no ONNX operator.
    """
    require("onnx", "export")
    from onnx import TensorProto, checker, helper

    graph = _Graph()
    seen = INPUT
    if actor.mirror is not None:
        m = actor.mirror
        image = graph.image(INPUT, m.obs_ids, m.obs_signs)
        seen = graph.add("Concat", INPUT, image, axis=0)
    for i, (kernel, bias) in enumerate(actor.layers):
        constants = graph.constant(f"kernel_{i}", kernel), graph.constant(f"bias_{i}", bias)
        seen = graph.add("Gemm", seen, *constants)
        if i < len(actor.layers) - 1:
            seen = graph.activation(actor.activation, seen)
    if actor.mirror is not None:
        here, there = graph.halves(seen)
        back = graph.image(there, actor.mirror.action_ids, actor.mirror.action_signs)
        total = graph.add("Add", here, back)
        seen = graph.add("Mul", total, graph.constant("half", np.float32(0.5)))
    low, high = float(actor.low.min()), float(actor.high.max())
    bounds = (graph.constant(n, np.float32(v)) for n, v in (("low", low), ("high", high)))
    graph.add("Clip", seen, *bounds, output=OUTPUT)

    def tensor(name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])

    kernels = [kernel for kernel, _ in actor.layers]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "policy",
            [tensor(INPUT, kernels[0].shape[0])],
            [tensor(OUTPUT, kernels[-1].shape[1])],
            graph.constants,
        ),
        producer_name="wildrobot",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(model, properties)
    checker.check_model(model, full_check=True)
    return model


class _Graph:
    """Nodes and constants of a graph, named in order."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def image(self, x: str, ids: tuple[int, ...], signs: tuple[float, ...]) -> str:
        order = self.constant(f"{x}_image_ids", np.array(ids, np.int64))
        turns = self.constant(f"{x}_image_signs", np.array(signs, np.float32))
        return self.add("Mul", self.add("Gather", x, order, axis=1), turns)

    def halves(self, x: str) -> tuple[str, str]:
        from onnx import helper

        outputs = f"{x}_here", f"{x}_there"
        self.nodes.append(helper.make_node("Split", [x], outputs, axis=0))
        return outputs

    def activation(self, name: str, x: str) -> str:
        if name in ("silu", "swish"):
            return self.add("Mul", x, self.add("Sigmoid", x))
        if name == "gelu":
            return self._gelu(x)
        if name not in _OPERATORS:
            known = sorted({*_OPERATORS, "silu", "swish", "gelu"})
            raise ConfigError(
                f"activation {name!r} has no ONNX operator; allowed: {', '.join(known)}."
            )
        operator, attributes = _OPERATORS[name]
        return self.add(operator, x, **attributes)

    def _gelu(self, x: str) -> str:
        """The form with tanh, which JAX computes; ONNX has it from opset 20 on."""
        number = len(self.nodes)

        def scalar(name: str, value: float) -> str:
            return self.constant(f"{name}_{number}", np.float32(value))

        cube = self.add("Mul", self.add("Mul", x, x), x)
        bent = self.add("Add", x, self.add("Mul", cube, scalar("bend", 0.044715)))
        turned = self.add("Tanh", self.add("Mul", bent, scalar("slope", (2 / np.pi) ** 0.5)))
        whole = self.add("Add", turned, scalar("one", 1.0))
        return self.add("Mul", self.add("Mul", x, scalar("part", 0.5)), whole)
