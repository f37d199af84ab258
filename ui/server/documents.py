"""Pages to read beside the app: documents of `docs/`, as HTML with formulas, in the reader's light or dark.

Rendered by the server, once per document: they need no script, open in a tab of their own, and a link to a
section keeps working where the app itself is not running a session.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ui.shell.addresses import base
from ui.shell.theme import ROOT, asset

DOCUMENTS = ("method", "glossary", "positions")  # `docs/<name>.md`, at `/<name>`
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
_ANCHORS = re.compile(r'(?:\s*<a id="[^"]+"></a>)+\s*')
_ID = re.compile(r'<a id="([^"]+)"></a>')
_DOCUMENT = re.compile(r"([a-z_]+)\.md(#.*)?")


class Written(NamedTuple):
    """A document as HTML, what its browser may keep it under, and the anchors that links can name."""

    html: str
    tag: str
    anchors: frozenset[str]


def routes() -> list[Route]:
    """One route per document, under `server.baseUrlPath`."""
    return [Route(f"{base()}/{name}", _answer) for name in DOCUMENTS]


def _answer(request: Request) -> Response:
    found = document(request.url.path.rpartition("/")[2])
    headers = {"ETag": f'"{found.tag}"', "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(found.html, headers=headers)


@lru_cache(maxsize=len(DOCUMENTS))
def document(name: str) -> Written:
    """A document, read and rendered once.

    Args:
        name: one of DOCUMENTS.
    """
    parser = _parser()
    tokens = list(_anchored(parser.parse((ROOT.parent / "docs" / f"{name}.md").read_text(encoding="utf-8"))))
    title = next((one.content for one in tokens if one.type == "inline"), name)
    first = next((at for at, one in enumerate(tokens) if one.type == "heading_open" and one.tag == "h2"), 0)
    before, after = (
        parser.renderer.render(some, parser.options, {}) for some in (tokens[:first], tokens[first:])
    )
    content = f"{before}{_contents(tokens)}\n{after}"
    page = _PAGE.format(title=escape(title), style=asset("server/documents.css"), content=content)
    digest = hashlib.sha256(page.encode()).hexdigest()[:20]
    return Written(page, digest, frozenset(re.findall(r'\bid="([^"]+)"', page)))


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Unitscope</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<header><a href="./">Unitscope</a>
<a href="method">How it is computed</a> <a href="glossary">Glossary</a></header>
<main>
{content}
</main>
</body>
</html>
"""


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")  # the documents are the program's own
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.add_render_rule("formula", _drawn)
    parser.add_render_rule("table_open", lambda *_: '<div class="wide" tabindex="0"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser


def _formula(state: StateInline, silent: bool) -> bool:
    """`$…$` within a line, `$$…$$` on one of its own."""
    found = _FORMULA.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.block = found[1] or found[2], found[1] is not None
    state.pos = found.end()
    return True


def _drawn(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _environment: EnvType
) -> str:
    """A formula as MathML, which browsers draw and read aloud by themselves."""
    from latex2mathml.converter import convert  # tables of a megabyte that no other page needs

    drawn = convert(tokens[at].content, display="block" if tokens[at].block else "inline")
    return f'<span class="formula" tabindex="0">{drawn}</span>' if tokens[at].block else drawn


def _anchored(tokens: Sequence[Token]) -> Iterator[Token]:
    """Every heading with an anchor and a link to itself; links to documents as this server has them."""
    waiting: list[str] = []
    skipped = 0
    for at, token in enumerate(tokens):
        if skipped:
            skipped -= 1
            continue
        if token.type == "paragraph_open" and _ANCHORS.fullmatch(tokens[at + 1].content):
            waiting, skipped = _ID.findall(tokens[at + 1].content), 2
            continue
        if token.type == "inline":
            token.children = list(_leading(token.children or []))
        if token.type == "heading_open":
            waiting = waiting or [_slug(tokens[at + 1].content)]
            token.attrSet("id", waiting[0])
            _mark(tokens[at + 1], waiting)
            waiting = []
        yield token


def _mark(heading: Token, names: Sequence[str]) -> None:
    further = "".join(f'<a id="{escape(name)}"></a>' for name in names[1:])
    mark = f' <a class="mark" href="#{escape(names[0])}" aria-label="Link to this section">#</a>'
    children = heading.children or []
    heading.children = [*_html(further), *children, *_html(mark)]


def _html(text: str) -> list[Token]:
    return [Token("html_inline", "", 0, content=text)] if text else []


def _leading(tokens: Sequence[Token]) -> Iterator[Token]:
    """`method.md#iou` is `method#iou` here; a document that is not served keeps its name and no link."""
    inside = True
    for token in tokens:
        if token.type == "link_open":
            found = _DOCUMENT.fullmatch(str(token.attrGet("href")))
            inside = found is None or found[1] in DOCUMENTS
            if found is not None and inside:
                token.attrSet("href", f"{found[1]}{found[2] or ''}")
        if inside or token.type not in ("link_open", "link_close"):
            yield token
        if token.type == "link_close":
            inside = True


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "section"


def _contents(tokens: Sequence[Token]) -> str:
    """Links to all sections."""
    pairs = pairwise(tokens)
    named = [(one.attrGet("id"), text.content) for one, text in pairs if one.tag == "h2" and one.nesting == 1]
    listed = "".join(f'<li><a href="#{escape(str(name))}">{escape(text)}</a></li>' for name, text in named)
    return f'<nav aria-label="Sections"><ul>{listed}</ul></nav>' if listed else ""
