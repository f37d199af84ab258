"""What a visitor is told of an error: folders of the server are the operators' business."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from interpret_core import config, datasets
from interpret_core.privacy import without_paths
from ui.access import visitors
from ui.access.roles import Role
from ui.shell.theme import ROOT

_spellings: tuple[Callable[[Path], Path], ...] = (Path.absolute, lambda place: place)


def told(error: Exception) -> str:
    """An error's text; without the server's paths, unless an operator reads it (at home, that is oneself)."""
    return str(error) if visitors.may(Role.OPERATOR) else without_paths(str(error), roots())


def roots() -> tuple[str, ...]:
    """Folders of this server that messages may name, the longest first."""
    places = [Path(config.current().cache), ROOT.parent, Path.cwd(), Path.home(), Path(sys.prefix)]
    places += [Path(tempfile.gettempdir()), *datasets.known().values()]
    found = {str(kind(place)) for place in places for kind in _spellings}
    return tuple(sorted((one for one in found if len(one) > 1), key=len, reverse=True))
