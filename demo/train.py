"""Trains the demo's networks on rendered scenes that are never in the data set.

    python -m demo.train FOLDER WEIGHTS [--networks alexnet,vgg11,resnet18]

FOLDER holds the pictures of `demo.scenes.build training`, a folder per class. Small pictures first, the full
224 px at the end. After every epoch the state is kept, so that an interrupted training goes on. The last
state is what is saved: nothing is chosen by looking at single pictures of the data set. Forward passes run in
bfloat16 where torch deems it safe, which halves the time on processors that know it.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from interpret_core.demo import NETWORKS
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers.demo import started

INPUT = Preprocessing()
BATCH = 64
FULL = 224


class Stage(NamedTuple):
    """A part of the training: pictures of so many pixels, for so many epochs, at that learning rate."""

    size: int
    epochs: int
    rate: float


PLANS: dict[str, tuple[Stage, ...]] = {
    "alexnet": (Stage(112, 24, 5e-4), Stage(224, 16, 2e-4)),
    "vgg11": (Stage(64, 6, 3e-4), Stage(112, 8, 3e-4), Stage(224, 2, 1e-4), Stage(224, 3, 2e-4)),
    "resnet18": (Stage(64, 8, 1e-3), Stage(112, 10, 1e-3), Stage(224, 6, 3e-4)),
}


def pictures(folder: Path, classes: list[str], size: int) -> tuple[Tensor, Tensor]:
    """(N, 3, size, size) uint8 of a folder per class, and (N,) class numbers."""
    files = [
        (path, number)
        for number, name in enumerate(classes)
        for path in sorted((folder / name).glob("*.jpg"))
    ]
    out = np.empty((len(files), size, size, 3), np.uint8)
    for place, (path, _) in enumerate(files):
        image = Image.open(path).convert("RGB")
        out[place] = np.asarray(image if size == FULL else image.resize((size, size), Image.Resampling.BOX))
    return torch.from_numpy(out).permute(0, 3, 1, 2), torch.tensor([number for _, number in files])


def augmented(images: Tensor, random: torch.Generator) -> Tensor:
    """Mirrored, cropped, turned a little, and with other light and colours; uint8 to normalised float32."""
    number = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(number, generator=random)

    scale, angle = uniform(0.62, 1.08), uniform(-0.14, 0.14)
    mirror = torch.where(torch.rand(number, generator=random) < 0.5, -1.0, 1.0)
    free = (1 - scale).clamp(min=0.05)
    move = torch.stack([uniform(-1, 1) * free, uniform(-1, 1) * free], 1)
    turn = torch.stack(
        [torch.cos(angle) * mirror, -torch.sin(angle), torch.sin(angle) * mirror, torch.cos(angle)], 1
    )
    matrix = torch.cat([turn.view(-1, 2, 2) * scale.view(-1, 1, 1), move.unsqueeze(2)], 2)
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    pixels = functional.grid_sample(
        images.float() / 255, grid, padding_mode="reflection", align_corners=False
    )
    grey = pixels.mean(1, keepdim=True)
    pixels = grey + (pixels - grey) * uniform(0.5, 1.4).view(-1, 1, 1, 1)
    level = pixels.mean((1, 2, 3), keepdim=True)
    pixels = level + (pixels - level) * uniform(0.7, 1.35).view(-1, 1, 1, 1)
    tint = torch.stack([uniform(0.85, 1.15) for _ in range(3)], 1).view(-1, 3, 1, 1)
    pixels = pixels * tint * uniform(0.75, 1.25).view(-1, 1, 1, 1)
    return normalised(pixels.clamp(0, 1))


def normalised(pixels: Tensor) -> Tensor:
    """Pixels from 0 to 1 as the networks take them."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (INPUT.mean, INPUT.std))
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


def train(name: str, folder: Path, out: Path, seed: int = 0) -> None:
    """Train one network and save it.

    Args:
        name: of `demo.NETWORKS`.
        folder: pictures by class.
        out: folder of the weights; NAME.pt there is the state to go on from.
        seed: of the weights and of the order and variation of the pictures.
    """
    torch.manual_seed(seed)
    state_file, file = out / f"{name}.pt", out / f"{name}.safetensors"
    state: dict[str, Any] = {"epochs": 0}
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
    done, epochs = int(state["epochs"]), 0
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    network = started(name, len(classes))
    if done:
        network.load_state_dict(state["network"])
    for stage in PLANS[name]:
        first, epochs = max(done - epochs, 0), epochs + stage.epochs
        if first >= stage.epochs:
            continue
        images, labels = pictures(folder, classes, stage.size)
        optimizer = torch.optim.AdamW(network.parameters(), lr=stage.rate, weight_decay=0.02)
        if first:
            optimizer.load_state_dict(state["optimizer"])
        for epoch in range(first, stage.epochs):
            number = epochs - stage.epochs + epoch + 1
            start = time.perf_counter()
            loss, right = one_epoch(network, optimizer, (images, labels), stage, epoch, seed * 1000 + number)
            torch.save(
                {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "epochs": number},
                state_file,
            )
            spent = f"{time.perf_counter() - start:.0f} s"
            progress = f"{name} {stage.size}px epoch {epoch + 1}/{stage.epochs}"
            print(f"{progress} loss {loss:.3f} right {right:.3f} {spent}", flush=True)
    save_file(halved(network), file, {"classes": ",".join(classes)})


def one_epoch(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: tuple[Tensor, Tensor],
    stage: Stage,
    epoch: int,
    seed: int,
) -> tuple[float, float]:
    """One round over the pictures; mean loss, and share of right answers on the varied pictures."""
    images, labels = data
    random = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(images), generator=random)
    steps = len(order) // BATCH
    network.train()
    total, right = 0.0, 0
    for step in range(steps):
        place = (epoch * steps + step) / (stage.epochs * steps)
        warm = min(1.0, (epoch * steps + step + 1) / 60)
        for group in optimizer.param_groups:
            group["lr"] = stage.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * place)))
        chosen = order[step * BATCH : (step + 1) * BATCH]
        pixels = augmented(images[chosen], random)
        with torch.autocast("cpu", torch.bfloat16):
            answer = network(pixels).float()
        loss = functional.cross_entropy(answer, labels[chosen], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        total += float(loss.detach())
        right += int((answer.argmax(1) == labels[chosen]).sum())
    return total / steps, right / (steps * BATCH)


def halved(network: nn.Module) -> dict[str, Tensor]:
    """The state in float16, BatchNorm's statistics in float32: a variance may be too small for half."""
    return {
        key: value.contiguous()
        if "running" in key or not value.is_floating_point()
        else value.half().contiguous()
        for key, value in network.state_dict().items()
    }


def main() -> None:
    """Train the networks asked for, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--networks", default=",".join(NETWORKS))
    options = parser.parse_args()
    options.weights.mkdir(parents=True, exist_ok=True)
    for name in options.networks.split(","):
        train(name, options.folder, options.weights)


if __name__ == "__main__":
    main()
