"""Agreement of IoU and relevance, and shared units, from stored profiles and relevances.

One place for the command line and the pages, so that both show the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.agreement.request import AgreementSettings
from interpret_core.analyses.agreement.result import Agreement
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.errors import ParameterError
from interpret_core.measures.agreement import (
    agree,
    combine,
)
from interpret_core.measures.shared_units import SharedUnits, share_units
from interpret_core.options import TOP_SHARE

OBJECT = "object"
NO_CATEGORY = "the profile does not compare with the category object; profile with it among --categories"


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
    relevances: Mapping[str, ClassRelevance], layers: Sequence[str], top: float = TOP_SHARE
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
        **{name: profile.metadata[name] for name in ("placing",) if name in profile.metadata},
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
