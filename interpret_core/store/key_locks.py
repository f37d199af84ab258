"""One lock a key, against all threads and processes; its file is there only while it is held or waited for.

A lock is the system's (`flock`) and goes with its process; only the file stays, where a process was killed.
Whoever acquires a lock checks that its file still has a name, so that one can be deleted by whoever holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from interpret_core.errors import Cancelled
from interpret_core.store.failures import explained

_NAME = re.compile(r"[0-9a-f]{32}\.lock")


@contextlib.contextmanager
def held(folder: Path, key: str, cancelled: Callable[[], bool] | None) -> Iterator[None]:
    """Hold a key's lock.

    Args:
        folder: the cache folder.
        key: whose.
        cancelled: asked while another holds it; true raises `Cancelled`.

    Raises:
        StoreError: no file can be locked there.
    """
    lock, pid = _acquired(folder, key, cancelled), os.getpid()
    try:
        yield
    finally:
        try:
            if os.getpid() == pid:  # a forked child has no say in its parent's lock
                _delete_held(lock)
        finally:
            lock.release()


def path_of(folder: Path, key: str) -> Path:
    """The file of a key's lock."""
    return folder / "locks" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock"


def _acquired(folder: Path, key: str, cancelled: Callable[[], bool] | None) -> BaseFileLock:
    path = path_of(folder, key)
    lock = FileLock(path, fallback_to_soft=False)  # a soft lock would outlive its process
    for last in (False, False, True):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(cancel_check=cancelled)
            break
        except Timeout:
            raise Cancelled(f"Cancelled while waiting for {key}.") from None
        except (OSError, NotImplementedError) as error:
            if last or not isinstance(error, FileNotFoundError):  # else somebody deletes the folder just now
                raise explained(error, folder, "lock a file in") from error
    return lock


def _delete_held(lock: BaseFileLock) -> None:
    """Delete a held lock's file, unless another one has its name: somebody deleted the folder meanwhile."""
    descriptor, path = lock._context.lock_file_fd, Path(lock.lock_file)
    with contextlib.suppress(OSError):
        if descriptor is not None and os.path.samestat(os.fstat(descriptor), path.lstat()):
            path.unlink()


def sweep(folder: Path) -> int:
    """Delete the files of locks that nobody holds, left by processes that were killed; how many."""
    swept = 0
    with contextlib.suppress(OSError):
        for path in sorted((folder / "locks").iterdir()):
            if _NAME.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    swept += _delete_free(path)
    return swept


def _delete_free(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError where somebody holds it
        if not os.path.samestat(os.fstat(descriptor), path.lstat()):
            return False  # another one has its name meanwhile
        path.unlink()
    finally:
        os.close(descriptor)
    return True
