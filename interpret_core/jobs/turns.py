"""Whose turn it is: owner by owner, and of one owner's jobs the one that was submitted first."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace

from interpret_core.jobs.state import Job


def order(jobs: Sequence[Job]) -> list[Job]:
    """Jobs that wait, in the order in which they will be started if nobody comes or leaves.

    The next one is of the owner whose last job was started longest ago; among those who have had none, it is
    the one submitted first. A job that several want is each one's, and a turn of all of them.

    Args:
        jobs: all that are known, also those that run or have ended: they tell who had the last turns.
    """
    last: dict[str, int] = defaultdict(int)
    for job in jobs:
        for owner in job.owners:
            last[owner] = max(last[owner], job.turn)
    lines: dict[str, deque[Job]] = defaultdict(deque)
    for job in sorted((one for one in jobs if one.state == "queued"), key=lambda one: one.number):
        for owner in job.owners or ("",):
            lines[owner].append(job)
    turn = max(last.values(), default=0)
    found: list[Job] = []
    taken: set[str] = set()
    while True:
        for owner, line in list(lines.items()):
            while line and line[0].id in taken:
                line.popleft()
            if not line:
                del lines[owner]
        if not lines:
            return found
        owner = min(lines, key=lambda one: (last[one], lines[one][0].number))
        job = lines[owner].popleft()
        turn += 1
        last.update(dict.fromkeys(job.owners or ("",), turn))
        taken.add(job.id)
        found.append(job)


def placed(jobs: Sequence[Job]) -> list[Job]:
    """The same jobs; those that wait know their place in the line, from 1."""
    places = {job.id: place for place, job in enumerate(order(jobs), 1)}
    return [replace(job, position=places.get(job.id, 0)) for job in jobs]
