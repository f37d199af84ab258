"""What the store keeps, kind by kind: results, which are never deleted by themselves, and what is made again.

The kind of an entry is the first word of its key. Whatever an address can ask for (another `min_images`,
units picked by hand, a map) is of a kind that is computed again in seconds: such entries have a bound of
their own, and make room for others, those that nobody has read for the longest first.
"""

from __future__ import annotations

from typing import NamedTuple


class EntryKind(NamedTuple):
    """A kind of entry: the first word of its keys, what it is, and whether seconds bring it back."""

    name: str
    words: str
    again: bool = False


_KINDS = (
    EntryKind("survey", "what one read of a data set told"),
    EntryKind("profile", "IoU of units with concepts"),
    EntryKind("chance", "chance levels"),
    EntryKind("assessment", "what units respond to"),
    EntryKind("largest", "largest responses, for further runs"),
    EntryKind("masks", "masks, for further chance levels"),
    EntryKind("relevance", "relevance of units for classes"),
    EntryKind("ablation", "steps of ablations"),
    EntryKind("effects", "effects of single units"),
    EntryKind("evaluation", "answers of intact networks"),
    EntryKind("maxima", "largest responses, image by image"),
    EntryKind("image_labels", "labels of whole images that units tell"),
    EntryKind("partial", "parts of unfinished runs"),
    EntryKind("round", "how far runs in parts have come"),
    EntryKind("unusable", "classes without an image that can be used"),
    EntryKind("damaged", "images that cannot be read"),
    EntryKind("identity", "digests of networks"),
    EntryKind("network", "names of networks' layers"),
    EntryKind("examination", "reports on networks"),
    EntryKind("sample", "how long samples of runs took", again=True),
    EntryKind("job", "states of jobs"),
    EntryKind("jobs", "the line of jobs"),
    EntryKind("trash", "what was cleared, for a day"),
    EntryKind("cleared", "what was cleared, in words"),
    EntryKind("upkeep", "the last check of the cache"),
    EntryKind("thresholds", "thresholds, read off profiles", again=True),
    EntryKind("label_columns", "columns of labels of whole images", again=True),
    EntryKind("outline", "best concepts of all layers", again=True),
    EntryKind("sketch", "a few numbers of each layer's units", again=True),
    EntryKind("answers", "answers with units silenced", again=True),
    EntryKind("responses", "mean responses of units", again=True),
)
KINDS = {kind.name: kind for kind in _KINDS}
AGAIN = tuple(kind.name for kind in _KINDS if kind.again)


def kind_of(key: str) -> EntryKind:
    """The kind of a key; one that nobody has listed is a result."""
    name = str(key).partition("/")[0]
    return KINDS.get(name) or EntryKind(name, name)
