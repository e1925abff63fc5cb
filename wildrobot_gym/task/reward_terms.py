"""The registry of reward terms, and the config section that is made from one.

A term is a function of the step and the config. The decorator that `registered` gives adds it under
its own name with a default weight. Config keys, infos, logs and the documentation's table all
follow from the registry.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from wildrobot_gym.config import check, convert_fields, number
from wildrobot_gym.errors import ConfigError, unknown_name
from wildrobot_gym.task.own_terms import own_module, own_term

TermFunction = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class RewardTerm:
    """One term of the reward: `scale * weight * function(step, config)`."""

    name: str
    weight: float  # default
    function: TermFunction
    value: str  # what the function gives, in words: the first paragraph of its docstring


def registered(
    registry: dict[str, RewardTerm],
) -> Callable[[float], Callable[[TermFunction], TermFunction]]:
    """A decorator that adds functions to `registry`, each with its default weight.

    Example:
        >>> TERMS: dict[str, RewardTerm] = {}
        >>> reward_term = registered(TERMS)
        >>> @reward_term(0.5)
        ... def alive(x, config):
        ...     '''1.'''
        ...     return jnp.ones_like(x.command[..., 0])
    """

    def reward_term(weight: float) -> Callable[[TermFunction], TermFunction]:
        def add(function: TermFunction) -> TermFunction:
            name = function.__name__
            paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
            registry[name] = RewardTerm(name, weight, function, " ".join(paragraph.split()))
            return function

        return add

    return reward_term


@dataclass(frozen=True)
class RewardSettings:
    """Weights of the reward terms by name, and the numbers that the terms are made with.

    In YAML both stand side by side: `rewards: {alive: 7.0, yaw_sigma: 1.0}`. A term of one's own
    stands under its module and name, `my_module:my_term`. It is a function of one environment's
    step (`wildrobot_gym.task.rewards.RewardInputs`) and this config, and gives one number. The
    module is imported when an environment is built, not when settings are read.
    """

    registry: ClassVar[Mapping[str, RewardTerm]] = {}

    weights: Mapping[str, float] = field(default_factory=dict)
    """Weight of each term. A term that is left out has its default; 0 switches it off."""
    scale: float = 0.02
    """Factor of the sum.

    The default control period, so that returns are in units of a second's reward.
    """

    floor: float | None = None
    """Least sum of a step, before `scale`; the term `floor` makes up for what is below.

    At 0, an early fall saves no penalties, however large they are.
    """

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for key in self.weights:
            if key not in self.registry:
                name = own_term(key, "reward", (*self.registry, "floor"))[1]
                if name in seen:
                    raise ConfigError(
                        f"rewards has two terms named {name!r}; infos could not tell them apart."
                        " Rename one."
                    )
                seen.add(name)
        defaults = {name: term.weight for name, term in self.registry.items()}
        object.__setattr__(self, "weights", {**defaults, **self.weights})
        for name in self.number_names():
            if name.endswith("_sigma") or name in ("scale", "double_support_target_s"):
                check(
                    getattr(self, name) > 0,
                    f"rewards.{name}",
                    getattr(self, name),
                    "a positive number",
                )
            if name.endswith("_share"):
                check(0 < getattr(self, name) < 1, f"rewards.{name}", getattr(self, name), "0 to 1")
            if name.endswith("_radius"):
                check(getattr(self, name) >= 0, f"rewards.{name}", getattr(self, name), "0 or more")

    @classmethod
    def number_names(cls) -> list[str]:
        """Names of the settings that are no weights."""
        return [f.name for f in dataclasses.fields(cls) if f.name != "weights"]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], where: str) -> RewardSettings:
        """From the flat form in which weights and numbers stand side by side.

        Raises:
            ConfigError: a key is unknown, or a value is no number.
        """
        names, weights = cls.number_names(), {}
        prefix = f"{where}." if where else ""
        for key, value in values.items():
            if key in cls.registry or ":" in str(key):
                weights[str(key)] = number(value, f"{prefix}{key}")
            elif key not in names:
                allowed = [*names, *cls.registry]
                hint = " A term of your own has the form my_module:my_term."
                raise ConfigError(unknown_name(f"key in {where}", str(key), allowed) + hint)
        numbers = {key: value for key, value in values.items() if key in names}
        return cls(weights=weights, **convert_fields(cls, numbers, where))

    def to_mapping(self) -> dict[str, float | None]:
        """The flat form: every weight and every number by its name."""
        return {**self.weights, **{name: getattr(self, name) for name in self.number_names()}}

    def terms(self) -> dict[str, tuple[TermFunction, float]]:
        """Function and weight of every term whose weight is not 0, by its name in the infos.

        Raises:
            ConfigError: a term of one's own cannot be found.
        """
        found = (
            (self.registry.get(key) or find_term(key, self.registry), weight)
            for key, weight in self.weights.items()
        )
        return {term.name: (term.function, weight) for term, weight in found if weight != 0}


def find_term(key: str, registry: Mapping[str, RewardTerm]) -> RewardTerm:
    """A user's own reward term. Its module is imported.

    Args:
        key: Module and function, such as `my_module:my_term`.
        registry: The package's terms, whose names are taken.

    Raises:
        ConfigError: the key has another form, the module cannot be imported, or it has no such
            function.
    """
    module, name = own_module(key, "reward", registry)
    function = getattr(module, name, None)
    if not callable(function):
        functions = [n for n, value in vars(module).items() if inspect.isfunction(value)]
        raise ConfigError(unknown_name(f"reward term in {module.__name__}", name, functions))
    return RewardTerm(name, 0.0, function, (inspect.getdoc(function) or "").split("\n\n")[0])


def reward_terms(x: Any, config: RewardSettings) -> dict[str, Float[Array, "*b"]]:
    """Every term whose weight is not 0, weighted and scaled: their sum is the reward.

    Args:
        x: The step that the terms look at (`RewardInputs`).
        config: Weights and numbers.

    Raises:
        ConfigError: a term gives something else than one number for each environment.
    """
    terms = {}
    for name, (function, weight) in config.terms().items():
        value = function(x, config)
        if jnp.shape(value) != x.command.shape[:-1]:
            raise ConfigError(
                f"The reward term {name!r} must give one number for one environment, got shape"
                f" {jnp.shape(value)}."
            )
        terms[name] = config.scale * weight * value
    if config.floor is not None:
        total = sum(terms.values(), start=jnp.zeros(x.command.shape[:-1]))
        terms["floor"] = jnp.maximum(config.scale * config.floor - total, 0.0)
    return terms


def reward_table(registry: Mapping[str, RewardTerm]) -> str:
    """The terms of a registry as a Markdown table."""
    rows = [f"| {t.name} | {t.weight:g} | {t.value.removesuffix('.')} |" for t in registry.values()]
    return "\n".join(["| term | default weight | value |", "|---|---|---|", *rows])
