"""`policy_kwargs` as a mapping or in rl-zoo's text form, which is parsed and never evaluated."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

from sbx.ppo.policies import PPOPolicy

from wildrobot_gym.errors import ConfigError, unknown_name

# What sbx's policy takes beyond the spaces and the schedule that the algorithm gives it.
_KEYS = frozenset(inspect.signature(PPOPolicy.__init__).parameters) - {
    "self", "observation_space", "action_space", "lr_schedule", "use_sde",
}  # fmt: skip
_ALLOWED = "dict(...) or {...} of numbers, texts, lists, True, False, None, and nn.<Activation>"


def parse_policy_kwargs(value: Any) -> dict[str, Any]:
    """Read the `policy_kwargs` of a run.

    Args:
        value: A mapping, a text such as "dict(net_arch=dict(pi=[256]), activation_fn=nn.ELU)", or
            None.

    Returns:
        A mapping. Activations become names ("elu"), which the algorithm resolves.

    Raises:
        ConfigError: The text holds anything but literals, `dict` and `nn.<name>`. The message names
            that part.
    """
    if value is None:
        return {}
    if isinstance(value, str):
        try:
            value = _literal(ast.parse(value.strip(), mode="eval").body)
        except SyntaxError as error:
            raise ConfigError(
                f"policy_kwargs cannot be read: {error.msg} in {value!r}; allowed: {_ALLOWED}."
            ) from None
    if not isinstance(value, Mapping):
        raise ConfigError(f"policy_kwargs must be a mapping, got {value!r}.")
    parsed = {str(key): item for key, item in value.items()}
    for key in parsed:
        if key not in _KEYS:
            raise ConfigError(unknown_name("key in policy_kwargs", key, _KEYS))
    for key in ("activation_fn", "optimizer_class"):
        if isinstance(parsed.get(key), str):
            parsed[key] = parsed[key].removeprefix("nn.").lower()
    return parsed


def _literal(node: ast.expr) -> Any:
    """The value of a literal expression; `nn.ELU` becomes the text "nn.ELU"."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _literal(node.operand)
        if isinstance(number, int | float):
            return -number
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {
            _literal(k): _literal(v)
            for k, v in zip(node.keys, node.values, strict=True)
            if k is not None
        }
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("nn", "jax", "flax")
    ):
        return f"nn.{node.attr}"
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and not node.args:
        return {_keyword(word): _literal(word.value) for word in node.keywords}
    raise ConfigError(f"policy_kwargs: {ast.unparse(node)!r} is not allowed; allowed: {_ALLOWED}.")


def _keyword(word: ast.keyword) -> str:
    if word.arg is None:
        raise ConfigError(f"policy_kwargs: '**' is not allowed; allowed: {_ALLOWED}.")
    return word.arg
