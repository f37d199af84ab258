"""Method and glossary are pages to read; whatever says “method” leads to its section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.applications import Starlette
from streamlit import config

from tests.ui.asgi import get
from ui.server import documents
from ui.server.documents import DOCUMENTS, document
from ui.shell.how import HOW, TITLE, explained

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([a-z]+)(?:\.md)?#([^)]+)\)")
MENTION = re.compile(r"[Mm]ethod(?:\s§|, “)")
VOID = ("meta", "link", "br", "hr", "img")


@pytest.fixture(params=["", "scope"])
def base(request: pytest.FixtureRequest) -> Iterator[str]:
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", request.param)
    yield f"/{request.param}".rstrip("/")
    config.set_option("server.baseUrlPath", before)


class Tree(HTMLParser):
    """Fails where an element is closed that is not open; collects anchors and links."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.anchors: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open += [] if tag in VOID else [tag]
        named = dict(attrs)
        self.anchors += [named["id"] or ""] if "id" in named else []
        self.links += [named["href"] or ""] if tag == "a" and "href" in named else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> Tree:
    tree = Tree()
    tree.feed(html)
    assert tree.open == []
    return tree


def unlinked(text: str) -> list[str]:
    """Mentions of the method outside a link."""
    return MENTION.findall(LINK.sub("", text))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_a_page(base: str, name: str) -> None:
    app = Starlette(routes=documents.routes())
    answer = get(app, f"{base}/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    kept = (("host", "127.0.0.1"), ("if-none-match", answer.headers["etag"]))
    assert get(app, f"{base}/{name}", kept).status == 304
    assert get(app, f"{base}/{name}x").status == 404


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_heading_has_an_anchor_and_every_link_a_place(name: str) -> None:
    tree = parsed(document(name).html)
    assert len(tree.anchors) == len(set(tree.anchors))
    assert set(tree.anchors) == document(name).anchors
    assert not re.search(r"<h[1-6]>", document(name).html)
    inside = {f"#{anchor}" for anchor in tree.anchors}
    beside = {f"{other}#{anchor}" for other in DOCUMENTS for anchor in document(other).anchors}
    assert set(tree.links) <= inside | beside | set(DOCUMENTS) | {"./"}


def test_the_method_keeps_every_anchor_and_draws_every_formula() -> None:
    source = (ROOT / "docs/method.md").read_text()
    page = document("method").html
    assert set(re.findall(r'<a id="([^"]+)">', source)) <= document("method").anchors
    assert page.count("<math") == len(re.findall(r"\$\$.+?\$\$|\$.+?\$", source, re.DOTALL)) > 100
    shown = re.sub(r"<(style|code|math)[ >].*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"\$|\\[a-zA-Z]|\*\*", shown)
    assert not re.search(r"\\[a-zA-Z]", re.sub(r"<(style|code)[ >].*?</\1>", "", page, flags=re.DOTALL))


def test_a_mention_without_a_link_is_told() -> None:
    assert unlinked("Our addition. Method §4.")
    assert unlinked("Method, “Chance”.")
    assert unlinked("Our addition; method §§8–9.")
    assert not unlinked("[Method, “Chance”](method#chance)")
    assert not unlinked("The method is layer-ig.")


@pytest.mark.parametrize("name", HOW)
def test_every_explanation_leads_to_its_section(name: str) -> None:
    assert unlinked(HOW[name]) == []
    targets = LINK.findall(HOW[name])
    assert targets
    for page, anchor in targets:
        assert anchor in document(page).anchors


def test_nothing_else_in_the_app_speaks_of_the_method_without_a_link() -> None:
    files = [path for kind in ("py", "js", "html") for path in (ROOT / "ui").rglob(f"*.{kind}")]
    files += list((ROOT / "pages").glob("*.py"))
    assert not {str(path): unlinked(path.read_text()) for path in files if unlinked(path.read_text())}


def test_links_of_a_popover_are_addresses_of_this_server(base: str) -> None:
    assert f"]({base}/method#chance)" in explained("chance")
    assert "](method#" not in "".join(map(explained, HOW))


def test_whoever_cites_the_paper_names_it() -> None:
    assert TITLE in explained("agreement")
    assert explained("shared", "agreement").count(TITLE) == 1
    assert TITLE not in explained("added")


def test_the_glossary_leads_every_word_to_its_section() -> None:
    text = (ROOT / "docs/glossary.md").read_text()
    words = text.split("\n## ")[1:]
    for word in words:
        targets = LINK.findall(word)
        assert targets, word
        for page, anchor in targets:
            assert anchor in document(page).anchors, word
    named = {word.partition("\n")[0].casefold() for word in words}
    wanted = "unit detector iou ceiling threshold q chance relevance ablation shade lift tied dead cut-off"
    assert {*wanted.split(), "base rate", "average precision"} <= named
