"""Arrays in zip files that anyone may have made.

A header is held against the size of its array before anything is allocated. Nothing is unpickled.
"""

import math
import zipfile
from collections.abc import Iterable

import numpy as np

KINDS = "biuf"  # NumPy's letters: truth values, integers, real numbers
MOST_UNPACKED = 2**30  # bytes of all compressed members of a file
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def check_sizes(members: Iterable[zipfile.ZipInfo]) -> None:
    """Raise ValueError where members would unpack to more than `MOST_UNPACKED`."""
    size = sum(info.file_size for info in members if info.compress_type != zipfile.ZIP_STORED)
    if size > MOST_UNPACKED:
        raise ValueError(
            f"it would unpack to {size / 2**30:,.1f} GiB; allowed: {MOST_UNPACKED / 2**30:g} GiB"
        )


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array of numbers or truth values.

    Raises:
        ValueError: it is damaged, or of another type.
        Exception: of another kind, where the archive is damaged.
    """
    with archive.open(info) as stream:
        try:
            shape, by_columns, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
            size = math.prod(shape) * dtype.itemsize
        except Exception as error:  # of many kinds, from the parsers that NumPy uses
            raise ValueError(f"{info.filename} has a damaged header") from error
        if dtype.kind not in KINDS:
            raise ValueError(f"{info.filename} has the type {dtype}, which is no number")
        data = bytearray(stream.read())
    if size != len(data):
        raise ValueError(
            f"{info.filename} has {len(data):,} bytes; its header says {dtype} {shape}"
        )
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")
