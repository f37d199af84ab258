"""A layer that a network offers, and the names of layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from interpret_core.networks.graph.moves import Pair
from interpret_core.networks.graph.placement import UPRIGHT, Turn
from interpret_core.positions import GridLines, Placing


class Sort(StrEnum):
    """What a layer is made by, in the words of the screen."""

    CONVOLUTION = "convolution"
    SUM = "sum"  # a block's output, after the addition
    JOIN = "concatenation"
    TRANSPOSED = "transposed convolution"
    SHORTCUT = "shortcut"  # the lone 1×1 convolution beside a block
    LINEAR = "linear"  # the last one: a unit per class
    MODULE = "module"  # named by whoever set the network up


@dataclass(frozen=True)
class Layer:
    """A layer; its response is read after normalisation and activation.

    Attributes:
        name: short display name, unique in the network: `conv1`, `layer1.0.conv1`.
        path: dotted module path of the convolution, or of the module that returns the response.
        index: position among the network's layers, from 0: the convolutions in forward order, then others.
        units: number of units (output channels), U.
        grid: (h, w) of the response at the network's input size.
        receptive_field: side in pixels of the input region that can reach one position (the larger of the two
            sides, borders ignored); None if unknown. A gate from a 1×1 grid (squeeze-and-excitation) says how
            strongly, not where, and does not count.
        stride: pixels from one grid position to the next (the larger of the two); None if unknown.
        sort: what it is made by.
        aliases: other names that mean it: paths of modules that return the same response.
        without_masks: why its units have no masks, as the end of a sentence; empty where they have.
        read: where its response is read, in words.
        lines: where its positions lie in the picture, anchored; None where it has none or they are unknown.
        turn: how the network's own tensor is turned to lie as the picture does; `grid` is of the turned one.
        spread: why its positions are taken as spread evenly over the picture; empty where they are known.
    """

    name: str
    path: str
    index: int
    units: int
    grid: Pair
    receptive_field: int | None
    stride: int | None
    sort: Sort = Sort.CONVOLUTION
    aliases: tuple[str, ...] = ()
    without_masks: str = ""
    read: str = ""
    lines: GridLines | None = None
    turn: Turn = UPRIGHT
    spread: str = ""

    @property
    def unplaced(self) -> bool:
        """Whether it has a grid, and the operations before it do not tell where that lies."""
        return self.lines is None and max(self.grid) > 1 and not self.without_masks

    def lines_for(self, placing: str) -> GridLines:
        """Where its positions are drawn, by how they are to be placed; unknown ones are spread evenly."""
        if placing == Placing.STRETCHED or self.lines is None:
            return GridLines.evenly(self.grid)
        return self.lines


def placed(layer: Layer, lines: GridLines, turn: Turn, spread: str = "") -> Layer:
    """The layer with its place in the picture; its grid is turned with it."""
    grid = (layer.grid[1], layer.grid[0]) if turn.swapped else layer.grid
    return replace(layer, grid=grid, lines=lines, turn=turn, spread=spread)


# Raise when the rule for layers that are no convolutions changes; part of the keys of their results.
FURTHER = 1


def read_at(sort: Sort) -> list[object]:
    """Where the response of a layer that is no convolution is read, for keys: no digest says it."""
    return [sort.value, FURTHER]


@dataclass(frozen=True)
class FoundLayer:
    """A layer with its place; `chain`: indices of its operation and of each step after it."""

    layer: Layer
    chain: tuple[int, ...]

    @property
    def response(self) -> int:
        """Index of the operation whose output is the response."""
        return self.chain[-1]


def by_name(layers: Sequence[Layer]) -> dict[str, Layer]:
    """Layers by all their names."""
    return {name: layer for layer in layers for name in (layer.name, *layer.aliases)}


def display_names(paths: Sequence[str]) -> list[str]:
    """Short, unique names for module paths in forward order.

    `conv1` … `convK` where every convolution is a numbered child of one and the same container (AlexNet,
    VGG); else the path, leading underscores of its components stripped where that stays unique.
    """
    parents = {path.rpartition(".")[0] for path in paths}
    if len(parents) == 1 and all(path.rpartition(".")[2].isdigit() for path in paths):
        return [f"conv{number}" for number in range(1, len(paths) + 1)]
    stripped = {path: without_underscores(path) for path in paths}
    unique = len(set(stripped.values())) == len(stripped)
    calls: Counter[str] = Counter()
    names = []
    for path in paths:
        calls[path] += 1
        name = stripped[path] if unique else path
        names.append(name if calls[path] == 1 else f"{name}.call{calls[path]}")
    return names


def without_underscores(path: str) -> str:
    """A module path whose components do not begin with underscores."""
    return ".".join(part.lstrip("_") or part for part in path.split("."))
