"""How much memory there is, of the machine or of the container that this process runs in; how many cores."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")
UNKNOWN = 4 << 30  # bytes, where the system does not tell
_LIMITS = {2: "memory.max", 1: "memory.limit_in_bytes"}


def memory(cgroups: Path = CGROUPS, own: Path = OWN) -> int:
    """Bytes of memory that this process can use at most.

    Args:
        cgroups: where the system's control groups are mounted, version 1 or 2.
        own: says in which of them this process is.
    """
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        machine = UNKNOWN
    return min((limit for limit in (machine, *_limits(cgroups, own)) if limit > 0), default=UNKNOWN)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _limits(cgroups: Path, own: Path) -> Iterator[int]:
    """Of the group and of those around it. A container sees its own as the root."""
    for root, name, path in _groups(cgroups, own):
        inside = Path(path.lstrip("/"))
        for place in (root, *(root / part for part in (inside, *inside.parents))):
            with contextlib.suppress(OSError, ValueError):
                yield int((place / name).read_text().strip())  # "max" is no number


def _groups(cgroups: Path, own: Path) -> Iterator[tuple[Path, str, str]]:
    with contextlib.suppress(OSError):
        for line in own.read_text().splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if not controllers:
                yield cgroups, _LIMITS[2], path
            elif "memory" in controllers.split(","):
                yield cgroups / "memory", _LIMITS[1], path
