"""Colours of the outlines over a unit's photographs, chosen against what lies below them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from interpret_core.datasets.colours import to_lab
from ui.components.palette import mask_colours
from ui.session.memory import kept
from ui.session.view import LayerView

# The first pair is what people know; another takes its place where the mask's own colours would swallow it.
MASK = ("#ffd400", "#ff4fd8", "#ffffff")
TRUTH = ("#19d3ff", "#7dff4f")
CLEAR = 45.0  # CIELAB units from every colour below: more is not easier to see
Rgb = tuple[int, int, int]


def strokes(view: LayerView, unit: int, drawn: int) -> tuple[str, str]:
    """CSS colours of the mask's outline and of the annotation's: the first pair that stands out clearly from
    the colours in the mask (and from the shade that is drawn), else the one that stands out most."""
    below = [colour.rgb for colour in mask_colours(view, unit) if colour.share >= 0.15]
    shade = view.shade_of(drawn)
    if shade is not None:
        below.append(view.shade(shade)[1])
    return chosen(tuple(below))


@kept(1024)
def chosen(below: tuple[Rgb, ...]) -> tuple[str, str]:
    """The pair for given colours below."""
    pairs = [(mask, truth) for mask, truth in product(MASK, TRUTH) if mask != truth]
    pairs.sort(key=lambda pair: MASK.index(pair[0]) + TRUTH.index(pair[1]))
    apart = {colour: contrast(colour, below) for colour in (*MASK, *TRUTH)}
    return max(pairs, key=lambda pair: min(CLEAR, *(apart[colour] for colour in pair)))


def contrast(colour: str, below: Sequence[Rgb]) -> float:
    """The least distance in CIELAB of a CSS colour (#rrggbb) from any of these; infinite from none."""
    if not below:
        return float("inf")
    own = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    lab = to_lab(np.array([own, *below], np.uint8))
    return float(np.linalg.norm(lab[1:] - lab[0], axis=1).min())
