"""All computations: those at work and in the line, and those that have ended; one of them in detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.figures.colours import ACCENT, CATEGORY_COLOURS, NEUTRAL
from interpret_core.jobs import Job
from ui.access import visitors
from ui.access.roles import Role
from ui.access.told import told
from ui.components.control.control import buttons
from ui.components.table.table import Cell, Column, rows_of, table
from ui.inventory import selection, words
from ui.jobs.panel import bar
from ui.jobs.words import brief, remaining
from ui.session import memory
from ui.session.inventory import seen_jobs
from ui.session.inventory.seen_jobs import SeenJob
from ui.shell import links, notices, state
from ui.shell.component import Written
from ui.shell.names import key_of
from ui.shell.plain import plain
from ui.shell.theme import count_text

AT_WORK, IDLE = 2.0, 10.0  # seconds between two looks
ENDED = {"": "All", "done": "Done", "failed": "Failed", "cancelled": "Cancelled"}
FAILED = ("failed", "died")
TONES = {
    "running": CATEGORY_COLOURS["object"],
    "queued": NEUTRAL,
    "done": CATEGORY_COLOURS["material"],
    "failed": ACCENT,
    "died": ACCENT,
    "cancelled": NEUTRAL,
}
_WHOSE = Column("Whose", share=2)


def section() -> None:
    """Both lists; they look again by themselves, more often while somebody computes."""
    try:
        busy = any(one.job.active for one in seen_jobs.listing())
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return
    memory.part(partial(_lists, busy), every=AT_WORK if busy else IDLE)()


def _lists(busy: bool) -> None:
    seen = seen_jobs.listing()
    now = [one for one in seen if one.job.active]
    if bool(now) != busy:
        st.rerun()  # at another pace from here on
    notices.show("jobs")
    chosen = state.parameter("job")
    _active(now)
    _ended([one for one in seen if not one.job.active])
    if chosen and all(one.job.id != chosen for one in seen):
        st.caption("The computation that the link names is not known here any more.")


def _active(now: Sequence[SeenJob]) -> None:
    st.subheader("Running and waiting")
    if not now:
        st.caption("Nothing is being computed. Where a page lacks a result, it offers to compute it.")
        links.link("Units →")
        return
    at_work = sum(one.job.state == "running" for one in now)
    own = sum(one.own for one in now)
    st.markdown(
        f"**{at_work:,}** at work, **{len(now) - at_work:,}** waiting"
        + (f"; **{own:,}** of them yours." if seen_jobs.owners_told() and own else ".")
    )
    ordered = sorted(now, key=lambda one: (one.job.state != "running", one.job.position, one.job.number))
    columns = [
        Column("Computation", share=4, named=False),
        Column("State", share=1.6),
        Column("Done", share=1.6, number=True),
        Column("Time left", share=1.6),
        *([_WHOSE] if seen_jobs.owners_told() else []),
        Column("Since", "When it was asked for", share=1.2),
    ]
    made = rows_of(columns, map(_active_row, ordered))
    st.caption("Press a row for its progress and, where it is yours, for its log and to cancel it.")
    _table("jobs_now", "Computations that run or wait", made, ordered)


def _active_row(one: SeenJob) -> list[str | Cell]:
    job = one.job
    place = f"{_ordinal(job.position)} in the line" if job.position else words.STATES[job.state]
    state_of_it = "stopping" if job.cancelling else place
    share = job.fraction if job.state == "running" else None
    return [
        words.work_of(job),
        Cell(state_of_it, job.position, tone=TONES[job.state]),
        Cell("" if share is None else f"{share:.0%}", share, -1.0 if share is None else share),
        Cell(remaining(job) or ("unknown yet" if job.state == "running" else ""), job.seconds_left),
        *_whose(one),
        Cell(words.ago(job.submitted), -job.submitted),
    ]


def _ended(past: Sequence[SeenJob]) -> None:
    st.subheader("Ended")
    if not past:
        st.caption("No computation has ended here within the last 30 days.")
        return
    wanted = buttons("Ended", "ended", ENDED, "", kind="way to end")
    shown = [one for one in past if wanted in ("", _way(one.job))]
    if not shown:
        st.caption(f"None of {count_text(len(past), 'computation')} has ended like that: choose “All”.")
        return
    shown.sort(key=lambda one: -(one.job.finished or one.job.updated))
    columns = [
        Column("Computation", share=4, named=False),
        Column("How", share=1.4),
        Column("Took", share=1, number=True),
        *([_WHOSE] if seen_jobs.owners_told() else []),
        Column("When", share=1.3),
    ]
    st.caption("Press a row for how it ended and, where it is yours, for its log and to start it again.")
    made = rows_of(columns, map(_ended_row, shown))
    _table("jobs_ended", "Computations that have ended", made, shown)


def _ended_row(one: SeenJob) -> list[str | Cell]:
    job = one.job
    when = job.finished or job.updated
    return [
        words.work_of(job),
        Cell(words.STATES[job.state], words.STATES[job.state], tone=TONES[job.state]),
        Cell(words.took(job), (job.finished or 0) - (job.started or 0) if job.started else None),
        *_whose(one),
        Cell(words.ago(when), -when),
    ]


def _way(job: Job) -> str:
    return "failed" if job.state in FAILED else job.state


def _whose(one: SeenJob) -> list[str]:
    return [words.owners(one.owners, _visitor())] if seen_jobs.owners_told() else []


@memory.once
def _visitor() -> str:
    return visitors.current().name


def _table(key: str, what: str, made: Written, shown: Sequence[SeenJob]) -> None:
    """A list, and below it the job that is chosen in it."""
    names = [one.job.id for one in shown]
    place = selection.place_of("job", names)
    table(
        made,
        key,
        f"{what}; a row that is pressed is shown in detail below",
        chosen=place,
        on_pick=partial(selection.pick, "job", names),
        height=440,
    )
    if place >= 0:
        _detail(shown[place])


def _detail(one: SeenJob) -> None:
    """One job: how far it is or how it ended, what to do about it, and what it wrote."""
    job = one.job
    with st.container(border=True, key="job_detail"):
        st.markdown(f"**{plain(words.work_of(job))}**")
        if job.active:
            bar(job)
            st.caption(_facts(one))
        else:
            _end(one)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _buttons(one)
        if one.touchable:
            _log(job)


def _facts(one: SeenJob) -> str:
    job = one.job
    parts = [f"asked for {words.ago(job.submitted)}"]
    if job.state == "queued":
        parts.append(brief(job))
    elif job.started:
        parts.append(f"begun {words.ago(job.started)}")
    if job.attempts > 1:
        parts.append(f"attempt {job.attempts}: it goes on from its finished parts")
    if len(one.owners) > 1 or (one.own and len(job.owners) > 1):
        parts.append(f"wanted by {count_text(len(job.owners), 'person', 'people')}")
    return plain(" · ".join(parts))


def _end(one: SeenJob) -> None:
    job = one.job
    reason = plain(seen_jobs.message(job))
    if job.state in FAILED:
        word = "It failed." if job.state == "failed" else "It broke off, several times."
        after = "Once the cause is mended, start it again: finished parts are kept."
        st.error(f"**{word}** {reason or 'No reason was recorded.'} {after}")
    elif job.state == "cancelled":
        st.info(f"**Cancelled.** {reason} Finished parts are kept; starting it again goes on from them.")
    else:
        length = words.took(job)
        st.success(f"**Done** {words.ago(job.finished)}" + (f", in {length}." if length else "."))


def _buttons(one: SeenJob) -> None:
    job = one.job
    page, names = words.where(job)
    if job.state == "done" and page:
        links.link("Look at the result →", f"pages/{page}.py", **names)
    if not one.touchable:
        return
    if job.dashboard.startswith(("http://", "https://")) and visitors.may(Role.OPERATOR):
        told_more = "Dask’s own pages, where the cluster shows them: this browser has to reach them."
        st.link_button("The cluster at work ↗", job.dashboard, help=told_more)
    others = len(job.owners) - one.own
    if job.active and not job.cancelling:
        if one.own:
            label = "Cancel" if not others else "Cancel for me"
            _act(label, key_of("cancel_job", job.id), partial(seen_jobs.cancel, job.id))
        if others and visitors.may(Role.OPERATOR):
            act = partial(seen_jobs.cancel, job.id, everybody=True)
            label = "Cancel for everybody" if one.own or others > 1 else "Cancel"
            _act(label, key_of("cancel_all_job", job.id), act)
    elif not job.active and job.state != "done":
        _act("Start again", key_of("retry_job", job.id), partial(seen_jobs.retry, job.id))


def _act(label: str, key: str, act: Callable[[], None]) -> None:
    st.button(label, key=key, on_click=_done, args=(act,))


def _done(act: Callable[[], None]) -> None:
    try:
        act()
    except UnitscopeError as error:
        notices.complain(plain(told(error)), "jobs")


def _log(job: Job) -> None:
    with st.expander("Log", key=key_of("log", job.id), on_change="rerun") as box:
        if box.open:
            try:
                lines = seen_jobs.tail(job.id)
            except UnitscopeError as error:
                st.caption(plain(told(error)))
                return
            if lines:
                st.code("\n".join(lines), language=None, wrap_lines=True)
            else:
                st.caption("Nothing is in its log: it has not begun, or its log was cleared away.")


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
