"""Which analyses there are: the built-in ones, and those of installed packages.

A package adds one by an entry point of the group `unitscope.analyses` that names an `Entry`. Jobs are other
processes and find it the same way.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from interpret_core.analyses.base import BoundedAnalysis, Entry
from interpret_core.errors import ChangedFileError, ParameterError, unknown
from interpret_core.options import Request, fields_of
from interpret_core.packages import LeftOutError, installed, leave_out

if TYPE_CHECKING:
    from interpret_core.runtime.execution import Execution
    from interpret_core.store.store import Store

GROUP = "unitscope.analyses"
# Commands that are no analysis.
RESERVED = ("networks", "datasets", "fetch", "jobs", "merge", "bench", "reproduce")
BUILT_IN = (  # packages
    "survey",
    "profile",
    "relevance",
    "agreement",
    "ablation",
    "effects",
    "evaluation",
    "image_labels",
    "estimate",
)


@cache
def entries() -> dict[str, Entry]:
    """Every analysis by name, the built-in ones first; read once per process.

    One of an installed package that cannot be imported, or that takes a name that is taken, is left out with
    a line in the log.
    """
    found: dict[str, Entry] = {}
    for name in BUILT_IN:
        for entry in importlib.import_module(f"interpret_core.analyses.{name}").ENTRIES:
            found[entry.name] = entry
    for where, entry in installed(GROUP, Entry):
        taken = {name for one in found.values() for name in (one.name, one.called)} | set(RESERVED)
        try:
            if taken & {entry.name, entry.called}:
                raise LeftOutError(f"the name {entry.name!r} or its command is taken")
            fields_of(entry.request)  # or its command could not be made
        except Exception as error:  # whatever somebody's package does, the rest works
            leave_out(where, error)
        else:
            found[entry.name] = entry
    return found


def find(name: str) -> Entry:
    """The analysis of a name.

    Raises:
        ParameterError: unknown.
    """
    found = entries().get(name)
    if found is None:
        raise ParameterError(unknown("analysis", name, entries()))
    return found


def compute(
    request: Request, store: Store, execution: Execution | None = None, seconds: float | None = None
) -> Any:
    """The result of a request; what is missing of it, and of what it needs, is computed and kept.

    Args:
        request: of any analysis.
        store: where results and finished parts are kept.
        execution: device, progress and cancellation.
        seconds: take the best that can be had in so many; of a `BoundedAnalysis` alone.

    Raises:
        UserError, NonFiniteError, Cancelled: as the analysis' `run`.
    """
    from interpret_core.runtime.execution import Execution

    how = execution or Execution()
    analysis = find(request.analysis).load()
    done: set[Request] = set()
    digest = ""
    while needed := [need for need in analysis.needs(request, store, how) if need not in done]:
        digest = digest or _digest(request, how)
        for need in needed:
            compute(need, store, how.of_part())
            done.add(need)
        if _digest(request, how) != digest:
            raise ChangedFileError(
                f"Data set {getattr(request, 'dataset', '')} changed while a result that is needed was "
                "computed: nothing of it was kept; run it again when the files are at rest."
            )
    if seconds is None:
        return analysis.run(request, store, how)
    if not isinstance(analysis, BoundedAnalysis):
        raise ParameterError(f"{request.analysis} cannot be bounded in time, expected no bound.")
    return analysis.within(request, store, how, seconds)


def _digest(request: Request, execution: Execution) -> str:
    """Of the data set asked about, as it is now; empty where a request is about none."""
    from interpret_core import datasets

    name = getattr(request, "dataset", "")
    if not name:
        return ""
    execution.tell("reading the data set's digest", 0, 0)
    return datasets.open_dataset(name).compute_digest(cancelled=execution.cancelled)
