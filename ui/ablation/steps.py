"""Settings estimated step by step, a script run for each step.

A rerun of a fragment does not interrupt a run of the same fragment, so a loop in a script would hold whoever
moves a slider up until its end. Each run therefore takes one step and draws it; the browser, once it has
painted, asks for the next one (`carry_on`). Whoever moves on asks for something else, and whoever closes the
tab asks for nothing: what was begun stops.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

import streamlit as st

from interpret_core.analyses.ablation.ablator import Ablator, Estimate
from interpret_core.measures.ablation.settings import Setting
from interpret_core.memory import MemoryHolding, budget
from ui.components.carry_on.carry_on import carry_on_step
from ui.session.ablations import Bench
from ui.session.live.queue import Busy, turn
from ui.session.memory import use

PAIR = 2  # tasks that are estimated side by side
PAUSE = 800  # milliseconds
GLIMPSE = 6  # images of the first estimate
FIRST, ENOUGH = 0.1, 0.3  # seconds after which a run shows what it has: soon at first, then in larger steps


class Task(NamedTuple):
    """One setting to evaluate."""

    bench: Bench
    setting: Setting

    @property
    def ablator(self) -> Ablator:
        """Evaluates it."""
        return self.bench.ablator


class Runs:
    """Tasks one after the other, each on growing subsets of its images; the first two side by side.

    Of those two the one compares with the other, image by image: neither is worth much alone. Steps are
    taken in turn with everybody else's live computations. Where the process needs the memory, what was begun
    and is not used is let go of: networks and half-evaluated tasks, which begin anew; what is known stays.
    """

    def __init__(
        self, tasks: Sequence[Task], known: Sequence[Estimate | None] = (), slot: str = "ablation"
    ) -> None:
        """Nothing is computed yet.

        Args:
            tasks: what to evaluate.
            known: of each task, where it is known already.
            slot: the place that it takes in the queue of live computations.
        """
        self.tasks = tuple(tasks)
        self._slot = slot
        self._estimates: list[Estimate | None] = list(known) or [None] * len(self.tasks)
        self._running: dict[int, Iterator[Estimate]] = {}
        self._holding: MemoryHolding | None = None
        self.steps = 0  # taken so far
        self.waits = ""  # in words, why the last step could not be taken: others come first

    def __getitem__(self, number: int) -> Estimate | None:
        """What is known of a task, None before its first step."""
        return self._estimates[number]

    @property
    def complete(self) -> bool:
        """Whether every task has been done on all images."""
        return self._next() is None

    @property
    def done(self) -> int:
        """Tasks that are complete."""
        return sum(one is not None and one.complete for one in self._estimates)

    def _next(self) -> int | None:
        open_ = [i for i, one in enumerate(self._estimates) if one is None or not one.complete]
        if not open_ or open_[0] >= PAIR:
            return open_[0] if open_ else None
        return min((i for i in open_ if i < PAIR), key=self._rows)

    def _rows(self, number: int) -> int:
        one = self._estimates[number]
        return 0 if one is None else len(one.rows)

    def bound(self, tasks: Sequence[Task]) -> Runs:
        """The same with today's benches; what they hold in memory is in use until the page is drawn."""
        before, self.tasks = self.tasks, tuple(tasks)
        if [one.bench for one in before] != [one.bench for one in tasks]:
            self._running.clear()
            if self._holding is not None:
                budget().release(self._holding)
                self._holding = None
        if self._holding is None or not use(self._holding):
            pieces = {at: size for task in tasks for at, size in task.bench.memory_pieces().items()}
            self_of = weakref.ref(self)

            def drop() -> None:
                runs = self_of()
                if runs is not None:
                    runs.tasks, runs._running, runs._holding = (), {}, None

            self._holding = budget().hold("ablations", pieces, drop, used=True)
            weakref.finalize(self, budget().release_later, self._holding).atexit = False
            use(self._holding)
            budget().unuse(self._holding)
        return self

    def step(self) -> None:
        """Go on for a moment, and until each of the first two has something to show.

        Tasks found in the store are done on the way. Where others come first, nothing is done, and `waits`
        says so.

        Raises:
            As `Ablator.estimates`; the task is begun anew at the next step.
        """
        self.waits = ""
        if self.complete:
            return
        try:
            with turn(self._slot, act="Ablating live"):
                self.steps += 1
                self._go_on()
        except Busy as busy:
            self.waits = f"{busy} Your computation is in line, and goes on by itself."

    def _go_on(self) -> None:
        start = time.monotonic()
        enough = FIRST if None in self._estimates[:PAIR] else ENOUGH
        while (at := self._next()) is not None:
            if at not in self._running:
                task = self.tasks[at]
                self._running[at] = task.ablator.estimates(task.setting, pace=0.0, glimpse=GLIMPSE)
            try:
                estimate = next(self._running[at])
            except BaseException:
                del self._running[at]
                raise
            self._estimates[at] = estimate
            if estimate.complete:
                del self._running[at]
            if time.monotonic() - start >= enough and None not in self._estimates[:PAIR]:
                return


def runs(
    name: str, identity: Hashable, tasks: Sequence[Task], known: Callable[[Task], Estimate | None]
) -> Runs:
    """The session's runs of this name; new ones when something else is to be evaluated.

    Args:
        name: of the part of the page.
        identity: of what the tasks are about.
        tasks: what to evaluate.
        known: of a task, where that takes no time.
    """
    key, wanted = f"_runs_{name}", (identity, tuple(task.setting for task in tasks))
    kept = st.session_state.get(key)
    if kept is None or kept[0] != wanted:
        kept = wanted, Runs(tasks, [known(task) for task in tasks], name)
        st.session_state[key] = kept
    found: Runs = kept[1]
    return found.bound(tasks)


def carry_on(name: str, *, more: bool, first: bool = False) -> None:
    """Once the browser has painted this run, it asks for the next; at the end of a fragment.

    Args:
        name: of the part of the page.
        more: whether there is anything left to do.
        first: whether this was the first step of a setting, or others come first. Then the browser waits for
            a moment: whoever goes from setting to setting is not held up by steps that nobody will look at.
    """
    count = st.session_state.get(f"_step_{name}", 0) + 1
    st.session_state[f"_step_{name}"] = count
    data = {"token": count if more else 0, "pause": PAUSE if first else 0}
    carry_on_step(key=f"carry_on_{name}", data=data, on_next_change=lambda: None)
