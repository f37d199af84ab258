"""Joins what the parts of a run have left in their caches, and says which parts come next.

Only that is copied: shards of runs in progress, results, and what is known of the networks; each entry's
checksum is compared, and one that is damaged is named and left out. A second entry under the same key must be
the same to the byte, so whatever the order of the caches, the results are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from interpret_core.errors import ParameterError, UserError
from interpret_core.runtime.rounds import ROUND, Note, Pass, keep_notes, noted, owner
from interpret_core.store.kinds import kind_of
from interpret_core.store.records import canonical_json
from interpret_core.store.store import ReadOnlyStore, Store

PARTIAL = "partial"
KNOWN = ("identity", "network", "unusable", "damaged")  # JSON values that a run notes for the next one
IDLE = 3  # merges in a row without anything new, after which somebody has to look
MERGE = "merge"  # holds how many there were, beside the notes of the parts


class OtherPartsError(UserError):
    """Caches that are no parts of the same run, or were computed by processes of different kinds."""


class NothingNewError(UserError):
    """One merge after the other brings nothing new: the next would not, either."""


@dataclass
class Joined:
    """What a merge has done.

    Attributes:
        new, known: records that were copied, and that were there.
        damaged: lines about entries that were left out.
        waiting: lines about passes of which pieces are missing.
        parts: numbers of those that have to run next; none once all results are there.
    """

    new: int = 0
    known: int = 0
    damaged: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    parts: tuple[int, ...] = ()


def merge(sources: Sequence[Path], into: Path) -> Joined:
    """Join the caches of parts.

    Args:
        sources: folders of the parts; they are only read. One that is not there yet counts as empty.
        into: the folder that all of it is copied to; made if missing.

    Raises:
        OtherPartsError: they do not belong together; nothing was copied.
        NothingNewError: this and the merges before have brought nothing.
        UserError: two records under one key differ; or a folder cannot be read or written.
    """
    places = list(dict.fromkeys(path.resolve() for path in sources))
    if into.resolve() in places:
        raise ParameterError(f"{into} is to be merged into itself, expected another folder after --into.")
    with ExitStack() as stack:
        # Results that come with the program are no part of this: what was joined can be used without them.
        target = stack.enter_context(Store(into, shipped=()))
        stack.enter_context(target.lock(f"{ROUND}{MERGE}"))
        stores = [stack.enter_context(ReadOnlyStore(place)) for place in places]
        return _Merger(stores, target).all()


class _Merger:
    """One merge."""

    def __init__(self, sources: Sequence[ReadOnlyStore], target: Store) -> None:
        self.sources, self.target, self.found = sources, target, Joined()
        self.commands = {key: self._notes(key) for source in sources for key in source.json_keys(ROUND)}
        if not self.commands:
            folders = ", ".join(str(one.folder) for one in sources)
            raise OtherPartsError(f"No part has noted anything in {folders}: run profile --part 1/… first.")
        for notes in self.commands.values():
            _check([notes[part] for part in sorted(notes)])

    def all(self) -> Joined:
        """What comes first decides what is needed of the rest."""
        absent = [source.folder for source in self.sources if not source.folder.exists()]
        self.found.waiting += [f"{folder} is not there" for folder in absent]
        wanted = self._wanted()
        theirs = [
            [key for key in source.keys("") if _is_result(key) or key in wanted] for source in self.sources
        ]
        for key in self.target.present(sorted({key for keys in theirs for key in keys})):
            self.target.get(key)  # a damaged one is deleted, and copied anew
        for source, keys in zip(self.sources, theirs, strict=True):
            self._copy(source, keys)
            self._copy_known(source)
        over = {run for key in self.commands if self._done(key) for run in self._seen(key, "runs")}
        for source in self.sources:
            keys = source.keys(f"{PARTIAL}/")
            self._copy(source, [key for key in keys if _run(key) not in over])
            self._copy_states(source, over)
            self.found.damaged += [f"{source.folder}: {one.key} ({one.reason})" for one in source.damaged]
        self.found.parts = tuple(sorted({part for key in self.commands for part in self._following(key)}))
        self._forget(over)
        self._keep()
        return self.found

    def _notes(self, command: str) -> dict[int, Note]:
        """What is known of a command's parts: what they say themselves, else what was joined before."""
        theirs: dict[int, Note] = {}
        for part, note in chain.from_iterable(noted(one, command).items() for one in self.sources):
            theirs[part] = max(note, theirs.get(part, note), key=_precedence)
        return noted(self.target, command) | theirs

    def _wanted(self) -> set[str]:
        """Keys of what was asked for, and of what is made from pieces, whatever kind of entry they are."""
        notes = [note for command in self.commands.values() for note in command.values()]
        made = {key for command in self.commands for key in self._seen(command, "records")}
        return made | {key for note in notes for key in note.results or ()}

    def _copy(self, source: Store, keys: Iterable[str]) -> None:
        for key in keys:
            there, checksum = self.target.has(key), source.checksum(key)
            if there and checksum and checksum == self.target.checksum(key):
                self.found.known += 1
                continue
            record = source.get(key)
            mine = self.target.get(key) if there else None
            if record is None:
                continue  # damaged, as `source.damaged` says
            if mine is not None:
                raise OtherPartsError(
                    f"{key} in {source.folder} is another one than in {self.target.folder}, though both are "
                    "of the same network, data set and parameters: they were computed on processors of "
                    "different kinds, or by different code. Delete one of the two folders."
                )
            self.target.put(key, record)
            self.found.new += 1

    def _copy_known(self, source: Store) -> None:
        """Where two differ (a probe's answers in their last digits), one of them, whatever the order."""
        for key in chain.from_iterable(source.json_keys(f"{kind}/") for kind in KNOWN):
            mine, theirs = self.target.get_json(key), source.get_json(key)
            if theirs is None or mine == theirs:
                continue
            one = theirs if mine is None else min(mine, theirs, key=canonical_json)
            self.target.put_json(key, one, lasting=True)

    def _copy_states(self, source: Store, over: set[str]) -> None:
        """What runs have set out to compute: all of it, or a part that begins anew would want less."""
        for key in source.json_keys(f"{PARTIAL}/"):
            mine, theirs = self.target.get_json(key) or {}, source.get_json(key)
            if _run(key) not in over and isinstance(theirs, dict):
                both = {name: sorted({*mine.get(name, ()), *theirs.get(name, ())}) for name in mine | theirs}
                if both != mine:
                    self.target.put_json(key, both)

    def _done(self, command: str) -> bool:
        """Whether a part has had all results, and all are here, those that others follow from, too."""
        made = self._seen(command, "records")
        results = [note.results for note in self.commands[command].values() if note.results is not None]
        return any(self.target.present([*made, *keys]) == made | set(keys) for keys in results)

    def _following(self, command: str) -> Sequence[int]:
        """Parts that have to run next."""
        notes = self.commands[command]
        if self._done(command):
            return ()
        first = next(iter(notes.values()))
        of, passes = first.share.of, {one.under: one for note in notes.values() for one in note.passes}
        missing = {one.share.part for one in notes.values() if one.done}  # a damaged one was left out
        for one in passes.values():
            numbers = one.missing(self.target)
            missing |= {owner(number, of) for number in numbers}
            if numbers:
                self.found.waiting.append(
                    f"{first.command}: {len(numbers):,} of {len(one.pieces):,} pieces of {one.title} are "
                    "missing"
                )
        if missing:
            return sorted(missing)
        return (1,) if any(one.last for one in passes.values()) else range(1, of + 1)

    def _history(self, command: str) -> dict[str, Any]:
        return (self.target.get_json(command) or {}).get(MERGE) or {"idle": 0, "runs": [], "records": []}

    def _seen(self, command: str, what: str) -> set[str]:
        """Runs of a command, or keys of records that are made from its passes, as far as any round told."""
        passes = [one for note in self.commands[command].values() for one in note.passes]
        told = {key for one in passes for key in ((one.run,) if what == "runs" else one.records)}
        return {*self._history(command)[what], *told}

    def _forget(self, over: set[str]) -> None:
        """Shards of what is done are needed no more."""
        for run in over:
            for key in self.target.keys(run):
                self.target.delete(key)
            self.target.delete_json(run)

    def _keep(self) -> None:
        """Note how far the parts have come.

        Raises:
            NothingNewError: no further than at the last merges.
        """
        idle = []
        for command, notes in self.commands.items():
            told = self.found.new or notes != noted(self.target, command)
            times = 0 if told else self._history(command)["idle"] + 1
            seen = {what: sorted(self._seen(command, what)) for what in ("runs", "records")}
            history = {"idle": times, **seen}
            keep_notes(self.target, command, notes.values(), {MERGE: history})
            idle += [] if self._done(command) else [times]
        if idle and min(idle) >= IDLE:
            waiting = "; ".join(self.found.waiting) or "the results are missing"
            raise NothingNewError(
                f"{min(idle)} merges in a row have brought nothing new ({waiting}). Look at what parts "
                f"{listed(self.found.parts)} wrote last; all need the same command, --merged "
                f"{self.target.folder} and a cache of their own."
            )


def listed(parts: Sequence[int]) -> str:
    """Numbers separated by commas, as SLURM's --array takes them."""
    return ",".join(map(str, parts))


def _is_result(key: str) -> bool:
    kind = kind_of(key)
    return not kind.again and kind.name != PARTIAL


def _run(key: str) -> str:
    return "/".join(key.split("/")[:2])


def _precedence(note: Note) -> tuple[bool, str]:
    return note.done, canonical_json(note.to_json())


def _check(notes: Sequence[Note]) -> None:
    """Whether all are parts of one run.

    Raises:
        OtherPartsError: they are not.
    """
    first, *others = notes
    for one in others:
        if one.share.of != first.share.of:
            raise OtherPartsError(
                f"{first.command}: there are parts {first.share} and {one.share}, expected the same number "
                "of parts from all: begin anew with empty folders, or leave those of the other number out."
            )
    kinds = [(note.share, note.kind) for note in notes if note.kind is not None]
    for share, kind in kinds[1:]:
        told = kinds[0][1].differences(kind)
        if told:
            raise OtherPartsError(
                f"{first.command}: part {share} was computed by another kind of process than part "
                f"{kinds[0][0]}: {told}. Responses may differ in their last bit, so these do not add up: run "
                "all parts on the same kind (threads: OMP_NUM_THREADS, or --workers), with empty folders."
            )
    _check_cut([one for note in notes for one in note.passes], first.command)


def _check_cut(passes: Sequence[Pass], command: str) -> None:
    cut: Mapping[str, Pass] = {one.under: one for one in passes}
    if any(one.pieces != cut[one.under].pieces for one in passes):
        raise OtherPartsError(
            f"{command}: parts have cut the images into other pieces; give all the same --shards."
        )
