"""Agreement of IoU and relevance, and shared units, from stored profiles and relevances.

One place for the command line and the pages, so that both show the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import ParameterError
from interpret_core.measures.agreement import (
    PERMUTATIONS,
    TOP,
    Cell,
    LayerAgreement,
    NetworkAgreement,
    agree,
    combine,
    marks_of,
)
from interpret_core.measures.shared_units import SharedUnits, share_units

OBJECT = "object"
ALL = "*"  # layer and class of a network's summary row
COLUMNS = ("layer", "class", "k", "error", "chance", "p_value", "overlap", "spearman", "error_sd")
REASONS = {
    Cell.NO_OVERLAP: "fewer than k units overlap the concept",
    Cell.NO_RELEVANCE: "fewer than k units have any relevance",
}
NO_CATEGORY = "the profile does not compare with the category object; profile with it among --categories"
PERCENT = 100


@dataclass(frozen=True)
class AgreementSettings:
    """How agreement is read off IoU and relevance.

    Attributes:
        top: share of a layer's units to mark, above 0 and at most 1.
        permutations: of the network's p-value; 0 leaves it out.
        seed: of the permutations.
    """

    top: float = TOP
    permutations: int = PERMUTATIONS
    seed: int = 0

    def __post_init__(self) -> None:
        marks_of(self.top, 1)
        for name in ("permutations", "seed"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                raise ParameterError(f"{name} is {value!r}, but expected a whole number of at least 0.")


@dataclass(frozen=True, eq=False)
class Agreement:
    """A network's agreement on a data set: L layers, C classes.

    Attributes:
        layers: names, in forward order.
        classes: names, in the order given.
        concepts: (C,) the object of each class as the data set names it; of several labels, all names.
        network: the numbers; its layers are in the order of `layers`, their columns in that of `classes`.
        left_out: (class, why) of the classes that cannot be compared.
        settings: what was asked for.
        metadata: of the profiles: network and dataset (as in a profile), quantile; of the relevances: method,
            baseline, output, split; images: class -> n.
    """

    layers: tuple[str, ...]
    classes: tuple[str, ...]
    concepts: tuple[str, ...]
    network: NetworkAgreement
    left_out: tuple[tuple[str, str], ...]
    settings: AgreementSettings
    metadata: Mapping[str, Any]

    def layer(self, name: str) -> LayerAgreement:
        """One layer's cells.

        Raises:
            KeyError: a layer that is not among `layers`.
        """
        return dict(zip(self.layers, self.network.layers, strict=True))[name]


def agreement(
    profiles: Mapping[str, LayerProfile],
    relevances: Mapping[str, ClassRelevance],
    settings: AgreementSettings | None = None,
) -> Agreement:
    """Compare IoU and relevance wherever both are known.

    A class's concept is its object, the union of the labels of its name (`KnownClass.concepts`). It is
    compared however few images have it: `min_images` is a rule for labels.

    Args:
        profiles: by layer, in forward order, of one network and data set.
        relevances: by class, of the same network and data set, and of all these layers.
        settings: top share and permutations.

    Raises:
        ParameterError: no layer, no class with an object concept, or results of different networks or data.
    """
    settings = settings or AgreementSettings()
    _check(profiles, relevances)
    first = next(iter(profiles.values()))
    column, left_out = _columns(first, relevances)
    if not column:
        reasons = "; ".join(f"{name}: {why}" for name, why in left_out[:4])
        raise ParameterError(
            f"No class can be compared, expected at least one with an object concept: {reasons or 'none'}."
        )
    layers = [
        agree(
            np.stack([profile.iou_with(concepts) for concepts in column.values()], 1),
            _relevance([relevances[name] for name in column], layer),
            settings.top,
        )
        for layer, profile in profiles.items()
    ]
    return Agreement(
        tuple(profiles),
        tuple(column),
        tuple(" + ".join(first.concept_names[at] for at in concepts) for concepts in column.values()),
        combine(layers, settings.permutations, settings.seed),
        left_out,
        settings,
        _metadata(first, {name: relevances[name] for name in column}),
    )


def shared_units(
    relevances: Mapping[str, ClassRelevance], layers: Sequence[str], top: float = TOP
) -> SharedUnits:
    """What the classes' sets of units share; classes and layers are numbered as given.

    Args:
        relevances: by class, of one network and data set.
        layers: names of layers, in forward order.
        top: share of a layer's units that makes a class's set.

    Raises:
        ParameterError: no class or no layer, or top out of range.
    """
    if not relevances or not layers:
        raise ParameterError(
            f"{len(relevances)} classes and {len(layers)} layers are given, but expected one of each or more."
        )
    return share_units([_relevance(list(relevances.values()), layer) for layer in layers], top)


def rows(found: Agreement) -> Iterator[dict[str, Any]]:
    """A row of COLUMNS per kept cell, by layer and class, then one for the network.

    error, chance and error_sd are in percent, as in the paper's Table I; overlap and p are shares. Cells that
    are left out have no row: see `left_out_cells`. What is no number is None.
    """
    for name, layer in zip(found.layers, found.network.layers, strict=True):
        for at in np.flatnonzero(layer.kept):
            yield dict.fromkeys(COLUMNS) | {
                "layer": name,
                "class": found.classes[at],
                "k": layer.count,
                "error": PERCENT * float(layer.error[at]),
                "chance": PERCENT * layer.chance,
                "p_value": float(layer.p_value[at]),
                "overlap": float(layer.overlap[at]),
                "spearman": number(layer.spearman[at]),
            }
    whole = found.network
    yield dict.fromkeys(COLUMNS) | {
        "layer": ALL,
        "class": ALL,
        "error": number(PERCENT * whole.error),
        "chance": number(PERCENT * whole.chance),
        "p_value": number(whole.p_value),
        "overlap": number(whole.overlap),
        "spearman": number(whole.spearman),
        "error_sd": number(PERCENT * whole.error_sd),
    }


def left_out_cells(found: Agreement) -> list[tuple[str, str, str]]:
    """(layer, class, why) of every cell that does not count."""
    return [
        (name, found.classes[at], REASONS[Cell(layer.state[at])])
        for name, layer in zip(found.layers, found.network.layers, strict=True)
        for at in np.flatnonzero(~layer.kept)
    ]


def number(value: float) -> float | None:
    """A float, or None for NaN, which neither JSON nor a table has a place for."""
    return None if math.isnan(value) else float(value)


def _relevance(classes: Sequence[ClassRelevance], layer: str) -> NDArray[np.float64]:
    """(U, C) R of a layer's units."""
    return np.stack([one.layer(layer).relevance for one in classes], axis=1)


def _columns(
    profile: LayerProfile, relevances: Mapping[str, ClassRelevance]
) -> tuple[dict[str, tuple[int, ...]], tuple[tuple[str, str], ...]]:
    """The concepts of every class that has one, and the other classes with the reason."""
    places = {
        concept.number: at for at, concept in enumerate(profile.table.concepts) if concept.category == OBJECT
    }
    found, left_out = {}, []
    for name, one in relevances.items():
        numbers = [int(number) for number, _ in one.metadata["objects"]]
        if OBJECT not in profile.categories:
            left_out.append((name, NO_CATEGORY))
        elif not numbers:
            left_out.append((name, "no object of the data set has this name"))
        elif len(numbers) > 1 and not one.metadata["objects_apart"]:
            names = ", ".join(str(label) for _, label in one.metadata["objects"])
            left_out.append((name, f"its labels {names} may share pixels, so their IoU is not known"))
        else:
            found[name] = tuple(places[number] for number in numbers)
    return found, tuple(left_out)


def _metadata(profile: LayerProfile, relevances: Mapping[str, ClassRelevance]) -> dict[str, Any]:
    one = next(iter(relevances.values())).metadata
    return {
        **{name: profile.metadata[name] for name in ("network", "dataset", "quantile")},
        **{name: one[name] for name in ("method", "baseline", "output", "split")},
        "images": {name: len(relevance.images) for name, relevance in relevances.items()},
    }


def _check(profiles: Mapping[str, LayerProfile], relevances: Mapping[str, ClassRelevance]) -> None:
    """All of one network and data set."""
    if not profiles:
        raise ParameterError("No layer is given, but expected the profile of at least one.")
    for part in ("network", "dataset"):
        told = [one.metadata[part] for group in (profiles, relevances) for one in group.values()]
        if len({one["digest"] for one in told}) > 1:
            names = ", ".join(sorted({f"{one['name']} ({one['digest'][:8]})" for one in told}))
            raise ParameterError(
                f"Profiles and relevances are of different {part}s, {names}, but expected one: compute both "
                "from the same files."
            )
    for name, relevance in relevances.items():
        units = {shape.name: shape.units for shape in relevance.layers}
        for layer, profile in profiles.items():
            if units.get(layer) != profile.units:
                raise ParameterError(
                    f"Layer {layer} has {profile.units} units in the profile and {units.get(layer, 'none')} "
                    f"in the relevance for {name}, but expected the same: compute both again."
                )
