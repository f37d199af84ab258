"""Where the embedded demo lies, and what is in it; nothing here reads a file.

INTERPRET_DEMO=0 hides it: an installation for one's own data need not list a demo.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "demo"
DATASET = FOLDER / "dataset"
WEIGHTS = FOLDER / "weights"
RESULTS = FOLDER / "results"

NAME = "demo"  # of the data set
PREFIX = "demo/"  # of the networks' names
NETWORKS = ("alexnet", "vgg11", "resnet18")


def shown() -> bool:
    """Whether the demo is part of this installation and not hidden."""
    return os.environ.get("INTERPRET_DEMO", "").strip() != "0" and DATASET.is_dir()
