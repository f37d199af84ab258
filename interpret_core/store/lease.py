"""A lock that goes on to a child process, and tells whether somebody is at work.

Whoever starts a process takes the lease first and hands the descriptor over. From then on the child holds
it, and the system lets go of it with the child: there is no moment at which two could be started, and none at
which a living one is taken for gone.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from interpret_core.store.index_lock import acquired, lies_at


class Lease:
    """Held from `taken` until it is closed by this process and by every child that got it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Wrap a descriptor that holds the lock: one's own, or one that came from a parent."""
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def taken(cls, path: Path) -> Lease | None:
        """The lease, or None where somebody holds it.

        Args:
            path: of the lock's file; made, with its folder, if missing.

        Raises:
            OSError: it cannot be made.
        """
        descriptor = acquired(path, fcntl.LOCK_EX)
        return None if descriptor is None else cls(path, descriptor)

    @staticmethod
    def held(path: Path) -> bool:
        """Whether somebody holds it; makes nothing, so that it can be asked where nothing can be written.

        Asking holds the lock for a moment: only who keeps others from taking it meanwhile may rely on both.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    @property
    def valid(self) -> bool:
        """Whether its file still lies where others look for it; not so after the folder was deleted."""
        return lies_at(self.descriptor, self.path)

    def close(self) -> None:
        """Let go in this process; a child that got it holds it on."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
