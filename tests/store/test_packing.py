"""Packed records come back to the byte, whatever is in them."""

from __future__ import annotations

import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from interpret_core.store.bundle.packer import ARRANGEMENTS, pack, unpack
from interpret_core.store.records import DTYPES, Record

SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6)


def everything() -> Record:
    random = np.random.default_rng(0)
    starts = np.cumsum(random.integers(40, 120, 90)).astype(np.uint16)
    return Record(
        {
            "runs": np.stack([starts, random.integers(1, 30, 90).astype(np.uint16)], axis=1),
            "offsets": np.cumsum(random.integers(0, 9, 300)),
            "edges": np.stack([np.linspace(-1.5, top, 65) for top in random.uniform(1, 9, 20)]).astype("f4"),
            "ends": np.array([[np.nan, -np.inf, 0.0], [-0.0, 1e-45, 3e38]], np.float32),
            "flags": np.packbits(random.random((20, 64)) < 0.2, axis=1),
            "number": np.float64(0.1),
            "nothing": np.empty((0, 2), np.uint16),
            "truth": np.array([True, False]),
            "largest": np.array([2**64 - 1, 0, 2**63], np.uint64),
            "least": np.array([-(2**63), 2**63 - 1], np.int64),
        },
        {"names": ["ä", "b"], "n": 3},
    )


def test_every_arrangement_gives_back_the_bytes():
    record = everything()
    assert unpack(pack(record)).to_bytes() == record.to_bytes()
    used = set()
    for name, array in record.arrays.items():
        for how, way in ARRANGEMENTS.items():
            if way.fits(array):
                used.add(how)
                bits = way.arrange(array).reshape(array.shape).view(array.dtype)
                assert way.restore(bits).tobytes() == array.tobytes(), (name, how)
    assert used == set(ARRANGEMENTS)


def test_equal_records_pack_to_equal_bytes():
    assert pack(everything()) == pack(everything())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(DTYPES)).flatmap(lambda name: arrays.arrays(DTYPES[name], SHAPES)))
def test_any_array_comes_back(array):
    record = Record({"a": array, "b": array[..., :0] if array.ndim else array})
    assert unpack(pack(record)).to_bytes() == record.to_bytes()


def test_what_is_regular_takes_next_to_nothing():
    random = np.random.default_rng(1)
    edges = np.stack([np.linspace(0, top, 65) for top in random.uniform(1, 9, 500)]).astype(np.float32)
    assert edges.nbytes > 20 * len(pack(Record({"edges": edges})))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"neither",
        lzma.compress(b""),
        lzma.compress(b"\xff\xff\xff\x7f{}"),
        lzma.compress(b"\x02\x00\x00\x00{}"),
        lzma.compress(b'\x26\x00\x00\x00{"arrays":[["a","F99",[1],"steps"]]}   '),
        lzma.compress(b'\x2a\x00\x00\x00{"arrays":[["a","U8",[9],"as it is"]]}     '),
        pack(everything())[:-40],
        lzma.compress(b"\0" * 10, preset=9),  # would take more memory than a packed record may
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError):
        unpack(data)
