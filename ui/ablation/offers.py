"""What stands where an ablation's job has not been run: what it would be, what it costs, its progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.plan import cost as effects_words
from interpret_core.analyses.estimate.result import AnalysisCost
from interpret_core.classes.known import NeedsSurvey
from interpret_core.errors import UnitscopeError
from ui.access.told import told
from ui.jobs import estimates, relevance
from ui.jobs.panel import Offer, panel
from ui.jobs.words import takes
from ui.session import ablations, work
from ui.session.ablations import Bench, Case
from ui.session.live.queue import Busy
from ui.shell.plain import plain
from ui.shell.theme import count_text

LOOKING = "Loading the network and its rankings (once; later settings take no such time) …"
FIRST = (
    "Units are ranked by their relevance for a class, which is computed first; an ablation then says what "
    "the network can no longer do without them."
)


def bench(case: Case) -> Bench | None:
    """The plan of a case; None after a line that says why there is none, and what to do.

    Raises:
        Busy: it has to be loaded, and others come first.
    """
    try:
        with st.spinner(LOOKING, show_time=True):
            return ablations.bench(case)
    except NeedsSurvey:
        st.markdown(FIRST)
        ranking(case)
    except Busy:
        raise
    except UnitscopeError as error:
        st.error(plain(told(error)))
    return None


def ranking(case: Case) -> None:
    """The job that ranks: its progress, or the offer to start it."""
    wanted = case.wanted()
    found = relevance.find(wanted)
    if found is not None:
        relevance.pending(wanted, found)


def alone(bench: Bench, name: str) -> None:
    """The relevance of one class: its job's progress, or what it costs and the button."""
    request, known = bench.alone(name), estimates.class_alone(bench, name)
    cost = "" if known is None else f": {takes(known, '')}"
    label = f"Compute {plain(name)} alone"
    what = f"The relevance of {plain(name)}"
    panel(Offer(request, what, label, cost=f"For {plain(name)} alone{cost}.", beside=True))


def effects(bench: Bench) -> None:
    """Single units that are not measured: their job's progress, or the offer to start it."""
    known = estimates.effects(bench)
    words = effects_words(bench.plan).words
    cost = (
        f"What does each unit do for each class? It {words}: {takes(known, 'minutes for a small network')}."
    )
    measure = estimates.of_bench(bench, "effects") if known is None else None
    panel(Offer(bench.case.effects(), "Single units", "Measure single units", cost=cost, measure=measure))


def grid(bench: Bench, value: str) -> None:
    """Points that are not precomputed: named with their cost, or their job's progress; else nothing."""
    request = grid_request(bench, value)
    ranked = set(bench.names) - set(bench.unranked())
    missing = [name for name in bench.missing(value) if not name or name in ranked]
    if not missing and not work.busy(request):
        return
    classes = [name for name in missing if name]
    few = ", ".join(map(plain, classes[:6])) + (" …" if len(classes) > 6 else "")
    parts = [f"{count_text(len(classes), 'class', 'classes')} ({few})"] if classes else []
    parts += [] if bench.grid(value).controls else ["the random controls"]
    known = estimates.settings(bench, bench.settings(value, missing))
    cost = (
        f"Not precomputed, and therefore estimated when asked for: {' and '.join(parts)}. "
        f"{_grid_cost(bench, value, missing, known)}"
    )
    measure = estimates.of_bench(bench, "ablation") if known is None else None
    offer = Offer(request, "The steps of the slider", "Precompute them", cost=cost, beside=True)
    panel(replace(offer, measure=measure))


def grid_request(bench: Bench, value: str) -> AblationRequest:
    """The job's request: of all classes that are ranked."""
    request = bench.case.request(value)
    unranked = set(bench.unranked())
    if not unranked:
        return request
    possible = (name for name in bench.plan.ranking.keys if bench.plan.unusable(name) is None)
    ranked = tuple(name for name in possible if name not in unranked)
    return replace(request, classes=ranked) if ranked else request


def _grid_cost(bench: Bench, value: str, missing: Sequence[str], known: AnalysisCost | None) -> str:
    cost = bench.cost(value, missing)
    rule = "how long depends on the network: about 0.01 to 0.1 s per image and setting on two cores"
    return f"Precomputing {cost.words}: {takes(known, rule)}."
