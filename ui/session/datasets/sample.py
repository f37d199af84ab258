"""A few pictures of a data set, with their labels drawn in, before anything is computed of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret_core.concepts import ConceptTable
from interpret_core.datasets import Dataset
from interpret_core.datasets.decoder import held
from interpret_core.datasets.inspection.check import every_concept
from interpret_core.datasets.pictures import shrink
from interpret_core.errors import DamagedFileError

PICTURES = 10
SIDE = 320  # pixels of the longer one
# Okabe and Ito's, in an order in which neighbours differ most; the largest label first.
COLOURS = ("#e69f00", "#0072b2", "#009e73", "#cc79a7", "#f0e442", "#56b4e9")
_OTHERS = "#9aa0aa"
_OPACITY = 0.55
_WHOLE = 0.999  # of a picture: a label of all of it, not of a place
_LOOKS = frozenset({"color", "texture", "scene"})  # drawn only where a picture has nothing else


class Patch(NamedTuple):
    """A label in a picture: its name, its colour there ("" where it is of the whole picture), its share."""

    name: str
    colour: str
    share: float


class SamplePicture(NamedTuple):
    """One picture of the sample.

    Attributes:
        name: its file's.
        source: a data URI, empty where it cannot be read.
        label: the class that it shows, or "".
        patches: its labels, the largest first.
        problem: why it or its masks cannot be read.
    """

    name: str
    source: str
    label: str
    patches: Sequence[Patch]
    problem: str = ""


def sample(
    dataset: Dataset, labels: Mapping[int, str] = MappingProxyType({}), most: int = PICTURES
) -> tuple[SamplePicture, ...]:
    """Pictures from the beginning to the end of a data set, at equal steps.

    Args:
        dataset: N pictures.
        labels: index -> class, of those that have one.
        most: how many at most.
    """
    indices = np.unique(np.linspace(0, len(dataset) - 1, min(most, len(dataset))).round().astype(int))
    table = every_concept(dataset)
    return tuple(_picture(dataset, table, int(index), labels.get(int(index), "")) for index in indices)


def _picture(dataset: Dataset, table: ConceptTable, index: int, label: str) -> SamplePicture:
    name = dataset.records[index].image
    try:
        with held():
            whole = dataset.read_image(index)
            factor = min(1.0, SIDE / max(whole.shape[:2]))
            height, width = (max(1, round(extent * factor)) for extent in whole.shape[:2])
            pixels = shrink(whole, (height, width)) if factor < 1 else whole
    except DamagedFileError as error:
        return SamplePicture(name, "", label, (), dataset.told(error))
    try:
        planes = dataset.read_annotation(index, table) if table.concepts else np.zeros((0, 1, 1), np.uint16)
    except DamagedFileError as error:
        return SamplePicture(name, _uri(pixels), label, (), dataset.told(error))
    drawn, patches = _labelled(pixels, planes, table)
    return SamplePicture(name, _uri(drawn), label, patches)


def _labelled(
    pixels: NDArray[np.uint8], planes: NDArray[np.uint16], table: ConceptTable
) -> tuple[NDArray[np.uint8], list[Patch]]:
    """The picture with its labels in colours, and what they are: things first, then colours and the like."""
    numbers, counts = np.unique(planes, return_counts=True)
    area = max(1, planes.shape[1] * planes.shape[2])
    found = sorted(
        ((int(n), int(c) / area) for n, c in zip(numbers, counts, strict=True) if n), key=lambda one: -one[1]
    )
    things = [one for one in found if table.concepts[one[0] - 1].category not in _LOOKS]
    looks = [one for one in found if one not in things]
    drawn = [number for number, share in things or looks if share < _WHOLE or len(things) == 1]
    colours = dict(zip(drawn, chain(COLOURS, repeat(_OTHERS)), strict=False))
    patches = [
        Patch(table.names[number - 1], colours.get(number, ""), share) for number, share in things + looks
    ]
    return _painted(pixels, planes, colours), patches


def _painted(
    pixels: NDArray[np.uint8], planes: NDArray[np.uint16], colour_of: dict[int, str]
) -> NDArray[np.uint8]:
    """Each label over the picture, the smallest on top of those that it lies in."""
    height, width = pixels.shape[:2]
    rows = (np.arange(height) * planes.shape[1]) // height
    columns = (np.arange(width) * planes.shape[2]) // width
    painted = pixels.astype(np.float32)
    shown = np.full((height, width), -1, np.int32)
    order = list(colour_of)  # the largest first: what comes later lies on top
    for plane in planes:
        whole = plane[rows][:, columns]
        for place, number in enumerate(order):
            mask = (whole == number) & (shown < place)
            shown[mask] = place
    for place, number in enumerate(order):
        mask = shown == place
        tone = np.array([int(colour_of[number][at : at + 2], 16) for at in (1, 3, 5)], np.float32)
        painted[mask] = painted[mask] * (1 - _OPACITY) + tone * _OPACITY
    return painted.round().astype(np.uint8)


def _uri(pixels: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
