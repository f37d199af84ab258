"""What a page shows while there is no result: nothing registered, not computed, running, failed."""

from __future__ import annotations

import streamlit as st

from interpret_core.errors import UnitscopeError
from ui import results, widgets
from ui.results import ACTIVE, Ask, Job
from ui.view import LayerView

POLL = 1.0  # seconds


def ready(ask: Ask | None) -> dict[str, LayerView]:
    """The layers asked for; where there are none, draws the state instead and ends the page."""
    widgets.show_notices()
    if ask is None:
        no_dataset()
        st.stop()
    try:
        views = results.layers(ask)
        if views:
            return views
        job = results.job(ask)
    except UnitscopeError as error:
        st.error(str(error))
        st.stop()
    progress(ask, job) if job and job.state in ACTIVE else offer(ask, job)
    st.stop()


def no_dataset() -> None:
    """Nothing registered: what to do."""
    st.info("**No data set yet.** Unitscope needs photographs with annotations, in Broden's layout.")
    st.markdown(
        "Fetch Broden (63,305 images, about 1 GB):\n\n"
        "```\npython -m interpret_core fetch broden\n```\n\n"
        "or name a folder of your own in `unitscope.toml`, beside `app.py`:\n\n"
        '```toml\n[datasets]\nkitchen = "/data/kitchen"\n```\n\n'
        "Then reload this page."
    )


def offer(ask: Ask, job: Job | None) -> None:
    """Not computed: what it would be, what it costs, and the button; after a failure, why."""
    if job and job.state == "failed":
        st.error(f"**The last attempt failed.** {job.message or 'No reason was recorded.'}")
    elif job and job.state == "cancelled":
        st.info("**Cancelled.** Finished parts are kept; starting again goes on from them.")
    elif job and job.state == "died":
        st.error("**The computation ended without a word** (killed, or out of memory). Finished parts are kept; starting again goes on from them.")
    else:
        st.info(f"**{ask.network} on {ask.dataset} has not been profiled yet.**")
    try:
        cost = results.cost(ask)
    except UnitscopeError as error:
        st.error(str(error))
        return
    st.markdown(cost)
    label = "Try again" if job else "Start the profile"
    if st.button(label, type="primary", key="start"):
        begin(ask)


def begin(ask: Ask) -> None:
    """Submit the job; a user's mistake becomes one line."""
    try:
        results.start(ask)
    except UnitscopeError as error:
        st.error(str(error))
    else:
        st.rerun()


def progress(ask: Ask, job: Job) -> None:
    """A running job: stage, bar, time left, cancel; polls itself and reloads the page at the end."""

    @st.fragment(run_every=POLL)
    def poll() -> None:
        now = results.job(ask)
        if now is None or now.state not in ACTIVE:
            st.rerun()
        bar(now)

    st.markdown(f"**Profiling {ask.network} on {ask.dataset}.** You may close this tab: the work goes on, and this page finds it again.")
    poll()
    st.button("Cancel", key="cancel", on_click=results.cancel, args=(ask,))


def bar(job: Job) -> None:
    """Stage, bar and time left of one job."""
    share = min(1.0, job.done / job.total) if job.total else 0.0
    st.progress(share, text=f"{job.stage or 'starting'} · {share:.0%} · {remaining(job)}")


def remaining(job: Job) -> str:
    """Time left in words."""
    seconds = job.remaining
    if seconds is None:
        return "time left: not known yet"
    if seconds < 60:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"
