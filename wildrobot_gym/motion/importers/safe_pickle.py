"""Reading a foreign pickle safely: numpy arrays of numbers and plain containers, nothing else.

A pickle is a program that may call anything it names. Here the few names that numpy's arrays need
stand for classes of this module, which only keep bytes. Every other name is refused before anything
is called. numpy's own functions are not called either, since its `__setstate__` trusts what it
gets.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

from wildrobot_gym.errors import MotionError

_PLAIN = re.compile(
    r"[biufSU]\d+"
)  # bool, integers, floats, text of a fixed length: types without pointers


_BODY_MODEL = (
    " It looks like a body model of the SMPL family, which is no motion: get the .npz of it, and"
    " pass that as body_model."
)


class _Refused(Exception):
    """What a pickle asked for."""


class _StandIn:
    """Base of the stand-ins.

    Without `__setstate__` a pickle could set any attribute, also of the class.
    """

    def __setstate__(self, state: Any) -> None:
        raise _Refused("a state where there is none")


class _Type(_StandIn):
    """Stands for numpy.dtype: `dtype('f8', False, True)` and then its state, of which the byte
    order counts.
    """

    def __init__(self, code: str, *_: Any) -> None:
        self.code, self.order = str(code), "<"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def numpy(self) -> np.dtype:
        if not _PLAIN.fullmatch(self.code) or self.order not in ("<", ">", "|", "="):
            raise _Refused(f"an array of {self.order}{self.code}")
        return np.dtype(self.order + self.code)


class _Array(_StandIn):
    """Stands for an array under reconstruction: (version, shape, type, is Fortran order, bytes)."""

    def __init__(self, *_: Any) -> None:
        self.value: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, data = state
        self.value = _array(data, kind, shape, "F" if fortran else "C")


class _Buffer(_Array):
    """Stands for an array of pickle protocol 5: (bytes, type, shape, order)."""

    def __init__(self, data: Any, kind: _Type, shape: Any, order: str) -> None:
        self.value = _array(data, kind, shape, order)


class _Scalar(_Array):
    """Stands for a numpy scalar: (type, bytes)."""

    def __init__(self, kind: _Type, data: Any) -> None:
        self.value = _array(data, kind, (), "C").item()


class _Bytes(_StandIn):
    """Stands for `_codecs.encode(text, 'latin1')`, which old protocols use for bytes."""

    def __new__(cls, text: str, encoding: str) -> bytes:  # type: ignore[misc]
        if encoding != "latin1":
            raise _Refused(f"encoding {encoding!r}")
        return text.encode("latin1")


class _Class(_StandIn):
    """Stands for numpy.ndarray, which is only ever an argument."""

    def __init__(self, *_: Any) -> None:
        raise _Refused("a call of numpy.ndarray")


_STANDINS: dict[tuple[str, str], type] = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _Class,
    ("_codecs", "encode"): _Bytes,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _Buffer for core in ("core", "_core")},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        try:
            return _STANDINS[module, name]
        except KeyError:
            raise _Refused(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("a persistent object")


def load_pickle(path: Path) -> dict[str, Any]:
    """Load the dictionary in a pickle: arrays, numbers, text, None, and containers of these.

    Raises:
        MotionError: The file is missing, truncated or no dictionary, or asks for anything else.
            What it asks for is named and not executed.
    """
    try:
        with path.open("rb") as stream:
            value = _plain(_Unpickler(stream).load())
    except OSError as error:
        raise MotionError(f"Cannot read {path}: {error.strerror or error}.") from error
    except _Refused as error:
        raise MotionError(
            f"{path} asks for {error}, which was refused and not executed; allowed: numpy arrays of"
            " numbers, numbers, text,"
            " lists, tuples, dictionaries. If you trust its maker, have it saved again with these"
            " only." + _BODY_MODEL * str(error).startswith(("chumpy", "scipy.sparse"))
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise MotionError(
            f"{path} is truncated or no pickle ({type(error).__name__}: {error}). Export it again."
        ) from error
    if not isinstance(value, dict):
        raise MotionError(
            f"{path} holds a {type(value).__name__}; needed is a dictionary of arrays."
        )
    return value


def _array(data: Any, kind: _Type, shape: Any, order: str) -> np.ndarray:
    if not isinstance(data, bytes | bytearray | memoryview) or not isinstance(kind, _Type):
        raise _Refused(f"an array made of {type(data).__name__}")
    return np.frombuffer(bytes(data), kind.numpy()).reshape(
        shape, order="F" if order == "F" else "C"
    )


def _plain(value: Any) -> Any:
    """Return `value` with the stand-ins replaced by what they hold."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        return {_plain(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(v) for v in value)
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    raise _Refused(f"a {type(value).__name__} as a value")
