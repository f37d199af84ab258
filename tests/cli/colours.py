"""Pictures of one colour and a network whose ablations are arithmetic, for the tests of `ablate`.

A red picture is (102, 0, 0) with a 2×3 block of (255, 0, 0), which is annotated as the object red; green and
blue likewise. A grey one has no object. The network:
    conv1, conv2: units 0, 1, 2 respond to red, green, blue with the channel's value, 0 on the other colours;
    conv3: unit 0 is 1 everywhere, units 1, 2, 3 are 8 × conv2's; the outputs are their means.
So a red picture's outputs are (1, 8·RESPONSE, 0, 0), and with conv2's unit 0 silenced (1, 0, 0, 0): grey.
Unit 0 has all the relevance for red, and IoU 1 with it; units 1 and 2 tie at 0, the lower one comes first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from interpret_core.networks import NetworkParts, Preprocessing
from tests.planted_dataset import save_mask, write_tables

NETWORK = "tests.cli.colours:network"
SIZE = 20
CLASSES = ("red", "green", "blue")
OUTPUTS = ("grey", *CLASSES)
GAIN, CONSTANT = 8.0, 1.0
RESPONSE = (6 * 255 + (SIZE * SIZE - 6) * 102) / (255 * SIZE * SIZE)  # mean over a picture
SPLITS = {"red": (2, 4), "green": (2, 3), "blue": (2, 2), "grey": (4, 0)}  # that rank, that are evaluated


def network() -> NetworkParts:
    """See above."""
    detectors = torch.tensor([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    last = torch.cat([torch.zeros(1, 3), GAIN * torch.eye(3)])
    layers: dict[str, nn.Module] = {}
    for number, (weight, bias) in enumerate(((detectors, 0.0), (torch.eye(3), 0.0), (last, CONSTANT)), 1):
        layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
        with torch.no_grad():
            layer.weight.copy_(weight[:, :, None, None])
            layer.bias.zero_()[0] = bias  # type: ignore[index, union-attr]
        layers |= {f"conv{number}": layer, f"relu{number}": nn.ReLU()}
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    module = nn.Sequential(OrderedDict(layers | head))
    plain = Preprocessing((SIZE, SIZE), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "nearest")
    return NetworkParts(module.eval(), plain, OUTPUTS)


def probability(*responses: float, of: int) -> float:
    """Softmax of (CONSTANT, GAIN · responses); 0 is grey, 1 red, and so on."""
    powers = np.exp([CONSTANT, *(GAIN * value for value in responses)])
    return float(powers[of] / powers.sum())


def write_colours(root: Path, splits: Mapping[str, tuple[int, int]] = SPLITS) -> Path:
    """The data set in Broden's layout, pictures `red-0.png` …, with classes.csv; the folder."""
    (root / "images").mkdir(parents=True)
    rows: list[dict[str, object]] = []
    listed = ["image,class"]
    for name, (rank, test) in splits.items():
        channel = CLASSES.index(name) if name in CLASSES else None
        for place in range(rank + test):
            picture, mask = np.zeros((SIZE, SIZE, 3), np.uint8), np.zeros((SIZE, SIZE), np.uint16)
            picture[:, :, slice(None) if channel is None else channel] = 102
            if channel is not None:
                picture[4:6, 3:6, channel] = 255
                mask[4:6, 3:6] = channel + 1
            file = f"{name}-{place}.png"
            Image.fromarray(picture).save(root / "images" / file)
            save_mask(root / "images" / f"object-{file}", mask)
            sizes = dict.fromkeys(("ih", "iw", "sh", "sw"), SIZE)
            split = "train" if place < rank else "val"
            rows.append({"image": file, "split": split, "object": f"object-{file}", **sizes})
            listed.append(f"{file},{name}")
    write_tables(root, rows, [(number, name, ("object",)) for number, name in enumerate(CLASSES, 1)])
    (root / "classes.csv").write_text("\n".join(listed) + "\n")
    return root
