"""Weaker activations and the silent row on the page, against what was planted.

`colours` has a unit that answers R − G − B. The red square (1) is in the images whose index plus one is no
multiple of three, the strip's darker red (192/255) nearly everywhere: pixels of the square tie above every
other value, so the threshold is the strip's and the unit fires exactly where the square is. Blue discs are in
the images whose index is no multiple of three: a third of the images has both, a third a disc alone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.planted_dataset import LABELS, make_planted
from tests.slow import slow
from tests.ui.conftest import _environment, server_environment
from tests.ui.test_pages import open_page, words
from tests.ui.test_routes import ask
from ui.session import results

IMAGES = 24
SQUARE = [i for i in range(IMAGES) if (i + 1) % 3]
ALONE = [i for i in range(IMAGES) if i % 3 == 2]  # a disc and no square
UNIT = {"network": "colours", "dataset": "planted", "layer": "conv1", "unit": "0"}
CONFIG = """
[datasets]
planted = "planted"
[networks]
colours = "tests.analyses.networks:colours"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with the profile of `colours`; its cache lies in `cache`."""
    root = tmp_path_factory.mktemp("colours")
    make_planted(root / "planted", images=IMAGES, size=112, annotation=56)
    (root / "unitscope.toml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch, Store(_environment(patch, root, root / "cache")) as store:
        run_profile(ProfileRequest("colours", "planted"), store, Execution(device="cpu"))
    return root


@pytest.fixture
def shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of that installation."""
    _environment(monkeypatch, home, home / "cache")
    return home


def discs(home: Path) -> list[int]:
    """Images with a disc and no square, the largest disc first: counted on the planted scenes."""
    planted = make_planted(home / "again", images=IMAGES, size=112, annotation=56)
    number = next(number for number, name, _ in LABELS if name == "blue disc")
    area = {i: int((planted.scenes[i]["object"][0] == number).sum()) for i in ALONE}
    assert all(area.values())
    return sorted(ALONE, key=lambda i: (-area[i], i))


def ranking(home: Path) -> list[int]:
    """Images by the largest R − G − B of their pixels, ties to the earlier one."""
    pictures = [np.asarray(Image.open(home / f"planted/images/planted/{i:05d}.png")) for i in range(IMAGES)]
    largest = [int((picture.astype(int) @ [1, -1, -1]).max()) for picture in pictures]
    return sorted(range(IMAGES), key=lambda i: (-largest[i], i))


def galleries(app: AppTest) -> list[dict[str, Any]]:
    """What the page's galleries are given, the upper one first."""
    found = [node.proto for node in app.get("bidi_component")]
    return [json.loads(proto.bytes) for proto in found if proto.component_name == "unitscope_gallery"]


def shown_images(gallery: dict[str, Any]) -> list[int]:
    return [photo["image"] for photo in gallery["images"]]


def open_unit(**parameters: str) -> AppTest:
    app = open_page("pages/units.py", **(UNIT | parameters))
    assert not app.exception
    return app


@pytest.mark.thorough
def test_silent_row_is_what_was_planted(shown: Path) -> None:
    app = open_unit(annotate="blue disc")
    text = words(app)
    assert "Contains “blue disc” while unit 0 is silent" in text
    assert "The unit fires in **8 of the 16** images that contain “blue disc”; silent in 8." in text
    assert "Of all 24 images it fires in 16." in text
    assert "The unit is tied" in text
    upper, silent = galleries(app)
    assert shown_images(upper) == SQUARE[:12], "all their largest responses are 1: the earlier image first"
    assert shown_images(silent) == discs(shown)[:6]
    assert (silent["mode"], silent["switch"], upper["switch"]) == ("annotation", False, True)
    assert not any(photo["mask"] for photo in silent["images"])
    assert all(photo["annotation"] for photo in silent["images"])


@pytest.mark.usefixtures("shown")
def test_concept_of_the_square_is_never_silent() -> None:
    app = open_unit(annotate="red square")
    assert "The unit fires in **all 16** images that contain “red square”: silent in none." in words(app)
    assert len(galleries(app)) == 1


@pytest.mark.usefixtures("shown")
def test_no_concept_no_silent_row() -> None:
    app = open_unit(annotate="nothing")
    assert "is silent**" not in words(app)
    assert len(galleries(app)) == 1


@pytest.mark.usefixtures("shown")
def test_plain_photographs_are_plain_in_the_silent_row_too() -> None:
    assert [each["mode"] for each in galleries(open_unit(annotate="blue disc", show="photo"))] == [
        "photo"
    ] * 2
    agreement = galleries(open_unit(annotate="blue disc", show="agreement"))
    assert [each["mode"] for each in agreement] == ["agreement", "annotation"]


@pytest.mark.parametrize(
    ("band", "ranks", "silent"),
    [
        # Tenth b: from rank ⌊2.4·b⌋ up to ⌊2.4·(b + 1)⌋ of the 16 with the square, then the 8 without.
        slow("0", range(2), "none"),
        slow("5", range(12, 14), "none"),
        ("6", range(14, 16), "none"),
        ("7", range(16, 19), "all"),
        slow("9", range(21, 24), "all"),
    ],
)
def test_tenths_are_what_was_planted(shown: Path, band: str, ranks: range, silent: str) -> None:
    app = open_unit(band=band)
    upper = galleries(app)[0]
    images = [ranking(shown)[rank] for rank in ranks]
    assert set(images) <= set(SQUARE if silent == "none" else ALONE)
    assert shown_images(upper) == images
    assert [bool(photo["mask"]) for photo in upper["images"]] == [silent == "none"] * len(images)
    begin = f"Ranks {ranks[0] + 1} to {ranks[-1] + 1} of 24 images by largest response, "
    words_of = {
        "none": f"silent in none of the {len(images)} shown",
        "all": f"silent in all {len(images)} shown",
    }
    said = next(str(line.value) for line in app.caption if str(line.value).startswith(begin))
    assert words_of[silent] in said
    assert "Threshold T = 0.7529" in said, "the strip's red, 192/255"
    assert not [button for button in app.button if button.key in ("more", "fewer")]


@pytest.mark.usefixtures("shown")
def test_slider_writes_the_tenth_and_lets_go_of_the_photograph() -> None:
    app = open_unit(image="0")
    assert app.select_slider(key="pick_band").value == -1
    app.select_slider(key="pick_band").set_value(7).run()
    assert not app.exception
    assert not app.warning
    assert app.query_params["band"] in ("7", ["7"])
    assert "image" not in app.query_params
    assert shown_images(galleries(app)[0]) == ALONE[:3]
    app.select_slider(key="pick_band").set_value(-1).run()
    assert "band" not in app.query_params


@pytest.mark.usefixtures("shown")
def test_enlarged_photograph_opens_where_the_link_says() -> None:
    alone = str(ALONE[0])
    opened = [each["open"] for each in galleries(open_unit(annotate="blue disc", image="1"))]
    assert opened == [1, None]
    in_band = open_unit(annotate="blue disc", band="7", image=alone)
    assert [each["open"] for each in galleries(in_band)] == [ALONE[0], None]
    both = open_unit(annotate="blue disc", band="7", image=f"silent-{alone}")
    known = ALONE[0] in shown_images(galleries(both)[1])
    assert [each["open"] for each in galleries(both)] == [None, ALONE[0] if known else None]
    assert bool(both.warning) != known


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        slow({"band": "10"}, "numbered 0 (top 10 %) to 9"),
        slow({"band": "-1"}, "numbered 0 (top 10 %) to 9"),
        ({"band": "<script>"}, "numbered 0 (top 10 %) to 9"),
        slow({"band": "٣"}, "numbered 0 (top 10 %) to 9"),
        ({"band": "7", "image": "0"}, "not among unit 0’s photographs from this tenth"),
        ({"image": "silent-0", "annotate": "blue disc"}, "not among unit 0’s photographs without a response"),
        slow(
            {"image": "silent-2", "annotate": "nothing"}, "not among unit 0’s photographs without a response"
        ),
        ({"image": "silent-../x", "annotate": "blue disc"}, "not among unit 0’s photographs"),
    ],
)
def test_tampered_links_get_a_friendly_line(parameters: dict[str, str], expected: str) -> None:
    app = open_unit(**parameters)
    assert not app.error
    said = "\n".join(str(warning.value) for warning in app.warning)
    assert expected in said
    assert "<script>" not in said
    assert "image" not in app.query_params


@pytest.mark.usefixtures("shown")
def test_lost_survey_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_present", lambda survey, concept: None)
    app = open_unit(annotate="blue disc")
    assert "Which images contain it is not known" in words(app)
    assert len(galleries(app)) == 1


@pytest.mark.usefixtures("shown")
def test_unit_json_counts_what_was_planted() -> None:
    query = {name: UNIT[name] for name in ("network", "dataset", "layer", "unit")}
    told = json.loads(bytes(ask("download", query, kind="unit.json").body))
    counts = {row["concept"]: (row["fires"], row["images"]) for row in told["firing"]}
    assert counts["red square"] == (16, 16)
    assert told["fires_in_images"] == 16
    assert [[photo["image"] for photo in tenth] for tenth in told["bands"]["tenths"]][7] == ALONE[:3]
    assert told["bands"]["tenths"][7][0]["name"] == "planted/00002.png"


@pytest.mark.slow
@pytest.mark.browser
def test_slider_reload_and_silent_row_in_a_browser(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("playwright")
    from playwright.sync_api import expect, sync_playwright

    from tests.ui.browser import await_masks, launch, serving, watch

    address = f"units?{urlencode(UNIT | {'annotate': 'blue disc'})}"
    environment = server_environment(home, home / "cache")
    with serving(environment, tmp_path / "log") as base, sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=20_000)
        found = watch(page)
        page.goto(f"{base}/{address}")
        await_masks(page, 0, 60_000)
        upper, silent = page.locator(".gallery").nth(0), page.locator(".gallery").nth(1)
        of_silent = "nodes => nodes.map(node => +node.dataset.image)"
        expect(silent.locator(".photo")).to_have_count(6)
        assert silent.locator(".photo").evaluate_all(of_silent) == discs(home)[:6]
        expect(silent.locator(".truth.line[d]:not([d=''])")).to_have_count(6)
        expect(silent.locator(".mask.line[d]:not([d=''])")).to_have_count(0)
        expect(silent.locator(".modes")).to_be_hidden()

        thumb = page.get_by_role("slider", name="Photographs, from the strongest")
        thumb.focus()
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile("band=7"))
        expect(upper.locator(".photo")).to_have_count(3)
        page.reload()
        expect(silent.locator(".photo")).to_have_count(6)  # one of them alone would be the upper one
        expect(upper.locator(".photo")).to_have_count(3)
        assert upper.locator(".photo").evaluate_all(of_silent) == ALONE[:3]
        expect(upper.locator(".caption").first).to_contain_text("silent")
        expect(upper.locator(".mask.line[d]:not([d=''])")).to_have_count(0)

        silent.locator(".photo").nth(1).click()
        expect(page).to_have_url(re.compile(f"image=silent-{discs(home)[1]}"))
        page.reload()
        expect(page.locator("dialog[open]")).to_have_count(1)
        expect(page.locator("dialog[open] .about")).to_contain_text("2 of 6 · silent · “blue disc” covers")
        page.keyboard.press("Escape")
        expect(page).not_to_have_url(re.compile("image="))
        upper.locator(".photo").nth(2).click()
        expect(page).to_have_url(re.compile(f"image={ALONE[2]}"))
        expect(page.locator("dialog[open] .about")).to_contain_text(
            "3 of 3 · largest response 0.7529 · silent"
        )
        browser.close()
        assert found == []
