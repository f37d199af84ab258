"""What a figure says of itself wherever it goes: its title, the name of its file, what it was made with."""

from __future__ import annotations

from interpret_core.provenance import MADE_WITH, made_with
from ui.shell.names import file_stem

# Scripts of a component whose drawing can be saved, before its own.
PICTURE = ("components/common/png.js", "components/common/picture.js")


def imprint(title: str) -> dict[str, str]:
    """What `picture.js` writes into a file.

    Args:
        title: of the figure or table, by `headline`.
    """
    return {"title": title, "file": file_stem(title), MADE_WITH: made_with()}
