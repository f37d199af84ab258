"""The pieces of what takes the README's pictures; the pictures themselves take minutes."""

from __future__ import annotations

import io
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("playwright")
from playwright.sync_api import sync_playwright

from demo import screenshots
from demo.screenshots import PICTURES, SCHEMES, VIEWS, encoded, environment, main, picture
from interpret_core.errors import UserError
from tests.ui.browser import chromium, launch
from ui.shell import site

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_every_view_is_of_a_page_and_says_what_it_is_of():
    assert {view.page for view in VIEWS} <= {page.script for page in site.PAGES}
    for view in VIEWS:
        parts = urlsplit(view.address("http://127.0.0.1:8501"))
        assert parts.path == f"/{view.page}"
        told = {name: value for name, (value,) in parse_qs(parts.query).items()}
        assert told == {"network": "demo/alexnet", "dataset": "demo", **view.parameters}


def test_the_pictures_that_are_there_are_those_that_are_taken():
    assert {path.name for path in PICTURES.iterdir()} == {
        view.file(scheme) for view in VIEWS for scheme in SCHEMES
    }


def test_the_readme_leads_to_what_its_pictures_show():
    shown = [view for view in VIEWS if view.file("light") in README]
    assert len(shown) == 3
    for view in shown:
        assert view.address("http://127.0.0.1:8501") in README


def test_the_server_sees_the_demo_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_DATASETS", "/somewhere")
    monkeypatch.setenv("STREAMLIT_THEME_BASE", "dark")
    monkeypatch.setenv("KEPT", "1")
    found = environment(tmp_path, None)
    ours = {name: value for name, value in found.items() if name.startswith(("INTERPRET", "STREAMLIT"))}
    assert found["KEPT"] == "1"
    assert ours == {
        "INTERPRET_CACHE": str(tmp_path / "cache"),
        "INTERPRET_CONFIG": str(tmp_path / "unitscope.toml"),
        "INTERPRET_OFFLINE": "1",
        "INTERPRET_UPLOADS": "0",
    }
    assert (tmp_path / "unitscope.toml").read_text() == ""
    assert environment(tmp_path, tmp_path / "kept")["INTERPRET_CACHE"] == str(tmp_path / "kept")


def test_equal_pictures_are_equal_files_and_small():
    shades = np.linspace(0, 255, 1440)[None, :, None].repeat(900, 0).repeat(3, 2)
    out = io.BytesIO()
    Image.fromarray(shades.astype(np.uint8)).save(out, "PNG")
    found = encoded(out.getvalue())
    assert found == encoded(out.getvalue())
    with Image.open(io.BytesIO(found)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (1440, 900))
        assert np.abs(np.asarray(shown.convert("RGB")) - shades).mean() < 3


def test_without_a_browser_one_line_says_so_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(screenshots, "chromium", lambda: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    monkeypatch.setattr(screenshots, "serving", lambda *_: pytest.fail("no server is needed for that"))
    with pytest.raises(SystemExit) as stopped:
        main(["--out", str(tmp_path / "out")])
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert "need Chromium" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


PAGE = """<!doctype html><body style="margin:0;height:3000px"><h1>Units</h1>{more}
<script>setTimeout(() => document.body.insertAdjacentHTML('beforeend',
'<h2 style="margin:900px 0 0">Far down</h2><i class="drawn">x</i>'), 700)</script>"""


@pytest.mark.thorough
@pytest.mark.browser
@pytest.mark.skipif(chromium() is None, reason="needs Chromium")
def test_a_picture_waits_for_what_it_proves_and_scrolls(tmp_path, monkeypatch):
    monkeypatch.setattr(screenshots, "PATIENCE", 8_000)
    view = screenshots.View("x", "x.html", {}, (".drawn",), "Far down")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(8_000)
        (tmp_path / "x.html").write_text(PAGE.format(more=""))
        with Image.open(io.BytesIO(picture(page, tmp_path.as_uri(), view))) as shown:
            assert shown.size == (1440, 900)
        assert page.evaluate("scrollY") > 800

        (tmp_path / "x.html").write_text(PAGE.format(more="<p data-testid=stException>broken</p>"))
        with pytest.raises(UserError, match="says: broken"):
            picture(page, tmp_path.as_uri(), view)

        page.set_default_timeout(2_000)
        (tmp_path / "x.html").write_text(PAGE.format(more=""))
        with pytest.raises(UserError, match=r"does not show \.never"):
            picture(page, tmp_path.as_uri(), view._replace(proofs=(".never",)))
        browser.close()
