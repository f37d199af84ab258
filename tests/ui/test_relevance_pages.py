"""The pages about relevance in every state, on a network and a data set that are small but real."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from interpret_core import jobs
from interpret_core.analyses.agreement import compute as agreements
from interpret_core.analyses.agreement.request import AgreementSettings
from interpret_core.analyses.relevance.result import ClassRelevance
from interpret_core.options import AGREEMENT_PERMUTATIONS, Request
from interpret_core.store.store import Store
from tests.slow import thorough_beyond
from tests.ui.conftest import UNSEEN
from tests.ui.test_pages import open_page, shown, words
from ui.agreement import parts as agreement_table
from ui.components.saves import saves
from ui.relevance import heat_maps, tables
from ui.relevance import images as class_images
from ui.session import memory, relevances, results, work
from ui.session.relevances import Found, Wanted
from ui.session.totals import SPACE
from ui.shell.sidebar import Ask
from ui.units import selection

NEW = ("pages/relevance.py", "pages/agreement.py", "pages/shared.py")
HERE = {"network": "classy", "dataset": "classed"}
WANTED = Wanted("classy", "classed")


def component(app: AppTest, key: str) -> dict[str, Any]:
    """What a component of the page draws."""
    found = [node.proto for node in app.get("bidi_component") if node.proto.id.endswith(f"-{key}")]
    assert len(found) == 1, f"{key} is drawn {len(found)} times"
    return json.loads(found[0].bytes)


def links(app: AppTest) -> list[str]:
    return [node.proto.query_string for node in app.get("page_link")]


@pytest.mark.parametrize("page", NEW)
@pytest.mark.usefixtures("with_relevance")
def test_page_with_a_result(page: str) -> None:
    app = open_page(page, **HERE)
    assert not app.exception
    assert not app.error
    assert "classy" in words(app)
    drawn = [json.loads(node.proto.bytes).get("imprint", {}) for node in app.get("bidi_component")]
    whose = "· classy on classed · random weights"
    assert any(one.get("title", "").endswith(whose) for one in drawn), "the figure itself says its evidence"


@pytest.mark.usefixtures("with_relevance")
def test_heat_map_says_what_its_columns_rest_on() -> None:
    app = open_page(NEW[0], **HERE, compare="classy_other")
    found = relevances.find(WANTED)
    heat = component(app, "heat_classy")
    assert heat["columns"] == ["blue disc", "panel", "red square"]
    assert heat["rows"] == ["conv1", "conv2"]
    masses = [[found.records[name].mass(layer) for name in heat["columns"]] for layer in heat["rows"]]
    assert heat["values"] == [pytest.approx(row) for row in masses]
    other = component(app, "heat_classy_other")
    assert other["rows"] == ["conv1"]
    assert other["high"] == heat["high"], "networks beside each other share a scale"
    assert [bool(mark & 2) for mark in heat["marks"][0]] == [True, True, False]
    text = words(app)
    assert "Few images" in text or "recognises none" in text
    assert "3** of 3 classes" in text


@pytest.mark.usefixtures("with_relevance")
def test_cell_lists_units_with_both_signs_and_images_with_maps() -> None:
    app = open_page(NEW[0], **HERE, **{"layer": "conv2", "class": "red square", "unit": "4"})
    assert not app.exception
    assert not app.warning or "recognises none" in app.warning[0].value
    part = relevances.find(WANTED).records["red square"].layer("conv2")
    tiles = component(app, "ranked")
    best = np.argsort(-part.relevance, kind="stable")[:12].tolist()
    assert [tile[0] for tile in tiles["units"]][:12] == best
    assert tiles["selected"] == 4
    for unit, *_, positive, negative, _facts, _numbers, spoken in tiles["units"]:
        assert (positive, negative) == (part.positive[unit], part.negative[unit])
        assert "inside the object" in spoken
    query = parse_qs(urlsplit(tiles["link"] + "7").query)
    assert query["unit"] == ["7"]
    assert query["annotate"] == ["red square"]
    drawn = component(app, "relevance_images")
    assert len(drawn["images"]) == len(part.per_image)
    assert drawn["signed"]
    first = parse_qs(urlsplit(drawn["images"][0]["map"]).query)
    assert (first["unit"], first["layer"], first["class"]) == (["4"], ["conv2"], ["red square"])
    assert all(item["outline"] for item in drawn["images"]), "each shows where its object is"


@pytest.mark.usefixtures("with_relevance")
def test_mapping_tells_why_a_class_or_an_image_is_left_out() -> None:
    found = relevances.find(WANTED)
    rows = {row["class"]: row for row in tables.mapping_rows(found)}
    assert rows["red square"]["outputs"] == "red square (0)"
    assert rows["gate"]["note"] == "left out: no output has this name"
    assert rows["panel"]["used"] == rows["panel"]["train"] == 3
    app = open_page(NEW[0], **HERE)
    assert f"planted/{UNSEEN:05d}.png was not used" in words(app)
    labels = [node.label for node in app.expander]
    assert "Classes: 3 that the network knows, 1 left out" in labels


@pytest.mark.parametrize("page", NEW)
@pytest.mark.usefixtures("empty")
def test_page_without_a_result(page: str) -> None:
    app = open_page(page, **HERE)
    assert not app.exception
    text = words(app)
    assert "has not been" in text
    if page != NEW[1]:  # agreement asks for the profile first
        assert "It integrates gradients in every layer over" in text, "the cost stands before the button"
        assert [button.label for button in app.button if button.label == "Compute the relevance"]


@pytest.mark.usefixtures("empty")
def test_network_without_names_and_data_without_classes_get_one_line() -> None:
    app = open_page(NEW[0], network="small", dataset="planted")
    assert not app.exception
    assert len(app.error) == 1
    assert "outputs" in app.error[0].value


@pytest.mark.usefixtures("empty")
def test_classes_from_annotations_are_read_first() -> None:
    app = open_page(NEW[0], network="classy", dataset="planted")
    assert not app.exception
    assert "read from the annotations first" in words(app)


@pytest.mark.parametrize("page", [NEW[0], NEW[2]])
@pytest.mark.usefixtures("empty")
def test_running_job_shows_stage_share_time_and_cancel(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    running = jobs.Job(
        "0" * 32,
        "relevance",
        state="running",
        stage="red square",
        done=30,
        total=120,
        ends=now + 90,
        updated=now,
    )
    monkeypatch.setattr(work, "job", lambda request: running)
    asked: list[Request] = []
    monkeypatch.setattr(work, "cancel", asked.append)
    app = open_page(page, **HERE)
    assert not app.exception
    (text,) = [str(node.proto.text) for node in app.get("progress")]
    assert text.startswith("red square · 25% · about")
    next(button for button in app.button if button.label == "Cancel").click().run()
    assert asked == [WANTED.request()]


@pytest.mark.parametrize("state", ["failed", "cancelled", "died"])
def test_job_that_ended_badly_says_so(state: str, empty: Path) -> None:
    request = WANTED.request().to_json()
    identity = jobs.job_id("relevance", request)
    message = "The relevance of layer conv1 of classy is NaN or infinite on image a.png."
    stored = jobs.Job(identity, "relevance", request, state=state, message=message)
    with Store(empty) as store:
        store.put_json(f"job/{identity}", stored.to_json())
    app = open_page(NEW[0], **HERE)
    assert not app.exception
    assert ("Cancelled" in words(app)) if state == "cancelled" else ("NaN or infinite on image" in words(app))
    assert [button.label for button in app.button if button.label == "Try again"]


def test_some_classes_missing_are_named_with_their_cost(
    with_relevance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(with_relevance, tmp_path / "part")
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "part"))
    found = relevances.find(WANTED)
    assert found.plan is not None
    with Store(tmp_path / "part") as store:
        assert store.delete(found.plan.keys["panel"])
    memory.forget()
    app = open_page(NEW[0], **HERE, **{"class": "panel", "layer": "conv1"})
    assert not app.exception
    assert "1 class of 3 is not computed: panel." in words(app)
    assert "over 3 images of 1 class" in words(app)
    assert any("has not been computed yet" in warning.value for warning in app.warning)
    heat = component(app, "heat_classy")
    assert [row[1] for row in heat["values"]] == [None, None]
    assert [button.label for button in app.button if button.label == "Compute the rest"]


@thorough_beyond(3)
@pytest.mark.usefixtures("with_relevance")
@pytest.mark.parametrize(
    ("page", "parameters", "expected"),
    [
        (NEW[0], {"view": "<b>"}, "the link asks for view"),
        (NEW[0], {"log": "maybe"}, "showing auto"),
        (NEW[0], {"method": "magic"}, "magic"),
        (NEW[0], {"baseline": "../../etc"}, "../../etc"),
        (NEW[0], {"layer": "conv9", "class": "panel"}, "conv9"),
        (NEW[0], {"layer": "conv1", "class": "unicorn"}, "unicorn"),
        (NEW[0], {"layer": "conv1", "class": "panel", "unit": "9999"}, "it runs from 0 to 23"),
        (NEW[0], {"layer": "conv1", "class": "panel", "image": "-1"}, "not among those of"),
        (NEW[0], {"layer": "conv1", "class": "panel", "order": "; DROP"}, "; DROP"),
        (NEW[0], {"layer": "conv1", "class": "panel", "influence": "fro"}, "fro"),
        (NEW[0], {"layer": "conv1", "class": "panel", "units": "1e9"}, "not a whole number"),
        (NEW[0], {"layer": "conv1", "class": "panel", "of": "nobody"}, "nobody"),
        (NEW[0], {"compare": "nobody"}, "nobody"),
        (NEW[1], {"top": "0"}, "it runs from 1 to 30"),
        (NEW[1], {"layer": "conv9"}, "conv9"),
        (NEW[1], {"class": "unicorn"}, "unicorn"),
        (NEW[2], {"top": "half"}, "not a whole number"),
        (NEW[2], {"scope": "conv9"}, "conv9"),
        (NEW[2], {"pair": "panel,unicorn"}, "two classes"),
        (NEW[2], {"pair": "panel,panel"}, "two classes"),
        ("pages/units.py", {"sort": "relevance", "class": "unicorn"}, "unicorn"),
    ],
)
def test_tampered_parameters_get_a_friendly_line(
    page: str, parameters: dict[str, str], expected: str
) -> None:
    app = open_page(page, **HERE, **parameters)
    assert not app.exception
    assert not app.error
    said = "\n".join(str(warning.value) for warning in app.warning).lower()
    assert expected.lower() in said
    assert "<b>" not in said
    assert "classy" in words(app)


@pytest.mark.usefixtures("with_relevance")
def test_agreement_shows_the_core_s_numbers() -> None:
    app = open_page(NEW[1], **HERE, top="10")
    views = dict(results.layers(Ask("classy", "classed")) or {})
    found = relevances.find(WANTED)
    made = agreements.agreement(
        {name: view.summary.profile for name, view in views.items()},
        found.records,
        AgreementSettings(0.1, AGREEMENT_PERMUTATIONS),
    )
    shown = "".join(node.proto.body for node in app.get("html") if "<table" in node.proto.body)
    assert f"{100 * made.network.error:.2f} ± {100 * made.network.error_sd:.2f}" in shown
    assert f"{100 * made.network.chance:.2f}" in shown
    assert f"top 10{SPACE}% of units" in words(app)
    assert "cannot arise" in words(app)
    cells = component(app, "cells_classy")
    errors = [list(row) for row in cells["texts"]]
    expected = [
        ["left out" if np.isnan(error) else f"{100 * error:.1f}" for error in row]
        for row in made.network.errors
    ]
    assert errors == expected
    exported = list(csv.DictReader(io.StringIO(saves.csv_text(agreement_table._rows(made)))))
    assert exported[-1]["layer"] == "*"
    assert float(exported[-1]["error"]) == pytest.approx(100 * made.network.error)


@pytest.mark.usefixtures("with_relevance")
def test_agreement_compares_networks() -> None:
    app = open_page(NEW[1], **HERE, compare="classy_other")
    assert not app.exception
    table = "".join(node.proto.body for node in app.get("html") if "<table" in node.proto.body)
    assert table.count("<tr") == 3
    assert component(app, "cells_classy_other")["high"] == component(app, "cells_classy")["high"]


@pytest.mark.usefixtures("with_relevance")
def test_untrained_control_stands_below_its_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.agreement.untrained.untrained_control", {"classy": "classy_other"}.get)
    app = open_page(NEW[1], **HERE, top="10")
    assert not app.exception
    views = dict(results.layers(Ask("classy_other", "classed")) or {})
    control = agreements.agreement(
        {name: view.summary.profile for name, view in views.items()},
        relevances.find(Wanted("classy_other", "classed")).records,
        AgreementSettings(0.1, AGREEMENT_PERMUTATIONS),
    )
    error = f"{100 * control.network.error:.2f}"
    table = "".join(node.proto.body for node in app.get("html") if "<table" in node.proto.body)
    lines = table.split("<tr")[2:]
    assert len(lines) == 2
    assert ">classy<" in lines[0]
    assert ">classy_other<" in lines[1]
    assert f">{error} ± {100 * control.network.error_sd:.2f}<" in lines[1]
    assert ">random weights<" in lines[1]
    assert f"its untrained control differs in **{error}{SPACE}%**" in words(app)
    assert not [node for node in app.expander if node.label.startswith("Baseline")]


@pytest.mark.parametrize(
    ("lost", "button"),
    [("profile/", "Find what its units detect (all layers)"), ("relevance/", "Compute the relevance")],
)
def test_untrained_control_that_is_not_computed_offers_its_job(
    with_relevance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, button: str
) -> None:
    keep = set(relevances.planned(WANTED).keys.values())
    keep |= set((results.profile_keys(Ask("classy", "classed")) or pytest.fail("no layers")).profile.values())
    shutil.copytree(with_relevance, tmp_path / "part")
    with Store(tmp_path / "part") as store:
        for key in set(store.keys(lost)) - keep:
            assert store.delete(key)
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "part"))
    memory.forget()
    monkeypatch.setattr("ui.agreement.untrained.untrained_control", {"classy": "classy_other"}.get)
    app = open_page(NEW[1], **HERE)
    assert not app.exception
    assert [one.label for one in app.expander if "untrained control of classy, not computed yet" in one.label]
    assert [
        one.label
        for one in app.button
        if one.label in ("Find what its units detect (all layers)", "Compute the relevance")
    ] == [button]
    assert "and keeps the result: " in words(app), "the cost stands before the button"
    assert "its untrained control" not in words(app)


@pytest.mark.usefixtures("with_relevance")
def test_network_without_an_untrained_control_says_that_chance_is_not_all() -> None:
    assert "has no untrained control here" in words(open_page(NEW[1], **HERE))


@pytest.mark.usefixtures("with_relevance")
def test_shared_units_of_a_pair() -> None:
    app = open_page(NEW[2], **HERE, top="30", pair="blue disc,red square")
    assert not app.exception
    assert not app.warning
    found = relevances.find(WANTED)
    made = agreements.shared_units(found.records, ["conv1", "conv2"], 0.3)
    names = list(found.records)
    both = int(made.whole.both[names.index("blue disc"), names.index("red square")])
    assert f"{both} unit" in words(app)
    heads = [head.value for head in app.subheader]
    assert "In the sets of *blue disc* and *red square*" in heads
    cards = component(app, "matches_hubs")["cards"]
    assert len(cards) == min(both, 12)
    assert all("unit=" in href for href, *_ in cards)
    heat = component(app, "overlaps")
    assert heat["values"][0][0] is None
    one = heat["columns"].index("blue disc"), heat["columns"].index("red square")
    assert heat["values"][one[0]][one[1]] == pytest.approx(made.whole.jaccard[one])


@pytest.mark.usefixtures("with_relevance")
def test_unit_page_has_its_classes_and_an_order_by_relevance() -> None:
    app = open_page(
        "pages/units.py",
        **HERE,
        layer="conv2",
        unit="6",
        sort="relevance",
        below="relevance",
        **{"class": "panel"},
    )
    assert not app.exception
    assert not app.warning
    assert "Ranks" in words(app)
    assert shown(app, "Class") == "panel"
    scores = relevances.find(WANTED).records["panel"].layer("conv2").relevance
    order = [tile[0] for tile in component(app, "unit_grid")["tiles"]]
    assert order == np.argsort(-scores, kind="stable").tolist()
    assert shown(app, "Influence") == ""
    assert any("unit=6" in link and "class=" in link for link in links(app))


@pytest.mark.parametrize("side", ["for", "against"])
@pytest.mark.usefixtures("with_relevance")
def test_units_for_and_against_a_class_are_told_apart(side: str) -> None:
    part = relevances.find(WANTED).records["panel"].layer("conv2")
    balance = part.positive + part.negative
    sided = set(np.flatnonzero(balance > 0 if side == "for" else balance < 0).tolist())
    assert 0 < len(sided) < part.shape.units
    chosen = {"layer": "conv2", "class": "panel", "influence": side}
    app = open_page("pages/units.py", **HERE, **chosen, sort="relevance")
    assert not app.exception
    order = [tile[0] for tile in component(app, "unit_grid")["tiles"]]
    assert order == [unit for unit in np.argsort(-part.relevance, kind="stable").tolist() if unit in sided]
    assert f"{len(sided)} of {part.shape.units} units" in words(app)
    page = open_page(NEW[0], **HERE, **chosen, units=str(part.shape.units))
    assert not page.exception
    assert [tile[0] for tile in component(page, "ranked")["units"]] == order
    assert f"{len(sided)} of {part.shape.units} units: what speaks {side} the class outweighs" in words(page)
    assert "strongest influence, " + ("for the class" if side == "for" else "against the class") in [
        str(option) for box in page.selectbox if box.label == "Units by" for option in box.options
    ]


@pytest.mark.usefixtures("full")
def test_unit_page_without_relevance_says_so_and_offers_no_such_order() -> None:
    app = open_page("pages/units.py", network="small", dataset="planted", below="relevance")
    assert not app.exception
    assert "does not name its outputs" in words(app)
    assert "relevance" not in next(box for box in app.selectbox if box.label == "Sort by").options


def test_unit_page_of_a_known_network_links_to_the_cost(
    with_relevance: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(with_relevance, tmp_path / "part")
    with Store(tmp_path / "part") as store:
        for key in store.keys("relevance/"):
            store.delete(key)
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "part"))
    app = open_page("pages/units.py", **HERE, below="relevance")
    assert not app.exception
    assert [node.proto.label for node in app.get("page_link") if "Not computed yet" in node.proto.label]


def test_selection_by_relevance_keeps_ties_in_order() -> None:
    from tests.ui import records

    view = records.view(6)
    part = records.relevance(layers=(("conv5", 6, (6, 6)),)).layer("conv5")
    part = replace(
        part,
        relevance=np.array([0.0, 2.0, 1.0, 2.0, 0.5, 0.0]),
        positive=np.array([0.0, 2.0, 0.0, 1.5, 0.25, 0.0]),
        negative=np.array([0.0, 0.0, -1.0, -0.5, -0.25, 0.0]),
    )
    chosen = selection.Filters(sort="relevance", class_name="x")
    assert selection.choose(view, chosen, part).tolist() == [1, 3, 2, 4, 0, 5]
    assert selection.choose(view, chosen._replace(influence="for"), part).tolist() == [1, 3]
    assert selection.choose(view, chosen._replace(influence="against"), part).tolist() == [2]
    ignored = chosen._replace(influence="against", sort="iou")
    assert len(selection.choose(view, ignored, part)) == 6, "another order knows no side"


@pytest.mark.usefixtures("with_relevance")
def test_callbacks_take_only_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.components.heat import heat

    assert heat._inside([1, 2], 2, 3) == (1, 2)
    for odd in (None, [1], [2, 0], [0, 3], [-1, 0], ["0", 0], [0.0, 1], "01"):
        assert heat._inside(odd, 2, 3) is None


@pytest.mark.usefixtures("with_relevance")
def test_wrong_images_and_masks_have_words() -> None:
    found = relevances.find(WANTED)
    record = found.records["panel"]
    wrong = ClassRelevance(
        {**record.arrays, "predicted": np.full(len(record.images), 9)}, {**record.metadata, "masked": False}
    )
    changed = Found(found.plan, {**found.records, "panel": wrong}, ())
    items = class_images.image_list(
        WANTED, heat_maps.Picked("classy", "conv2", "panel"), changed, wrong.layer("conv2"), -1
    )
    assert all("✕" in item["sign"] for item in items)
    assert all("output 9" in item["about"] for item in items)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "warning", said.append)
        patch.setattr(st, "caption", said.append)
        heat_maps.warnings(changed)
    text = "\n".join(said)
    assert "panel" in text.split("recognises none")[0]
    assert "the sum goes over the whole image, M = 1" in text


@pytest.mark.thorough
def test_job_from_the_page_to_the_result(empty: Path) -> None:
    app = open_page(NEW[0], network="classy_other", dataset="classed")
    next(button for button in app.button if button.label == "Compute the relevance").click().run()
    assert not app.exception
    wanted = Wanted("classy_other", "classed")
    end = time.monotonic() + 240
    job = work.job(wanted.request())
    assert job is not None
    while job.active and time.monotonic() < end:
        time.sleep(0.3)
        job = work.job(wanted.request())
        assert job is not None
    assert job.state == "done", job.message
    app.run()
    assert not app.exception
    assert component(app, "heat_classy_other")["rows"] == ["conv1"]
    assert "units come without labels" in words(
        open_page(
            NEW[0], **{"network": "classy_other", "dataset": "classed", "layer": "conv1", "class": "panel"}
        )
    )
