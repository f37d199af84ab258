"""The site as `make docs` builds it: without a warning, and without a thing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.utils.yaml import yaml_load

import interpret_core
from handbook.places import API, DOCS, OUTSIDE, ROOT, TOUR, page_of

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "srcset", "video": "src"}
NO_FETCH = ("canonical", "prev", "next")  # kinds of <link> that load nothing


class Seen(HTMLParser):
    """What a page loads, where it leads, which anchors it has, and scripts that stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found["id"]} if "id" in found else set()
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if FETCHED.get(tag, "") in found and found.get("rel") not in NO_FETCH:
            self.loads.append(found[FETCHED[tag]])
        self.inline += tag == "script" and "src" not in found and found.get("type") != "application/json"
        self.inline += any(name.startswith("on") for name in found)


@cache
def seen(page: Path) -> Seen:
    parser = Seen()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def titles(nav: Any) -> Iterator[str]:
    """Files that the navigation names."""
    if isinstance(nav, str):
        yield nav
    for one in (nav.values() if isinstance(nav, dict) else nav) if not isinstance(nav, str) else ():
        yield from titles(one)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, without running notebooks; a warning ends it."""
    place = tmp_path_factory.mktemp("site")
    more = {"strict": True, "extra": {"generator": False, "run_notebooks": False}}
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(place), **more)
    config.plugins.on_startup(command="build", dirty=False)
    try:
        build(config)
    finally:
        config.plugins.on_shutdown()
    return place


def test_every_document_is_in_the_navigation() -> None:
    with (ROOT / "mkdocs.yml").open(encoding="utf-8") as file:
        named = list(titles(yaml_load(file)["nav"]))
    assert len(named) == len(set(named))
    there = {path.name for kind in ("md", "ipynb") for path in (ROOT / DOCS).glob(f"*.{kind}")}
    assert set(named) == there | set(OUTSIDE.values()) | {TOUR, API}


def test_every_page_is_built_and_has_a_title(site: Path) -> None:
    with (ROOT / "mkdocs.yml").open(encoding="utf-8") as file:
        named = [page_of(f"{DOCS}{one}") for one in titles(yaml_load(file)["nav"])]
    assert {path.name for path in site.glob("*.html")} == {f"{Path(one).stem}.html" for one in named}
    for path in site.glob("*.html"):
        (title,) = re.findall(r"<title>([^<]+)</title>", path.read_text(encoding="utf-8"))
        assert title.strip(" -"), path.name


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    for path in site.glob("*.html"):
        found = seen(path)
        outside = [one for one in found.loads if urlsplit(one).scheme not in ("", "data")]
        assert not outside, path.name
        assert found.inline == 0, f"{path.name}: a content-security policy would have to name it"
        own = [unquote(urlsplit(one).path) for one in found.loads if not urlsplit(one).scheme]
        assert not [one for one in own if not (site / one).is_file()], path.name
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert len(styles) >= 3
    for text in styles:
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text)


def test_links_and_anchors_lead_somewhere(site: Path) -> None:
    """Also those in HTML that MkDocs does not follow."""
    pages = {path.name: seen(path) for path in site.glob("*.html")}
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or parts.path.startswith("../"):
                continue  # elsewhere, or a page of the dashboard
            target = unquote(parts.path) or name
            assert (site / target).exists(), f"{name}: {link}"
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].anchors, f"{name}: {link}"


def test_the_dashboard_is_beside_the_site(site: Path) -> None:
    tour = seen(site / "tour.html")
    assert any(link.startswith("../units?network=demo/alexnet") for link in tour.links)
    assert not any("127.0.0.1" in link for path in site.glob("*.html") for link in seen(path).links)


def test_every_public_name_and_its_example_is_shown(site: Path) -> None:
    page = seen(site / "api.html")
    text = (site / "api.html").read_text(encoding="utf-8")
    plain = re.sub(r"<[^>]+>", "", text)
    for name in interpret_core.__all__:
        found = getattr(interpret_core, name)
        if callable(found):
            assert f"{found.__module__}.{found.__qualname__}" in page.anchors
            assert re.search(rf"ic\.{name}\b", plain)
    assert re.search(r"\bprofile\(\s*network: Network \| str", plain), "its signature"
    assert "Leave out concepts in fewer images" in plain, "options of a request"
    assert "Args:" not in plain, "a docstring that was not taken apart"
    assert plain.count("&gt;&gt;&gt; import interpret_core as ic") >= len(interpret_core.__all__) - 1


def test_formulas_code_and_pictures_are_there(site: Path) -> None:
    method = (site / "method.html").read_text(encoding="utf-8")
    assert method.count("<math") > 100
    assert not re.search(r"\$[^$<]{0,80}\\[a-z]+[^$<]{0,80}\$", method), "a formula that was not drawn"
    code = re.sub(r"<[^>]+>", "", (site / "new_analysis.html").read_text(encoding="utf-8"))
    assert "class DeadUnitsRequest(Request):" in code
    assert (site / "examples/dead_units/dead_units.py").is_file()
    shown = {Path(urlsplit(one).path).name for one in seen(site / "tour.html").loads}
    assert {"concepts-light.webp", "concepts-dark.webp", "ablation-light.webp"} <= shown


def test_the_search_finds_every_page(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    found = {one["location"].partition("#")[0] for one in index["docs"]}
    assert {path.name for path in site.glob("*.html")} <= found
