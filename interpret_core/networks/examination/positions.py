"""Where a layer's positions lie where the operations before it do not tell: found out on pictures.

A small patch of the probe is changed at several places, and each layer's response is watched: positions whose
answers do not follow the patch belong to no place in the picture. Where each position sees a part of the
picture only, the input gradients of a few of them tell which, to the pixel.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from interpret_core.networks.arithmetic import double
from interpret_core.networks.graph.cuts import INPUT, Cutter, NotCuttableError
from interpret_core.networks.graph.interpreter import Runner, Taps
from interpret_core.networks.graph.placement import UPRIGHT, Turn
from interpret_core.networks.layers.layer import Layer, placed
from interpret_core.positions import GridLine, GridLines

EVENLY = "the operations before it do not tell where its positions lie, so they are spread evenly"
NOWHERE = "its positions follow no place in the picture: the network moves them about"
# Down and across, as shares of the picture (or of the grid): neither follows from the other.
PLACES = ((0.0, 0.5), (0.25, 0.0), (0.5, 0.75), (0.75, 1.0), (1.0, 0.25))
SIDE = 1 / 16  # of a patch, over the picture's
FOLLOWS = 0.8  # correlation of the patch's place and that of the change
MOVES = 0.1  # of the grid: how far the change moves at least while the patch crosses the picture
DIGITS = 6  # of a place in pixels
WHOLE = 0.9  # of the picture: a position that sees as much says little
EXACT = 8  # layers whose gradients are looked at; each takes as long as several runs


class Span(NamedTuple):
    """What one position sees along one side of the picture: pixels `low` to `high`."""

    low: int
    high: int


class ScatteredError(Exception):
    """Positions lie on no line. Never reaches the user."""


def find_positions(runner: Runner, cutter: Cutter, probe: Tensor, layers: Sequence[Layer]) -> list[Layer]:
    """The layers with their places, as far as they can be found out.

    Args:
        runner: of the network.
        cutter: of the network.
        probe: (N, C, H, W).
        layers: whose positions are not known.

    Returns:
        In their order; a layer whose positions lie nowhere has no masks.
    """
    if not layers:
        return []
    changes = _changes(runner, probe, [layer.name for layer in layers])
    found, looked = [], 0
    for layer in layers:
        change = changes[layer.name]
        turn = _turn(change.middles, layer.grid)
        partly = turn is not None and change.partial and looked < EXACT
        looked += partly
        found.append(_found(layer, turn, _Ways(runner, cutter, probe) if partly else None))
    return found


class _Ways(NamedTuple):
    """Ways to a response's gradients, and the images."""

    runner: Runner
    cutter: Cutter
    probe: Tensor


class _Change(NamedTuple):
    """What changes in a layer's grid with the patch at each place.

    Attributes:
        middles: (K, 2) its middle, as shares of the grid; NaN where nothing changes.
        partial: whether some positions do not see a patch.
    """

    middles: NDArray[np.float64]
    partial: bool


def _found(layer: Layer, turn: Turn | None, ways: _Ways | None) -> Layer:
    if turn is None:
        return replace(layer, without_masks=NOWHERE)
    grid = (layer.grid[1], layer.grid[0]) if turn.swapped else layer.grid
    evenly = placed(layer, GridLines.evenly(grid), turn, EVENLY)
    spans = [] if ways is None else _told(ways, layer.name, turn, grid)
    if ways is None or not any(spans):
        return evenly
    lines = []
    for side in (0, 1):
        seen = [
            (_at(place[side], grid[side]), one[side]) for place, one in zip(PLACES, spans, strict=True) if one
        ]
        positions = np.array([position for position, _ in seen])
        try:
            lines.append(line_through(positions, [span for _, span in seen], int(ways.probe.shape[2 + side])))
        except ScatteredError:
            return replace(layer, without_masks=NOWHERE)
    if lines[0] is None or lines[1] is None:
        return evenly
    return placed(layer, GridLines(lines[0], lines[1]), turn)


def line_through(positions: NDArray[np.int64], spans: Sequence[Span], extent: int) -> GridLine | None:
    """The line on which positions lie that see these spans; None where too few of them see a part only.

    Args:
        positions: (K,) along one side of the grid.
        spans: what each of them sees; cut off where it reaches the border.
        extent: pixels of the picture's side.

    Raises:
        ScatteredError: there is none.
    """
    if not spans:
        return None
    low, high = np.array(spans, np.float64).T
    narrow = high - low < WHOLE * extent  # at a border that wraps around, a position sees both sides
    if not narrow.any():
        return None
    positions, low, high = positions[narrow], low[narrow], high[narrow]
    inside = (low > 0) & (high < extent - 1)
    if len(set(positions[inside].tolist())) < 2:
        return None
    step, first = np.polyfit(positions[inside], (low + high)[inside] / 2, 1)
    half = (high - low)[inside].max() / 2
    centre = first + step * positions
    near = max(1.0, step / 2)  # of two equal responses a maximum hands the gradient to one
    expected = np.clip(centre - half, 0, extent - 1), np.clip(centre + half, 0, extent - 1)
    if step <= 0 or any(np.abs(a - b).max() > near for a, b in zip(expected, (low, high), strict=True)):
        raise ScatteredError
    # Pixels and their parts: what the fit adds in the last digits is none of the network's.
    step, first = round(float(step), DIGITS), round(float(first), DIGITS)
    return GridLine(extent / step, (first + 0.5) / step)


def _changes(runner: Runner, probe: Tensor, names: Sequence[str]) -> dict[str, _Change]:
    """By layer."""
    base = probe[:1]
    before = _responses(runner, base, names)
    middles: dict[str, list[list[float]]] = {name: [] for name in names}
    partly = dict.fromkeys(names, False)
    for place in PLACES:
        changed = base.clone(memory_format=torch.preserve_format)
        part = _patch(place, base.shape[2:])
        changed[:, :, part[0], part[1]] = -2 * base[:, :, part[0], part[1]] + 1
        for name, response in _responses(runner, changed, names).items():
            weight = (response - before[name]).square().sum((0, 1)).cpu().numpy()
            middles[name].append(_middle(weight))
            partly[name] |= bool(weight.any() and not weight.all())
    return {name: _Change(np.array(middles[name]), partly[name]) for name in names}


def _responses(runner: Runner, images: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}

    def keep(name: str, response: Tensor) -> None:
        kept[name] = double(response).clone()

    with torch.no_grad():
        runner(images.clone(), Taps(read={name: partial(keep, name) for name in names}), stop=True)
    return kept


def _patch(place: tuple[float, float], size: Sequence[int]) -> tuple[slice, slice]:
    parts = []
    for share, extent in zip(place, size, strict=True):
        side = max(1, round(extent * SIDE))
        start = round(share * (extent - side))
        parts.append(slice(start, start + side))
    return parts[0], parts[1]


def _middle(weight: NDArray[np.float64]) -> list[float]:
    """Of (h, w), as shares of the grid; what changes everywhere alike (attention, gates) tells nothing."""
    weight = np.maximum(weight - np.median(weight), 0)
    total = weight.sum()
    if not total > 0:
        return [np.nan, np.nan]
    return [float((weight.sum(1 - axis) / total) @ np.linspace(0, 1, weight.shape[axis])) for axis in (0, 1)]


def _turn(middles: NDArray[np.float64], grid: tuple[int, int]) -> Turn | None:
    """How the grid lies over the picture; None where it does not follow it."""
    there = np.isfinite(middles).all(1)
    moved = middles[there]
    if len(moved) < 3 or not (np.ptp(moved, 0) >= MOVES).any():
        return UPRIGHT  # the same everywhere, so that nothing speaks against it
    places = np.array(PLACES)[there]
    # (side of the picture, axis of the grid); a line of one position follows nothing, and need not.
    relation = np.array([[_relation(places[:, side], moved[:, axis]) for axis in (0, 1)] for side in (0, 1)])
    for swapped in (False, True):
        axes = (1, 0) if swapped else (0, 1)
        if all(grid[axes[side]] == 1 or relation[side, axes[side]] for side in (0, 1)):
            return Turn(swapped, tuple(2 + side for side in (0, 1) if relation[side, axes[side]] < 0))
    return None


def _relation(places: NDArray[np.float64], middles: NDArray[np.float64]) -> int:
    """1 where the middle moves with the patch, −1 where against it, 0 where neither."""
    if np.ptp(middles) < MOVES:
        return 0
    correlation = float(np.corrcoef(places, middles)[0, 1])
    return 0 if abs(correlation) < FOLLOWS else int(np.sign(correlation))


def _at(share: float, positions: int) -> int:
    return round(share * (positions - 1))


def _told(ways: _Ways, name: str, turn: Turn, grid: tuple[int, int]) -> list[tuple[Span, Span] | None]:
    """What `_spans` gives; nothing where the module's own code lets no gradient through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _spans(ways, name, turn, grid)
        except Exception:  # whatever the module's own code makes of gradients
            return []


def _spans(ways: _Ways, name: str, turn: Turn, grid: tuple[int, int]) -> list[tuple[Span, Span] | None]:
    """What a few positions of a layer see, down and across; None where they are silent, or nothing tells."""
    # What is dark for one unit's filter may be bright for it in the negative.
    probe = ways.probe
    looks = torch.cat([probe, -probe, 2 * probe.flip(1), -2 * probe.flip(1)])
    found: list[tuple[Span, Span] | None] = []
    with torch.enable_grad():
        leaf, response = _differentiable(ways, looks, name)
        upright = turn.upright(response)
        # One direction of all units: a sum could cancel out.
        weight = torch.linspace(0.5, 1.5, upright.shape[1], device=upright.device)[None, :]
        for place in PLACES:
            row, column = (_at(place[side], grid[side]) for side in (0, 1))
            seen = (upright[:, :, row, column] * weight).sum()
            gradient = _gradient(seen, leaf)
            found.append(None if gradient is None else _seen(gradient))
    return found


def _differentiable(ways: _Ways, images: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """The images and a layer's response to them, with the gradients between."""
    try:
        _, (leaf, response) = ways.cutter.sweep(images, [INPUT, name])
    except NotCuttableError:
        kept: dict[str, Tensor] = {}
        leaf = images.detach().requires_grad_()
        # A module may overwrite its input, which a leaf forbids.
        ways.runner(leaf.clone(), Taps(read={name: partial(kept.__setitem__, name)}), stop=True)
        response = kept[name]
    return leaf, response


def _gradient(seen: Tensor, leaf: Tensor) -> Tensor | None:
    if not seen.requires_grad:
        return None
    found: Tensor | None
    (found,) = torch.autograd.grad(seen, leaf, retain_graph=True, allow_unused=True)
    return found


def _seen(gradient: Tensor) -> tuple[Span, Span] | None:
    reached = (gradient != 0).any(0).any(0).cpu().numpy()
    if not reached.any():
        return None
    rows, columns = np.flatnonzero(reached.any(1)), np.flatnonzero(reached.any(0))
    return Span(int(rows[0]), int(rows[-1])), Span(int(columns[0]), int(columns[-1]))
