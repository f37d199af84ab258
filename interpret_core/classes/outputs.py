"""Naming a network's outputs: by name, by number, by a range of numbers, by one of several names."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from interpret_core.concepts import unmarked
from interpret_core.datasets.classes import spelling
from interpret_core.errors import NetworkError, unknown

_RANGE = re.compile(r"(\d{1,9})\s*-\s*(\d{1,9})")
# What COCO's panoptic labels append to the name of a thing or a material.
_COCO = re.compile(r"(-other-merged|-merged|-other|-stuff)$")


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names of outputs for display: those that several share with the output's number behind them."""
    often = Counter(names)
    return tuple(f"{name} ({at})" if often[name] > 1 else name for at, name in enumerate(names))


class OutputNames:
    """The names of a network's outputs, in order; capitals do not count, and an underscore is a space."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._whole: dict[str, list[int]] = defaultdict(list)
        self._part: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(names):
            self._whole[spelling(name)].append(number)
            for part in parts(name):
                self._part[part].append(number)

    def named(self, name: str) -> list[int]:
        """Outputs of this whole name; several where the network says the same twice."""
        return self._whole.get(spelling(name), [])

    def synonyms(self, name: str) -> list[int]:
        """Outputs that list this name among several, separated by commas: "bus, autobus"."""
        return self._part.get(spelling(name), [])

    def chosen(self, entries: Iterable[str | int], where: str) -> tuple[int, ...]:
        """The outputs that a table lists, ascending.

        Args:
            entries: names, numbers, or ranges as in "151-268".
            where: table and entry, for the message.

        Raises:
            NetworkError: a name that no output or more than one has, or a number beyond the last output.
        """
        return tuple(sorted({number for entry in entries for number in self._entry(entry, where)}))

    def _entry(self, entry: str | int, where: str) -> Iterable[int]:
        if isinstance(entry, int):
            return self._numbers(entry, entry, where)
        numbers = _RANGE.fullmatch(entry.strip())
        if numbers and not self.named(entry):
            return self._numbers(int(numbers[1]), int(numbers[2]), where)
        found = self.named(entry) or self.synonyms(entry)
        if not found:
            raise NetworkError(f"{where}: {unknown('output', entry, self.names)}")
        if len(found) > 1:
            raise NetworkError(
                f"{where}: {len(found)} outputs are called {entry!r}, expected one: give the number instead, "
                f"{' or '.join(map(str, found))}."
            )
        return found

    def _numbers(self, first: int, last: int, where: str) -> Iterable[int]:
        if not 0 <= first <= last < len(self.names):
            text = str(first) if first == last else f"{first}-{last}"
            raise NetworkError(
                f"{where}: output {text}, expected numbers from 0 to {len(self.names) - 1}, the smaller "
                "first: correct it."
            )
        return range(first, last + 1)


def parts(name: str) -> list[str]:
    """Spellings of the names that one output lists, separated by commas; none where there is just one."""
    listed = [spelling(part) for part in name.split(",")]
    return list(dict.fromkeys(part for part in listed if part)) if len(listed) > 1 else []


def spellings(name: str) -> tuple[str, ...]:
    """How a class may be spelled elsewhere: as it is, then without COCO's "-merged", "-other" or "-stuff".

    Of a label that a model gives, each of them also without its "(predicted)".
    """
    wholes = (spelling(name), spelling(unmarked(name)))
    return tuple(dict.fromkeys(one for whole in wholes for one in (whole, _COCO.sub("", whole))))
