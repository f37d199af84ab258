"""Which outputs of a network stand for which class of a data set.

In this order: the user's table; ImageNet's curated table, where the outputs are ImageNet's; the whole name;
a name that an output lists among several. The curated table comes before the name since it knows more: that
ImageNet's "kite" is a bird, and that a "notebook" is a laptop, too. A data set whose every class bears the
name of an output speaks the network's own language, and is taken by its word. A class that is known by labels
that a model has given, "dog (predicted)", stands for "dog", unless there is a class of that name too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from interpret_core.classes import imagenet
from interpret_core.classes.outputs import OutputNames, spellings
from interpret_core.concepts import is_predicted, unmarked
from interpret_core.datasets.classes import spelling
from interpret_core.errors import NetworkError

YOURS, NAME, CURATED, SYNONYM = "your table", "name", "curated table", "synonym"
HOW = (YOURS, NAME, CURATED, SYNONYM)  # the surer of two claims to an output comes first
TABLE = "[classes]"

# What tables have in place of a class in rows about several: a class of this name could not be told apart.
RESERVED = ("*", "*others", "*all")

Table = Mapping[str, Sequence[str | int]]


@dataclass(frozen=True)
class Matching:
    """Classes that a network knows.

    Attributes:
        classes: indices into the data set's classes, ascending.
        outputs: the network's outputs for each of them, ascending; no output stands for two classes.
        how: what decided it for each of them, one of HOW.
        left_out: (class, why) for every other class of the data set.
    """

    classes: tuple[int, ...]
    outputs: tuple[tuple[int, ...], ...]
    how: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Claim:
    """Outputs that a class asks for and by what right, or why it has none."""

    outputs: tuple[int, ...] = ()
    how: str = ""
    why: str = ""


def match(
    classes: Sequence[str], outputs: Sequence[str], network: str, dataset: str, table: Table | None = None
) -> Matching:
    """The outputs of every class of a data set that a network knows.

    Args:
        classes: names of the data set's classes.
        outputs: names of the network's outputs, in order.
        network: names for the message.
        dataset: names for the message.
        table: the user's own entries, class -> names, numbers or ranges of outputs; an empty one removes the
            class. Entries for classes of other data sets are ignored.

    Raises:
        NetworkError: the network's outputs have no names, none of them is a class of the data set, or an
            entry of the user's table does not fit the network.
    """
    if not outputs:
        raise NetworkError(
            f"Network {network} does not name its outputs, expected a name for each: return NetworkParts "
            "with class_names from its factory."
        )
    claims = _claims(classes, OutputNames(outputs), network, table or {})
    given = _given(classes, claims)
    known = [number for number, claim in enumerate(given) if claim.outputs]
    if not known:
        raise NetworkError(
            f"Network {network} knows none of the classes of {dataset} ({_some(classes)}); its outputs are "
            f"{_some(outputs)}: choose a network that was trained on these classes, name them alike, or say "
            f"which output is which class under {TABLE} in the configuration."
        )
    return Matching(
        tuple(known),
        tuple(given[number].outputs for number in known),
        tuple(given[number].how for number in known),
        tuple((name, claim.why) for name, claim in zip(classes, given, strict=True) if not claim.outputs),
    )


def _claims(classes: Sequence[str], outputs: OutputNames, network: str, table: Table) -> list[_Claim]:
    meant = _meant(classes)
    yours = {
        meant[spelling(name)]: outputs.chosen(table[name], f"{TABLE} {name} for {network}")
        for name in sorted(table, key=is_predicted)  # the last one counts: the class's own spelling
        if spelling(name) in meant
    }
    others = [name for name in classes if spelling(name) not in yours]
    own_words = all(outputs.named(name) or outputs.named(unmarked(name)) for name in others)
    curated = not own_words and imagenet.is_imagenet(outputs.names)
    claims = [_claim(name, outputs, yours, curated) for name in classes]
    _refuse_overlap(classes, claims, network)
    return claims


def _meant(classes: Sequence[str]) -> dict[str, str]:
    """Spelling in the user's table -> that of the class; a predicted one also without its mark."""
    bare = {spelling(unmarked(one)): spelling(one) for one in classes}
    return bare | {spelling(one): spelling(one) for one in classes}


def _claim(name: str, outputs: OutputNames, yours: Mapping[str, tuple[int, ...]], curated: bool) -> _Claim:
    """What one class asks for, whatever the others do."""
    if name in RESERVED:
        return _Claim(why="tables have this name for several classes together: rename the class")
    own = yours.get(spelling(name))
    if own is not None:
        return _Claim(own, YOURS, "" if own else f"removed under {TABLE} in the configuration")
    exact = _first(outputs.named, name)
    if curated:
        table = imagenet.curated()
        for word in spellings(name):
            if word in table.homonyms:
                return _Claim(why=f"the output of this name is something else, {table.homonyms[word]}")
            if word in table.groups:
                same = list(table.groups[word]) == exact
                return _Claim(table.groups[word], NAME if same else CURATED)
    for found, how in ((exact, NAME), (_first(outputs.synonyms, name), SYNONYM)):
        # ImageNet has two outputs called "crane", a bird and a machine: none of them is safe to take.
        if len(found) > 1:
            return _Claim(why=f"{len(found)} outputs have this name")
        if found:
            return _Claim(tuple(found), how)
    return _Claim(why="no output has this name")


def _first(look_up: Callable[[str], list[int]], name: str) -> list[int]:
    return next((found for word in spellings(name) if (found := look_up(word))), [])


def _refuse_overlap(classes: Sequence[str], claims: Sequence[_Claim], network: str) -> None:
    """Two entries of the user's table must not share an output."""
    owner: dict[int, str] = {}
    for name, claim in zip(classes, claims, strict=True):
        for output in claim.outputs if claim.how == YOURS else ():
            if owner.setdefault(output, name) != name:
                raise NetworkError(
                    f"{TABLE} gives output {output} of {network} to {owner[output]} and to {name}, expected "
                    "one class for each output: remove it from one of them."
                )


def _given(classes: Sequence[str], claims: Sequence[_Claim]) -> list[_Claim]:
    """Every output to one class: to the surer claim ("minivan" by its name before "car"), then the first.

    Whatever the claim, what somebody has labelled comes before what a model predicts.
    """
    owner: dict[int, str] = {}
    given = list(claims)

    def order(at: int) -> tuple[bool, int]:
        return is_predicted(classes[at]), HOW.index(claims[at].how or SYNONYM)

    for number in sorted(range(len(claims)), key=order):
        claim, name = claims[number], classes[number]
        free = tuple(output for output in claim.outputs if output not in owner)
        owner |= dict.fromkeys(free, name)
        if free:
            given[number] = _Claim(free, claim.how)
        elif claim.outputs:
            given[number] = _Claim(why=f"its outputs stand for {owner[claim.outputs[0]]} already")
    return given


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" … {len(names):,} in all" if len(names) > 4 else "")
