"""A source of networks and a layout of data sets that installed packages add."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core import datasets, networks
from interpret_core.errors import DatasetError, NetworkError
from tests.outside import networks as outside
from tests.outside.conftest import Install
from tests.outside.test_analysis import command
from tests.planted_networks import scenes


@pytest.fixture
def source(install: Install) -> None:
    install("unitscope.networks", "planted", "tests.outside.networks:PROVIDER")


@pytest.fixture
def flat(tmp_path: Path, install: Install) -> Path:
    """`planted_networks.scenes()` in the layout of the package."""
    install("unitscope.datasets", "flat", "tests.outside.networks:LAYOUT")
    root = tmp_path / "flat"
    root.mkdir()
    found = scenes()
    for index, (image, objects) in enumerate(zip(found.images, found.objects, strict=True)):
        Image.fromarray(image).save(root / f"{index}.png")
        Image.fromarray(objects.astype(np.uint8)).save(root / f"{index}.mask.png")
    lines = [f"{number},{name}\n" for number, name in enumerate(found.names, 1)]
    (root / "palette.csv").write_text("value,name\n" + "".join(lines))
    return root


def test_its_networks_are_known_and_load(source: None) -> None:
    assert {"planted/red", "planted/half"} <= set(networks.known())
    network = networks.load("planted/red")
    assert (network.evidence, network.spec.place()) == ("trained", "in the garden")
    assert [layer.name for layer in network.layers] == ["conv1"]
    with pytest.raises(NetworkError, match="did you mean planted/red"):
        networks.find("planted/rad")


@pytest.mark.thorough
def test_its_networks_are_listed(source: None) -> None:
    assert "in the garden" in command("networks").stdout


@pytest.mark.thorough
def test_a_profile_of_both(source: None, flat: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.csv"
    done = command(
        "profile", "--network", "planted/red", "--dataset", flat, "--quantile", scenes().share(1),
        "--min-images", 1, "--permutations", 0, "--out", out,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    with out.open(newline="") as file:
        best = next(row for row in csv.DictReader(file) if (row["unit"], row["rank"]) == ("0", "1"))
    assert (best["concept"], float(best["iou"])) == ("red", 1.0)


def test_what_reads_a_layout_is_part_of_the_digest(flat: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = datasets.open_dataset(flat).digest
    assert datasets.open_dataset(flat).digest == before
    monkeypatch.setattr(outside.FlatLayout, "version", "2")
    assert datasets.open_dataset(flat).digest != before


def test_a_number_that_the_layout_does_not_list_is_a_damaged_mask(flat: Path) -> None:
    Image.new("L", (16, 16), 99).save(flat / "0.mask.png")
    dataset = datasets.open_dataset(flat)
    (batch,) = datasets.Loader(dataset, dataset.concepts()).batches([[0, 1]], annotations=True)
    assert batch.valid.tolist() == [False, True]
    assert "99" in batch.problems[0]


def test_a_folder_that_is_none_of_them_names_all(flat: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(DatasetError, match=r"neither index\.csv .* nor palette\.csv .* nor classes\.csv"):
        datasets.open_dataset(tmp_path / "bare")
