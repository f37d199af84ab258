"""Stand-ins for the demo's weights: seeded and untrained, written as `demo.train` writes the trained ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

from demo.train import halved
from interpret_core.demo import NETWORKS
from interpret_core.networks.providers.demo import started
from tests.networks.samples import randomise

CLASSES = ("bed", "bench", "bottle", "bus", "car", "cat", "chair", "lamp", "refrigerator", "vase")


def make_weights(
    folder: Path, names: Sequence[str] = NETWORKS, classes: Sequence[str] = CLASSES, seed: int = 3
) -> Path:
    """Write `<name>.safetensors` for each name; BatchNorms get statistics that matter."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = randomise(started(name, len(classes)))
        save_file(halved(module), folder / f"{name}.safetensors", {"classes": ",".join(classes)})
    return folder
