"""What a network's detectors are detectors of: tables over all its layers. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interpret_core.figures.concepts import Chosen, Panel, panel_of
from interpret_core.measures.assessment.counts import between
from interpret_core.measures.assessment.words import Assessment
from ui.components.assessment import of_sample
from ui.concepts.matches import counts
from ui.session.view import LayerView, Views
from ui.shell.names import unlike
from ui.shell.plain import plain
from ui.shell.theme import count_text, expected_text

CUTOFFS: NDArray[np.float64] = np.round(np.arange(0, 0.3005, 0.0025), 4)


class Row(NamedTuple):
    """One concept: how many detectors it has, and its best unit anywhere.

    Attributes:
        per_layer: detectors in each layer, in forward order.
        layer, unit, iou, ceiling: of the best unit, detector or not; unit -1 where nothing overlaps.
        significant: whether it is its best concept, beyond chance; None where chance was not computed.
    """

    concept: str
    category: str
    images: int
    detectors: int
    per_layer: tuple[int, ...]
    layer: str
    unit: int
    iou: float
    ceiling: float
    significant: bool | None


def at(views: Views, cutoff: float) -> dict[str, LayerView]:
    """The same layers under another cut-off."""
    return {name: view.at(cutoff) for name, view in views.items()}


def rows(views: Views) -> list[Row]:
    """Every included concept of the network, most detectors first, then by best IoU."""
    first = next(iter(views.values()))
    found = np.array([_counts(view) for view in views.values()])
    best = np.array([view.summary.profile.table_of_iou.largest for view in views.values()])
    names = list(views)
    made = []
    for number, concept in enumerate(first.concepts):
        if not first.summary.included[number]:
            continue
        name = names[int(best[:, number].argmax())]
        made.append(_row(views[name], number, concept.name, found[:, number]))
    return sorted(made, key=lambda row: (-row.detectors, -row.iou, row.concept))


def totals(views: Views) -> dict[str, int]:
    """Detectors of every included concept in the whole network."""
    first = next(iter(views.values()))
    found = np.sum([_counts(view) for view in views.values()], axis=0)
    return {
        concept.name: int(count)
        for concept, count, included in zip(first.concepts, found, first.summary.included, strict=True)
        if included
    }


def _counts(view: LayerView) -> NDArray[np.int64]:
    """(C,) detectors whose best concept this is."""
    return np.bincount(view.best[view.detector], minlength=len(view.concepts))


def _row(view: LayerView, number: int, name: str, per_layer: NDArray[np.int64]) -> Row:
    iou = view.summary.profile.table_of_iou.column(number)
    unit = int(iou.argmax())
    found = bool(iou[unit] > 0)
    return Row(
        name,
        view.concepts[number].category,
        int(view.record["concept_images"][number]),
        int(per_layer.sum()),
        tuple(int(n) for n in per_layer),
        view.layer.name if found else "",
        unit if found else -1,
        float(iou[unit]),
        float(view.summary.profile.table_of_iou.ceiling(unit, number)),
        bool(found and view.summary.significant[unit] and view.best[unit] == number)
        if view.permutations
        else None,
    )


def panel(views: Views, concept: str = "") -> Panel:
    """A network's layers for the stacked bars, the share of one concept's detectors apart."""
    first = next(iter(views.values()))
    number = first.find(concept)
    chosen = Chosen(concept, first.concepts[number].category, counts(views, concept)) if number >= 0 else None
    return panel_of({name: view.summary for name, view in views.items()}, first.facts.badge, chosen)


def tallest(panels: list[Panel], *, share: bool, unique: bool) -> float:
    """Upper end of a common axis."""
    heights = [
        sum(pair[int(unique)] for pair in by_category.values())
        * (100 / max(1, panel.units[layer]) if share else 1)
        for panel in panels
        for layer, by_category in panel.counts.items()
    ]
    return max(1.0, 1.08 * max(heights, default=1.0))


def curves(views: Views, most: int = 6) -> dict[str, NDArray[np.int64]]:
    """Detectors at each of `CUTOFFS`: the network, and its layers where there are few."""
    chosen = {name: view.sensitivity(CUTOFFS) for name, view in views.items()}
    total = np.sum(list(chosen.values()), axis=0)
    return {unlike("all layers", chosen): total, **(chosen if len(chosen) <= most else {})}


def facts_sentence(views: Views) -> str:
    """The page's first sentence: the network as a whole, then its richest layer."""
    first = next(iter(views.values()))
    units = sum(view.layer.units for view in views.values())
    found = sum(view.detectors() for view in views.values())
    unique = len({int(c) for view in views.values() for c in view.best[view.detector]})
    levels = [view.expected for view in views.values()]
    expected = None if None in levels else sum(level for level in levels if level is not None)
    richest = max(views.values(), key=lambda view: view.summary.unique_detectors())
    rich = f"{richest.summary.unique_detectors():,} from {richest.detectors():,} detectors"
    return (
        f"**{plain(first.facts.network_title)}** on **{plain(first.facts.dataset)}**: **{found:,}** of "
        f"{count_text(units, 'unit')} in {count_text(len(views), 'layer')} are detectors of "
        f"**{unique:,}** {'concept' if unique == 1 else 'concepts'} "
        f"(IoU > {first.cutoff:g}; {expected_text(expected)}); "
        f"most concepts in {plain(richest.layer.name)} ({rich})."
    )


def titles(networks: Mapping[str, Views]) -> dict[str, str]:
    """By name what each network is called beside the others, no two alike: its title, and its name with it
    where another one has the same title."""
    own = {name: next(iter(views.values())).facts.network_title for name, views in networks.items()}
    every = list(own.values())
    found: dict[str, str] = {}
    for name, title in own.items():
        found[name] = unlike(title if every.count(title) == 1 else f"{title} ({name})", found.values())
    return found


def mean_quality(views: Views) -> tuple[float, float, float]:
    """Mean top-t IoU over all units of the network."""
    tops = np.concatenate([view.summary.top_iou for view in views.values()])
    one, two, three = (float(tops[:, :t].mean()) for t in (1, 2, 3))
    return one, two, three


def detectors_words(view: LayerView) -> str:
    """What a layer's detectors respond to, in numbers."""
    colours, objects, unexplained = (
        view.summary.detectors_assessed(word) or 0
        for word in (Assessment.COLOUR, Assessment.OBJECT, Assessment.UNEXPLAINED)
    )
    return (
        f"of {count_text(view.detectors(), 'detector')} of {plain(view.layer.name)}, **{colours:,} "
        f"{'is a colour' if colours == 1 else 'are colours'} rather than objects**, {objects:,} "
        f"{'an object' if objects == 1 else 'objects'} rather than colours, {unexplained:,} mostly "
        "unexplained"
    )


class Counts(NamedTuple):
    """Detectors of all layers of a network and the concepts among them.

    Attributes:
        detectors, unique: on all images.
        detectors_again, unique_again: (R,) in each resample of the images, the same resamples for every
            network on the data set.
        sample: of how many images those are, where they are not all; else empty.
    """

    detectors: int
    unique: int
    detectors_again: NDArray[np.int64]
    unique_again: NDArray[np.int64]
    sample: str = ""

    def words(self, title: str = "") -> str:
        """What other photographs of the kind would have given; Markdown.

        Args:
            title: of the network, where it is not clear whose counts these are.
        """
        found = between(self.detectors, self.detectors_again)
        unique = between(self.unique, self.unique_again)
        begin = f"{plain(title)}: other" if title else "Other"
        of, number = f" of {self.sample}" if self.sample else "", len(self.detectors_again)
        return (
            f"{begin} photographs of the kind would give {found.low:,} to {found.high:,} detectors of "
            f"{unique.low:,} to {unique.high:,} concepts (95 %, from {number} resamples{of})."
        )


def counted(views: Views) -> Counts | None:
    """The counts of a network; None where a layer's assessment is missing, or nothing tells."""
    again = [view.summary.detectors_again() for view in views.values()]
    known = [one for one in again if one is not None]
    if len(known) < len(again) or not known:
        return None
    names = {name for view in views.values() for name in _detected(view)}
    every = np.sum(known, axis=0)
    return Counts(
        sum(view.detectors() for view in views.values()),
        len(names),
        every.sum(1),
        (every > 0).sum(1),
        of_sample(next(iter(views.values()))),
    )


def _detected(view: LayerView) -> set[int]:
    return set(view.best[view.detector].tolist())


def difference_words(first: Counts, second: Counts, names: tuple[str, str]) -> str:
    """How many more detectors and concepts the first of two networks has, on the same resamples; Markdown."""
    parts = [
        _more(
            first.detectors - second.detectors, first.detectors_again - second.detectors_again, "detectors"
        ),
        _more(first.unique - second.unique, first.unique_again - second.unique_again, "concepts"),
    ]
    one, other = names
    return f"{plain(one)} beside {plain(other)}: {' and '.join(parts)} (95 %, the same resamples)."


def _more(value: int, again: NDArray[np.int64], what: str) -> str:
    found = between(value, again, least=None)
    beyond = "" if found.low > 0 or found.high < 0 else ": no certain difference"
    return f"**{value:+,}** {what} ({found.low:+,} to {found.high:+,}{beyond})".replace("-", "−")
