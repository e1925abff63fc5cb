"""Programs that are compiled ahead of their first call, and shared by models of a process."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

LOGGER = logging.getLogger("amp_sbx")

_MOST_KEPT = 8  # compiled programs, each some 10 MB


@dataclass(frozen=True)
class Compiled:
    """A compiled program, called with the arguments that it may overwrite and those that stay.

    Attributes:
        executable: takes and returns flat lists of arrays.
        returned: structure of the results.
        num_bytes: what it needs on a device, arguments and results included; None if unknown.
    """

    executable: Any
    returned: Any
    num_bytes: int | None

    def __call__(self, donated: tuple, kept: tuple) -> Any:
        results = self.executable(*jax.tree.leaves((donated, kept)))
        return jax.tree.unflatten(self.returned, results)


_programs: OrderedDict[Any, Compiled] = OrderedDict()


def fixed(tree: Any) -> Any:
    """`tree` with arrays of fixed dtype: a compiled program takes no others."""

    def fix(leaf: Any) -> jax.Array:
        if isinstance(leaf, jax.Array) and not leaf.weak_type:
            return leaf
        return jnp.asarray(leaf, jnp.result_type(leaf))

    return jax.tree.map(fix, tree)


def compiled(
    function: Callable, static: Any, donated: tuple, kept: tuple, name: str, verbose: int = 0
) -> Compiled:
    """`function(static, *donated, *kept)` as a compiled program, which takes `donated, kept`.

    A program is compiled once for each `static` and each structure, shape and dtype of the
    arguments. Compilation is logged with its time.

    Args:
        function: a pure function.
        static: its first argument, hashable.
        donated: arguments whose arrays the program may overwrite, of fixed dtype.
        kept: arguments whose arrays stay, of fixed dtype.
        name: what the log calls the program.
        verbose: above 0, it is printed, too.
    """
    leaves, structure = jax.tree.flatten((donated, kept))
    key = (function, static, structure, tuple((x.shape, x.dtype, _place(x)) for x in leaves))
    program = _programs.pop(key, None)
    if program is None:
        say(f"compiling {name} ...", verbose)
        start = time.perf_counter()
        program = _compile(function, static, leaves, structure, len(jax.tree.leaves(donated)))
        say(f"compiled {name} in {time.perf_counter() - start:.1f} s", verbose)
    _programs[key] = program
    while len(_programs) > _MOST_KEPT:
        _programs.popitem(last=False)
    return program


def _compile(
    function: Callable, static: Any, leaves: list, structure: Any, num_donated: int
) -> Compiled:
    """Compile for flat arguments: JAX would put descriptions in place of arrays into trees."""
    results: list[Any] = []  # the structure of what the function returns

    def flat(*leaves: Any) -> list[Any]:
        donated, kept = jax.tree.unflatten(structure, leaves)
        out, tree = jax.tree.flatten(function(static, *donated, *kept))
        results[:] = [tree]
        return out

    flat.__name__ = getattr(function, "__name__", "program")
    program = jax.jit(flat, donate_argnums=tuple(range(num_donated))).lower(*leaves).compile()
    memory = program.memory_analysis()
    num_bytes = None
    if memory is not None:
        num_bytes = (
            memory.argument_size_in_bytes
            + memory.output_size_in_bytes
            + memory.temp_size_in_bytes
            - memory.alias_size_in_bytes  # donated, and counted twice
        )
    return Compiled(program, results[0], num_bytes)


def say(text: str, verbose: int) -> None:
    """Log a line, and print it if `verbose` is above 0."""
    LOGGER.info(text)
    if verbose:
        print(text)


def _place(array: jax.Array) -> Any:
    return array.sharding if len(array.sharding.device_set) > 1 else None
