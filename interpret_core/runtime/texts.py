"""Texts among the arrays that pieces of a pass give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interpret_core.files import name_bytes
from interpret_core.store.records import Array, Arrays


def texts_as_arrays(texts: Sequence[str]) -> Arrays:
    """How many bytes each of n texts has, (n,) int64 `letters`, and all of them, uint8 `problems`."""
    letters = [name_bytes(text) for text in texts]
    return {
        "letters": np.array([len(one) for one in letters], np.int64),
        "problems": np.frombuffer(b"".join(letters), np.uint8),
    }


def texts_of(letters: Array, problems: Array) -> list[str]:
    """The inverse."""
    ends = np.cumsum(letters).tolist()
    text = problems.tobytes()
    return [
        text[end - size : end].decode("utf-8", "surrogateescape")
        for end, size in zip(ends, letters.tolist(), strict=True)
    ]
