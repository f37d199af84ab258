"""Figures that were saved: what they say of themselves, drawn for whoever looks and inside for programs."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from interpret_core.provenance import made_with

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Locator, Page

from tests.slow import slow, some_slow
from tests.ui.browser import watch
from ui.shell.names import file_stem

pytestmark = [pytest.mark.thorough, pytest.mark.browser]
HERE = "network=classy&dataset=classed"
WHOSE = "classy on classed · random weights"
SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {  # kind -> page, the figure, its buttons, how its title begins
    "chart": (
        f"units?{HERE}&layer=conv2&unit=3&below=responses",
        ".st-key-responses .main-svg",
        ".st-key-save_responses button",
        f"Responses of conv2 unit 3 · {WHOSE}",
    ),
    "heat": (
        f"shared?{HERE}",
        ".heat svg",
        ".heat .tools button",
        f"Overlap of the classes’ sets of units · {WHOSE}",
    ),
    "bars": (
        f"ablation?{HERE}&class=panel&percent=20",
        ".bars svg",
        ".bars .tools button",
        f"Accuracy by class · {WHOSE} · silenced: the top 20\N{NO-BREAK SPACE}% for panel",
    ),
}


@pytest.mark.parametrize("width", [1440, slow(390)])
@pytest.mark.parametrize("kind", some_slow(FIGURES, ("chart",)))
def test_a_saved_figure_says_what_it_is(browser: Browser, ready: str, kind: str, width: int) -> None:
    place, figure, buttons, title = FIGURES[kind]
    context = browser.new_context(viewport={"width": width, "height": 1000})
    page = context.new_page()
    found = watch(page)
    page.goto(f"{ready}/{place}")
    page.locator(figure).first.wait_for(timeout=60_000)
    drawing = ElementTree.parse(saved(page, page.locator(buttons, has_text="SVG"), title)).getroot()
    told = drawing.findtext(f"{SVG}title"), drawing.findtext(f"{SVG}desc")
    assert told == (title, f"{title}. {made_with()}")
    words = (text for one in drawing.iter(f"{SVG}text") for text in one.itertext())
    assert bare(title) in bare("".join(words)), "also to be seen, and all of it"
    picture = opened(saved(page, page.locator(buttons, has_text="PNG"), title))
    assert (picture.text["Title"], picture.text["Description"]) == told
    assert picture.text["Software"] == made_with()
    context.close()
    assert found == []


def saved(page: Page, buttons: Locator, title: str) -> Path:
    """The file that a button hands out, which is called after the figure."""
    buttons.first.locator("xpath=../..").hover()
    with page.expect_download() as coming:
        buttons.first.click()
    assert coming.value.suggested_filename.rpartition(".")[0] == file_stem(title)
    return Path(coming.value.path())


def opened(file: Path) -> PngImageFile:
    """A PNG whose every chunk bears the right checksum."""
    with Image.open(file) as probe:
        probe.verify()
    picture = Image.open(file)
    picture.load()
    assert isinstance(picture, PngImageFile)
    return picture


def bare(text: str) -> str:
    """Without the spaces, which are gone where a line ends."""
    return "".join(text.split())
