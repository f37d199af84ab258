"""A cache that cannot be written, and one deleted under the running server, in a real browser."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from tests.store.mounts import read_only
from tests.ui.conftest import server_environment

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.ui.browser import await_masks, serving

pytestmark = pytest.mark.browser
SELECTION = "network=small&dataset=planted"


@pytest.mark.slow
def test_units_of_a_read_only_cache(page: Page, installation: Path, profiled: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(profiled, cache)
    environment = server_environment(installation, cache)
    with serving(environment, tmp_path / "log", prefix=read_only(cache)) as address:
        page.goto(f"{address}/units?{SELECTION}&layer=conv2&unit=3")
        await_masks(page, 3)
        page.goto(f"{address}/units?{SELECTION}&layer=conv2&unit=3&min_images=2")
        page.get_by_role("button", name="Compute it").click()
        expect(page.get_by_text("cannot be written by this user (Read-only file system)")).to_be_visible()
        await_masks(page, 3)
    assert "Traceback" not in (tmp_path / "log").read_text()


def delete(folder: Path) -> None:
    """What the server writes meanwhile goes too."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{folder} is written again and again")


@pytest.mark.slow
def test_a_cache_deleted_under_the_server_is_made_anew(
    page: Page, installation: Path, profiled: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(profiled, cache)
    with serving(server_environment(installation, cache), tmp_path / "log") as address:
        page.goto(f"{address}/units?{SELECTION}&layer=conv2&unit=3")
        await_masks(page, 3)
        page.goto("about:blank")  # or pictures of the grid that are on their way would be missing
        delete(cache)
        page.go_back()
        page.get_by_role("button", name="Find what its units detect (all layers)").click()
        page.get_by_role("button", name=re.compile(r"^unit \d+, .*IoU")).first.wait_for(timeout=120_000)
        page.reload()
        await_masks(page, 3)
        page.goto("about:blank")  # pictures on their way would be missing once the server has ended
    assert (cache / "results" / "cache.db").exists()
    assert "Traceback" not in (tmp_path / "log").read_text()
