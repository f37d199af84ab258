"""The key with which all servers sign their cookies: without one of its own each would refuse the others'."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from hosting.settings import Unservable

VARIABLE = "STREAMLIT_SERVER_COOKIE_SECRET"  # Streamlit's own; out of the process list, unlike an option
NAME = "cookie_secret"
LEAST = 32  # characters


def cookie_secret(folder: Path, environment: Mapping[str, str]) -> str:
    """The one of the environment, else the one kept in a folder; made there when there is none.

    Args:
        folder: made, and closed to others, where it is missing.
        environment: may hold VARIABLE.

    Raises:
        Unservable: others may read the file, it holds none, or it cannot be written.
    """
    given = environment.get(VARIABLE, "").strip()
    if given:
        return given
    path = folder / NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Unservable(
                f"Others may read {path}, which signs cookies: delete it (everybody logs in again), "
                "or chmod 600 where nobody has read it."
            )
        kept = path.read_text().strip()
    except OSError as error:
        raise Unservable(
            f"The key of cookies cannot be kept in {folder} ({error.strerror}): name a folder that can be "
            f"written with --state, or set {VARIABLE}."
        ) from error
    if len(kept) < LEAST:
        raise Unservable(f"{path} holds no key of {LEAST} characters: delete it, and one is made.")
    return kept


def _make(path: Path) -> None:
    """Whole or not at all, and never in place of one that another start has made meanwhile."""
    partial = path.with_name(f"{NAME}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secrets.token_urlsafe(48)}\n")
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()
