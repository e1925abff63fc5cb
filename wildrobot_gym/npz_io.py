"""Arrays of .npz files that anyone may have made.

A header is held against the size of its array before anything is allocated. Nothing is unpickled.
(`amp_sbx.common.npy_members` does the same for that package, which knows nothing of this one.)
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wildrobot_gym.errors import WildRobotError, shortened

NUMBERS, TEXT = "biuf", "US"  # NumPy's letters for kinds of types
MOST_UNPACKED = 2**30  # bytes of all compressed arrays of a file
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Wanted:
    """What an array must be.

    Attributes:
        ndim: Number of its axes; None: any.
        kinds: Letters of NumPy's kinds of types.
        finite: Whether NaN and infinity are refused.
    """

    ndim: int | None = None
    kinds: str = NUMBERS
    finite: bool = True

    def check(self, name: str, array: np.ndarray) -> None:
        """Raise ValueError where an array is something else."""
        if array.dtype.kind not in self.kinds:
            raise ValueError(f"{name} has the type {array.dtype}; allowed: {_names(self.kinds)}")
        if self.ndim is not None and array.ndim != self.ndim:
            raise ValueError(f"{name} has the shape {array.shape}; allowed: {self.ndim} axes")
        if self.finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} has a NaN or infinity")


def check_all(arrays: Mapping[str, np.ndarray], wanted: Mapping[str, Wanted]) -> None:
    """Raise ValueError where one of the `wanted` arrays that are there is something else."""
    for name, wish in wanted.items():
        if name in arrays:
            wish.check(name, arrays[name])


def read(
    path: Path,
    error: type[WildRobotError],
    what: str,
    remedy: str,
    wanted: Mapping[str, Wanted] | None = None,
    only: Container[str] | None = None,
    skip_others: bool = False,
) -> dict[str, np.ndarray]:
    """The arrays of an .npz file.

    Args:
        path: The file.
        error: Raised with a message that names the file.
        what: What the file should be, such as 'reference'.
        remedy: What to do about another one: a sentence.
        wanted: Arrays that it must have, and what each must be.
        only: Names to read beside `wanted`; None: all.
        skip_others: Leave out arrays that are neither numbers nor texts, instead of refusing them.

    Raises:
        WildRobotError: of the class `error`: the file is damaged, or an array is missing or of
            another kind.
    """
    wanted, arrays = wanted or {}, {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            chosen = {n: i for n, i in members.items() if only is None or n in only or n in wanted}
            _check_sizes(chosen.values())
            for name, info in chosen.items():
                array = _read_member(archive, info)
                if array is not None:
                    arrays[name] = array
                elif not skip_others:
                    raise ValueError(f"{name} holds neither numbers nor text")
        if missing := [name for name in wanted if name not in arrays]:
            found = ", ".join(members) or "nothing"
            raise ValueError(f"it has no {', '.join(missing)} as plain arrays; it has {found}")
        check_all(arrays, wanted)
    except Exception as reason:  # zipfile and zlib raise many kinds for a damaged file
        text = shortened(str(reason) or type(reason).__name__, 300).rstrip(".")
        raise error(f"{path} is truncated or no {what}: {text}. {remedy}") from reason
    return arrays


def names(path: Path) -> frozenset[str]:
    """Names of the arrays in an .npz, without reading them; none where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(name.removesuffix(".npy") for name in archive.namelist())
    except Exception:  # zipfile raises many kinds
        return frozenset()


def _check_sizes(members: Iterable[zipfile.ZipInfo]) -> None:
    size = sum(info.file_size for info in members if info.compress_type != zipfile.ZIP_STORED)
    if size > MOST_UNPACKED:
        raise ValueError(
            f"it would unpack to {size / 2**30:,.1f} GiB; allowed: {MOST_UNPACKED / 2**30:g} GiB"
        )


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray | None:
    """One array of numbers, truth values or texts; None where it is of another type."""
    with archive.open(info) as stream:
        try:
            shape, by_columns, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
            size = math.prod(shape) * dtype.itemsize
        except Exception as error:  # of many kinds, from the parsers that NumPy uses
            raise ValueError(f"{info.filename} has a damaged header") from error
        if dtype.kind not in NUMBERS + TEXT:
            return None
        data = bytearray(stream.read())
    if size != len(data):
        raise ValueError(
            f"{info.filename} has {len(data):,} bytes; its header says {dtype} {shape}"
        )
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")


def _names(kinds: str) -> str:
    words = {"b": "truth values", "i": "integers", "f": "real numbers", TEXT: "text"}
    return ", ".join(word for letter, word in words.items() if letter in kinds)
