"""Devices that share a fused loop: environments and samples are split, parameters are not.

All arithmetic keeps its meaning over all data (JAX's `jit` on a mesh), so the number of devices
changes results by rounding only. Environments step in `shard_map`, each device its own ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from amp_sbx.algorithm.compilation import say
from amp_sbx.common.errors import ConfigError

AXIS = "env"


@dataclass(frozen=True)
class Devices:
    """The devices of a fused loop. It is hashable, for jit.

    Attributes:
        mesh: the devices along one axis; None for one device, without any constraints.
    """

    mesh: Mesh | None

    @classmethod
    def of(cls, count: int | None, shared: Mapping[str, int], verbose: int = 0) -> "Devices":
        """The first of JAX's devices, those of other processes included.

        Args:
            count: their number; None takes the largest one that all of `shared` are multiples of.
            shared: what the devices share equally, by name.
            verbose: above 0, a line about devices that are left out is printed, too.

        Raises:
            ConfigError: there are fewer, those of several processes are not all taken, or they
                cannot share something equally.
        """
        found = jax.devices()
        number = len(found) if count is None else count
        if count is None and jax.process_count() == 1:
            number = max(n for n in range(1, number + 1) if not any(x % n for x in shared.values()))
            if number < len(found):
                sizes = " and ".join(f"{name} {value}" for name, value in shared.items())
                number_of = f"{number} of {len(found)} devices"
                say(f"training on {number_of}, the most that divide {sizes}", verbose)
        if number > len(found):
            raise ConfigError(
                f"devices is {number}, but JAX has {len(found)}: {', '.join(map(str, found[:8]))}."
            )
        if jax.process_count() > 1 and number != len(found):
            raise ConfigError(
                f"devices is {number}, but the {jax.process_count()} processes have {len(found)}, "
                "and all of them take part; leave devices out."
            )
        for name, value in shared.items():
            if value % number:
                raise ConfigError(
                    f"{name} is {value}, which {number} devices cannot share equally; choose a "
                    f"multiple of {number}, for instance {-(-value // number) * number}, "
                    "or fewer devices by devices=."
                )
        if number == 1:
            return cls(None)
        return cls(Mesh(np.array(found[:number]), (AXIS,), axis_types=(AxisType.Auto,)))

    @property
    def count(self) -> int:
        """Number of devices."""
        return 1 if self.mesh is None else self.mesh.size

    def split(self, tree: Any, axis: int = 0) -> Any:
        """Inside jit: `tree` with `axis` of its arrays split over the devices."""
        return self._constrain(tree, *[None] * axis, AXIS)

    def whole(self, tree: Any) -> Any:
        """Inside jit: `tree` with all of its arrays on every device."""
        return self._constrain(tree)

    def _constrain(self, tree: Any, *spec: str | None) -> Any:
        if self.mesh is None:
            return tree
        return jax.lax.with_sharding_constraint(tree, self._sharding(*spec))

    def _sharding(self, *spec: str | None) -> NamedSharding:
        assert self.mesh is not None
        return NamedSharding(self.mesh, PartitionSpec(*spec))

    def each(self, function: Callable, axis: int = 0) -> Callable:
        """`function(shared, split...)`, called by every device for its own part.

        Args:
            function: its first argument is the same on all devices. `axis` of its other arguments
                and of its results is split.
            axis: the split axis.
        """
        if self.mesh is None:
            return function
        part, whole = PartitionSpec(*[None] * axis, AXIS), PartitionSpec()

        def call(shared: Any, *arguments: Any) -> Any:
            return jax.shard_map(
                function,
                mesh=self.mesh,
                in_specs=(whole, *[part] * len(arguments)),
                out_specs=part,
                check_vma=False,
            )(shared, *arguments)

        return call

    def place(self, leaf: Any, split: bool) -> Any:
        """An array of the host or of one device on these devices.

        With several processes, each gives the whole array and keeps its devices' part.
        """
        if self.mesh is None:
            return leaf
        sharding = self._sharding(AXIS) if split else self._sharding()
        if isinstance(leaf, jax.Array) and leaf.sharding.is_equivalent_to(sharding, leaf.ndim):
            return leaf
        if jax.process_count() == 1:
            return jax.device_put(leaf, sharding)
        array = np.asarray(leaf)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])


class Lent:
    """Arrays that live on all devices, and their copies on one that the model shows.

    The model's own arrays stay on one device: acting on them is then one device's work, in every
    process. A copy that comes back unchanged is taken from all devices, without a transfer.

    Args:
        devices: the devices.
    """

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._everywhere: dict[int, tuple[Any, Any]] = {}  # by the copy's id: copy, original

    def lend(self, tree: Any) -> Any:
        """`tree` on all devices."""
        if self._devices.mesh is None:
            return tree

        def of(leaf: Any) -> Any:
            shown, original = self._everywhere.get(id(leaf), (None, None))
            return original if shown is leaf else self._devices.place(leaf, split=False)

        return jax.tree.map(of, tree)

    def show(self, tree: Any) -> Any:
        """Copies of `tree` on one device of this process; the memory is shared."""
        if self._devices.mesh is None:
            return tree
        copies = jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)
        pairs = zip(jax.tree.leaves(copies), jax.tree.leaves(tree), strict=True)
        self._everywhere |= {id(copy): (copy, original) for copy, original in pairs}
        return copies

    def forget(self) -> None:
        """Drop what was shown before."""
        self._everywhere = {}
