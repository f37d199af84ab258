"""What stands where an ablation's job has not been run: what it would be, what it costs, its progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.errors import UnitscopeError
from ui import ablations, relevance_status, status
from ui.ablations import Asked, Bench, Case
from ui.naming import key_of
from ui.plain import plain
from ui.theme import count_text

LOOKING = "Loading the network and its rankings (once; later settings take no such time) …"
FIRST = (
    "Units are ranked by their relevance for a class, which is computed first; an ablation then says what "
    "the network can no longer do without them."
)


def bench(case: Case) -> Bench | None:
    """The plan of a case; None after a line that says why there is none, and what to do."""
    from interpret_core.classes.known import NeedsSurvey

    try:
        with st.spinner(LOOKING, show_time=True):
            return ablations.bench(case)
    except NeedsSurvey:
        st.markdown(FIRST)
        ranking(case)
    except UnitscopeError as error:
        st.error(plain(error))
    return None


def ranking(case: Case) -> None:
    """The job that ranks: its progress, or the offer to start it."""
    wanted = case.wanted()
    found = relevance_status.find(wanted)
    if found is not None:
        relevance_status.pending(wanted, found)


def alone(bench: Bench, name: str) -> None:
    """The relevance of one class: its job's progress, or what it costs and the button."""
    request, seconds = bench.alone(name)
    if ablations.busy(ablations.RELEVANCE, request):
        progress(ablations.RELEVANCE, request, f"The relevance of {plain(name)}")
        return
    cost = "" if seconds is None else f": ≈ {status.duration(seconds)}, at the pace of the last run here"
    st.caption(f"For {plain(name)} alone{cost}.")
    offer(ablations.RELEVANCE, request, f"Compute {plain(name)} alone")


def grid(bench: Bench, value: str) -> None:
    """Points that are not precomputed: named with their cost, or their job's progress; else nothing."""
    request = grid_request(bench, value)
    if ablations.busy(ablations.GRID, request):
        progress(ablations.GRID, request, "The steps of the slider")
        return
    ranked = set(bench.names) - set(bench.plan.unranked())
    missing = [name for name in bench.missing(value) if not name or name in ranked]
    if not missing:
        return
    classes = [name for name in missing if name]
    few = ", ".join(map(plain, classes[:6])) + (" …" if len(classes) > 6 else "")
    parts = [f"{count_text(len(classes), 'class', 'classes')} ({few})"] if classes else []
    parts += [] if bench.grid(value).controls else ["the random controls"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Not precomputed, and therefore estimated when asked for: {' and '.join(parts)}. "
            f"{_grid_cost(bench, value, missing)}",
            width="content",
        )
        offer(ablations.GRID, request, "Precompute them")


def grid_request(bench: Bench, value: str) -> AblationRequest:
    """The job's request: of all classes that are ranked."""
    request = bench.case.request(value)
    unranked = set(bench.plan.unranked())
    if not unranked:
        return request
    possible = (name for name in bench.plan.ranking.keys if bench.plan.unusable(name) is None)
    ranked = tuple(name for name in possible if name not in unranked)
    return replace(request, classes=ranked) if ranked else request


def _grid_cost(bench: Bench, value: str, missing: Sequence[str]) -> str:
    cost = bench.cost(value, missing)
    time = (
        f"≈ {status.duration(cost.seconds)}, at the pace of the last run here"
        if cost.seconds is not None
        else "how long depends on the network: about 0.01 to 0.1 s per image and setting on two cores"
    )
    return f"Precomputing {cost.words}: {time}."


def offer(kind: str, request: Asked, label: str) -> None:
    """The button that starts a job; after a failure, why."""
    again = status.last_attempt(ablations.job(kind, request))
    if st.button(
        "Try again" if again else label,
        key=key_of("start_part", kind, label, request.network),  # relevance has another for all classes
    ):
        status.begin(partial(ablations.start, kind, request))


def progress(kind: str, request: Asked, what: str) -> None:
    """A job, in the line or at work: what it is for, and its progress."""
    st.caption(f"{what}. You may close this tab: the work goes on, and this page finds it again.")
    find, cancel = partial(ablations.job, kind, request), partial(ablations.cancel, kind, request)
    status.follow(find, cancel, key_of("cancel_part", kind, request.network))
