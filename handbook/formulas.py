"""Formulas as MathML, made while the site is built: browsers draw it without a script."""

from __future__ import annotations

from re import Match
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

BETWEEN_CODE_AND_ESCAPES = 185  # priorities of Python-Markdown: pieces of code 190, escapes 180


class Formulas(Extension):  # type: ignore[misc]  # Python-Markdown has no types
    """`$…$` within a line, `$$…$$` on one of its own, as `ui.server.documents` has them."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  (Python-Markdown's name)
        """Register the pattern."""
        md.inlinePatterns.register(_Formula(md), "formula", BETWEEN_CODE_AND_ESCAPES)


class _Formula(InlineProcessor):  # type: ignore[misc]
    def __init__(self, md: Markdown) -> None:
        super().__init__(r"(?s)\$\$(.+?)\$\$|\$(.+?)\$", md)

    def handleMatch(  # noqa: N802
        self, m: Match[str], data: str
    ) -> tuple[Element | str, int, int]:
        drawn = convert(m[1] or m[2], display="block" if m[1] else "inline")
        if m[1]:
            drawn = f'<span class="formula" tabindex="0">{drawn}</span>'
        return self.md.htmlStash.store(drawn), m.start(0), m.end(0)
