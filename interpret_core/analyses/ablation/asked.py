"""What `ablate` is asked for: options as they are written, checked, and the settings that they stand for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from interpret_core.analyses.ablation.request import DIRECTIONS, FRACTIONS, WAYS, AblateRequest
from interpret_core.errors import ParameterError, unknown
from interpret_core.lists import joined_names, split_names
from interpret_core.measures.ablation.selection import SEEDS
from interpret_core.measures.ablation.settings import HAND, IOU, RANDOM, Setting
from interpret_core.options import ALL, Names


@dataclass(frozen=True)
class Asked:
    """What is silenced, as the options say it.

    Attributes:
        by: relevance, iou or hand.
        names: classes or concepts, ALL for every class.
        concepts: whether the names are those of concepts.
        directions: of top, bottom and random, in this order.
        amounts: (fraction, None) or (0, total), each once, ascending.
        units: picked by hand.
        layers: names, "inner" or "all".
        value: zero or mean.
    """

    by: str
    names: tuple[str, ...] | str
    directions: tuple[str, ...]
    amounts: tuple[tuple[float, int | None], ...]
    units: tuple[tuple[str, int], ...]
    layers: tuple[str, ...] | str
    value: str
    concepts: bool = False


def asked_of(request: AblateRequest) -> Asked:
    """The options, checked.

    Raises:
        ParameterError: what would have no meaning, or not one.
    """
    return Asked(
        chosen("by", request.by, WAYS)[0],
        ranked_for(request.by, request.classes, request.concept),
        chosen("rank", request.rank, DIRECTIONS),
        amounts(request.by, request.fractions, request.total),
        picked(request.by, request.units),
        layers_in(request.layers),
        request.value,
        request.concept is not None,
    )


def names_in(text: str, kind: str) -> tuple[str, ...]:
    """Names separated by commas, each once.

    Raises:
        ParameterError: no name is in the text.
    """
    found = split_names(text)
    if not found:
        raise ParameterError(f"No {kind} is named in {text!r}, but expected {kind}s separated by commas.")
    return found


def chosen(kind: str, text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Known names in their own order.

    Raises:
        ParameterError: none, or one that is not known.
    """
    names = names_in(text, kind)
    for name in names:
        if name not in known:
            raise ParameterError(unknown(kind, name, known))
    return tuple(name for name in known if name in names)


def layers_in(text: str) -> tuple[str, ...] | str:
    """Names of layers, "inner" or "all".

    Raises:
        ParameterError: no layer is named.
    """
    return text if text in ("inner", "all") else names_in(text, "layer")


def ranked_for(by: str, classes: Names, concept: str | None) -> Names:
    """Classes, or concepts, that rank; "all" for every class.

    Raises:
        ParameterError: a class or a concept that would have no meaning.
    """
    if concept is not None and by != IOU:
        raise ParameterError(f"--concept {concept} is for --by {IOU}, but units are ranked by {by}: add it.")
    if by == HAND and classes != ALL:
        raise ParameterError(
            f"--class {_listed(classes)} ranks units, but --by {HAND} silences --units alone: leave one of "
            "them out."
        )
    if concept is not None:
        if classes != ALL:
            raise ParameterError(
                f"--class {_listed(classes)} and --concept {concept} both name what ranks the units: leave "
                "one out."
            )
        return names_in(concept, "concept")
    return classes


def _listed(names: Names) -> str:
    return names if isinstance(names, str) else joined_names(names)


def amounts(by: str, fractions: str | None, total: int | None) -> tuple[tuple[float, int | None], ...]:
    """How much is silenced, one after the other.

    Raises:
        ParameterError: not from 0 to 100 percent, a total below 0, or both.
    """
    if by == HAND and (fractions is not None or total is not None):
        raise ParameterError(
            f"--by {HAND} silences --units alone, so --fractions and --total have no meaning: leave them out."
        )
    if by == HAND:
        return ()
    if total is not None:
        if fractions is not None:
            raise ParameterError(
                f"--total {total} and --fractions {fractions} both say how much: leave one out."
            )
        if total < 0:
            raise ParameterError(f"--total is {total}, but expected a whole number of at least 0.")
        return tuple(dict.fromkeys([(0.0, None), (0.0, total)])) if total else ((0.0, None),)
    shares = [_share(text) for text in names_in(FRACTIONS if fractions is None else fractions, "fraction")]
    return tuple((share, None) for share in sorted(set(shares)))


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = float("nan")
    if not 0 <= share <= 1:
        raise ParameterError(
            f"--fractions has {text!r}, but expected shares from 0 to 1, such as 0.01,0.02,0.03."
        )
    return Setting(RANDOM, fraction=share).fraction  # in the one spelling that settings have


def picked(by: str, text: str) -> tuple[tuple[str, int], ...]:
    """Units such as conv2:41, separated by commas.

    Raises:
        ParameterError: not written so; none where nothing else is silenced.
    """
    if not text.strip():
        if by == HAND:
            raise ParameterError(f"--by {HAND} silences --units alone, but none is given: name one or more.")
        return ()
    found = []
    for entry in names_in(text, "unit"):
        layer, _, number = entry.rpartition(":")
        if not layer or not number.isdecimal():
            raise ParameterError(f"--units has {entry!r}, but expected layer:unit, such as conv2:41.")
        found.append((layer, int(number)))
    return tuple(found)


def settings_of(asked: Asked, names: Sequence[str]) -> Iterator[Setting]:
    """Everything to evaluate: names × directions × amounts, the random controls once."""
    common = Setting(layers=asked.layers, units=asked.units, value=asked.value)
    if asked.by == HAND:
        yield common
        return
    ranked = [direction for direction in asked.directions if direction != RANDOM]
    for name, direction, (fraction, total) in itertools.product(names, ranked, asked.amounts):
        yield replace(common, by=asked.by, of=name, direction=direction, fraction=fraction, total=total)
    if RANDOM in asked.directions:
        for fraction, total in asked.amounts:
            seeds = SEEDS if fraction or total else 1  # where nothing is drawn, one stands for all
            for seed in range(seeds):
                yield replace(common, by=RANDOM, fraction=fraction, total=total, seed=seed)
