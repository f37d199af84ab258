"""Jobs, kinds of results and times in words; what comes from data is plain text here, and not Markdown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from interpret_core.analyses.registry import entries
from interpret_core.jobs import Job
from interpret_core.options import ALL, fields_of
from interpret_core.privacy import without_paths
from interpret_core.sizes import written
from ui.jobs.words import duration
from ui.session.inventory.upkeep import CheckState
from ui.shell.theme import count_text

NAMED = 3  # layers or classes in a line
_WORK = {  # what a job does to {of}
    "profile": "What the units of {of} detect",
    "relevance": "Relevance of units for classes, {of}",
    "agreement": "Agreement, {of}",
    "ablation": "Ablation, {of}",
    "ablate": "Ablation, {of}",
    "specialise": "What a class can do without, {of}",
    "effects": "Single units silenced, {of}",
    "evaluation": "Answers of {of}",
    "survey": "Annotations, {of}",
    "image-labels": "Labels of images that the units of {of} tell",
    "estimate": "How long it takes, {of}",
}
PAGES = {  # where a result is looked at
    "profile": "units",
    "survey": "concepts",
    "image-labels": "units",
    "relevance": "relevance",
    "agreement": "agreement",
    **dict.fromkeys(("ablation", "ablate", "specialise", "effects", "evaluation"), "ablation"),
}
STATES = {
    "queued": "waiting",
    "running": "at work",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "died": "broke off",
}


def work_of(job: Job) -> str:
    """What a job does, in words: of what, and what differs from the usual."""
    network, dataset = (_name(job.request.get(name)) for name in ("network", "dataset"))
    of = " on ".join(filter(None, (network, dataset))) or "nothing that has a name"
    said = _WORK.get(job.kind, f"{job.kind}, {{of}}").replace("{of}", of)
    return "; ".join([said, *_differences(job)])


def _name(value: object) -> str:
    """A name; of a path, which no page submits, the last part."""
    return without_paths(value) if isinstance(value, str) else ""


def _differences(job: Job) -> list[str]:
    """What a job is asked that is not the default."""
    entry = entries().get(job.kind)
    if entry is None:
        return []
    found = []
    for field in fields_of(entry.request):
        value = job.request.get(field.name, field.default)
        value = tuple(value) if isinstance(value, list) else value
        if field.name not in ("network", "dataset") and value not in (field.default, ALL, None):
            found.append(f"{field.name.replace('_', ' ')} {_listed(value)}")
    return found


def _listed(value: Any) -> str:
    if not isinstance(value, tuple):
        return str(value)
    more = f" and {len(value) - NAMED} more" if len(value) > NAMED else ""
    return ", ".join(map(str, value[:NAMED])) + more


def where(job: Job) -> tuple[str, Mapping[str, str]]:
    """The page of its result, and what that page is asked; no page for what none shows."""
    page = PAGES.get(job.kind, "")
    names = {name: job.request.get(name) for name in ("network", "dataset")}
    return page, {name: value for name, value in names.items() if isinstance(value, str)}


def owners(names: tuple[str, ...], visitor: str) -> str:
    """Whose a job is."""
    told = ["you" if name == visitor and name else name or "without a login" for name in names]
    return ", ".join(sorted(told, key=lambda one: one != "you"))


def ago(when: float | None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`; empty for what has not happened."""
    if not when:
        return ""
    seconds = time.time() - when
    if seconds < 60:
        return "just now"
    if seconds < 48 * 3600:
        return f"{duration(seconds) if seconds >= 90 else '1 min'} ago"
    return f"{seconds / 86400:.0f} days ago"


def took(job: Job) -> str:
    """From its beginning to its end."""
    return duration(job.finished - job.started) if job.started and job.finished else ""


def report(found: CheckState) -> str:
    """What a check of the cache found and did."""
    if found.problem:
        return f"The check could not be done. {found.problem}"
    there = f"{count_text(found.entries, 'entry', 'entries')}, {written(found.size)}"
    if found.sound:
        return f"All is well: {there}, every one read, and each is what was written."
    parts = [f"{there} are sound."]
    if found.damaged:
        one = found.damaged == 1
        parts.append(
            f"{count_text(found.damaged, 'entry was', 'entries were')} damaged and {'is' if one else 'are'} "
            f"deleted: {'it is' if one else 'they are'} computed again when somebody asks."
        )
    if found.leftovers:
        parts.append(f"{count_text(found.leftovers, 'file')} that a crash had left behind went.")
    if found.refused:
        parts.append(
            f"{count_text(found.refused, 'entry', 'entries')} that Unitscope would not have written went, "
            "unopened."
        )
    parts += [without_paths(line) for line in found.index]
    return " ".join(parts)


def shortly(text: str, most: int = 110) -> str:
    """A line of a table; without paths of the server."""
    line = without_paths(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"
