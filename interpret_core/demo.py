"""Where the embedded demo lies, and what is in it; nothing here reads a file.

A checkout has it in `demo`; beside an installed Unitscope it is a distribution of its own, `unitscope-demo`.

INTERPRET_DEMO=0 hides it: an installation for one's own data need not list a demo.
"""

from __future__ import annotations

import os

from interpret_core import installation

FOLDER = installation.demo_folder()
DATASET = FOLDER / "dataset"
WEIGHTS = FOLDER / "weights"
RESULTS = FOLDER / "results"

NAME = "demo"  # of the data set
PREFIX = "demo/"  # of the networks' names
NETWORKS = ("alexnet", "vgg11", "resnet18")


def shown() -> bool:
    """Whether the demo is part of this installation and not hidden."""
    return os.environ.get("INTERPRET_DEMO", "").strip() != "0" and DATASET.is_dir()


def remedy(name: str) -> str:
    """What to do about a name of the demo that is not known here; empty for every other name."""
    if shown() or not (name == NAME or name.startswith(PREFIX)):
        return ""
    if DATASET.is_dir():
        return "The demo is not shown here: unset INTERPRET_DEMO."
    return "The demo is not installed here: pip install unitscope-demo."
