"""Every page in every state, through Streamlit's own test runner: no exception, and the right words."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from interpret_core import jobs
from interpret_core.options import Request
from interpret_core.store.store import Store
from tests.slow import thorough_beyond
from ui.session import precedence, results, work
from ui.shell.sidebar import Ask

APP = str(Path(__file__).resolve().parents[2] / "app.py")
PAGES = ("pages/home.py", "pages/units.py", "pages/concepts.py")


def open_page(page: str, **parameters: str) -> AppTest:
    """The page as a link with these parameters opens it."""
    app = AppTest.from_file(APP, default_timeout=60)
    if page != PAGES[0]:
        app.switch_page(page)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    """All text of the page."""
    parts = [*app.markdown, *app.info, *app.warning, *app.error, *app.caption, *app.code]
    return "\n".join(str(part.value) for part in parts)


def shown(app: AppTest, label: str) -> str:
    """What a select box shows."""
    return str(next(box.value for box in app.selectbox if box.label == label))


def setting(app: AppTest, name: str) -> dict[str, Any]:
    """A field of the sidebar's settings."""
    drawn = [node.proto for node in app.get("bidi_component") if node.proto.id.endswith("-settings")]
    assert len(drawn) == 1
    return next(one for one in json.loads(drawn[0].bytes)["fields"] if one["name"] == name)


def offered(app: AppTest, name: str) -> list[str]:
    """The names that a list of the sidebar offers."""
    return [one for _, names in setting(app, name)["groups"] for one in names]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("full")
def test_page_with_a_result(page: str) -> None:
    app = open_page(page, network="small", dataset="planted")
    assert not app.exception
    assert not app.error
    assert not app.warning


@pytest.mark.usefixtures("full")
def test_units_state_their_facts() -> None:
    app = open_page("pages/units.py", network="small", dataset="planted", layer="conv1", unit="5")
    text = words(app)
    assert "of 24 conv1 units" in text
    assert "chance alone would give" in text
    assert "n = 24 images" in text


@pytest.mark.usefixtures("full")
def test_dead_unit_has_words() -> None:
    app = open_page("pages/units.py", network="small", dataset="planted", layer="conv1", unit="0")
    assert not app.exception
    assert "A dead unit answers zero" in words(app)


@pytest.mark.usefixtures("full")
def test_a_unit_alike_is_one_click_away() -> None:
    app = open_page("pages/units.py", unit="3")
    choice = app.button_group(key="pick_alike")
    other = re.search(r"\d+", choice.options[0]).group()
    choice.set_value(int(other)).run()
    assert not app.exception
    assert app.query_params["unit"] in (other, [other])
    assert f"unit {other}" in "".join(str(part.value) for part in app.get("html")) + words(app)


@pytest.mark.usefixtures("full")
def test_concepts_state_their_facts() -> None:
    text = words(open_page("pages/concepts.py", network="small", dataset="planted", cutoff="0.01"))
    assert "of 56 units in 2 layers" in text
    assert "IoU > 0.01" in text


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("empty")
def test_page_without_a_result(page: str) -> None:
    app = open_page(page, network="small", dataset="planted")
    assert not app.exception
    if page != PAGES[0]:
        assert "has not been profiled yet" in words(app)
        assert "24 images" in words(app), "the cost stands before the button"
        assert [
            button.label for button in app.button if button.label == "Find what its units detect (all layers)"
        ]


@pytest.mark.parametrize("page", PAGES)
def test_page_without_a_data_set(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unitscope.toml").write_text("")
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.delenv("INTERPRET_DATASETS", raising=False)
    app = open_page(page)
    assert not app.exception
    assert "fetch broden" in words(app)
    assert "unitscope.toml" in words(app)


@pytest.mark.parametrize("page", PAGES[1:])
@pytest.mark.usefixtures("empty")
def test_missing_folder_and_failing_network_get_one_line(page: str) -> None:
    lost = open_page(page, network="small", dataset="lost")
    assert not lost.exception
    assert len(lost.error) == 1
    assert "nowhere" in lost.error[0].value
    broken = open_page(page, network="broken", dataset="planted")
    assert not broken.exception
    assert "no such weights here" in words(broken)


@thorough_beyond(11)
@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"layer": "conv9"}, "conv9"),
        ({"unit": "99999"}, "it runs from 0 to 31"),
        ({"unit": "-3"}, "it runs from 0 to 31"),
        ({"unit": "<script>"}, "not a whole number"),
        ({"annotate": "unicorn"}, "unicorn"),
        ({"concept": "unicorn"}, "unicorn"),
        ({"category": "object,../../etc"}, "../../etc"),
        ({"iou": "high"}, "expected two numbers"),
        ({"sort": "; DROP TABLE"}, "; DROP TABLE"),
        ({"show": "x-ray"}, "x-ray"),
        ({"significant": "yes"}, "expected 1 or nothing"),
        ({"photos": "1e9"}, "not a whole number"),
        ({"image": "../secret"}, "not among unit"),
        ({"image": "99999999999999999999"}, "not among unit"),
        ({"image": "-1"}, "not among unit"),
    ],
)
def test_tampered_parameters_get_a_friendly_line(parameters: dict[str, str], expected: str) -> None:
    app = open_page("pages/units.py", network="small", dataset="planted", **parameters)
    assert not app.exception
    assert not app.error
    said = "\n".join(str(warning.value) for warning in app.warning)
    assert expected in said
    assert "<script>" not in said
    assert "units are detectors" in words(app) or "unit is a detector" in words(app)


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("name", ["network", "dataset", "cutoff"])
def test_tampered_entry_parameters_get_a_friendly_line(name: str) -> None:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params[name] = "/etc/passwd"
    app.run()
    assert not app.exception
    assert any("/etc/passwd" in warning.value for warning in app.warning)


@pytest.mark.slow
def test_job_from_the_page_to_the_result(empty: Path) -> None:
    app = open_page("pages/units.py", network="small", dataset="planted")
    next(
        button for button in app.button if button.label == "Find what its units detect (all layers)"
    ).click().run()
    assert not app.exception
    ask = Ask("small", "planted")
    job = work.job(ask.request())
    assert job is not None
    if job.active:
        assert "You may close this tab" in words(app)
    end = time.monotonic() + 120
    while job.active and time.monotonic() < end:
        time.sleep(0.2)
        job = work.job(ask.request())
        assert job is not None
    assert job.state == "done", job.message
    app.run()
    assert not app.exception
    assert "conv2 unit" in words(app)


@pytest.mark.usefixtures("empty")
def test_running_job_shows_stage_share_time_and_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    running = jobs.Job(
        "0" * 32,
        "profile",
        state="running",
        stage="thresholds",
        done=30,
        total=120,
        ends=now + 90,
        updated=now,
    )
    monkeypatch.setattr(work, "job", lambda request: running)
    asked: list[Request] = []
    monkeypatch.setattr(work, "cancel", asked.append)
    app = open_page("pages/units.py", network="small", dataset="planted")
    assert not app.exception
    texts = [str(node.proto.text) for node in app.get("progress")]
    assert texts == ["thresholds · 25% · about 2 min left"] or texts == ["thresholds · 25% · about 90 s left"]
    next(button for button in app.button if button.label == "Cancel").click().run()
    assert asked == [Ask("small", "planted").request()]


@pytest.mark.parametrize("state", ["failed", "cancelled", "died"])
def test_job_that_ended_badly_says_so(state: str, empty: Path) -> None:
    ask = Ask("small", "planted")
    identity = jobs.job_id("profile", ask.request().to_json())
    stored = jobs.Job(identity, "profile", ask.request().to_json(), state=state, message="The disk is full.")
    with Store(empty) as store:
        store.put_json(f"job/{identity}", stored.to_json())
    app = open_page("pages/units.py", network="small", dataset="planted")
    assert not app.exception
    text = words(app)
    assert ("Cancelled" in text) if state == "cancelled" else ("The disk is full." in text)
    assert [button.label for button in app.button if button.label == "Try again"]


@pytest.mark.usefixtures("full")
def test_other_rule_on_rare_concepts_offers_chance_beside_the_labels() -> None:
    app = open_page("pages/units.py", network="small", dataset="planted", min_images="1")
    assert not app.exception
    assert "No p-values yet" in words(app)
    assert "chance not computed" in words(app)
    assert "permutations on 24 images: ≈ 24 s" in words(app), "the cost stands beside the button"


@pytest.mark.usefixtures("full")
def test_link_to_a_photograph_further_down_shows_more_of_them() -> None:
    view = results.layer(Ask("small", "planted"), "conv2")
    assert view is not None
    image = int(view.record["top_image"][3, 15])
    app = open_page(
        "pages/units.py", network="small", dataset="planted", layer="conv2", unit="3", image=str(image)
    )
    assert not app.warning
    assert [button.label for button in app.button if button.label == "Show fewer"]


@pytest.mark.usefixtures("full")
def test_newcomer_lands_on_a_result() -> None:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["dataset"] = "planted"
    app.run()
    assert not app.exception
    assert setting(app, "network")["value"] == "small"
    assert app.query_params["network"] in ("small", ["small"]), "a link copied from the address names it"
    pictures = [str(node.proto.body) for node in app.get("html") if 'us-row"' in node.proto.body]
    assert len(pictures) == 2
    assert all("/api/thumb/" in text for text in pictures)


@pytest.mark.usefixtures("empty")
def test_newcomer_without_results_lands_on_a_trained_network() -> None:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["dataset"] = "planted"
    app.run()
    assert not app.exception
    assert results.card(setting(app, "network")["value"]).evidence == "trained"


@pytest.mark.usefixtures("full")
def test_networks_with_a_result_come_first_then_trained_ones() -> None:
    names = ["broken", "torchvision/alexnet@random", "efficientnet-lite0", "small"]
    assert precedence.ranked(names, ["lost", "planted"], 10) == [
        "small",
        "efficientnet-lite0",
        "torchvision/alexnet@random",
        "broken",
    ]


@pytest.mark.usefixtures("full")
def test_link_that_names_a_network_is_followed() -> None:
    app = open_page(PAGES[0], network="efficientnet-lite0", dataset="planted")
    assert setting(app, "network")["value"] == "efficientnet-lite0"
