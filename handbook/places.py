"""Which file of the repository is which page of the site, and the links between them in either place.

The documents are also read where the repository is hosted, so their links name files. Here they become links
between pages.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = "docs/"
# Pages that are made of files outside docs/.
OUTSIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "LICENSE": "license.md",
    "demo/README.md": "demo_made.md",
}
TOUR = "tour.md"
MINUTE = "The first minute"  # the section of the README that is the tour
API = "api.md"  # made of what the package names public
# Sections that have a page of their own there.
_SECTIONS = {("README.md", "the-first-minute"): TOUR, ("docs/reference.md", "in-python"): API}
_PLACES = {**OUTSIDE, "README.md": "index.md", "interpret_core/__init__.py": API}

# Blocks and pieces of code, in which brackets are no links.
_LIST = re.compile(r"(?m)^(?![\s|#<-]|\d+\. )(.*\S.*)\n(?=- |\d+\. )")
_BLOCK_THEN_LIST = re.compile(r"(^```.*?^```)\n(?=- |\d+\. )", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(^ *```.*?^ *```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(\]\()([^()\s]+)(\))")
_ATTRIBUTE = re.compile(r'(\b(?:src|srcset|href)=")([^"]+)(")')


def page_of(file: str) -> str:
    """The page, or the file beside the pages, that a file of the repository is.

    Args:
        file: its path in the repository.

    Returns:
        A path below docs/; unchanged for what the site does not have, which MkDocs then reports.
    """
    if file in _PLACES:
        return _PLACES[file]
    found = file.removeprefix(DOCS)
    return found.removesuffix(".ipynb") + ".md" if found.endswith(".ipynb") else found


def relinked(text: str, file: str, page: str) -> str:
    """Markdown with its links as the site has them.

    Args:
        text: of the file, or of a part of it.
        file: where it stands in the repository.
        page: of the site, on which it comes to stand.
    """

    def moved(found: re.Match[str]) -> str:
        return found[1] + _moved(found[2], file, page) + found[3]

    def plain(part: str) -> str:
        return _ATTRIBUTE.sub(moved, _LINK.sub(moved, part))

    return outside_code(text, plain)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """A text, changed where it is no code."""
    return "".join(part if at % 2 else change(part) for at, part in enumerate(_CODE.split(text)))


def spaced(text: str) -> str:
    """Markdown with an empty line before each list, which the repository's host does not need."""
    apart = outside_code(text, lambda part: _LIST.sub(r"\1\n\n", part))
    return _BLOCK_THEN_LIST.sub(r"\1\n\n", apart)


def _moved(link: str, file: str, page: str) -> str:
    if re.match(r"[a-z]+:|#|/", link):
        return link
    path, mark, anchor = link.partition("#")
    named = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
    target = page_of(named)
    if (named, anchor) in _SECTIONS:
        target, mark, anchor = _SECTIONS[named, anchor], "", ""
    return posixpath.relpath(target, posixpath.dirname(page) or ".") + mark + anchor


def section(text: str, heading: str) -> str:
    """A section of a document, its heading included; before the first one for an empty heading.

    Raises:
        ValueError: there is none.
    """
    parts = re.split(r"(?m)^(?=## )", text)
    for part in parts:
        if part.startswith(f"## {heading}\n") if heading else part is parts[0]:
            return part.rstrip() + "\n"
    raise ValueError(f"No section {heading!r}.")


def slug(text: str, separator: str = "-") -> str:
    """A heading's anchor, as the repository's host makes it."""
    return re.sub(r"[^\w\- ]", "", text.casefold().strip()).replace(" ", separator)
