"""The packages that docs/ shows, as it shows them: they are installed, asked, and give what is planted."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from interpret_core import datasets, networks
from interpret_core.analyses import registry
from interpret_core.cli import main
from interpret_core.errors import DatasetError, LayerError, NetworkError, WeightsError
from interpret_core.store import Store
from tests.outside.conftest import ROOT, Install

EXAMPLES = ROOT / "docs/examples"


def entry_points(example: str) -> dict[str, dict[str, str]]:
    with (EXAMPLES / example / "pyproject.toml").open("rb") as file:
        found: dict[str, dict[str, str]] = tomllib.load(file)["project"]["entry-points"]
    return found


@pytest.fixture
def installed(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts an example on the path and announces what its pyproject.toml says."""

    def put(example: str) -> None:
        monkeypatch.syspath_prepend(str(EXAMPLES / example))
        for group, points in entry_points(example).items():
            for name, target in points.items():
                install(group, f"{name}_{group.rpartition('.')[2]}", target)

    monkeypatch.chdir(tmp_path)
    yield put
    for name in ("dead_units", "small_networks", "stem_masks_layout", "stem_masks_format"):
        sys.modules.pop(name, None)


def write_network(place: Path) -> None:
    """Unit 3 of its second layer is dead: no weights, and a bias below zero."""
    from small_networks import architecture

    torch.manual_seed(0)
    module = architecture()
    with torch.no_grad():
        module[2].weight[3] = 0
        module[2].bias[3] = -1
    place.parent.mkdir(exist_ok=True)
    save_file(module.state_dict(), place)


def write_pictures(root: Path) -> None:
    root.mkdir()
    random = np.random.default_rng(0)
    for index in range(5):
        Image.fromarray(random.integers(0, 255, (64, 64, 3), np.uint8)).save(root / f"{index}.png")
        mask = np.zeros((32, 32), np.uint8)
        mask[4:12, 6:20] = 1 + index % 2
        Image.fromarray(mask).save(root / f"{index}.mask.png")
    (root / "names.csv").write_text("value,name\n1,roof\n2,door\n", encoding="utf-8")


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_dead_units_of_a_network_of_the_source(
    installed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process of its own, which finds the packages as background jobs do."""
    for example in ("dead_units", "small_networks", "stem_masks"):
        installed(example)
    paths = [str(EXAMPLES / one) for one in ("dead_units", "small_networks", "stem_masks")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], *paths]))
    write_network(tmp_path / "checkpoints/first.safetensors")
    write_pictures(tmp_path / "pictures")
    (tmp_path / "pictures/0.png").write_bytes(b"no picture")
    asked = ["dead-units", "--network", "small/first", "--dataset", "pictures", "--batch-size", "2"]
    run = [sys.executable, "-m", "interpret_core", *asked, "--out", "dead.csv"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "On 4 images of pictures; 1 could not be read." in done.stdout
    found = rows(tmp_path / "dead.csv")
    assert [(row["layer"], row["unit"]) for row in found if row["dead"] == "True"] == [("conv2", "3")]
    assert len(found) == 8 + 16

    again = subprocess.run([*run[:-1], "dead.json"], capture_output=True, text=True, check=False)
    assert "looking for dead units" in done.stdout
    assert "looking for dead units" not in again.stdout, "answered from the store"
    told = json.loads((tmp_path / "dead.json").read_text())["metadata"]
    assert told["request"] == {
        "network": "small/first",
        "dataset": "pictures",
        "layers": "all",
        "batch_size": 2,
    }
    assert (told["images"], len(told["skipped"])) == (4, 1)

    network, seen = networks.load("small/first"), datasets.open_dataset("pictures")
    images = network.batch([seen.read_image(index) for index in range(1, 5)])
    with network.recording(["conv1", "conv2"]) as record:
        responses = record(images).responses
    for layer, response in responses.items():  # the same number from whole responses, at once
        expected = response.abs().amax((0, 2, 3)).tolist()
        told = [float(row["largest"]) for row in found if row["layer"] == layer]
        assert told == pytest.approx(expected, rel=1e-5)

    from dead_units import DeadUnitsRequest

    entry = registry.find("dead-units")
    with Store(tmp_path / "cache") as store:
        request = DeadUnitsRequest("small/first", "pictures", batch_size=2)
        assert not entry.load().plan(request, store).missing, "found again, under the same key"
        again = registry.compute(request, store)
        assert [float(row["largest"]) for row in found[:8]] == pytest.approx(again["conv1"].tolist())
        other = DeadUnitsRequest("small/first", "pictures", "conv2", 2)
        assert entry.load().plan(other, store).cost.words == "runs the network over 5 images"
        assert entry.load().find(other, store) is None
        with pytest.raises(LayerError, match=r"conv9"):
            registry.compute(DeadUnitsRequest("small/first", "pictures", "conv9"), store)


def test_the_source_lists_finds_and_refuses(installed: Any, tmp_path: Path) -> None:
    installed("small_networks")
    with pytest.raises(NetworkError, match=rf"none are known \(looked in {tmp_path}/checkpoints\)"):
        networks.find("small/first")
    write_network(tmp_path / "checkpoints/first.safetensors")
    assert "small/first" in networks.known()
    network = networks.load("small/first")
    assert (network.evidence, network.class_names) == ("weights as given", ("cat", "dog"))
    before = network.digest
    save_file({"weight": torch.zeros(1)}, tmp_path / "checkpoints/other.safetensors")
    with pytest.raises(WeightsError, match=r"other\.safetensors does not fit"):
        networks.load("small/other")
    with pytest.raises(NetworkError, match=r"did you mean small/first"):
        networks.find("small/frist")
    with pytest.raises(NetworkError, match=r"Unknown network"):
        networks.find("small/../../etc/passwd")
    from small_networks import architecture

    torch.manual_seed(1)
    save_file(architecture().state_dict(), tmp_path / "checkpoints/first.safetensors")
    assert networks.load("small/first").digest != before


def test_the_layout_and_the_format_read_the_same_labels(
    installed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installed("stem_masks")
    write_pictures(tmp_path / "pictures")
    assert main(["import", "stem-masks", "pictures", "--into", "imported", "--grid", "32"]) == 0
    assert "Imported: 5 pictures, 2 labels," in capsys.readouterr().out
    read, imported = datasets.open_dataset("pictures"), datasets.open_dataset("imported")
    assert len(read) == len(imported) == 5
    for index in range(5):
        here = read.read_annotation(index, read.concepts())
        assert np.array_equal(here, imported.read_annotation(index, imported.concepts()))
        assert np.unique(here[0, 4:12, 6:20]).tolist() == [1 + index % 2]
    (tmp_path / "pictures/names.csv").write_text("value,name\n300,roof\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"names\.csv line 2: value '300', expected 1 to 255"):
        datasets.open_dataset("pictures")
