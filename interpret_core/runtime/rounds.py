"""Runs in parts, each a process that knows nothing of the others: what each has left, pass by pass.

A pass over the images needs the sums of the one before, so parts run in rounds. A part computes its share of
the pieces of the first pass that is not complete, and ends; what all have left is joined (`runtime.merger`),
and the next round goes on from it. Each part notes in its cache how far it has come:

    round/<command>   {part: a `Note` as JSON}; where they were joined, beside them what the merger notes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType, TracebackType
from typing import Any

from interpret_core.errors import ParameterError, StoreError, UnitscopeError
from interpret_core.runtime.executors.kind import ProcessorKind
from interpret_core.store.store import Store

ROUND = "round/"


@dataclass(frozen=True)
class Share:
    """Which pieces of every pass a part computes: those whose number, modulo `of`, is `part` − 1.

    Attributes:
        part, of: the part's number, from 1, and how many parts there are.
    """

    part: int
    of: int

    def __str__(self) -> str:
        return f"{self.part}/{self.of}"

    @classmethod
    def read(cls, text: str) -> Share:
        """As it is written on the command line.

        Raises:
            ParameterError: it is no part.
        """
        part, slash, of = text.partition("/")
        plain = slash and part.isascii() and of.isascii() and part.isdigit() and of.isdigit()
        if not plain or not 1 <= int(part) <= int(of):
            raise ParameterError(
                f"--part is {text!r}, but expected a part and how many there are, such as 3/16, with the "
                "first at least 1 and at most the second."
            )
        return cls(int(part), int(of))

    def has(self, number: int) -> bool:
        """Whether the piece of this number is one of its own."""
        return owner(number, self.of) == self.part


def owner(number: int, of: int) -> int:
    """The part that computes the piece of this number."""
    return number % of + 1


@dataclass(frozen=True)
class Pass:
    """A pass, as its pieces lie in a cache.

    Attributes:
        under: what their keys begin with.
        pieces: the name of each, in the order of their numbers.
        layers: whose arrays each consists of.
        records: keys of what is made from them; once these are there, the pieces are needed no more.
        last: no pass follows, and what follows is for one part alone.
    """

    under: str
    pieces: tuple[str, ...]
    layers: tuple[str, ...]
    records: tuple[str, ...]
    last: bool = False

    @property
    def run(self) -> str:
        """The key of the run that it belongs to."""
        return "/".join(self.under.split("/")[:2])

    @property
    def title(self) -> str:
        """In a word or two, for people."""
        return self.under.rsplit("/", 1)[-1].split("-")[0]

    def missing(self, store: Store) -> list[int]:
        """Numbers of the pieces that are needed and not all there."""
        if store.present(self.records) == set(self.records):
            return []
        keys = {
            f"{self.under}/{piece}/{layer}": number
            for number, piece in enumerate(self.pieces)
            for layer in self.layers
        }
        there = store.present(list(keys))
        return sorted({number for key, number in keys.items() if key not in there})


class RoundDoneError(UnitscopeError):
    """A part has done its share of a pass, and goes no further before all have.

    Attributes:
        passes: those of which its share is done.
        computed: how many pieces of them this run has computed.
    """

    def __init__(self, passes: Sequence[Pass], computed: int) -> None:
        self.passes, self.computed = tuple(passes), computed
        titles = ", ".join(dict.fromkeys(one.title for one in passes))
        pieces = sum(len(one.pieces) for one in passes)
        super().__init__(
            f"its share of {titles} is done, {computed:,} of {pieces:,} pieces computed now. Join the caches "
            "of all parts with merge, which says what comes next."
        )


class Postponed:
    """Lets several results that do not need each other get as far as they can in one round.

    Used as a context around each: its end of the round is noted, and raised by `end` for all.
    """

    def __init__(self) -> None:
        self._ended: list[RoundDoneError] = []

    def __enter__(self) -> Postponed:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, RoundDoneError):
            self._ended.append(error)
            return True
        return False

    def end(self) -> None:
        """After the last one.

        Raises:
            RoundDoneError: some wait for other parts.
        """
        if self._ended:
            passes = [one for error in self._ended for one in error.passes]
            raise RoundDoneError(passes, sum(error.computed for error in self._ended))


@dataclass(frozen=True)
class Note:
    """How far a part has come.

    Attributes:
        share: which part.
        command: what is computed, in words.
        passes: those of which its share is done, and which wait for others.
        kind: of the processes that computed, where anything depended on it.
        results: keys of what was asked for, once all of it is there; None before.
    """

    share: Share
    command: str
    passes: tuple[Pass, ...] = ()
    kind: ProcessorKind | None = None
    results: tuple[str, ...] | None = None

    @property
    def done(self) -> bool:
        """Whether it has had all results."""
        return self.results is not None

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Note:
        """The inverse.

        Raises:
            KeyError, TypeError: it is no note.
        """
        listed = ("pieces", "layers", "records")
        passes = [Pass(**(one | {name: tuple(one[name]) for name in listed})) for one in found["passes"]]
        kind = None if found["kind"] is None else ProcessorKind(**found["kind"])
        share = Share(**found["share"])
        results = None if found["results"] is None else tuple(found["results"])
        return cls(share, found["command"], tuple(passes), kind, results)


def noted(store: Store, command: str) -> dict[int, Note]:
    """What the parts of a command have left, by part.

    Raises:
        StoreError: it was noted by another version.
    """
    found = store.get_json(command) or {}
    try:
        return {int(part): Note.from_json(one) for part, one in found.items() if part.isdigit()}
    except (AttributeError, KeyError, TypeError) as error:
        raise StoreError(
            f"{store.folder} holds notes on a run in parts that this version cannot read ({command}): use "
            "the same version for all parts."
        ) from error


def keep_notes(
    store: Store, command: str, notes: Iterable[Note], more: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Keep what is known of a command's parts, in place of what was; `more` under words of its own."""
    store.put_json(command, {str(one.share.part): one.to_json() for one in notes} | dict(more), lasting=True)


def note_alone(store: Store, command: str, note: Note) -> None:
    """Note in a part's own cache how far it has come with what it works at now, and nothing else."""
    keep_notes(store, command, [note])
    for key in store.json_keys(ROUND):
        if key != command:
            store.delete_json(key)
