"""How much room the disk of the results has, and when somebody should hear of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from interpret_core import config
from interpret_core.sizes import written
from ui.access import visitors
from ui.access.roles import Role
from ui.session.memory import kept

SHARE, LEAST = 0.05, 2 << 30  # of the disk, and bytes: below either, somebody should hear of it
SECONDS = 10.0  # for which an answer counts


class Room(NamedTuple):
    """Bytes of the disk: those that are free to this process, and all."""

    free: int
    total: int

    @property
    def low(self) -> bool:
        """Whether it will soon be full."""
        return self.free < max(SHARE * self.total, LEAST)


def room() -> Room | None:
    """Of the disk that holds the results; None where the system cannot say."""
    return _room(str(config.current().cache))


def warning() -> str:
    """What an operator should hear on every page, in plain words; empty where there is room."""
    found = room()
    if found is None or not found.low or not visitors.may(Role.OPERATOR):
        return ""
    return (
        f"The disk of the results is nearly full: {written(found.free)} of {written(found.total)} are "
        "free. Where it is full, computations fail; what is stored can still be read."
    )


@kept(4, SECONDS)
def _room(folder: str) -> Room | None:
    place = Path(folder).absolute()
    while not place.exists() and place != place.parent:  # it is made with the first result
        place = place.parent
    try:
        found = shutil.disk_usage(place)
    except OSError:
        return None
    return Room(found.free, found.total)
