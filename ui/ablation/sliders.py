"""The state of the sliders on the ablation page: read from the URL, checked, and told in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.measures.ablation.selection import DIRECTIONS, FRACTIONS, SEEDS, TOP
from interpret_core.measures.ablation.settings import (
    ALL_LAYERS,
    HAND,
    INNER,
    IOU,
    RANDOM,
    RELEVANCE,
    WAYS,
    Setting,
)
from interpret_core.options import field_of
from ui.shell import lists, notices, silenced, state
from ui.shell.plain import plain, shortened
from ui.shell.theme import count_text

SETTING = ("class", "by", "concept", "direction", "percent", "layers", "value", "seed", "on")  # and `silence`
DEFAULT_PERCENT = 3.0
STEPS = tuple(round(100 * fraction, 3) for fraction in FRACTIONS)  # percent; the grid's, and 0
SPLITS = {"val": "test images (val)", "all": "all, leave one out"}
NONE = "none"  # in place of the names of layers
HAND_BOX = "picked"  # where a line about units picked by hand belongs: below their box


class Choice(NamedTuple):
    """One state of the sliders.

    Attributes:
        by, direction, percent, seed, layers, units, value: as in `Setting`.
        name: the class that is silenced for, and watched first.
        concept: that ranks by IoU, by its name in the profile; empty where there is none.
    """

    by: str
    name: str
    concept: str
    direction: str
    percent: float
    seed: int
    layers: tuple[str, ...] | str
    units: silenced.Picked
    value: str

    def setting(self) -> Setting:
        """As the core takes it; what has no meaning is left at its default, so that equals are equal."""
        common = Setting(units=self.units, value=self.value)
        if self.by == HAND or not self.percent or not self.layers:
            return common
        ranked = replace(common, by=RANDOM, fraction=self.percent / 100, layers=self.layers)
        if self.by == RANDOM:
            return replace(ranked, seed=self.seed)
        of = self.name if self.by == RELEVANCE else self.concept
        return replace(ranked, by=self.by, of=of, direction=self.direction)


def read(plan: AblationPlan, concepts: Sequence[str]) -> Choice:
    """The URL's choice; what cannot be followed gets a friendly line and the nearest valid value.

    Args:
        plan: classes, layers, units.
        concepts: names that can rank by IoU; none before the network is profiled.
    """
    names = classes(plan)
    name = state.one_of("class", names, first_class(plan), "class")
    by = state.one_of("by", list(WAYS), RELEVANCE, "ranking")
    concept = ""
    if by == IOU and concepts:
        concept = state.one_of("concept", concepts, _own(plan, name, concepts), "concept", _meant(plan))
    return Choice(
        by,
        name,
        concept,
        state.one_of("direction", list(DIRECTIONS), TOP),
        percent(),
        state.whole("seed", 0, SEEDS - 1, 0),
        _layers(plan),
        silenced.units(units_of(plan), HAND_BOX),
        state.choice_of(field_of(AblationRequest, "value")),
    )


def _own(plan: AblationPlan, name: str, concepts: Sequence[str]) -> str:
    """The class's object (of several labels, the first); any concept where it has none."""
    known = plan.ranking.class_plan.find(name).concepts
    own = plan.dataset.concepts().names[known[0]] if known else ""
    return own if own in concepts else concepts[0]


def _meant(plan: AblationPlan) -> Callable[[str], list[str]]:
    """Names of the concepts that a name may mean."""
    table = plan.dataset.concepts()
    return lambda name: [table.names[index] for index in table.named(name)]


def classes(plan: AblationPlan) -> list[str]:
    """Classes that units can be silenced for: also those that no evaluated image shows."""
    return [one.name for one in plan.ranking.class_plan.classes]


def first_class(plan: AblationPlan) -> str:
    """Where whoever comes without a class begins: with one that can be measured."""
    able = (one.name for one in plan.classes if plan.has_rankings(one.name))
    return next(able, plan.classes[0].name)


def units_of(plan: AblationPlan) -> dict[str, int]:
    """Every layer and how many units it has, the convolutions first."""
    return {layer.name: layer.units for layer in plan.every}


def percent() -> float:
    """Of each layer's units."""
    raw = state.parameter("percent")
    if not raw:
        return DEFAULT_PERCENT
    try:
        value = float(raw)
    except ValueError:
        value = math.nan
    inside = 0 <= value <= 100
    nearest = DEFAULT_PERCENT if math.isnan(value) else round(min(max(value, 0.0), 100.0), 3)
    if value > 0 and not nearest:
        nearest = 0.001  # the least that is more than nothing
    if inside and math.isclose(value, nearest, abs_tol=1e-9):
        return nearest + 0.0  # a minus before nothing is none
    most = " with three decimals at most" if inside else ""
    notices.complain(
        f"The link asks for “{shortened(raw)}” % of the units, expected 0 to 100{most}; "
        f"showing {nearest:g} %."
    )
    state.repair(percent=percent_text(nearest))
    return nearest


def percent_text(value: float) -> str:
    """As the URL writes it; the default leaves no trace."""
    return "" if value == DEFAULT_PERCENT else f"{round(value, 3):g}"


def _layers(plan: AblationPlan) -> tuple[str, ...] | str:
    raw = state.parameter("layers")
    if raw in ("", INNER):
        return INNER
    if raw in (NONE, ALL_LAYERS):
        return () if raw == NONE else ALL_LAYERS
    named = state.several_of("layers", [layer.name for layer in plan.layers], "layer")
    return normal(plan, named) if named else INNER


def normal(plan: AblationPlan, names: Sequence[str]) -> tuple[str, ...] | str:
    """One way to write a choice of layers, so that equal ones find the same results."""
    ordered = tuple(layer.name for layer in plan.layers if layer.name in names)
    if ordered == plan.inner:
        return INNER
    return ALL_LAYERS if len(ordered) == len(plan.layers) else ordered


def layers_text(layers: tuple[str, ...] | str) -> str:
    """As the URL writes it; the default leaves no trace."""
    if isinstance(layers, str):
        return "" if layers == INNER else layers
    text = lists.joined(layers) or NONE
    return f",{text}" if layers in ((INNER,), (ALL_LAYERS,), (NONE,)) else text  # a layer may be called so


def what(choice: Choice, shown: Callable[[str], str] = plain) -> str:
    """Which units, in words: "the top 3 %", "2 units picked by hand".

    Args:
        choice: one state of the sliders.
        shown: how a name is written; for Markdown where nothing else is said.
    """
    picked = f"{count_text(len(choice.units), 'unit')} picked by hand" if choice.units else ""
    ranking = ""
    if choice.setting().ranking:
        share = f"{choice.percent:g}\N{NO-BREAK SPACE}%"
        ranking = f"a random {share}" if choice.by == RANDOM else f"the {choice.direction} {share}"
        if choice.by == IOU:
            ranking += f" by IoU with “{shown(choice.concept)}”"
    return " and ".join(filter(None, (ranking, picked))) or "nothing"


def counted(selection: dict[str, tuple[int, ...]], most: int = 5) -> str:
    """k by layer: "k = 6 + 11 + 8 units of conv2, conv3, conv4"."""
    counts = [len(units) for units in selection.values()]
    total = sum(counts)
    if not total:
        return "k = 0"
    if len(counts) == 1:
        return f"k = {count_text(total, 'unit')} of {plain(next(iter(selection)))}"
    if len(counts) > most:
        return f"k = {total:,} units in {len(counts)} layers"
    names = ", ".join(map(plain, selection))
    return f"k = {' + '.join(map(str, counts))} units of {names}"
