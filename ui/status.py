"""What a page shows while there is no result: nothing registered, not computed, running, failed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from interpret_core.analyses.profile.plan import chance_cost as core_chance_cost
from interpret_core.analyses.profile.plan import profile_cost
from interpret_core.errors import UnitscopeError
from interpret_core.jobs import Job
from interpret_core.measures.dissection.chance import MAX_IMAGES
from ui import results, welcome, widgets
from ui.layers import Layers
from ui.naming import key_of
from ui.plain import plain
from ui.results import Ask
from ui.theme import count_text

POLL = 1.0  # seconds
RULE = 1.0  # seconds per image, on two cores, of a network of middling size


def ready(ask: Ask | None, *, chance: bool = True) -> Layers:
    """The layers asked for; where there are none, draws the state instead and ends the page.

    Args:
        ask: whose.
        chance: offer the chance level where it is missing; a page without p-values of units does not.
    """
    widgets.show_notices("profile")
    if ask is None:
        no_dataset()
        st.stop()
    try:
        with st.spinner(
            "Looking for the result (the first time, the data set's files are read once) …", show_time=True
        ):
            views = results.layers(ask)
    except UnitscopeError as error:
        st.error(plain(error))
        st.stop()
    if views is None:
        pending(ask)
        st.stop()
    if chance and not views.chance:
        _without_chance(ask)
    return views


def _without_chance(ask: Ask) -> None:
    """Labels are there, the chance level for this rule is not: say so and offer it beside the rest."""
    job = results.job(ask)
    if job and job.active:
        progress(ask)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "No p-values yet: the chance level for concepts in at least "
            f"{count_text(ask.min_images, 'image')} is missing. "
            f"{chance_cost(ask)}",
            width="content",
        )
        if st.button("Compute it", key="chance"):
            begin(partial(results.start, ask))


def no_dataset() -> None:
    """Nothing registered: what to do."""
    st.info(
        "**No data set yet.** Unitscope needs photographs with annotations, in Broden's layout. For "
        "relevance, a plain folder of images with classes.csv will do."
    )
    welcome.own(expanded=True)


def pending(ask: Ask) -> None:
    """A result that is not there: its job's progress, or the offer to start one."""
    try:
        job = results.job(ask)
        if job and job.active:
            progress(ask)
        else:
            offer(ask, job)
    except UnitscopeError as error:
        st.error(plain(error))


def offer(ask: Ask, job: Job | None) -> None:
    """Not computed: what it would be, what it costs, and the button; after a failure, why."""
    again = last_attempt(job)
    if not again:
        st.info(f"**{plain(ask.network)} on {plain(ask.dataset)} has not been profiled yet.**")
    st.markdown(cost(ask))
    label = "Try again" if again else "Start the profile"
    if st.button(label, type="primary", key=key_of("start_profile", ask.network)):
        begin(partial(results.start, ask))


def last_attempt(job: Job | None) -> bool:
    """How a job ended that did not finish, in a line; whether there is anything to try again."""
    if job and job.state in ("failed", "died"):
        word = "failed" if job.state == "failed" else "ended"
        st.error(f"**The last attempt {word}.** {plain(job.message) or 'No reason was recorded.'}")
    elif job and job.state == "cancelled":
        st.info("**Cancelled.** Finished parts are kept; starting again goes on from them.")
    else:
        return False
    return True


def cost(ask: Ask) -> str:
    """What the button costs, before it is pressed.

    A rule of thumb on the safe side: how long earlier jobs took says little, since a job may have gone on
    from finished parts or found most of its answer on disk.
    """
    images = len(results.dataset(ask.dataset))
    return f"It {profile_cost(images).words} and keeps the result: {_time(images)}."


def chance_cost(ask: Ask) -> str:
    """The same for the chance level alone, which is taken on a sample of a large data set."""
    images = len(results.dataset(ask.dataset))
    return f"It {core_chance_cost(ask.request(), images).words}: {_time(min(images, MAX_IMAGES))}."


def _time(images: int) -> str:
    rule = "at a second per image (a rule of thumb: small networks and graphics cards take less)"
    return f"≈ {duration(images * RULE)}, {rule}"


def begin(start: Callable[[], object]) -> None:
    """Submit a job; a user's mistake becomes one line."""
    try:
        start()
    except UnitscopeError as error:
        st.error(plain(error))
    else:
        st.rerun()


def progress(ask: Ask) -> None:
    """A profile's job, in the line or at work: what it is, and its progress."""
    st.markdown(
        f"**The profile of {plain(ask.network)} on {plain(ask.dataset)}.** You may close this tab: "
        "the work goes on, and this page finds it again."
    )
    follow(partial(results.job, ask), partial(results.cancel, ask), key_of("cancel_profile", ask.network))


def follow(find: Callable[[], Job | None], cancel: Callable[[], None], key: str) -> None:
    """A job in the line or at work: stage, bar, time left, cancel; polls itself, reloads the page at the end.

    Args:
        find: the job as it is now.
        cancel: asks it to stop.
        key: of the button that does.
    """

    @st.fragment(run_every=POLL)
    def poll() -> None:
        now = find()
        if now is None or not now.active:
            st.rerun()
        bar(now)

    poll()
    st.button("Cancel", key=key, on_click=cancel)


def bar(job: Job) -> None:
    """Stage, bar and time left of one job."""
    if job.state == "queued" or job.cancelling or not job.stage:
        text = brief(job)
    else:
        text = f"{plain(job.stage)} · {job.fraction:.0%} · {remaining(job)}"
    st.progress(job.fraction, text=text)


def brief(job: Job) -> str:
    """What a job does, in a word or two: also of one that has not begun."""
    if job.cancelling:
        return "stopping after the current batch" if job.state == "running" else "leaving the line"
    if job.state == "queued":
        before = results.before(job)
        return f"waiting for {count_text(before, 'other job')} to end" if before else "starting"
    return f"{job.fraction:.0%}" if job.stage else "starting"


def remaining(job: Job) -> str:
    """Time left in words."""
    return (
        "time left: not known yet" if job.seconds_left is None else f"about {duration(job.seconds_left)} left"
    )


def duration(seconds: float) -> str:
    """`8 s`, `4 min`, `2 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
