"""Which output of a network stands for which class of a data set, by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from interpret_core.datasets.classes import spelling
from interpret_core.errors import NetworkError


@dataclass(frozen=True)
class Matching:
    """Classes that a network knows.

    Attributes:
        classes: indices into the data set's classes, ascending.
        outputs: the network's output for each of them, all different.
        left_out: (class, why) for every other class of the data set.
    """

    classes: tuple[int, ...]
    outputs: tuple[int, ...]
    left_out: tuple[tuple[str, str], ...]


def match(classes: Sequence[str], outputs: Sequence[str], network: str, dataset: str) -> Matching:
    """Match by the whole name; capitals do not count, and an underscore is a space.

    Names that say the same in other words (a mapping from ImageNet's 1,000 classes, say) belong here, before
    the names themselves are compared.

    Args:
        classes: names of the data set's classes.
        outputs: names of the network's outputs, in order.
        network, dataset: names for the message.

    Raises:
        NetworkError: the network's outputs have no names, or none of them is a class of the data set.
    """
    if not outputs:
        raise NetworkError(
            f"Network {network} does not name its outputs, expected a name for each: return NetworkParts "
            "with class_names from its factory."
        )
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(outputs):
        places[spelling(name)].append(place)
    found = [places.get(spelling(name), []) for name in classes]
    # ImageNet has two outputs called "crane", a bird and a machine: none of them is safe to take.
    known = [number for number, place in enumerate(found) if len(place) == 1]
    if not known:
        raise NetworkError(
            f"Network {network} knows none of the classes of {dataset} ({_some(classes)}); its outputs are "
            f"{_some(outputs)}: choose a network that was trained on these classes, or name them alike."
        )
    left_out = tuple(
        (name, f"{len(place)} outputs have this name" if place else "no output has this name")
        for name, place in zip(classes, found, strict=True)
        if len(place) != 1
    )
    return Matching(tuple(known), tuple(found[number][0] for number in known), left_out)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" … {len(names):,} in all" if len(names) > 4 else "")
