"""What the cache takes by kind; clearing it, for operators, with undo for a day."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import NamedTuple

from interpret_core.errors import ParameterError, StoreError
from interpret_core.store.trash import Cleared, Restored
from ui.access import audit, visitors
from ui.access.roles import Role
from ui.session import work
from ui.session.inventory import contents
from ui.session.inventory.contents import Holding
from ui.session.memory import again
from ui.session.stored import store

NOTES = "cleared"  # what was cleared, in words, by batch
BUSY = "A computation is at work{of}: it would lose what it has read or made. Wait for its end, or cancel it."


class KindUsage(NamedTuple):
    """What a kind of entry takes.

    Attributes:
        kind: the first word of its keys.
        entries, bytes: how many, and what they take.
        records: how many of them are results or parts of some; the others are small notes, which stay.
    """

    kind: str
    entries: int
    bytes: int
    records: int


class Undo(NamedTuple):
    """What was cleared and can be brought back.

    Attributes:
        cleared: how much, and when.
        what: in words, as it was when it was cleared; plain text.
        by: who did it; empty without a login.
    """

    cleared: Cleared
    what: str
    by: str


def usage() -> list[KindUsage]:
    """By kind, the largest first.

    Raises:
        StoreError: the cache cannot be read.
    """
    found: dict[str, KindUsage] = {}
    for one in contents.holdings():
        kind = one.entry.kind
        _, entries, size, records = found.get(kind, (kind, 0, 0, 0))
        found[kind] = KindUsage(kind, entries + 1, size + one.entry.bytes, records + one.record)
    return sorted(found.values(), key=lambda one: -one.bytes)


def undos() -> list[Undo]:
    """What was cleared within a day, the latest first; for operators, for all others nothing.

    Raises:
        StoreError: the cache cannot be read.
    """
    if not visitors.may(Role.OPERATOR):
        return []
    with contextlib.suppress(StoreError):  # where nothing can be written, nothing is swept
        store().sweep_cleared()
    notes = store().get_json(NOTES)
    notes = notes if isinstance(notes, dict) else {}
    found = []
    for one in store().cleared():
        told = notes.get(one.batch)
        what, by = told if isinstance(told, list) and len(told) == 2 else ("results", "")
        found.append(Undo(one, str(what), str(by)))
    return found


def clear_kind(kind: str, words: str) -> Cleared:
    """Clear all records of a kind.

    Args:
        kind: of `usage`.
        words: what they are, for whoever may bring them back.

    Raises:
        UserError: not an operator, a computation is at work, there is nothing, or it cannot be written.
    """
    return _clear(words, f"kind {kind}", lambda one: one.entry.kind == kind, lambda _: True)


def clear_network(name: str, digest: str) -> Cleared:
    """Clear all results of a network, by its digest; its name is for words, and for jobs that are at work."""
    return _clear(
        f"all results of the network {name}",
        f"network {name}",
        lambda one: bool(digest) and one.whose.network == digest,
        lambda request: name in (request.get("network"), *_several(request.get("networks"))),
    )


def clear_dataset(name: str, digest: str) -> Cleared:
    """Clear all results on a data set, as `clear_network`."""
    return _clear(
        f"all results on the data set {name}",
        f"data set {name}",
        lambda one: bool(digest) and one.whose.dataset == digest,
        lambda request: request.get("dataset") == name,
    )


def undo(batch: str) -> Restored:
    """Bring back what was cleared at once; what was computed anew meanwhile stays.

    Raises:
        UserError: not an operator, it is gone, or the cache cannot be written.
    """
    visitors.require(Role.OPERATOR, "Bringing back what was cleared")
    done = store().restore(batch)
    audit.note("cache restored", batch=batch, entries=done.entries, superseded=done.superseded)
    _changed()
    return done


def delete_for_good(batch: str) -> None:
    """Give up what was cleared, for the room that it takes.

    Raises:
        UserError: not an operator, or the cache cannot be written.
    """
    visitors.require(Role.OPERATOR, "Deleting what was cleared")
    store().delete_cleared(batch)
    audit.note("cleared results deleted", batch=batch)
    _changed()


def _clear(
    words: str, what: str, chosen: Callable[[Holding], bool], touched: Callable[[dict[str, object]], bool]
) -> Cleared:
    visitor = visitors.require(Role.OPERATOR, "Clearing results")
    for job in work.listing():
        if job.state == "running" and touched(job.request):
            raise ParameterError(BUSY.format(of=f" ({job.kind})"))
    _changed()
    done = store().clear([one.entry for one in contents.holdings() if one.record and chosen(one)])
    if done is None:
        raise ParameterError("There is nothing to clear any more: reload the page.")
    there = {one.batch for one in store().cleared()}

    def noted(old: object) -> dict[str, object]:
        kept = {batch: told for batch, told in old.items() if batch in there} if isinstance(old, dict) else {}
        return {**kept, done.batch: [words, visitor.shown or visitor.name]}

    with contextlib.suppress(StoreError):  # it can be brought back without words, too
        store().update_json(NOTES, noted)
    audit.note("cache cleared", what=what, batch=done.batch, entries=done.entries, bytes=done.bytes)
    _changed()
    return done


def _several(names: object) -> tuple[object, ...]:
    return tuple(names) if isinstance(names, list | tuple) else ()


def _changed() -> None:
    contents.look_again()
    again()
