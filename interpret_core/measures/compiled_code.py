"""Where numba keeps the functions that it has compiled.

It keeps them beside the sources, or in the user's cache folder. Where neither can be written to, as with an
installation that is read-only for an account without a home, it refuses to define a function at all.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def keep(environment: MutableMapping[str, str]) -> None:
    """Name a folder where numba would find none, unless whoever started the process has named one.

    Args:
        environment: of a process that has not imported numba yet; processes that it starts inherit it.
    """
    if VARIABLE not in environment and not any(map(_can_be_made, _usual_folders())):
        environment[VARIABLE] = str(_own_folder())


def _usual_folders() -> list[Path]:
    # Not Path.expanduser(): it raises where there is no home at all.
    caches = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111
    return [Path(__file__).parent / "__pycache__", *([caches / "numba"] if caches.is_absolute() else [])]


def _can_be_made(folder: Path) -> bool:
    """Whether files can be made in a folder, or it itself."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _own_folder() -> Path:
    """One in the temporary folder that nobody else can write to: what lies in it is run."""
    folder = Path(tempfile.gettempdir()) / f"unitscope-compiled-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
            return folder
    except OSError:  # a file of somebody else has its name
        pass
    return Path(tempfile.mkdtemp(prefix="unitscope-compiled-"))
