"""Unitscope's core: what a convolutional network's units detect. Usable without the dashboard.

    import interpret_core as ic

What `__all__` names is there when it is asked for: importing the package loads neither torch nor pandas.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interpret_core.api.given import dataset
    from interpret_core.api.metric import UnitIoU
    from interpret_core.api.opened import load, open_dataset, wrap
    from interpret_core.api.questions import ablate, agreement, evaluate, image_labels, profile, relevance
    from interpret_core.api.watch import watch

__version__ = "0.2.0"

_PUBLIC = {  # name -> module of interpret_core.api
    "UnitIoU": "metric",
    "dataset": "given",
    "load": "opened",
    "open_dataset": "opened",
    "wrap": "opened",
    "profile": "questions",
    "relevance": "questions",
    "ablate": "questions",
    "evaluate": "questions",
    "agreement": "questions",
    "image_labels": "questions",
    "watch": "watch",
}

__all__ = [
    "UnitIoU",
    "__version__",
    "ablate",
    "agreement",
    "dataset",
    "evaluate",
    "image_labels",
    "load",
    "open_dataset",
    "profile",
    "relevance",
    "watch",
    "wrap",
]


def __getattr__(name: str) -> Any:
    """A public name, imported now.

    Raises:
        AttributeError: there is none of this name.
    """
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.api.{module}"), name)
    globals()[name] = found  # the next time it is simply there
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
