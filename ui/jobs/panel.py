"""The one panel for work that takes a while, of any analysis: cost, start, progress, cancel, failure."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.errors import UnitscopeError
from interpret_core.jobs import Job
from interpret_core.options import Request
from ui.access import settings
from ui.access.told import told
from ui.jobs.words import brief, remaining, share
from ui.session import memory, work
from ui.shell.names import key_of
from ui.shell.plain import plain

POLL = 1.0  # seconds
REPORT = "please report it"  # in messages of what nobody has foreseen


@dataclass(frozen=True)
class Offer:
    """What can be computed, and what is said of it.

    Attributes:
        request: what the job is asked.
        what: it computes, above its progress; Markdown.
        label: of the button.
        missing: what is not there yet, in a box; Markdown, empty for none.
        cost: what the button costs; Markdown, empty for none.
        more: beside the progress.
        beside: the cost and the button in one line of small print, where other results stand above.
        primary: whether the button is the page's first.
        measure: the job that says what it costs, where nothing has; None where something has.
        within: key of the offer that this one stands in, empty for none: several may be for the same job.
    """

    request: Request
    what: str
    label: str
    missing: str = ""
    cost: str = ""
    more: str = ""
    beside: bool = False
    primary: bool = False
    measure: EstimateRequest | None = None
    within: str = ""

    @property
    def key(self) -> str:
        """Unlike that of other panels of the page."""
        some = [getattr(self.request, name, ()) for name in ("classes", "layers", "analyses")]
        named = str(getattr(self.request, "network", ""))
        around = (self.within,) if self.within else ()
        return key_of("job", *around, self.request.analysis, named, *some)


def panel(offer: Offer) -> None:
    """Draw a job's progress, or the offer to start it."""
    try:
        job = work.job(offer.request)
        if job and job.active:
            progress(offer)
        else:
            _offered(offer, job)
    except UnitscopeError as error:
        st.error(plain(told(error)))


def progress(offer: Offer) -> None:
    """A job in the line or at work: stage, bar, time left, cancel; reloads the page at its end."""
    st.markdown(
        f"**{offer.what}.** You may close this tab: the work goes on, and this page finds it again. "
        f"{offer.more}".rstrip()
    )

    def poll() -> None:
        now = work.job(offer.request)
        if now is None or not now.active:
            st.rerun()
        bar(now)

    memory.part(poll, every=POLL)()
    cancel(offer.request, f"{offer.key}_cancel")


def cancel(request: Request, key: str) -> None:
    """The button that takes back one's wish for a job, where one has it."""
    job = work.job(request)
    if job and work.own(job):
        label = "Cancel" if len(job.owners) == 1 else "Cancel for me"
        told = None if len(job.owners) == 1 else "Others want this result as well: the work goes on for them."
        st.button(label, key=key, on_click=work.cancel, args=(request,), help=told)


def _offered(offer: Offer, job: Job | None) -> None:
    """Not computed: what it would be, what it costs, and the button; after a failure, why."""
    refused = work.refusal()
    if refused:
        st.info(f"{offer.missing} {plain(refused)}".strip()) if not offer.beside else st.caption(
            plain(refused)
        )
        return
    again = last_attempt(job)
    if offer.beside:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(offer.cost, width="content")
            _button(offer, again)
        _measuring(offer)
        return
    if offer.missing and not again:
        st.info(offer.missing)
    if offer.cost:
        st.markdown(offer.cost)
    _button(offer, again)
    _measuring(offer)


def _measuring(offer: Offer) -> None:
    """Where nothing says what the work costs: the sample that is measured, or the button that starts it."""
    if offer.measure is None:
        return
    own = Offer(offer.measure, "A sample is measured", "Measure how long it takes", within=offer.key)
    job = work.job(offer.measure)
    if job and job.active:
        progress(own)
    else:
        _button(own, last_attempt(job))


def _button(offer: Offer, again: bool) -> None:
    label = "Try again" if again else offer.label
    if st.button(label, type="primary" if offer.primary else "secondary", key=f"{offer.key}_start"):
        try:
            work.start(offer.request)
        except UnitscopeError as error:
            st.error(plain(told(error)))
        else:
            st.rerun()


def last_attempt(job: Job | None) -> bool:
    """How a job ended that did not finish, in a line; whether there is anything to try again."""
    if job and job.state in ("failed", "died"):
        word = "failed" if job.state == "failed" else "ended"
        contact = settings.current().contact
        whom = f" Report it to {plain(contact)}." if contact and REPORT in job.message else ""
        st.error(f"**The last attempt {word}.** {plain(job.message) or 'No reason was recorded.'}{whom}")
    elif job and job.state == "cancelled":
        st.info("**Cancelled.** Finished parts are kept; starting again goes on from them.")
    else:
        return False
    return True


def bar(job: Job) -> None:
    """Stage, bar and time left of one job."""
    if job.state == "queued" or job.cancelling or not job.stage:
        text = brief(job)
    else:
        text = " · ".join(filter(None, (plain(job.stage), share(job), remaining(job))))
    st.progress(job.fraction, text=text)
