"""Concepts, and the one way to name them.

A concept is a label within a category, and is known by its number and category: two labels may bear one name
(ADE20K has "door" twice), and one label may be in two categories. Wherever a concept is shown or written it
goes by a name that no other of its table has: `cat (1)` and `cat (9)` for two labels, `cat (object)` and
`cat (part)` for two categories, and its own name where that is enough. Names that nobody can tell apart on a
screen count as one (`appearance`). A label that a model has given is marked: `cat (predicted)`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from interpret_core.errors import ParameterError, unknown
from interpret_core.lists import typed

DEFAULT_CATEGORIES = ("object", "part", "material", "color")
PREDICTED = "(predicted)"  # behind the names of labels that a model has given, and nobody has drawn
PREDICTED_MASKS = "masks of classes are a model's answers, which nobody has drawn"
PREDICTED_LABELS = f"marked {PREDICTED}: a model's answers, which nobody has drawn"
_SHOWN = 8  # names in a message
# Letters and marks without a shape of their own, beside the control and format characters.
_SHAPELESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}


def appearance(name: str) -> str:
    """What names have in common that look alike: composed letters, nothing invisible, single spaces."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return " ".join("".join(filter(_visible, name)).split())


def predicted(name: str) -> str:
    """The name of a label that a model gives: `dog` is `dog (predicted)`."""
    return name if is_predicted(name) else f"{name.strip()} {PREDICTED}"


def is_predicted(name: str) -> bool:
    """Whether a label's name says that a model has given it; more may stand behind it to tell it apart."""
    return PREDICTED in name.lower() and name.strip().lower() != PREDICTED


def unmarked(name: str) -> str:
    """The name without that mark, whatever its capitals; any other name as it is."""
    text = name.rstrip()
    bare = text[: -len(PREDICTED)].rstrip() if text.lower().endswith(PREDICTED) else ""
    return bare or name


def _visible(character: str) -> bool:
    if character.isprintable() and character.isascii():
        return True
    shapeless = character in _SHAPELESS or unicodedata.category(character) in ("Cc", "Cf")
    return character.isspace() or not shapeless


@dataclass(frozen=True, slots=True)
class Concept:
    """A label within a category; `name` is the label's, which others may have too."""

    number: int
    name: str
    category: str


@dataclass(frozen=True)
class ConceptTable:
    """The concepts of a computation, in a fixed order: by category, then by number.

    Attributes:
        categories: those with at least one concept.
        concepts: C concepts; annotations hold 1 + the index into this tuple.
    """

    categories: tuple[str, ...]
    concepts: tuple[Concept, ...]

    def __len__(self) -> int:
        return len(self.concepts)

    @cached_property
    def category_of(self) -> NDArray[np.int64]:
        """(C,) index into `categories` of each concept."""
        at = {category: index for index, category in enumerate(self.categories)}
        return np.array([at[concept.category] for concept in self.concepts], dtype=np.int64)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """(C,) names for display and for options, no two alike."""
        return unique_names(tuple(self.concepts))

    def named(self, name: str) -> tuple[int, ...]:
        """Indices of the concepts that a name may mean: one of `names`, a label's own name, or either with
        the category, the number or both behind it; else a predicted label's name without its mark."""
        wanted = appearance(name)
        if wanted in self._places:
            return (self._places[wanted],)
        found = tuple(index for index, spellings in enumerate(self._spellings) if wanted in spellings)
        return found or tuple(at for at, bare in self._unmarked if bare == wanted)

    def find(self, name: str) -> int:
        """Index of the one concept that a name means.

        Raises:
            ParameterError: none, or several; the message gives the names that tell them apart.
        """
        found = self.named(name)
        if len(found) == 1:
            return found[0]
        if not found:
            raise ParameterError(unknown("concept", name, self.names, shown=typed))
        names = [typed(self.names[index]) for index in found]
        more = " …" if len(names) > _SHOWN else ""
        raise ParameterError(
            f"{len(names)} concepts are called {name!r}, expected the name of one: choose among "
            f"{', '.join(names[:_SHOWN])}{more}."
        )

    @cached_property
    def _places(self) -> dict[str, int]:
        return {appearance(name): index for index, name in enumerate(self.names)}

    @cached_property
    def _spellings(self) -> tuple[frozenset[str], ...]:
        return tuple(
            frozenset(map(appearance, (concept.name, *_spelled_out(concept)))) for concept in self.concepts
        )

    @cached_property
    def _unmarked(self) -> tuple[tuple[int, str], ...]:
        names = [(at, one.name) for at, one in enumerate(self.concepts)]
        return tuple((at, appearance(unmarked(name))) for at, name in names if is_predicted(name))


@lru_cache(256)  # a data set makes its table of concepts anew for everybody who asks
def unique_names(concepts: tuple[Concept, ...]) -> tuple[str, ...]:
    """A name for each concept that looks like no other's, as short as it can be; no order favours any.

    Args:
        concepts: each number once within a category.
    """
    same: dict[str, list[Concept]] = {}
    for concept in concepts:
        same.setdefault(appearance(concept.name), []).append(concept)
    taken = {name for name, sharing in same.items() if len(sharing) == 1}
    return tuple(
        concept.name if len(sharing) == 1 else _told_apart(concept, sharing, taken)
        for concept in concepts
        for sharing in (same[appearance(concept.name)],)
    )


def _told_apart(concept: Concept, sharing: Sequence[Concept], taken: set[str]) -> str:
    """The name with what tells a concept from those that share it; never a label's own name."""
    by_category, by_number, by_both = _spelled_out(concept)
    if len({other.category for other in sharing}) == 1:
        name = by_number
    elif sum(other.category == concept.category for other in sharing) == 1:
        name = by_category
    else:
        name = by_both
    name = by_both if appearance(name) in taken else name
    while appearance(name) in taken:
        name = f"{name} ({concept.category} {concept.number})"
    return name


def _spelled_out(concept: Concept) -> tuple[str, str, str]:
    category, number = concept.category, concept.number
    return tuple(f"{concept.name} ({tail})" for tail in (category, number, f"{category} {number}"))  # type: ignore[return-value]
