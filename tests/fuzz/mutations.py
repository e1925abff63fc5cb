"""Damage to files: bytes, lines, values of JSON and YAML, arrays of .npz, members of .zip."""

from __future__ import annotations

import copy
import datetime
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import yaml

Rng = np.random.Generator
Mutation = Callable[[Rng, bytes], bytes]

DEEP = 3000  # of nested brackets: more than Python's readers can follow
TOKENS = (
    *("nan", "inf", "-1", "0", "1e999", "9" * 5000, "1e38", "-1e300", "", "x", "null", "true"),
    *("2001-13-45", "2001-01-01", "é", "\x00", "[" * DEEP, "!!python/object:os.system {}"),
    *("!!binary x", "&a [*a]", "- -", ":", "{{", "~", "<script>", "../../etc/passwd"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, "", "x", -1, 0, 3.7, 1e38, 1e300, float("nan"), float("inf"), 10**400),
    *(
        [],
        {},
        [[]],
        [None],
        {"x": {"y": []}},
        ["a", 1],
        [1e308] * 3,
        "9" * 5000,
        "\x00",
        [[1], [2, 3]],
    ),
)


def of_bytes(rng: Rng, content: bytes) -> bytes:
    """Flipped, lost, repeated or foreign bytes."""
    data, how = bytearray(content), rng.integers(5)
    at = int(rng.integers(max(len(data), 1)))
    if how == 0:
        for place in rng.integers(0, max(len(data), 1), int(rng.integers(1, 20))):
            data[place : place + 1] = bytes([int(rng.integers(256))])
    elif how == 1:
        del data[at:]
    elif how == 2:
        del data[at : at + int(rng.integers(1, 200))]
    elif how == 3:
        data[at:at] = data[at : at + int(rng.integers(1, 2000))]
    else:
        data[at:at] = rng.bytes(int(rng.integers(1, 40)))
    return bytes(data)


def of_text(rng: Rng, content: bytes) -> bytes:
    """Lost, repeated or exchanged lines, odd words, or another encoding."""
    lines, how = content.split(b"\n"), rng.integers(6)
    at, other = (int(i) for i in rng.integers(len(lines), size=2))
    if how == 0:
        del lines[at : at + int(rng.integers(1, 4))]
    elif how == 1:
        lines[at:at] = lines[other : other + int(rng.integers(1, 4))]
    elif how == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif how == 3:
        words = lines[at].split(b" ")
        words[int(rng.integers(len(words)))] = _odd_token(rng)
        lines[at] = b" ".join(words)
    elif how == 4:
        lines[at] = lines[at][: int(rng.integers(len(lines[at]) + 1))] + b"\xff\xfe\x80"
    else:
        encoding = ("utf-16", "utf-32", "utf-8-sig")[int(rng.integers(3))]
        return content.decode(errors="replace").encode(encoding)
    return b"\n".join(lines)


def of_json(rng: Rng, content: bytes) -> bytes:
    """Another value at some place, or a number or nesting that no reader takes."""
    if rng.random() < 0.15:
        return of_text(rng, content)
    text = json.dumps(of_value(rng, json.loads(content)), default=str)
    if rng.random() < 0.1:
        odd = ("[" * DEEP + "]" * DEEP, "1e999", "9" * 5000, '{"a": 1, "a": 2}')
        numbers = [part for part in text.replace("]", ",").split(",") if part.strip().isdigit()]
        if numbers:
            text = text.replace(
                numbers[int(rng.integers(len(numbers)))], odd[int(rng.integers(4))], 1
            )
    return text.encode()


def of_yaml(rng: Rng, content: bytes) -> bytes:
    """Another value at some place, or damaged text."""
    if rng.random() < 0.4:
        return of_text(rng, content)
    value = of_value(rng, yaml.safe_load(content), (datetime.date(2001, 1, 1), b"\xff"))
    return yaml.safe_dump(value, sort_keys=False).encode()


def of_pickle(rng: Rng, content: bytes) -> bytes:
    """Another value or type at some place, or damaged bytes. The content is one that tests made."""
    if rng.random() < 0.3:
        return of_bytes(rng, content)
    value = of_arrays(rng, pickle.loads(content))
    return pickle.dumps(value, protocol=int(rng.integers(2, 6)))


def of_value(rng: Rng, value: Any, more: tuple[Any, ...] = ()) -> Any:
    """A copy of plain values with another one at a drawn place, without it, or with one more."""
    value = copy.deepcopy(value)
    for _ in range(int(rng.integers(1, 3))):
        places = _places(value)
        if not places:
            return _odd_value(rng, more)
        holder, key = places[int(rng.integers(len(places)))]
        how = rng.random()
        if how < 0.7:
            holder[key] = _odd_value(rng, more)
        elif how < 0.85:
            del holder[key]
        elif isinstance(holder, dict):
            holder[f"{key}x"] = holder[key]
        else:
            holder.insert(key, copy.deepcopy(holder[key]))
    return value


def of_arrays(rng: Rng, arrays: dict[str, Any]) -> dict[str, Any]:
    """A copy with one array changed in type, shape or value, or without it, or with one more."""
    arrays = dict(arrays)
    name = sorted(arrays)[int(rng.integers(len(arrays)))]
    how = rng.random()
    if how < 0.08:
        del arrays[name]
    elif how < 0.12:
        arrays["another"] = arrays[name]
    else:
        arrays[name] = _odd_array(rng, np.asarray(arrays[name]))
    return arrays


def of_zip(rng: Rng, content: bytes) -> bytes:
    """A member of another kind, a header that lies, or a damaged archive."""
    how = rng.random()
    if how < 0.2:
        return of_bytes(rng, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    if how < 0.28:
        return _lying_archive(rng, members)
    name = sorted(members)[int(rng.integers(len(members)))]
    if rng.random() < 0.05:
        del members[name]
    elif not name.endswith(".npy"):
        members[name] = of_json(rng, members[name])
    else:
        members[name] = _of_npy(rng, members[name])
    return _zipped(members)


def _of_npy(rng: Rng, content: bytes) -> bytes:
    array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=True)
    how = rng.random()
    if how < 0.25:
        return _lying_header(rng, array)
    if array.dtype.kind == "U" and str(array).startswith("{") and how < 0.9:  # a text of JSON
        text = of_json(rng, str(array).encode()).decode(errors="replace")
        return _npy(np.array(text))
    return _npy(_odd_array(rng, array))


def _odd_array(rng: Rng, array: np.ndarray) -> np.ndarray:
    size = max(array.size, 1)
    ragged = np.empty(2, object)
    ragged[:] = [[1], [2, 3]]
    makers: tuple[Callable[[], np.ndarray], ...] = (
        *((lambda t=t: np.zeros(array.shape, t)) for t in ("S3", "V4", "M8[D]", "m8[s]", "c8")),
        *((lambda t=t: array.astype(t)) for t in ("O", "U", "f2", ">f8", "?")),
        lambda: np.zeros(array.shape, [("x", "f4"), ("y", "i4")]),
        lambda: ragged,
        lambda: np.array(b"bytes"),
        lambda: np.array("2001-01-01", "M8[D]"),
        lambda: np.array(0.5),
        lambda: np.zeros(0),
        lambda: array[..., None],
        lambda: array.T,
        lambda: array.reshape(-1),
        lambda: array[:-1] if array.ndim else array,
        lambda: np.concatenate([array, array]) if array.ndim else array,
        lambda: _with(rng, array, np.nan),
        lambda: _with(rng, array, np.inf),
        lambda: _with(rng, array, 1e38),
        lambda: _with(rng, array, -1.0),
        lambda: np.full(array.shape, 1e38, np.float32),
        lambda: np.full(array.shape, 1e300),
        lambda: np.full(array.shape, -(2**62)),
        lambda: rng.normal(size=size).reshape(array.shape or (1,)),
    )
    try:
        return makers[int(rng.integers(len(makers)))]()
    except (ValueError, TypeError):
        return np.zeros(array.shape, np.int8)


def _with(rng: Rng, array: np.ndarray, value: float) -> np.ndarray:
    changed = np.array(array, np.float64 if array.dtype.kind in "fiub" else "U").reshape(-1)
    if changed.size:
        changed[int(rng.integers(changed.size))] = value
    return changed.reshape(array.shape)


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def _lying_header(rng: Rng, array: np.ndarray) -> bytes:
    """Headers that ask for gigabytes, nest too deep, or are no headers."""
    descr = np.lib.format.dtype_to_descr(array.dtype)
    headers = (
        f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': (1000000000,), }}",
        f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': (10, 1000000000000000000), }}",
        f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': (-3, -4), }}",
        f"{{'descr': '|S2147483647', 'fortran_order': False, 'shape': {array.shape}, }}",
        f"{{'descr': '<f4{'[' * 5}', 'fortran_order': False, 'shape': (3,), }}",
        "(" * 1000 + ")" * 1000,
        "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 1000 + ")" * 1000 + ", }",
        "{'descr': (((((('<f4', (9999,)), (9999,))))), 'shape': (3,)",
        f"{{'descr': {descr!r}, 'fortran_order': 7, 'shape': 'x', }}",
        "__import__('os').system('true')",
        "'''",
    )
    text = headers[int(rng.integers(len(headers)))].encode()
    version = ((1, 0), (2, 0), (3, 0), (9, 9))[int(rng.integers(4))]
    length = len(text).to_bytes(2 if version[0] == 1 else 4, "little")
    return b"\x93NUMPY" + bytes(version) + length + text + array.tobytes()[:4096]


def _lying_archive(rng: Rng, members: dict[str, bytes]) -> bytes:
    """Encrypted members, unknown compression, sizes that are wrong, or a bomb."""
    data = bytearray(_zipped(members))
    central = data.find(b"PK\x01\x02")
    how = rng.integers(5)
    if how == 0:
        data[central + 8] |= 1
        data[6] |= 1
    elif how == 1:
        data[central + 10] = 99
    elif how == 2:
        data[central + 24 : central + 28] = b"\xf0\xff\xff\xff"
    elif how == 3:
        data[central + 20 : central + 24] = b"\xf0\xff\xff\xff"
    else:
        name = sorted(members)[0]
        bomb = _npy(np.zeros(1)) + bytes(50 * 2**20)
        return _zipped({**members, name: bomb}, zipfile.ZIP_DEFLATED)
    return bytes(data)


def _zipped(members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) in nested dicts and lists; of long lists of numbers only some."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
        keys = keys[:8] + keys[-2:] if len(keys) > 10 else keys
    found = [(value, key) for key in keys]
    for key in keys:
        found += _places(value[key])
    return found


def _odd_value(rng: Rng, more: tuple[Any, ...] = ()) -> Any:
    values = ODD_VALUES + more
    return copy.deepcopy(values[int(rng.integers(len(values)))])


def _odd_token(rng: Rng) -> bytes:
    return TOKENS[int(rng.integers(len(TOKENS)))].encode()
