"""What a shard of a pass keeps, as arrays."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from interpret_core.analyses.profile.passes import Counted, Tallied
from interpret_core.measures.dissection.bands import Largest
from interpret_core.measures.dissection.counts import Counts
from interpret_core.measures.dissection.listed import ListedResponses
from interpret_core.measures.dissection.tally import Tally
from interpret_core.store.records import Arrays


def counted_arrays(counted: Counted) -> Arrays:
    """A layer's counts as arrays."""
    counts = counted.counts
    return {
        "histogram": counts.histogram.astype(np.int32),  # a shard's positions fit, and it halves the file
        "above": counts.above,
        "minimum": counts.minimum,
        "maximum": counts.maximum,
        "positions": np.array([counts.positions], np.int64),
        "top_response": counted.top_response,
        "top_image": counted.top_image,
    }


def counted_of(arrays: Arrays) -> Counted:
    """The inverse of `counted_arrays`; the copies may be added to."""
    histogram = arrays["histogram"].astype(np.int64)
    above, minimum, maximum = (arrays[name].copy() for name in ("above", "minimum", "maximum"))
    counts = Counts(histogram, above, minimum, maximum, int(arrays["positions"][0]))
    return Counted(counts, arrays["top_response"], arrays["top_image"])


def tallied_arrays(tallied: Tallied) -> Arrays:
    """A layer's tally, and what is listed for later, as arrays."""
    counts = {field.name: getattr(tallied.tally, field.name) for field in fields(Tally)}
    listed = {
        f"listed_{field.name}": getattr(tallied.listed, field.name) for field in fields(ListedResponses)
    }
    largest = {
        f"largest_{field.name}": np.atleast_1d(getattr(tallied.largest, field.name))
        for field in fields(Largest)
    }
    return counts | listed | largest | {"histogram": tallied.histogram}


def tallied_of(arrays: Arrays) -> Tallied:
    """The inverse of `tallied_arrays`; the copies may be added to."""
    counts: dict[str, Any] = {field.name: arrays[field.name].copy() for field in fields(Tally)}
    listed = ListedResponses(*(arrays[f"listed_{field.name}"] for field in fields(ListedResponses)))
    start, *kept = (arrays[f"largest_{field.name}"] for field in fields(Largest))
    return Tallied(Tally(**counts), listed, Largest(int(start[0]), *kept), arrays["histogram"].copy())
