"""A record in as few bytes as the standard library manages, for results that are shipped with the program.

xz (LZMA2) over the arrays, each rearranged first so that neighbouring bytes resemble each other. Nothing is
lost: `unpack` gives the record back to the byte. On the demo's records of 9 kB a unit this takes about a
quarter; what remains is mostly masks (half) and responses, whose last bits are as good as random.

Unpacked, a file is: length of the header (4 bytes, little-endian); the header, JSON with `arrays` (a list of
name, dtype, shape, arrangement) and `metadata`; the arrays one after the other.
"""

from __future__ import annotations

import json
import lzma
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.store.records import DTYPES, Array, Record, canonical_json

# Eight megabytes of memory to unpack, whatever is in the file; no record of the demo gains from more.
FILTERS: list[dict[str, int]] = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1 << 23}
]
QUICK: list[dict[str, int]] = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
MEMORY = 1 << 25  # bytes that unpacking may take; a forged file could ask for gigabytes
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class _Arrangement(NamedTuple):
    """One way to lay out an array's bytes, and back; `fits` says for which arrays."""

    fits: Callable[[Array], bool]
    arrange: Callable[[Array], Array]
    restore: Callable[[Array], Array]


def pack(record: Record) -> bytes:
    """The record's packed bytes; equal records give equal bytes under one version of liblzma."""
    described, bodies = [], []
    for name, array in record.arrays.items():
        how, body = min(
            ((how, _arranged(array, how)) for how, way in ARRANGEMENTS.items() if way.fits(array)),
            key=lambda found: len(lzma.compress(found[1], lzma.FORMAT_RAW, filters=QUICK)),
        )
        described.append([name, _NAMES[array.dtype], list(array.shape), how])
        bodies.append(body)
    header = canonical_json({"arrays": described, "metadata": record.metadata}).encode()
    content = b"".join((len(header).to_bytes(4, "little"), header, *bodies))
    return lzma.compress(content, lzma.FORMAT_XZ, check=lzma.CHECK_NONE, filters=FILTERS)


def unpack(data: bytes) -> Record:
    """The record that was packed.

    Raises:
        ValueError: `data` is nothing that `pack` made.
    """
    try:
        content = lzma.decompress(data, lzma.FORMAT_XZ, memlimit=MEMORY)
        start = 4 + int.from_bytes(content[:4], "little")
        header: dict[str, Any] = json.loads(content[4:start])
        arrays = {}
        for name, dtype, shape, how in header["arrays"]:
            size = DTYPES[dtype].itemsize * math.prod(shape)
            arrays[name] = _restored(content[start : start + size], DTYPES[dtype], tuple(shape), how)
            start += size
        return Record(arrays, header["metadata"])
    except (lzma.LZMAError, KeyError, TypeError, AttributeError, MemoryError) as error:
        raise ValueError(f"not a packed record: {type(error).__name__}: {error}") from error


def _arranged(array: Array, how: str) -> bytes:
    """An array's bytes: rearranged numbers, then all their first bytes, all their second bytes, …"""
    numbers = ARRANGEMENTS[how].arrange(array).reshape(-1)
    return np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, array.itemsize).T).tobytes()


def _restored(body: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], how: str) -> Array:
    planes = np.frombuffer(body, np.uint8).reshape(dtype.itemsize, -1)
    numbers = np.ascontiguousarray(planes.T).reshape(-1).view(dtype).reshape(shape)
    return ARRANGEMENTS[how].restore(numbers)


def _bits(array: Array) -> Array:
    """The same bytes as unsigned numbers, which wrap around without loss."""
    return array.view(f"<u{array.itemsize}")


def _steps(array: Array) -> Array:
    """Each number less the one before it: offsets and sorted indices become small."""
    bits = _bits(array).reshape(-1)
    return np.diff(bits, prepend=bits.dtype.type(0))


def _summed(array: Array) -> Array:
    flat = _bits(array).reshape(-1)
    return np.cumsum(flat, dtype=flat.dtype).view(array.dtype).reshape(array.shape)


def _gaps(array: Array) -> Array:
    """Runs (start, length) as (gap after the run before, length): the rows of a mask repeat, at any place."""
    bits = _bits(array)
    ends = bits[:, 0] + bits[:, 1]
    return np.stack([bits[:, 0] - np.concatenate([ends[:1] * 0, ends[:-1]]), bits[:, 1]], axis=1)


def _runs(array: Array) -> Array:
    bits = _bits(array)
    ends = np.cumsum(bits[:, 0] + bits[:, 1], dtype=bits.dtype)
    return np.stack([ends - bits[:, 1], bits[:, 1]], axis=1).view(array.dtype)


def _line(first: NDArray[Any], last: NDArray[Any], count: int, dtype: np.dtype[Any]) -> Array:
    """(…, count) equal steps from first to last, in one fixed order of operations."""
    share = np.arange(count, dtype=np.float64) / (count - 1)
    low, high = first[..., None].astype(np.float64), last[..., None].astype(np.float64)
    with np.errstate(all="ignore"):
        return (low + (high - low) * share).astype(dtype)


def _off_line(array: Array) -> Array:
    """Between the ends of the last axis, how far a number is from equal steps: edges of bins become zeros."""
    off = _bits(array) - _bits(_line(array[..., 0], array[..., -1], array.shape[-1], array.dtype))
    off[..., 0], off[..., -1] = _bits(array)[..., 0], _bits(array)[..., -1]
    return off


def _on_line(array: Array) -> Array:
    bits = _bits(array)
    found = bits + _bits(_line(array[..., 0], array[..., -1], array.shape[-1], array.dtype))
    found[..., 0], found[..., -1] = bits[..., 0], bits[..., -1]
    return found.view(array.dtype)


def _same(array: Array) -> Array:
    return array


def _has_runs(array: Array) -> bool:
    return array.dtype.kind == "u" and array.ndim == 2 and array.shape[1] == 2


def _has_lines(array: Array) -> bool:
    # Finite only, and no wider than the arithmetic: what NaN and infinity give differs between processors.
    narrow = array.dtype.kind == "f" and array.itemsize <= 4 and array.ndim > 0 and array.shape[-1] > 2
    return narrow and bool(np.isfinite(array).all())


ARRANGEMENTS = {
    "as it is": _Arrangement(lambda _: True, _same, _same),
    "steps": _Arrangement(lambda array: array.dtype.kind in "iu", _steps, _summed),
    "runs": _Arrangement(_has_runs, _gaps, _runs),
    "line": _Arrangement(_has_lines, _off_line, _on_line),
}
