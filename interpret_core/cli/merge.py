"""`merge`, and how a command with `--part` ends: runs whose parts know nothing of each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interpret_core.cli.terminal import console
from interpret_core.errors import ParameterError
from interpret_core.options import Request

if TYPE_CHECKING:
    from interpret_core.runtime.executors.base import Executor
    from interpret_core.runtime.rounds import RoundDoneError
    from interpret_core.store import Store

NAMES = ("network", "dataset")  # fields of a request, for the words about it


def merge_command(
    caches: Annotated[list[Path], typer.Argument(metavar="CACHE…", help="Folders of the parts.")],
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to join them in; made if missing.")],
) -> None:
    """Join what the parts of a run have left; the last line says which come next, or done."""
    from interpret_core.runtime.merger import listed, merge

    found = merge(caches, into)
    screen = console()
    for line in found.damaged:
        screen.print(f"Damaged and left out, to be computed again: {line}", soft_wrap=True)
    for line in found.waiting:
        screen.print(line, soft_wrap=True)
    screen.print(f"{found.new:,} records are new in {into}, {found.known:,} were there", soft_wrap=True)
    screen.print(f"parts {listed(found.parts)}" if found.parts else "done", soft_wrap=True)


def opened(cache: Path, merged: Path | None) -> Store:
    """A command's store, with what other parts have computed beneath.

    Raises:
        ParameterError: both are one folder.
    """
    from interpret_core.store import ReadOnlyStore, Store

    if merged is None:
        return Store(cache)
    if merged.resolve() == cache.resolve():
        raise ParameterError(
            f"--merged and the cache are one folder, {merged}, but expected another: each part writes into "
            "a cache of its own (--cache), and merge joins them."
        )
    return Store(cache, beneath=ReadOnlyStore(merged))


def note_end(request: Request, store: Store, executor: Executor, ended: RoundDoneError | None = None) -> None:
    """Note in a part's cache how far it has come.

    Args:
        request: what was asked for.
        store: the part's.
        executor: of the run; only a part's notes anything.
        ended: why it goes no further now; None where the result is there.
    """
    from interpret_core.analyses.registry import find
    from interpret_core.runtime.executors.share import SharedExecutor
    from interpret_core.runtime.rounds import Note, note_alone

    if not isinstance(executor, SharedExecutor):
        return
    named = [getattr(request, name) for name in NAMES if hasattr(request, name)]
    words = " ".join([request.analysis, *named])
    if ended is not None:
        note = Note(executor.share, words, ended.passes, executor.asked)
    else:
        # What is left out, a class without an image that can be used, has no record.
        keys = find(request.analysis).load().plan(request, store).keys.values()
        there = store.present(list(keys))
        note = Note(executor.share, words, (), executor.asked, tuple(sorted(there)))
    note_alone(store, _command(request), note)


def _command(request: Request) -> str:
    """Under which the parts of a request note how far they are, wherever the data set lies for each."""
    from interpret_core import datasets
    from interpret_core.runtime.rounds import ROUND
    from interpret_core.store.keys import content_key

    asked: dict[str, Any] = request.to_json()
    if asked.get("dataset"):
        asked["dataset"] = datasets.open_dataset(asked["dataset"]).compute_digest()
    return content_key(ROUND.rstrip("/"), {"analysis": request.analysis, "request": asked})
