"""From the piece that a pixel shows to names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from demo.scenes.labels import halved, maps, shares

EVEN = st.tuples(st.integers(1, 6), st.integers(1, 6)).map(lambda size: (2 * size[0], 2 * size[1]))


def slowly_halved(index):
    height, width = index.shape
    out = np.zeros((height // 2, width // 2), int)
    for y in range(height // 2):
        for x in range(width // 2):
            block = [index[2 * y + dy, 2 * x + dx] for dy in (0, 1) for dx in (0, 1)]
            best = block[0]
            for value in block:
                if block.count(value) > block.count(best):
                    best = value
            out[y, x] = best
    return out


@given(arrays.arrays(np.int64, EVEN, elements=st.integers(-1, 3)))
@settings(deadline=None)
def test_halving_is_a_vote(index):
    np.testing.assert_array_equal(halved(index), slowly_halved(index))


def piece(name, part, material):
    return SimpleNamespace(object=name, part=part, texture=SimpleNamespace(material=material))


SCENE = SimpleNamespace(
    pieces=(piece("sky", "", "sky"), piece("car", "wheel", "rubber"), piece("car", "door", "metal"))
)
INDEX = np.array([[0, 1, 2], [2, -1, 0]])


def test_maps_name_every_pixel():
    named = maps(SCENE, INDEX)
    assert named["object"].tolist() == [["sky", "car", "car"], ["car", "", "sky"]]
    assert named["part"].tolist() == [["", "wheel", "door"], ["door", "", ""]]
    assert named["material"].tolist() == [["sky", "rubber", "metal"], ["metal", "", "sky"]]


def test_shares_add_up():
    assert shares(SCENE, INDEX) == {"": 1 / 6, "car": 3 / 6, "sky": 2 / 6}
