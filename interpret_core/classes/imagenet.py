"""ImageNet's 1,000 classes in the words of other data sets, from the curated table beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from interpret_core.classes.outputs import OutputNames, parts
from interpret_core.datasets.classes import spelling
from interpret_core.errors import NetworkError
from interpret_core.networks.torchvision_ops import classifiers

FILE = Path(__file__).with_name("imagenet.toml")
_ALIKE = 0.98  # lists of these names differ in the spelling of a few


@dataclass(frozen=True)
class Curated:
    """The curated table, by the spelling of each name.

    Attributes:
        groups: outputs of each object, ascending.
        homonyms: what ImageNet means by a name that others give to something else.
    """

    groups: Mapping[str, tuple[int, ...]]
    homonyms: Mapping[str, str]


@lru_cache(maxsize=1)
def class_names() -> tuple[str, ...]:
    """ImageNet's classes in the usual order, as torchvision names them."""
    return tuple(classifiers().get_model_weights("alexnet").DEFAULT.meta["categories"])


@lru_cache(maxsize=64)
def is_imagenet(outputs: tuple[str, ...]) -> bool:
    """Whether a network's outputs are ImageNet's 1,000 classes, by their names alone.

    Lists of longer names ("tabby, tabby cat") count as well: one of the parts has to be torchvision's name.
    """
    expected = class_names()
    if len(outputs) != len(expected):
        return False
    alike = sum(
        spelling(name) in {spelling(own), *parts(own)} for name, own in zip(expected, outputs, strict=True)
    )
    return alike >= _ALIKE * len(expected)


@lru_cache(maxsize=1)
def curated() -> Curated:
    """The table of `imagenet.toml`, every name in it checked."""
    return read(FILE.read_text(encoding="utf-8"), class_names())


def read(text: str, names: Sequence[str]) -> Curated:
    """A table in the form of `imagenet.toml`.

    Args:
        text: TOML with the tables [objects] and [homonyms].
        names: of the outputs, in order.

    Raises:
        NetworkError: a name or number that is no output, an object listed twice, an output of two objects.
    """
    content = tomllib.loads(text)
    outputs = OutputNames(names)
    groups: dict[str, tuple[int, ...]] = {}
    owner: dict[int, str] = {}
    for key, entries in content["objects"].items():
        found = outputs.chosen(entries, f"{FILE.name}: {key!r}")
        for output in found:
            if owner.setdefault(output, key) != key:
                raise NetworkError(
                    f"{FILE.name}: output {output} ({names[output]}) stands under {owner[output]!r} and "
                    f"{key!r}, expected one of them: remove it from the other."
                )
        for word in map(spelling, key.split(",")):
            if word in groups:
                raise NetworkError(f"{FILE.name} lists {word!r} twice, expected once: remove one of them.")
            groups[word] = found
    homonyms = {spelling(name): meaning for name, meaning in content["homonyms"].items()}
    return Curated(MappingProxyType(groups), MappingProxyType(homonyms))
