"""What a page takes from another file, so that nothing is written twice.

    <!-- include ../README.md -->                      until its first section
    <!-- include ../README.md#The first minute -->     a section
    <!-- include examples/dead_units/dead_units.py --> a file of code, as a block

The repository's host shows nothing in their place; a link to the file stands beside each.
"""

from __future__ import annotations

import posixpath
import re

from handbook.places import DOCS, ROOT, relinked, section, spaced

_INCLUDE = re.compile(r"^<!-- include ([^\s#]+)(?:#([^>]+))? -->$", re.MULTILINE)
_PICTURE = re.compile(r"<picture>.*?</picture>", re.DOTALL)
_LANGUAGES = {".py": "python", ".toml": "toml", ".csv": "text"}


def included(text: str, page: str) -> str:
    """Markdown with what it includes.

    Args:
        text: of a page.
        page: its path below docs/.

    Raises:
        OSError, ValueError: a file or section that is not there.
    """

    def found(one: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(DOCS, posixpath.dirname(page), one[1]))
        content = (ROOT / file).read_text(encoding="utf-8")
        language = _LANGUAGES.get(posixpath.splitext(file)[1])
        if language:
            return f'```{language} title="{posixpath.basename(file)}"\n{content.rstrip()}\n```'
        return pictured(spaced(relinked(section(content, (one[2] or "").strip()), file, page)))

    return _INCLUDE.sub(found, text)


def pictured(text: str) -> str:
    """Pictures that follow the system's colours, as two that follow the page's."""

    def both(found: re.Match[str]) -> str:
        values = dict(re.findall(r'(\w+)="([^"]*)"', found[0].partition("<img")[2]))
        dark = re.search(r'srcset="([^"]+)"', found[0])
        if dark is None:
            raise ValueError(f"A picture without a dark one: {found[0][:100]}")
        size = f"{{ width={values['width']} height={values['height']} loading=lazy }}"
        kinds = ((values["src"], "light"), (dark[1], "dark"))
        return "\n".join(f"![{values['alt']}]({file}#only-{kind}){size}" for file, kind in kinds)

    return _PICTURE.sub(both, text)
