"""A newcomer with a folder of photographs for each class and no wish to touch a file, up to what breaks."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from interpret_core.datasets import open_dataset
from tests.planted_dataset import make_planted
from tests.ui.conftest import class_of, server_environment
from tests.ui.networks import CLASSES

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from tests.ui.browser import serving, watch

pytestmark = [pytest.mark.thorough, pytest.mark.browser]

IMAGES = 30
WAIT = 120_000
CONFIG = """
[networks]
classy = "tests.ui.networks:classy"
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip archive with a folder for each class, beside an installation that knows no data set."""
    root = tmp_path_factory.mktemp("photographs")
    make_planted(root / "planted", images=IMAGES, size=64, annotation=32)
    pictures = open_dataset(root / "planted")
    with zipfile.ZipFile(root / "shapes.zip", "w") as packed:
        for at, record in enumerate(pictures.records):
            folder = class_of(at) if class_of(at) in CLASSES else "others"
            packed.write(root / "planted" / "images" / record.image, f"shapes/{folder}/{at:02d}.png")
    (root / "unitscope.toml").write_text(CONFIG)
    return root / "shapes.zip"


@pytest.fixture(scope="module")
def address(archive: Path) -> Iterator[str]:
    """A server over it."""
    root = archive.parent
    with serving(server_environment(root, root / "cache"), root / "log") as found:
        yield found


def menu(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click(timeout=WAIT)


def test_from_a_folder_for_each_class_to_what_breaks(browser: Browser, address: str, archive: Path) -> None:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    found = watch(page)
    page.goto(address)
    page.get_by_role("link", name="Add a data set →").click(timeout=WAIT)
    page.locator("input[type=file]").set_input_files(archive)
    page.get_by_role("button", name="Look at it").click(timeout=WAIT)
    expect(page.get_by_text(f"{IMAGES} pictures, no annotated pixels")).to_be_visible(timeout=WAIT)
    shown = page.locator(".us-sample img")
    expect(shown).to_have_count(10)
    assert shown.evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    page.get_by_role("button", name="Register as “shapes”").click(timeout=WAIT)
    page.get_by_role("link", name="Find what the units of classy detect in it").click(timeout=WAIT)

    page.get_by_role("button", name="Find what its units detect (all layers)").click(timeout=WAIT)
    page.get_by_role("button", name="Label units by whole images").click(timeout=WAIT)
    expect(page.get_by_text(re.compile("of 32 units tells? a label of whole images"))).to_be_visible(
        timeout=WAIT
    )
    expect(page.get_by_role("button", name=re.compile(r"^unit \d+, .*AUC")).first).to_be_visible(timeout=WAIT)

    menu(page, "Relevance")
    page.get_by_role("button", name="Compute the relevance").click(timeout=WAIT)
    expect(page.get_by_role("rowheader", name="conv2")).to_be_visible(timeout=WAIT)
    menu(page, "Ablation")
    expect(page.locator(".bars svg")).to_contain_text("silenced: the top 3 %", timeout=WAIT)
    assert "dataset=shapes" in page.url
    assert found == []
