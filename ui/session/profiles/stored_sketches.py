"""Where sketches lie, and how they come to be: one layer at a time, and none stays in memory for it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from interpret_core import concepts
from interpret_core.analyses.profile import assessment, result, summary
from interpret_core.measures.assessment import contest, words
from interpret_core.measures.dissection import chance, iou_table
from interpret_core.store.records import Record
from ui.session import view as views
from ui.session.memory import kept
from ui.session.profiles import sketch as sketches
from ui.session.profiles.sketch import Sketch, record_of
from ui.session.stored import store
from ui.session.view import LayerView
from ui.shell import names

_one = threading.Lock()  # a layer is large
# Words are read off numbers and not stored: where code is another one, so may they be.
_RULES = (concepts, assessment, result, iou_table, summary, contest, words, chance, views, sketches, names)


def _digest_of_rules() -> str:
    sources = (Path(str(module.__file__)).read_bytes() for module in _RULES)
    return hashlib.sha256(b"".join(hashlib.sha256(source).digest() for source in sources)).hexdigest()


_rules = _digest_of_rules()  # of the code that this process has imported


def sketch_key(profile: str, chance: str, assessment: str, min_images: int) -> str:
    """Where the sketch of a layer lies.

    Args:
        profile: keys of what it is made of; empty for a stage that has not run.
        chance: keys of what it is made of; empty for a stage that has not run.
        assessment: keys of what it is made of; empty for a stage that has not run.
        min_images: images that a concept needs to be a label.
    """
    text = "\n".join((profile, chance, assessment, str(min_images), _rules))
    return f"sketch/{hashlib.sha256(text.encode()).hexdigest()[:40]}"


@kept(2048, kind="layers")
def kept_sketch(key: str, _view: Callable[[], LayerView]) -> Sketch:
    """The sketch under a key, from the store, else made of a view and kept there where that can be.

    Args:
        key: from `sketch_key`.
        _view: gives the layer. Only one is looked at at a time, whoever asks.
    """

    def made() -> Record:
        with _one:
            return record_of(_view())

    return Sketch(key, store().compute(key, made, needed=False))
