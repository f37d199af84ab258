"""What a page shows while there is no profile: nothing registered, not computed, running, failed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.analyses.profile.plan import assessment_cost, chance_cost, profile_cost
from interpret_core.errors import UnitscopeError
from interpret_core.measures.dissection.chance import MAX_IMAGES
from interpret_core.options import ALL, Names
from ui.access.told import told
from ui.jobs import estimates
from ui.jobs.own import no_dataset
from ui.jobs.panel import Offer, panel
from ui.jobs.words import duration, takes
from ui.session import results
from ui.session.layers import Layers
from ui.session.profiles.other_settings import other_profiles
from ui.shell import notices
from ui.shell.plain import plain
from ui.shell.sidebar import Ask
from ui.shell.theme import count_text

NAMED = 3  # layers in a line
RULE = 1.0  # seconds per image, on two cores, of a network of middling size, before a sample was measured


def ready(ask: Ask | None, *, chance: bool = True) -> Layers:
    """The layers asked for; where there are none, draws the state instead and ends the page.

    Args:
        ask: whose.
        chance: offer chance level and assessment where they are missing; a page without p-values of units
            does not.
    """
    notices.show("profile")
    if ask is None:
        no_dataset()
        st.stop()
    try:
        with st.spinner(
            "Looking for the result (the first time, the data set's files are read once) …", show_time=True
        ):
            views = results.layers(ask)
        if views is None:
            pending(ask)
            st.stop()
        if chance:
            complete(ask, views)
    except UnitscopeError as error:
        st.error(plain(told(error)))
        st.stop()
    return views


def some_ready(ask: Ask, names: tuple[str, ...], kind: str) -> Layers:
    """Further layers of a network; where they are not profiled, draws the state instead and ends the page.

    Args:
        ask: whose.
        names: of the layers.
        kind: what they are, for the text: "block outputs".
    """
    try:
        views = results.layers(ask, names)
        if views is None:
            panel(_some(ask, names, kind))
            st.stop()
        complete(ask, views, names)
    except UnitscopeError as error:
        st.error(plain(told(error)))
        st.stop()
    return views


def complete(ask: Ask, views: Layers, names: Names = ALL) -> None:
    """Offer the chance level and the assessment of a profile that lacks them.

    Raises:
        UserError: a data set that cannot be opened; one clear line.
    """
    if not views.chance:
        panel(_chance(ask, names))
    elif not views.assessed:
        panel(_assessment(ask, names))


def pending(ask: Ask) -> None:
    """A profile that is not there: its job's progress, or the offer to start one."""
    try:
        panel(_profile(ask))
    except UnitscopeError as error:
        st.error(plain(told(error)))


def _profile(ask: Ask) -> Offer:
    """The profile of all layers: what is there of it, under other settings too, and what is missing."""
    images = len(results.dataset(ask.dataset))
    time, measure = _time(ask, ALL, images)
    pair = f"{plain(ask.network)} on {plain(ask.dataset)}"
    there, missing = results.profiled(ask)
    partly = bool(there and missing)
    of = f"Of {pair}, {_named(there)} {_is(there)} profiled, {_named(missing)} {_is(missing)} not yet."
    only = f"What is there stays, and only {_named(missing)} {_is(missing)} computed: it" if partly else "It"
    return Offer(
        ask.request(),
        f"The profile of {pair}",
        "Find what the units of the other layers detect"
        if partly
        else "Find what its units detect (all layers)",
        missing=(f"**{of}**" if partly else f"**{pair} has not been profiled yet.**") + _otherwise(ask),
        cost=f"{only} {profile_cost(images).words} and keeps the result: {time}.",
        primary=True,
        measure=measure,
    )


def _otherwise(ask: Ask, names: Sequence[str] = ()) -> str:
    """Which profiles there are under settings that no page shows, and how to read them; empty for none.

    Args:
        ask: whose.
        names: the layers that they are to be of; of any without.
    """
    request = ask.request()
    told = []
    others = [
        one._replace(layers=tuple(name for name in one.layers if not names or name in names))
        for one in other_profiles(ask)
    ]
    for one in [one for one in others if one.layers][:NAMED]:
        settings = one.settings
        options = [
            f"{name.replace('_', ' ')} {value}" + f" (pages show {usual})"
            for name, value, usual in (
                ("quantile", f"{settings.quantile:g}", f"{request.quantile:g}"),
                ("batch_size", str(settings.batch_size), str(request.batch_size)),
                ("positions", settings.positions, str(request.positions)),
            )
            if value != usual
        ]
        told.append(f"{_named(one.layers)} with {', '.join(options)}")
    if not told:
        return ""
    return f" There is a profile of {'; of '.join(told)}: `profile` on the command line reads it."


def _named(layers: Sequence[str]) -> str:
    """Layers in a line, as plain text for Markdown: of many the first ones and the last."""
    shown = list(map(plain, layers))
    if len(shown) > NAMED + 1:
        shown[NAMED - 1 : -1] = [f"{len(shown) - NAMED:,} more"]
    return ", ".join(shown)


def _is(layers: Sequence[str]) -> str:
    return "is" if len(layers) == 1 else "are"


def _some(ask: Ask, names: tuple[str, ...], kind: str) -> Offer:
    images = len(results.dataset(ask.dataset))
    time, measure = _time(ask, names, images)
    there, missing = results.profiled(ask, names)
    wanted = missing or names
    network = plain(ask.network)
    of = f"**The {kind} of {network} have not been profiled yet** ({_named(names)})."
    only = "It"
    if there and missing:
        of = (
            f"**Of the {kind} of {network}, {_named(there)} {_is(there)} profiled, "
            f"{_named(missing)} {_is(missing)} not yet.**"
        )
        only = f"What is there stays, and only {_named(missing)} {_is(missing)} computed: it"
    return Offer(
        ask.request(names),
        f"The profile of {_named(names)} of {network} on {plain(ask.dataset)}",
        f"Find what the units of these {len(wanted)} layers detect"
        if len(wanted) > 1
        else f"Find what the units of {plain(wanted[0])} detect"
        if there
        else "Find what its units detect",
        missing=f"{of}{_otherwise(ask, names)}",
        cost=f"{only} {profile_cost(images).words} and keeps the result: {time}.",
        primary=True,
        measure=measure,
    )


def _chance(ask: Ask, names: Names = ALL) -> Offer:
    """Labels are there, the chance level for this rule is not: taken on a sample of a large data set."""
    images = len(results.dataset(ask.dataset))
    time, measure = _time(ask, names, min(images, MAX_IMAGES))
    return _later(
        ask,
        names,
        "No p-values yet: the chance level for concepts in at least "
        f"{count_text(ask.min_images, 'image')} is missing. "
        f"It {chance_cost(ask.request(), images).words}: {time}. Nothing else is computed.",
        measure,
    )


def _assessment(ask: Ask, names: Names = ALL) -> Offer:
    """Labels and chance are there, what the units respond to is not: an older result."""
    images = len(results.dataset(ask.dataset))
    time, measure = _time(ask, names, min(images, MAX_IMAGES))
    return _later(
        ask,
        names,
        "What these units respond to, a colour or an object, has not been weighed yet. "
        f"It {assessment_cost(images).words}, and runs the network only where no masks were kept: {time}.",
        measure,
    )


def _later(ask: Ask, names: Names, cost: str, measure: EstimateRequest | None) -> Offer:
    """A later stage of a profile whose labels can be looked at meanwhile."""
    title = f"The profile of {plain(ask.network)} on {plain(ask.dataset)}"
    return Offer(ask.request(names), title, "Compute it", cost=cost, beside=True, measure=measure)


def _time(ask: Ask, names: Names, images: int) -> tuple[str, EstimateRequest | None]:
    """How long it takes, and the job that measures it where that is not known."""
    cost = estimates.profile(ask, names)
    rule = f"≈ {duration(images * RULE)}, at a second per image; large networks take several"
    return takes(cost, rule), estimates.of_profile(ask.request(names)) if cost is None else None
