"""A source of networks and a layout of data sets that an installed package adds."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from interpret_core.datasets.layouts.base import Layout
from interpret_core.datasets.tables import ImageRecord, Label, Tables
from interpret_core.errors import NetworkError, unknown
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.providers.base import Provider
from interpret_core.networks.spec import NetworkSpec
from interpret_core.networks.weights import Weights
from tests import planted_networks

NAMES = ("red", "half")


@dataclass(frozen=True)
class PlantedSource:
    """One of `planted_networks`."""

    name: str

    def weights(self, *, fetch: bool) -> Weights:
        return Weights("trained", "Planted by hand.")

    def build(self, weights: Weights) -> nn.Module:
        return getattr(planted_networks, f"{self.name}_detector")()

    def recipe(self, weights: Weights) -> dict[str, Any]:
        return {"builder": f"planted:{self.name}"}

    def place(self, weights: Weights) -> str:
        return "in the garden"


class PlantedProvider(Provider):
    """`planted/<name>`."""

    def known(self) -> tuple[str, ...]:
        return tuple(f"planted/{name}" for name in NAMES)

    def takes(self, name: str) -> bool:
        return name.startswith("planted/")

    def find(self, name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
        if name not in self.known():
            raise NetworkError(unknown("network", name, self.known()))
        plain = Preprocessing((16, 16), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        title = name.removeprefix("planted/")
        return NetworkSpec(name, title, "Planted.", plain, (), PlantedSource(title))


class FlatLayout(Layout):
    """palette.csv (value, name), `<picture>.png`, `<picture>.mask.png`: a grey value is a label."""

    expects = "palette.csv (pictures with flat masks)"
    version = "1"

    def recognises(self, root: Path) -> bool:
        return (root / "palette.csv").is_file()

    def read(self, root: Path) -> Tables:
        with (root / "palette.csv").open(newline="") as file:
            names = {int(row["value"]): row["name"] for row in csv.DictReader(file)}
        labels = {number: Label(number, name, name, {"object": 0}) for number, name in names.items()}
        pictures = sorted(path.name for path in root.glob("*.png") if not path.stem.endswith(".mask"))
        records = tuple(
            ImageRecord(name, "train", None, {"object": (f"{Path(name).stem}.mask.png",)})
            for name in pictures
        )
        with Image.open(root / records[0].maps["object"][0]) as first:
            size = first.size[1], first.size[0]
        return Tables(records, labels, ("object",), size, {"palette": repr(names)}, "", None, self.numbers)

    @staticmethod
    def numbers(image: Image.Image) -> np.ndarray:
        return np.asarray(image.convert("L"))


PROVIDER, LAYOUT = PlantedProvider(), FlatLayout()
