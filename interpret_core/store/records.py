"""A record: named arrays plus JSON metadata, with exactly one representation in bytes.

The bytes are a plain safetensors file whose only metadata entry is the record's JSON, so any safetensors
tool opens one. Equal content gives equal bytes, whatever the order in which it was put together.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

METADATA_ENTRY = "unitscope"
_TAKEN = "__metadata__"
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}
_NAMES = {dtype.str: name for name, dtype in DTYPES.items()}
# Of dtypes, as safetensors ranks them: the last comes first in a file.
_ORDER = ("BOOL", "U8", "I8", "I16", "U16", "F16", "I32", "U32", "F32", "F64", "I64", "U64")

Array = np.ndarray[Any, np.dtype[Any]]
Piece = bytes | memoryview
Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces, UTF-8 as it is.

    Halves of characters, as Python has them in a file's name that is no UTF-8, are written as JSON's escapes.

    Raises:
        ValueError: NaN or infinity, which JSON cannot say.
        TypeError: something that is not JSON (a numpy number, a set …).
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, eq=False)
class Record:
    """What the store keeps under one key.

    Args:
        arrays: name → array of a boolean, integer or float dtype, any shape. Kept as read-only, C-contiguous
            views; a contiguous array is not copied, so its owner must not change it any more.
        metadata: anything JSON can say. It is normalised at once (tuples become lists, keys text), so that a
            fresh record and the same one from disk look alike.

    Raises:
        TypeError: an array's dtype or the metadata cannot be stored; the message names it.
        ValueError: NaN or infinity in the metadata.
    """

    arrays: Mapping[str, Array]
    metadata: Any = None

    def __post_init__(self) -> None:
        arrays = {name: _frozen(name, self.arrays[name]) for name in sorted(self.arrays)}
        object.__setattr__(self, "arrays", arrays)
        object.__setattr__(self, "metadata", json.loads(canonical_json(self.metadata)))

    def __getitem__(self, name: str) -> Array:
        """The array called `name`."""
        return self.arrays[name]

    def pieces(self) -> tuple[Piece, ...]:
        """The canonical bytes, one after the other: a header, and views of the arrays, which are not copied.

        As safetensors writes them: arrays by dtype, wide ones first, then by name, and a header filled up
        with spaces to a multiple of 8 bytes; in the tests the library is this function's twin.
        """
        order = sorted(self.arrays.items(), key=lambda one: (-_ORDER.index(_NAMES[one[1].dtype.str]), one[0]))
        header: dict[str, Any] = {_TAKEN: {METADATA_ENTRY: canonical_json(self.metadata)}}
        start = 0
        for name, array in order:
            stop = start + array.nbytes
            entry = {"dtype": _NAMES[array.dtype.str], "shape": array.shape, "data_offsets": (start, stop)}
            header[name], start = entry, stop
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        # A view as plain bytes cannot be had of a memory that has none.
        views = [array.reshape(-1).view(np.uint8).data for _, array in order if array.nbytes]
        return (struct.pack("<Q", len(text)) + text, *views)

    def to_bytes(self) -> bytes:
        """The canonical bytes: equal content, equal bytes."""
        return b"".join(self.pieces())

    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hex."""
        checksum = hashlib.sha256()
        for piece in self.pieces():
            checksum.update(piece)
        return checksum.hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Record:
        """The record that `to_bytes` wrote. The arrays are read-only views of `data`: nothing is copied.

        Raises:
            ValueError: `data` is not such a record.
        """
        try:
            header, body = _split(memoryview(data))
            metadata = json.loads(header.pop(_TAKEN)[METADATA_ENTRY])
            arrays = {name: _view(entry, body) for name, entry in header.items()}
            return cls(arrays, metadata)
        except (KeyError, TypeError, AttributeError, struct.error, UnicodeDecodeError) as error:
            raise ValueError(f"not a record: {type(error).__name__}: {error}") from error


def metadata_of(start: bytes) -> tuple[Any, int]:
    """The metadata of a record of which only the first bytes are there.

    Returns:
        The metadata, None where they are not whole or none; and how many bytes it takes to read them.
    """
    length = int.from_bytes(start[:8], "little") if len(start) >= 8 else 0
    if not 0 < length <= len(start) - 8:
        return None, length + 8
    try:
        return json.loads(json.loads(start[8 : 8 + length])[_TAKEN][METADATA_ENTRY]), length + 8
    except (KeyError, TypeError, ValueError, RecursionError):
        return None, 0


def _frozen(name: str, array: Array) -> Array:
    """A read-only, contiguous, little-endian view (or copy, where there is no such view)."""
    if not isinstance(array, np.ndarray | np.generic) or array.dtype.newbyteorder("<") not in DTYPES.values():
        kind = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"Array {name!r} has dtype {kind}; a record holds booleans, integers and floats.")
    if name == _TAKEN:
        raise TypeError(f"An array cannot be called {_TAKEN!r}: a record's metadata are.")
    # np.asarray and not ascontiguousarray, which would turn a number (0-d) into a list (1-d).
    view = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C").view()
    view.flags.writeable = False
    return view


def _split(data: memoryview) -> tuple[dict[str, Any], memoryview]:
    """Header and tensor bytes of a safetensors file.

    The library's own `load` copies every tensor; it is this function's twin in the tests.
    """
    (length,) = struct.unpack_from("<Q", data)
    if length > len(data) - 8:
        raise ValueError(f"not a record: a header of {length} bytes in a file of {len(data)}")
    return json.loads(bytes(data[8 : 8 + length])), data[8 + length :]


def _view(entry: dict[str, Any], body: memoryview) -> Array:
    start, stop = entry["data_offsets"]
    dtype, shape = DTYPES[entry["dtype"]], tuple(entry["shape"])
    count = math.prod(shape)
    if not 0 <= start <= stop <= len(body) or stop - start != count * dtype.itemsize:
        raise ValueError(f"not a record: bytes {start} to {stop} of {len(body)} cannot hold {dtype} {shape}")
    if count == 0:  # frombuffer refuses an empty buffer
        return np.empty(shape, dtype)
    return np.frombuffer(body, dtype, count, start).reshape(shape)
