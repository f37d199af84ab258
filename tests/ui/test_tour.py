"""The tour leads through every page with what the numbers choose; a newcomer is told what this is, once."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core.errors import UserError
from tests.slow import some_slow
from tests.ui.test_pages import open_page, setting
from tests.ui.test_relevance_pages import component
from ui.components.misnomer import misnomer
from ui.help import guide, itinerary
from ui.help.itinerary import NOT_YET, STEPS, Stop
from ui.session import relevances, results
from ui.session.relevances import Wanted
from ui.shell.sidebar import Ask
from ui.shell.site import PAGES, address

ABOUT = Ask("classy", "classed")
HERE = {"network": "classy", "dataset": "classed"}
SCRIPTS = {address(one): one.path for one in PAGES}


def frame() -> None:
    """What app.py draws above a page; Streamlit's test runner runs the pages' scripts without it."""
    import streamlit as st

    from ui.help.guide import guide
    from ui.session import memory
    from ui.shell import notices

    notices.enter(st.session_state["page"])
    with memory.run():
        guide(st.session_state["page"])
        notices.show("page")


def above(page: str, ask: Ask | None = ABOUT, **parameters: str) -> AppTest:
    """The frame of a page as the first that a session sees."""
    app = AppTest.from_function(frame, default_timeout=60)
    app.session_state["ask"] = ask
    for name, value in parameters.items():
        app.query_params[name] = value
    return at(app, page)


def at(app: AppTest, page: str) -> AppTest:
    """The same session on another page."""
    app.session_state["page"] = page
    app.run()
    assert not app.exception
    return app


def strip(app: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = component(app, "guide")
    return found


def drawn(app: AppTest) -> bool:
    return any(node.proto.id.endswith("-guide") for node in app.get("bidi_component"))


@pytest.mark.usefixtures("with_ablation")
def test_eight_steps_lead_through_all_pages_about_networks() -> None:
    stops = itinerary.stops(ABOUT)
    assert [stop.page for stop in stops] == [
        address(one) for one in PAGES if one.script not in ("jobs", "datasets")
    ]
    assert len(stops) == STEPS == 8
    for stop in stops:
        assert stop.see.endswith(".")
        assert stop.conclude.endswith(".")
        assert NOT_YET not in (stop.see, stop.conclude)


@pytest.mark.usefixtures("with_ablation")
def test_what_a_step_shows_is_chosen_by_the_numbers() -> None:
    stops = {stop.page: stop for stop in itinerary.stops(ABOUT)}
    found = relevances.find(Wanted("classy", "classed"))
    totals = relevances.totals(found)
    layer, name = stops["relevance"].parameters["layer"], stops["relevance"].parameters["class"]
    mine = totals[str(name)].mass[totals[str(name)].layers.index(str(layer))]
    assert mine == max(one.mass.max() for one in totals.values() if one.right)
    record = found.records[str(name)].layer(str(layer))
    assert record.relevance[int(stops["relevance"].parameters["unit"])] == record.relevance.max()
    misleading = misnomer(results.layers(ABOUT) or pytest.fail("no result"))
    unit = int(stops["units"].parameters["unit"])
    if misleading is None:
        views = results.layers(ABOUT) or {}
        assert unit == int(views[str(stops["units"].parameters["layer"])].iou.argmax())
    else:
        assert unit == misleading.unit


@pytest.mark.parametrize("step", some_slow(range(1, STEPS + 1), (1, 3, 6)))
@pytest.mark.usefixtures("with_ablation")
def test_every_step_is_followed_without_a_complaint(step: int) -> None:
    stop = itinerary.stops(ABOUT)[step - 1]
    parameters = {name: str(value) for name, value in stop.parameters.items()}
    app = open_page(SCRIPTS[stop.page], **HERE, **parameters, tour=str(step))
    assert not app.exception
    assert not app.error
    assert not [one.value for one in app.warning if "link asks" in one.value]
    shown = strip(above(stop.page, **HERE, tour=str(step)))["tour"]
    assert shown["place"] == f"Step {step} of 8"
    assert (shown["see"], shown["conclude"]) == (stop.see, stop.conclude)
    assert bool(shown["back"]) == (step > 1)
    assert bool(shown["next"]) == (step < STEPS)
    for way, to in (("back", step - 1), ("next", step + 1)):
        if shown[way]:
            query = dict(parse_qsl(urlsplit(shown[way]).query))
            assert query["tour"] == str(to)
            assert {name: query[name] for name in HERE} == HERE


@pytest.mark.usefixtures("full")
def test_a_step_without_its_result_says_so() -> None:
    stops = {stop.page: stop for stop in itinerary.stops(Ask("small", "planted"))}
    for page in ("relevance", "agreement", "shared", "ablation"):
        assert stops[page].conclude == NOT_YET
        assert not stops[page].parameters
    assert stops["units"].parameters["layer"] in ("conv1", "conv2")


@pytest.mark.usefixtures("full")
def test_a_choice_without_results_is_toured_with_another() -> None:
    assert itinerary.subject(Ask("small", "planted")) == Ask("small", "planted")
    instead = itinerary.subject(Ask("classy", "planted"))
    assert instead is not None
    assert instead.network in ("small", "other")
    shown = strip(above("", Ask("classy", "planted"), tour="1"))["tour"]
    assert f"network={instead.network}" in shown["next"]


@pytest.mark.usefixtures("empty")
def test_without_any_result_it_says_what_to_do() -> None:
    assert itinerary.subject(None) is None
    shown = strip(above("", Ask("small", "planted"), tour="1"))["tour"]
    assert shown["see"] == guide.NOTHING
    assert "next" not in shown


def test_results_that_have_gone_are_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_about: Ask) -> tuple[Stop, ...]:
        raise UserError("damaged")

    monkeypatch.setattr(itinerary, "subject", lambda _ask: ABOUT)
    monkeypatch.setattr(itinerary, "stops", gone)
    assert guide.tour(ABOUT, 3, "concepts")["see"] == guide.NOTHING


@pytest.mark.usefixtures("with_ablation")
def test_another_page_than_the_steps_leads_back_to_it() -> None:
    shown = strip(above("units", **HERE, tour="3"))["tour"]
    assert shown["see"] == "This step of the tour is about the page Concepts."
    assert re.search(r"/concepts\?.*tour=3$", shown["next"])


@pytest.mark.parametrize(("asked", "shown"), [("0", "1"), ("99", "8"), ("-3", "1")])
@pytest.mark.usefixtures("full")
def test_a_step_that_there_is_not_is_the_nearest(asked: str, shown: str) -> None:
    app = above("", Ask("small", "planted"), tour=asked)
    assert any("step of the tour" in one.value for one in app.warning)
    assert strip(app)["tour"]["place"] == f"Step {shown} of 8"


@pytest.mark.usefixtures("full")
def test_a_word_for_a_step_is_no_tour() -> None:
    app = above("", Ask("small", "planted"), tour="<b>")
    assert any("not a whole number" in one.value for one in app.warning)
    assert "tour" not in strip(app)


@pytest.mark.usefixtures("full")
def test_the_foot_of_the_sidebar_leads_to_tour_glossary_and_method() -> None:
    app = open_page("pages/home.py", network="small", dataset="planted")
    ways = {text: href for text, href, *_ in setting(app, "ways")["ways"]}
    assert ways["Tour"] == "/?network=small&dataset=planted&tour=1"
    assert (ways["Glossary"], ways["Method"]) == ("/glossary", "/method")


@pytest.mark.usefixtures("full")
def test_whoever_opens_a_link_is_told_what_this_is_until_they_have_been_home() -> None:
    app = above("units", Ask("small", "planted"))
    assert strip(app)["line"]["text"] == guide.STRANGE
    assert not strip(app)["knows"]
    assert strip(at(app, "units"))["line"]["text"] == guide.STRANGE, "a rerun is no visit of Home"
    assert strip(at(app, ""))["line"]["text"] == guide.WELCOME
    assert not drawn(at(app, "units"))


@pytest.mark.usefixtures("full")
def test_whoever_was_on_the_tour_knows() -> None:
    app = above("units", Ask("small", "planted"), tour="2")
    assert "line" not in strip(app)
    del app.query_params["tour"]
    assert not drawn(at(app, "units"))


@pytest.mark.usefixtures("full")
def test_home_has_it_in_its_frame() -> None:
    app = open_page("pages/home.py", network="small", dataset="planted")
    assert strip(app)["line"]["tour"] == "/?network=small&dataset=planted&tour=1"


@pytest.mark.usefixtures("full")
def test_presenting_travels_with_every_link_and_has_a_way_out() -> None:
    app = above("", Ask("small", "planted"), present="1", tour="1")
    assert strip(app)["present"] == "present"
    assert "present=1" in strip(app)["tour"]["next"]
    assert any("stSidebar" in str(part.proto.body) for part in app.get("html"))
    odd = above("", Ask("small", "planted"), present="yes")
    assert "present" not in strip(odd)
    assert any("expected 1 or nothing" in one.value for one in odd.warning)
