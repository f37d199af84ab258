"""Figures as inline SVG: stacked bars over layers, lines over layers, lines over a share of units.

Colours are classes of the page's style, so that a figure follows the reader's light or dark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 190  # of the area with marks
LEFT, TOP, RIGHT = 46, 10, 14
LETTER = 6.9  # width of one, at the size of the axes


@dataclass(frozen=True)
class Curve:
    """A line of a figure.

    Attributes:
        name: for whoever points at it.
        look: classes of the page's style.
        values: one per place, None for none.
        spreads: deviations, drawn as bars; empty for none.
    """

    name: str
    look: str
    values: Sequence[float | None]
    spreads: Sequence[float | None] = ()


@dataclass(frozen=True)
class Axes:
    """What a figure is drawn on.

    Attributes:
        title: what it shows, for whoever does not see it.
        places: names along x.
        most: the largest value.
        unit: behind the numbers along y.
    """

    title: str
    places: Sequence[str]
    most: float
    unit: str = ""

    @property
    def step(self) -> float:
        """Between two lines of the grid: 1, 2 or 5 times a power of ten."""
        rough = max(self.most, 1e-12) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        return next(times * power for times in (1, 2, 5, 10) if times * power >= rough * 0.999)

    @property
    def top(self) -> float:
        """Where the y axis ends."""
        return self.step * max(1, math.ceil(self.most / self.step - 1e-9))

    def y(self, value: float) -> float:
        """Pixels of a value."""
        return TOP + HEIGHT * (1 - value / self.top)

    def band(self, at: int) -> float:
        """Pixels of the middle of a place, of places with a width."""
        return LEFT + WIDTH * (at + 0.5) / len(self.places)


def bars(axes: Axes, stacks: Sequence[tuple[str, str, Sequence[int]]]) -> str:
    """Stacked bars.

    Args:
        axes: with a place per bar.
        stacks: (name, look, a count per place), from the bottom.
    """
    width = min(46.0, WIDTH / len(axes.places) * 0.72)
    marks, below = [], [0] * len(axes.places)
    for name, look, counts in stacks:
        for at, count in enumerate(counts):
            if not count:
                continue
            high, low = axes.y(below[at] + count), axes.y(below[at])
            below[at] += count
            told = escape(f"{axes.places[at]}: {count:,} {name}")
            marks.append(
                f'<rect class="{look}" x="{axes.band(at) - width / 2:.1f}" y="{high:.1f}" '
                f'width="{width:.1f}" height="{low - high:.1f}"><title>{told}</title></rect>'
            )
    return _drawn(axes, marks)


def lines(axes: Axes, curves: Sequence[Curve]) -> str:
    """Lines with a mark at every place."""
    marks = []
    for curve in curves:
        points = [(at, one) for at, one in enumerate(curve.values) if one is not None]
        path = " ".join(
            f"{'L' if number else 'M'}{axes.band(at):.1f} {axes.y(one):.1f}"
            for number, (at, one) in enumerate(points)
        )
        marks.append(f'<path class="{curve.look}" d="{path}"><title>{escape(curve.name)}</title></path>')
        marks += [_dot(axes, curve, at, one) for at, one in points]
    return _drawn(axes, marks)


def _dot(axes: Axes, curve: Curve, at: int, value: float) -> str:
    x = axes.band(at)
    told = escape(f"{curve.name}, {axes.places[at]}: {number(value)}{axes.unit}")
    spread = curve.spreads[at] if curve.spreads else None
    bar = ""
    if spread:
        high, low = axes.y(min(value + spread, axes.top)), axes.y(max(value - spread, 0))
        bar = f'<path class="{curve.look} bar" d="M{x:.1f} {high:.1f}V{low:.1f}"/>'
    dot = f'<circle class="{curve.look}" cx="{x:.1f}" cy="{axes.y(value):.1f}" r="3">'
    return f"{bar}{dot}<title>{told}</title></circle>"


def _drawn(axes: Axes, marks: Sequence[str]) -> str:
    names, below = _names(axes)
    width, height = LEFT + WIDTH + RIGHT, TOP + HEIGHT + below
    return (
        f'<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(axes.title)}">'
        f"{_grid(axes)}{''.join(marks)}{names}</svg>"
    )


def _grid(axes: Axes) -> str:
    found = []
    for at in range(round(axes.top / axes.step) + 1):
        value = at * axes.step
        y = axes.y(value)
        found.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{LEFT + WIDTH}"/>')
        found.append(
            f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
        )
    return "".join(found)


def _names(axes: Axes) -> tuple[str, float]:
    """Names along x, upright where there is no room for them, and the room they take below."""
    longest = max(len(name) for name in axes.places) * LETTER
    level = longest <= WIDTH / len(axes.places) - 4
    y = TOP + HEIGHT + (16 if level else 8)
    found = []
    for at, name in enumerate(axes.places):
        x = axes.band(at)
        turned = "" if level else f' transform="rotate(-90 {x:.1f} {y})"'
        anchor, down = ("middle", 0) if level else ("end", 4)
        place = f'x="{x:.1f}" y="{y + down}" text-anchor="{anchor}"{turned}'
        found.append(f'<text class="tick" {place}>{escape(name)}</text>')
    return "".join(found), 24 if level else longest + 14


def number(value: float) -> str:
    """A number in as few digits as tell it: 1,200, 35, 0.25, 3e-05."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
