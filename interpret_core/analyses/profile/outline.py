"""What is small enough to be known of all layers at once: every unit's best IoU and concept.

Counting detectors takes every unit's best IoU, and that every layer's tallies: a second for fifty layers on a
hundred concepts, many on a thousand. So the outline is made once and stored beside the results.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from interpret_core.store.records import Record


def outline_of(layers: Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]]) -> Record:
    """Best IoU and best concept of every unit: `units` (L,), `iou` and `concept` layer after layer.

    Args:
        layers: best IoU (U,) and best concept (U,) of each, in forward order.
    """
    every = list(layers)
    return Record(
        {
            "units": np.array([len(iou) for iou, _ in every], np.int64),
            "iou": np.concatenate([iou for iou, _ in every]),
            "concept": np.concatenate([best for _, best in every]),
        }
    )


def outline_key(profiles: Sequence[str], min_images: int) -> str:
    """Where the outline of these profiles lies; their keys hold all that changes it but the rule."""
    text = "\n".join((*profiles, str(min_images)))
    return f"outline/{hashlib.sha256(text.encode()).hexdigest()[:40]}"
