"""The ablation page in every state, on a network and a data set that are small but real."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from interpret_core.analyses.ablation.specialised import Reached, kept
from interpret_core.cli.app import main
from interpret_core.measures.ablation.evaluation import tally
from interpret_core.measures.ablation.settings import Setting
from interpret_core.memory import budget
from interpret_core.provenance import signed
from tests.slow import slow, thorough_beyond
from tests.ui.test_pages import open_page, words
from tests.ui.test_relevance_pages import component, links
from ui.ablation import controls, fractions, networks
from ui.ablation.sliders import STEPS
from ui.session import ablations, memory, work
from ui.session.ablations import Bench, Case
from ui.session.live import queue as live
from ui.session.live.queue import LiveQueue
from ui.shell.how import TITLE

PAGE = "pages/ablation.py"
HERE = {"network": "classy", "dataset": "classed"}
TARGET = {"class": "red square"}


def bench() -> Bench:
    return ablations.bench(Case("classy", "classed"))


def figure(app: AppTest, title: str) -> dict[str, Any]:
    """The figure whose x axis has this title."""
    found = [json.loads(node.proto.spec) for node in app.get("plotly_chart")]
    return next(one for one in found if one["layout"]["xaxis"]["title"]["text"].startswith(title))


def trace(drawn: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in drawn["data"] if one.get("name", "").startswith(name))


def bars(app: AppTest) -> list[dict[str, Any]]:
    """The rows of classes, the target first."""
    return list(component(app, "class_bars")["rows"])


def numbers(row: dict[str, Any]) -> str:
    """What stands at the right of a class's row."""
    return "".join(row["numbers"])


@pytest.mark.usefixtures("with_ablation")
def test_step_of_the_grid_is_shown_at_once_beside_the_intact_network() -> None:
    app = open_page(PAGE, **HERE, **TARGET, percent="20")
    assert not app.exception
    assert not app.error
    assert not app.warning
    here = bench()
    setting = Setting("relevance", "red square", "top", 0.2)
    plan, answers = here.plan, here.ablator.answers(setting)
    after = tally(answers, plan.labels, plan.outputs)
    before = here.grid("zero").evaluation(Setting())
    number = here.names.index("red square")
    first = bars(app)[0]
    assert first["name"] == "red square", "the target is pinned on top"
    assert numbers(first) == f"{before.right[number]} → {after.right[number]} of {after.images[number]}"
    assert first["value"] == pytest.approx(after.accuracy[number])
    assert (first["limits"] is None) == (not first["few"]), "all images are done: an interval only if few"
    shares = [one.accuracy[number] for one in here.grid("zero").random(0.2)]
    mean, sd = np.mean(shares), np.std(shares, ddof=1)
    assert first["random"] == pytest.approx([max(0, mean - sd), min(1, mean + sd)])
    assert component(app, "class_bars")["random"] == "random units, mean ± sd of 5"
    text = words(app)
    assert "silencing the top 20" in text
    assert "k = 5 + 6 units of conv1, conv2" in text
    assert f"All {len(plan.images)} images" in text
    assert component(app, "carry_on_ablation")["token"] == 0, "nothing is left to compute"


@pytest.mark.usefixtures("with_ablation")
@pytest.mark.parametrize("more", [{}, slow({"metric": "probability"}), slow({"by": "random", "seed": "1"})])
def test_what_the_browser_draws_of_a_step_is_what_its_page_draws(more: dict[str, str]) -> None:
    ahead = component(open_page(PAGE, **HERE, **TARGET, **more), "class_bars")["more"]["steps"]
    assert set(ahead) == {f"{step:g}" for step in STEPS}
    for step, shown in ahead.items():
        page = component(open_page(PAGE, **HERE, **TARGET, **more, percent=step), "class_bars")
        assert page["at"] == step
        assert {name: page[name] for name in shown} == shown


@pytest.mark.usefixtures("with_ablation")
def test_steps_of_a_network_under_another_name_bear_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    open_page(PAGE, **HERE, **TARGET)
    monkeypatch.setattr(ablations, "title", lambda _: ("Another name", "trained"))
    ahead = component(open_page(PAGE, **HERE, **TARGET), "class_bars")["more"]["steps"]
    assert all("· Another name on classed" in shown["imprint"]["title"] for shown in ahead.values())


@pytest.mark.thorough
@pytest.mark.usefixtures("with_ablation")
def test_nothing_is_drawn_ahead_where_the_store_does_not_have_it() -> None:
    here = {**HERE, **TARGET}
    picked = component(open_page(PAGE, **here, silence="conv1:3"), "class_bars")
    elsewhere = component(open_page(PAGE, **here, layers="conv1"), "class_bars")
    assert "more" not in picked
    assert "more" not in elsewhere


@pytest.mark.usefixtures("with_ablation")
def test_others_are_sorted_by_harm() -> None:
    app = open_page(PAGE, **HERE, **{"class": "panel"}, percent="20")
    rows = bars(app)
    losses = [row["value"] - row["before"] for row in rows]
    assert rows[0]["name"] == "panel"
    assert rows[0]["few"]
    assert rows[0]["limits"], "few images: an interval even when all are done"
    assert losses[1:] == sorted(losses[1:])
    assert "fewer than 10 images" in words(app)


@pytest.mark.thorough
@pytest.mark.usefixtures("with_ablation")
def test_other_value_is_estimated_and_kept() -> None:
    app = open_page(PAGE, **HERE, **TARGET, percent="37")
    assert not app.exception
    here = bench()
    setting = Setting("relevance", "red square", "top", 0.37)
    for _ in range(20):
        if component(app, "carry_on_ablation")["token"] == 0:
            break
        app.run()
    assert component(app, "carry_on_ablation")["token"] == 0, "all images and controls are done at last"
    assert here.ablator.find(setting) is not None
    assert all(here.ablator.find(Setting("random", fraction=0.37, seed=seed)) for seed in range(5))
    assert "as many random units cost" in words(app)


@pytest.mark.thorough
@pytest.mark.usefixtures("with_ablation")
def test_where_others_come_first_the_page_says_so_and_goes_on_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = LiveQueue(1)
    monkeypatch.setattr(live, "queue", lambda: queue)
    monkeypatch.setattr(live, "LOOK_IN", 0.05)
    picked = {**HERE, **TARGET, "by": "hand", "silence": "conv2:7,conv1:5"}
    memory.forget()  # as after a start: the network has to be loaded, too
    with queue.turn("another", "slider"):
        app = open_page(PAGE, **picked)
        assert not app.exception
        assert "The server is busy with another computation just now" in words(app)
        assert "loads its network as soon as that is done" in words(app)
        assert component(app, "carry_on_ablation")["token"] > 0, "the browser asks again"
    bench()
    with queue.turn("another", "slider"):
        app = open_page(PAGE, **picked)
        assert "Your computation is in line, and goes on by itself" in words(app)
        assert app.multiselect(key="pick_units").value, "the rest of the page is there"
        assert component(app, "carry_on_ablation")["token"] > 0
        assert component(app, "carry_on_ablation")["pause"] > 0
        shown = open_page(PAGE, **HERE, **TARGET, percent="20")
        assert "silencing the top 20" in words(shown), "what is stored waits for nobody"
        assert "busy" not in words(shown)
    app.run()
    assert "silencing 2 units picked by hand" in words(app)
    assert queue.working == 0


@pytest.mark.thorough
@pytest.mark.usefixtures("with_ablation")
def test_an_open_page_holds_no_network_that_the_budget_takes() -> None:
    memory.forget()
    app = open_page(PAGE, **HERE, **TARGET, by="hand", silence="conv2:8,conv1:6")
    assert budget().held()["networks"] > 0
    held = weakref.ref(bench().plan.network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget(), "limit", 0)
        budget().release(budget().hold("more", {1: 1}, lambda: None))
        gc.collect()
        assert held() is None, "nobody looks at it just now"
        assert budget().held() == {}
    app.run()
    assert not app.exception
    assert "silencing 2 units picked by hand" in words(app)


@pytest.mark.usefixtures("with_ablation")
def test_units_picked_by_hand_are_chips_and_silenced() -> None:
    app = open_page(PAGE, **HERE, **TARGET, by="hand", silence="conv2:7,conv1:3")
    assert not app.exception
    assert app.multiselect(key="pick_units").value == ["conv1:3", "conv2:7"]
    assert "silencing 2 units picked by hand (k = 1 + 1 units of conv1, conv2)" in words(app)
    app.multiselect(key="pick_units").set_value(["conv2:7"]).run()
    assert app.query_params["silence"] == "conv2:7"
    assert "1 unit picked by hand" in words(app)
    app.button(key="undo").click().run()
    assert app.query_params["silence"] == "conv2:7,conv1:3"
    app.button(key="reset").click().run()
    assert "silence" not in app.query_params
    assert "by" not in app.query_params
    assert app.query_params["class"] == "red square"


@thorough_beyond(4)
@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"silence": "conv2:99,conv2:3"}, r"“conv2\:99” (units of conv2 are numbered 0 to 31)"),
        ({"silence": "conv9:1,conv2:3"}, r"“conv9\:1” (there is no layer “conv9”: did you mean conv"),
        slow({"silence": "zzz:1"}, "there are conv1, conv2, 6)"),
        ({"silence": "conv2,conv2:3"}, r"“conv2” (expected layer:unit such as conv2\:7)"),
        slow({"silence": "conv2:x"}, r"“conv2\:x” (“x” is no number of a unit: units of conv2"),
        slow({"silence": "conv2:-1"}, "is no number of a unit"),
        slow({"silence": "conv2:1.0"}, "is no number of a unit"),
        slow({"silence": "conv2:３"}, "is no number of a unit"),
        ({"silence": f"conv2:{9**30}"}, "are numbered 0 to 31"),
        ({"silence": "conv2:3,conv2:03"}, r"“conv2\:03” (it stands there twice and counts once)"),
        ({"silence": ",".join(f"conv8:{n}" for n in range(9))}, "; and 3 more."),
        ({"layers": "conv1,conv7"}, "conv7"),
        ({"layers": "conv1,conv1"}, "twice; it counts once"),
        slow({"layers": "conv7"}, "conv7"),
        ({"compare": "classy_other,nobody", "part": "networks"}, "network “nobody”, which is not here"),
        ({"compare": "classy", "part": "networks"}, "which is the page’s own"),
        ({"percent": "0.00004"}, "expected 0 to 100 with three decimals at most; showing 0.001 %"),
        slow({"percent": "2.00049"}, "showing 2 %"),
        ({"class": "red sqare"}, "showing red square"),
        ({"percent": "300"}, "expected 0 to 100; showing 100"),
        slow({"percent": "nan"}, "showing 3 %"),
        ({"by": "magic"}, "ranking"),
        slow({"direction": "sideways"}, "direction"),
        slow({"seed": "9"}, "seed"),
        ({"part": "<b>"}, "part"),
        slow({"on": "test"}, "choice of images"),
    ],
)
@pytest.mark.usefixtures("with_ablation")
def test_link_that_cannot_be_followed_gets_a_friendly_line(parameters: dict[str, str], line: str) -> None:
    app = open_page(PAGE, **{**HERE, **TARGET, **parameters})
    assert not app.exception
    assert not app.error
    assert line in "\n".join(str(one.value) for one in app.warning)
    assert bars(app)


@pytest.mark.usefixtures("with_ablation")
def test_everything_silenced_works_and_is_said() -> None:
    app = open_page(PAGE, **HERE, **TARGET, percent="100", layers="all", metric="probability")
    assert not app.exception
    assert "k = 24 + 32 units" in words(app)
    assert "All units of every layer are silenced" in words(app)


@pytest.mark.usefixtures("with_ablation")
def test_nothing_silenced_is_the_intact_network() -> None:
    app = open_page(PAGE, **HERE, **TARGET, percent="0")
    assert "nothing is silenced" in words(app)
    assert all(row["value"] == row["before"] for row in bars(app))


@pytest.mark.usefixtures("with_ablation")
def test_few_images_are_left_out_of_their_own_ranking() -> None:
    app = open_page(PAGE, **HERE, on="all")
    assert not app.exception
    assert "No relevance of" in words(app), "all images rank: another relevance, not computed here"
    assert [button.label for button in app.button if button.label.startswith("Compute the re")]
    again = open_page(PAGE, **HERE, on="all", by="random")
    assert bars(again)
    assert "All 33 images" in words(again) or "Estimated on" in " ".join(
        str(node.proto.text) for node in again.get("progress")
    )


@pytest.mark.usefixtures("with_ablation")
def test_iou_ranks_by_a_concept() -> None:
    app = open_page(PAGE, **HERE, **TARGET, by="iou", concept="blue disc", percent="10")
    assert not app.exception
    assert "by IoU with “blue disc”" in words(app)
    bottom = open_page(PAGE, **HERE, **TARGET, by="iou", concept="no such thing")
    assert any("no such thing" in str(one.value) for one in bottom.warning)


@pytest.mark.usefixtures("empty")
def test_without_anything_the_relevance_is_offered_first() -> None:
    app = open_page(PAGE, **HERE)
    assert not app.exception
    assert [button.label for button in app.button if button.label == "Compute the relevance"]
    app = open_page(PAGE, **HERE, by="random")
    assert not app.exception
    assert bars(app), "random units need no ranking"


@pytest.mark.usefixtures("empty")
def test_one_class_can_be_ranked_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, object]] = []
    monkeypatch.setattr(work, "start", lambda request: asked.append((request.analysis, request.classes)))
    app = open_page(PAGE, **HERE, **TARGET)
    next(button for button in app.button if button.label == "Compute red square alone").click().run()
    assert not app.exception
    assert asked == [("relevance", ("red square",))]


@pytest.mark.usefixtures("with_ablation")
def test_layers_of_a_deep_network_do_not_fill_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls, "MANY", 1)
    app = open_page(PAGE, **HERE)
    assert not app.exception
    layers = len(bench().plan.layers)
    assert f"{len(bench().plan.inner)} of {layers} layers" in [
        node.proto.popover.label for node in app.get("popover")
    ]


@pytest.mark.usefixtures("with_relevance")
def test_without_a_grid_estimates_work_and_the_job_is_offered() -> None:
    app = open_page(PAGE, **HERE, **TARGET)
    assert not app.exception
    text = words(app)
    assert "Not precomputed, and therefore estimated when asked for: 3 classes" in text
    assert "67 settings on" in text
    assert [button.label for button in app.button if button.label == "Precompute them"]
    assert numbers(bars(app)[0]).startswith(tuple("0123456789"))


@pytest.mark.usefixtures("with_ablation")
def test_curves_hold_the_numbers_of_the_grid() -> None:
    app = open_page(PAGE, **HERE, **TARGET, span="20")
    drawn = figure(app, "units silenced in each inner layer")
    grid, number = bench().grid("zero"), bench().names.index("red square")
    top = trace(drawn, "red square, top")
    assert top["x"] == pytest.approx([0, 1, 2, 3, 5, 10, 20])
    found = [grid.evaluation(Setting("relevance", "red square", "top", x / 100)) for x in (1, 20)]
    assert [top["y"][1], top["y"][-1]] == [pytest.approx(100 * one.accuracy[number]) for one in found]
    short = figure(open_page(PAGE, **HERE, **TARGET), "units silenced in each inner layer")
    assert trace(short, "red square, bottom")["x"] == pytest.approx([0, 1, 2, 3])


@pytest.mark.usefixtures("with_ablation")
def test_the_figures_file_has_the_rows_of_the_command_line(tmp_path: Path) -> None:
    out = tmp_path / "f.json"
    asked = (
        "ablate",
        "--network",
        "classy",
        "--dataset",
        "classed",
        "--class",
        "red square",
        "--out",
        str(out),
    )
    assert main(asked) == 0
    ours = [row for row in signed(fractions.table(bench().grid("zero"), "red square")) if row["fraction"]]
    told = [row for row in json.loads(out.read_text())["records"] if row["fraction"]]
    assert len(told) == 90
    where = ("rank", "fraction", "seed", "evaluated_class")
    by_place = {tuple(row[name] for name in where): row for row in ours}
    assert all(by_place[tuple(row[name] for name in where)] == row for row in told)


@pytest.mark.usefixtures("with_ablation")
def test_matrix_and_its_click() -> None:
    app = open_page(PAGE, **HERE, **TARGET, part="matrix", percent="20")
    assert not app.exception
    heat = component(app, "ablation_matrix")
    here = bench()
    grid = here.grid("zero")
    assert heat["rows"] == heat["columns"] == list(here.names)
    intact, one = grid.evaluation(Setting()), grid.evaluation(Setting("relevance", "panel", "top", 0.2))
    row = heat["values"][heat["rows"].index("panel")]
    assert row == pytest.approx((100 * (one.accuracy - intact.accuracy)).tolist())
    assert heat["low"] == -heat["high"], "colours are centred on zero"


@pytest.mark.usefixtures("with_ablation")
def test_the_same_percentage_is_another_number_and_the_page_says_why() -> None:
    plan = bench().plan
    inner = {layer.name: layer.units for layer in plan.layers if layer.name in plan.inner}
    by_layer = sum(map(len, plan.selection(Setting("random", fraction=0.03)).values()))
    total = round(0.03 * sum(inner.values()))
    told = networks.by_layer(plan, total)
    if by_layer == total:
        assert told == ""
    else:
        assert told.startswith(f"{total} units here, and {by_layer} at 3 % elsewhere on this page")
        assert f"of all {sum(inner.values())} inner units" in told
    assert networks.by_layer(plan, sum(inner.values())) == "", "everything is everything"


@pytest.mark.parametrize("part", ["curves"])
@pytest.mark.usefixtures("with_ablation")
def test_the_page_names_the_paper_whose_figures_it_draws(part: str) -> None:
    text = words(open_page(PAGE, **HERE, **TARGET, part=part))
    assert "Figures 5 and 6" in text
    assert TITLE in text


@pytest.mark.usefixtures("with_ablation")
def test_networks_at_equal_numbers() -> None:
    app = open_page(PAGE, **HERE, **TARGET, part="networks", compare="classy_other", total="4")
    assert not app.exception
    for _ in range(10):
        if component(app, "carry_on_ablation")["token"] == 0:
            break
        app.run()
    text = words(app)
    assert "| classy | 4 of 56" in text
    assert "| classy\\_other | 4 of 16" in text
    drawn = figure(app, "units silenced in all inner layers")
    assert trace(drawn, "classy_other · random weights, top")["x"] == [0, 1, 1, 1, 1, 2, 3]


@pytest.mark.usefixtures("with_ablation")
def test_single_units() -> None:
    app = open_page(PAGE, **HERE, **TARGET, part="units")
    assert not app.exception
    found = bench().effects()
    assert found is not None
    drawn = figure(app, "estimated change")
    assert sum(len(one["x"]) for one in drawn["data"]) == len(found.strongest)
    assert f"Of the **{len(found.strongest)}** strongest of 56 units" in words(app)


@pytest.mark.usefixtures("with_relevance")
def test_single_units_state_their_cost_first() -> None:
    app = open_page(PAGE, **HERE, **TARGET, part="units")
    assert not app.exception
    assert [button.label for button in app.button if button.label == "Measure single units"]


@pytest.mark.usefixtures("with_ablation")
def test_specialise_measures_on_request_and_lists_units() -> None:
    app = open_page(PAGE, **HERE, **TARGET, part="special")
    assert not app.exception
    app.button(key="special").click().run()
    for _ in range(20):
        if component(app, "carry_on_ablation")["token"] == 0:
            break
        app.run()
    text = words(app)
    assert "units (" in text
    assert "can go: red square keeps" in text
    drawn = figure(app, "units removed")
    assert trace(drawn, "red square")["x"][-1] == sum(
        len(units)
        for units in bench().plan.selection(Setting("relevance", "red square", "bottom", 0.9)).values()
    )


def test_a_network_that_calls_everything_by_one_name_has_lost_it() -> None:
    """All images of the class stay right, but the others are taken for it: those units were needed."""
    steps = [(0.0, 4, 0), (0.2, 4, 0), (0.5, 4, 3), (0.9, 4, 6)]
    reached = [Reached(share, 1, right, 4, taken, 6, 0.5, 0.5) for share, right, taken in steps]
    assert kept(reached, 0).fraction == 0.2
    assert kept(reached, 3).fraction == 0.5
    assert kept([*reached[:2], Reached(0.5, 1, 2, 4, 0, 6, 0.5, 0.5)], 1).fraction == 0.2


def test_grid_that_arrives_is_seen(
    with_ablation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(with_ablation, tmp_path / "part")
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "part"))
    here = bench()
    key = here._keys["zero"]["panel"]
    record = here.plan.store.get(key)
    assert record is not None
    assert here.grid("zero") is here.grid("zero"), "kept in memory"
    here.plan.store.delete(key)
    assert "panel" not in here.grid("zero").classes
    here.plan.store.put(key, record)
    assert "panel" in here.grid("zero").classes
    memory.forget()


@pytest.mark.usefixtures("with_ablation")
def test_unit_page_has_the_switch_and_leads_on() -> None:
    app = open_page("pages/units.py", **HERE, layer="conv2", unit="5")
    assert not app.exception
    toggle = next(one for one in app.toggle if one.label == "Silence this unit")
    assert toggle.value is False
    toggle.set_value(True).run()
    assert app.query_params["silence"] == "conv2:5"
    assert component(app, "unit_grid")["silenced"] == [5]
    assert any("silence=conv2%3A5" in link and "by=hand" in link for link in links(app))
    other = open_page("pages/units.py", network="classy_other", dataset="classed", silence="conv2:5")
    assert any("there is no layer" in str(one.value) for one in other.warning)


def test_past_is_one_per_page(monkeypatch: pytest.MonkeyPatch) -> None:
    session: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", session)
    shown: list[dict[str, str]] = [{"percent": "1"}]
    monkeypatch.setattr(controls, "_now", lambda: shown[0])
    changes: list[dict[str, Any]] = []
    monkeypatch.setattr(controls.state, "change", lambda **values: changes.append(values))
    controls.note(("a",))
    controls.undo()
    assert changes == [], "nothing before it"
    shown[0] = {"percent": "2", "class": "x"}
    controls.note(("a",))
    controls.note(("a",))
    controls.undo()
    assert changes[-1]["percent"] == "1"
    assert changes[-1]["class"] is None
    controls.note(("b",))
    controls.undo()
    assert len(changes) == 1, "another network has another past"


@pytest.mark.parametrize(
    "fraction", [0.03, 3 / 100, 0.030000000000000002, np.float64(0.1) * 0.3, np.float32(0.03)]
)
@pytest.mark.usefixtures("with_ablation")
def test_any_spelling_of_a_step_is_in_the_grid(fraction: float) -> None:
    here = bench()
    setting = Setting("relevance", "red square", "top", fraction)
    found = here.grid("zero").answers(setting)
    assert found is not None
    assert found is here.grid("zero").answers(Setting("relevance", "red square", "top", 0.03))
    assert here.known(setting) is not None


@pytest.mark.parametrize("percent", ["3", "3.0", "3.0000000001", "03", "3e0"])
@pytest.mark.usefixtures("with_ablation")
def test_any_spelling_of_a_percentage_is_the_step(percent: str) -> None:
    app = open_page(PAGE, **HERE, **TARGET, percent=percent)
    assert not app.exception
    assert not app.warning
    assert component(app, "ablation_percent")["value"] == 3
    assert component(app, "carry_on_ablation")["token"] == 0, "nothing is estimated"
