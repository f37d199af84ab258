"""Who may touch the index: any number of writers together, or one process that makes it anew.

SQLite finds a journal by its path. Were the index exchanged while somebody writes, the old file's journal
would be played back into the new one; so a write holds this lock shared, and an exchange holds it alone.
Readers need none: they have no journal, and keep to the file that they opened.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

WAIT = 60.0  # seconds, before the folder counts as busy
POLL = 0.01  # seconds between two looks


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock together with other writers.

    Args:
        path: of the lock's file; made, with its folder, if missing.

    Raises:
        OSError: it cannot be made, or stays held.
    """
    with _held(path, fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock against everybody; the system lets go of it when the process dies."""
    with _held(path, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def _held(path: Path, operation: int) -> Iterator[None]:
    end = time.monotonic() + WAIT
    while (descriptor := acquired(path, operation)) is None:
        if time.monotonic() > end:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
        time.sleep(POLL)
    try:
        yield
    finally:
        os.close(descriptor)


def acquired(path: Path, operation: int) -> int | None:
    """Descriptor of the locked file, made if missing; None where somebody else holds it."""
    descriptor = _file(path)
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        if lies_at(descriptor, path):  # else it was deleted meanwhile, and others lock another file
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _file(path: Path) -> int:
    """Open for reading where it is there already, since it may be another user's."""
    for _ in range(10):  # somebody may be deleting the folder
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with contextlib.suppress(FileNotFoundError):
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def lies_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still is the one that others find under its path."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
