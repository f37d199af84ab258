"""The search over everything stored: what words mean, where its links lead, what it says of nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from starlette.requests import Request
from starlette.responses import Response

from interpret_core.errors import StoreError
from interpret_core.measures.assessment.words import Assessment
from tests.ui import records
from tests.ui.conftest import HOSTILE
from tests.ui.test_pages import PAGES, open_page, words
from ui.components.search import index
from ui.components.search.index import IndexedLayer
from ui.components.search.matches import MOST, matches
from ui.components.search.search import KEPT, OWN
from ui.server import routes, searches
from ui.session import results
from ui.session.profiles.sketch import Sketch, record_of
from ui.session.profiles.stored_layers import StoredLayers
from ui.session.view import LayerView
from ui.shell.sidebar import Ask

HERE = {"network": "small", "dataset": "planted"}


def indexed(view: LayerView) -> IndexedLayer:
    sketch = Sketch(view.key, record_of(view))
    return index.indexed(sketch, view.network, view.facts.network_title, view.layer.name)


@pytest.fixture(scope="module")
def views() -> list[LayerView]:
    return [
        records.view(24, "conv5", 4, with_assessment=True),
        records.view(16, "conv1", 0, with_assessment=True, seed=1),
    ]


def ask(query: str, **parameters: str) -> dict[str, Any]:
    answer = asked(query, **parameters)
    while answer.status_code == 202:
        answer = asked(query, **parameters)
    assert answer.status_code == 200
    found = json.loads(bytes(answer.body))
    assert isinstance(found, dict)
    return found


def asked(query: str, **parameters: str) -> Response:
    asks = {**HERE, **parameters, "q": query}
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "path_params": {}}
    return routes._guarded(routes.search)(Request({**scope, "query_string": urlencode(asks).encode()}))


def group(found: dict[str, Any], title: str) -> dict[str, Any]:
    return next(one for one in found["groups"] if one["title"] == title)


@pytest.mark.thorough
def test_a_concept_leads_to_the_units_whose_label_it_is(views: list[LayerView]) -> None:
    view = views[0]
    name = view.label(int(np.argmax(view.iou)))
    units = [unit for unit in range(24) if view.label(unit) == name]
    units.sort(key=lambda unit: -view.iou[unit])
    shown, total = matches([indexed(view)], name).concepts
    of_name = [one for one in shown if one.name == name]
    assert [one.unit for one in of_name] == units[: len(of_name)]
    assert len(of_name) >= min(4, len(units))
    assert total >= len(units)
    assert all(one.iou == view.iou[one.unit] for one in of_name)


def test_what_is_typed_comes_before_what_contains_it(views: list[LayerView]) -> None:
    layers = [indexed(view) for view in views]
    name = next(name for name in layers[0].concepts if len(name) > 3)
    found = matches(layers, name.upper())
    assert found.exact == name
    assert found.concepts[0][0].name == name
    part = matches(layers, name[1:])
    assert not part.exact
    assert name in {one.name for one in part.concepts[0]} or part.concepts[1] > MOST


def test_words_may_name_layer_and_network_too(views: list[LayerView]) -> None:
    layers = [indexed(view) for view in views]
    name = next(name for name in layers[1].concepts if name in layers[0].concepts)
    assert {one.layer.layer for one in matches(layers, f"{name} conv1").concepts[0]} == {"conv1"}
    assert matches(layers, f"{name} conv1").concepts[1] == len(layers[1].concepts[name])
    assert matches(layers, f"{name} conv9").concepts == ([], 0)


@pytest.mark.parametrize("text", ["conv1 7", "conv1 #7", "CONV1:7", "  conv1   7 "])
def test_a_unit_of_a_layer(views: list[LayerView], text: str) -> None:
    found = matches([indexed(view) for view in views], text)
    assert [(one.layer.layer, one.unit) for one in found.units[0]] == [("conv1", 7)]
    assert found.number


def test_a_number_alone_is_a_unit_of_every_layer_that_has_it(views: list[LayerView]) -> None:
    layers = [indexed(view) for view in views]
    for text in ("7", "#7"):
        assert [(one.layer.layer, one.unit) for one in matches(layers, text).units[0]] == [
            ("conv5", 7),
            ("conv1", 7),
        ]
    assert [one.layer.layer for one in matches(layers, "20").units[0]] == ["conv5"], "conv1 has 16 units"
    assert matches(layers, "24").units == ([], 0)


def test_a_layer_by_its_name(views: list[LayerView]) -> None:
    found = matches([indexed(view) for view in views], "conv5")
    assert [(one.layer.layer, one.unit) for one in found.units[0]] == [("conv5", None)]
    assert not found.number


def test_shades_and_what_units_respond_to(views: list[LayerView]) -> None:
    layer = indexed(views[0])
    name, shade = next(iter(layer.shades.items()))
    for unit, iou in shade.units:
        nearest = views[0].nearest_shade(unit)
        assert nearest is not None
        assert (nearest[0], nearest[2]) == (name, iou)
    assert matches([layer], name).shades[0][0].name == name
    said = [views[0].assessment(unit) for unit in range(views[0].layer.units)]
    counts = {word: said.count(word) for word in Assessment}
    assert dict(layer.responds) == {word: count for word, count in counts.items() if count}
    for word, typed in ((Assessment.COLOUR, "colour"), (Assessment.OBJECT, "object")):
        if word in layer.responds:
            first = matches([layer], typed).responds[0][0]
            assert (first.word, first.units) == (word, layer.responds[word])


@pytest.mark.thorough
@pytest.mark.usefixtures("full")
def test_links_open_what_they_say() -> None:
    view = results.layer(Ask("small", "planted"), "conv2")
    assert view is not None
    unit = int(np.argmax(view.iou))
    hits = group(ask(f"{view.label(unit)} small conv2", cutoff="0.01", silence="conv1:3"), "Concepts")["hits"]
    first = hits[0]
    assert f"conv2 · unit {unit} · IoU {view.iou[unit]:.3f}" in first["about"]
    where = urlsplit(first["href"])
    query = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert where.path == "/units"
    assert query.items() >= {**HERE, "layer": "conv2", "unit": str(unit), "cutoff": "0.01"}.items()
    assert query["silence"] == "conv1:3"
    app = open_page("pages/units.py", **query)
    assert not app.exception
    assert not app.warning
    assert f"conv2 · unit {unit}" in "".join(str(part.value) for part in app.get("html"))


@pytest.mark.usefixtures("full")
def test_every_kind_of_link_opens_without_complaint() -> None:
    view = results.layer(Ask("small", "planted"), "conv2")
    assert view is not None
    shade = view.nearest_shade(3)
    assert shade is not None
    for text in (view.label(3), shade[0], "object", "conv1 5", "conv2"):
        for one in ask(text)["groups"]:
            hit = one["hits"][-1]
            where = urlsplit(hit["href"])
            query = {name: values[0] for name, values in parse_qs(where.query).items()}
            app = open_page(f"pages{where.path}.py", **query)
            assert not app.exception, (text, hit)
            assert not app.warning, (text, hit, words(app))


@pytest.mark.usefixtures("full")
def test_what_belongs_to_one_network_stays_with_it() -> None:
    hits = group(ask("conv1 5", silence="conv1:3", pin="conv1:2"), "Units")["hits"]
    own = {urlsplit(hit["href"]).query for hit in hits if "network=small" in hit["href"]}
    others = {urlsplit(hit["href"]).query for hit in hits if "network=other" in hit["href"]}
    assert own
    assert others
    assert all("silence=" in query and "pin=" in query for query in own)
    assert not any("silence=" in query or "pin=" in query for query in others)


@pytest.mark.usefixtures("full")
def test_what_belongs_to_every_page_is_in_every_link() -> None:
    kept = {"cutoff": "0.01", "min_images": "10", "present": "1"}
    assert kept.keys() == set(KEPT) - {*HERE, *OWN}
    view = results.layer(Ask("small", "planted"), "conv2")
    assert view is not None
    label = view.label(int(np.argmax(view.iou)))
    found = [one for text in (label, "conv1 5") for one in ask(text, **kept)["groups"]]
    hits = [hit for one in found for hit in one["hits"]]
    assert any("network=other" in hit["href"] for hit in hits)
    for hit in hits:
        query = {name: values[0] for name, values in parse_qs(urlsplit(hit["href"]).query).items()}
        assert query.items() >= kept.items(), hit


@pytest.mark.usefixtures("full")
def test_nothing_typed_and_nothing_found_say_what_to_do() -> None:
    assert "Try fewer words" in ask("xyzzy")["words"]
    nothing = ask("")
    assert nothing["groups"] == []
    assert "Type a concept" in nothing["words"]
    assert "2 networks on “planted”" in nothing["words"]


@pytest.mark.usefixtures("empty")
def test_without_a_profile_it_says_where_to_start() -> None:
    assert "open the page Units" in ask("red")["words"]


@pytest.mark.usefixtures("full")
def test_only_what_is_registered_is_searched() -> None:
    assert asked("red", dataset="../planted").status_code == 404
    assert asked("red", min_images="0").status_code == 404
    assert ask("red", network="../small")["groups"], "the present network only orders what is found"


@pytest.mark.usefixtures("full")
def test_any_text_is_searched_for_and_said_as_it_is() -> None:
    for text in ("<img src=x>", "\\", "a" * 500, "\x00", "%", "🙂 ", "[a-z]", "\u202e"):
        assert ask(text)["groups"] == []
    names = {hit["name"] for name in HOSTILE.values() for hit in _hits(ask(name, dataset="hostile"))}
    assert names & set(HOSTILE.values())


def _hits(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [hit for one in found["groups"] if one["title"] == "Concepts" for hit in one["hits"]]


@pytest.mark.usefixtures("full")
def test_a_layer_is_read_once_and_not_while_somebody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    ask("red")
    calls = []
    monkeypatch.setattr(Sketch, "label", lambda *_: calls.append(1) or "")
    monkeypatch.setattr(StoredLayers, "sketch", lambda *_: calls.append(2))
    start = time.process_time()
    for at in range(1, 10):
        ask("red squares"[:at])
    assert not calls
    assert (time.process_time() - start) / 9 < 0.1


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Slow:
    """Stored layers that are not handed out before they may be."""

    def __init__(self) -> None:
        self.may, self.asked = threading.Event(), 0

    def sketches(self, ask: Ask) -> Iterator[tuple[str, Sketch]]:
        self.asked += 1
        view = records.view(24, "conv5", 4, with_assessment=True)
        yield "conv5", Sketch(ask.network, record_of(view))
        assert self.may.wait(30)


@pytest.fixture
def slow(full: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    """Two networks on `planted`, and somebody who has little patience."""
    made = Slow()
    monkeypatch.setattr(results, "sketches", made.sketches)
    monkeypatch.setattr(searches, "PATIENCE", 0.3)
    yield made
    made.may.set()
    for thread in threading.enumerate():
        if thread.name == index.READER:
            thread.join(30)


@pytest.mark.thorough
def test_whoever_asks_for_what_takes_long_is_told_so_and_nothing_piles_up(slow: Slow) -> None:
    hint = json.loads(bytes(asked("").body))
    assert hint["groups"] == []
    assert "Type a concept" in hint["words"], "hints need nothing that is stored"
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(asked, ["conv5"] * 8))
    assert {one.status_code for one in answers} == {202}
    told = b"Still reading the stored profiles, the first time all of them: 1 layer so far \xe2\x80\xa6"
    wait_until(lambda: asked("conv5").body == told)
    assert slow.asked == 1
    slow.may.set()
    assert ask("conv5")["groups"]
    assert slow.asked == 2, "each network once"


@pytest.mark.thorough
def test_what_is_known_is_said_while_it_is_looked_again(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    slow.may.set()
    before = ask("conv5")
    slow.may.clear()
    monkeypatch.setattr(index, "AGAIN", 0.0)
    assert asked("conv5").status_code == 200
    assert ask("conv5") == before
    wait_until(lambda: slow.asked == 3)
    assert [thread.name for thread in threading.enumerate()].count(index.READER) == 1


@pytest.mark.thorough
def test_a_job_that_ends_is_reason_to_look_again(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "PATIENCE", 30.0)
    slow.may.set()
    ask("conv5")
    seen = slow.asked
    ask("conv5")
    assert slow.asked == seen
    monkeypatch.setattr(index, "_last_end", lambda: 1.0)
    ask("conv5")
    assert slow.asked == 2 * seen


def test_what_cannot_be_read_is_said_and_tried_again(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(_: Ask) -> Iterator[tuple[str, Sketch]]:
        raise StoreError("The cache folder cannot be read.")

    with monkeypatch.context() as patch:
        patch.setattr(results, "sketches", unreadable)
        patch.setattr(searches, "PATIENCE", 30.0)
        answer = asked("conv5")
        assert (answer.status_code, bytes(answer.body)) == (404, b"The cache folder cannot be read.")
    slow.may.set()
    assert ask("conv5")["groups"]


@pytest.mark.usefixtures("full")
def test_what_every_page_has_includes_the_box() -> None:
    app = open_page(PAGES[0], **HERE)
    drawn = [node for node in app.get("bidi_component") if node.proto.id.endswith("-search_everything")]
    assert len(drawn) == 1
