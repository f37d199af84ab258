"""Rendering shipped scenes again; and that the comparison would see a change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demo.scenes.check import MOST, chosen, compare
from interpret_core.datasets import open_dataset

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "demo" / "dataset"


@pytest.fixture(scope="module")
def dataset():
    return open_dataset(SHIPPED)


def names(dataset, i):
    found = {}
    for category in ("object", "part", "material"):
        table = dataset.concepts([category])
        known = np.array(["", *(concept.name for concept in table.concepts)])
        found[category] = known[dataset.read_annotation(i, table)[0]]
    return found


def test_ten_scenes_are_of_ten_classes(dataset):
    images = [record.image for record in dataset.records]
    assert len({images[i].split("/")[0] for i in chosen(images, 10)}) == 10
    assert len(set(chosen(images, 30))) == 30
    assert len(chosen(images, 10_000)) < len(images)


def test_the_same_scene_is_no_difference(dataset):
    found = compare(dataset, 5, dataset.read_image(5), names(dataset, 5))
    assert found.labels == 0
    assert found.picture <= MOST
    assert found.small


def test_one_pixel_of_a_map_is_a_difference(dataset):
    other = names(dataset, 5)
    other["part"][3, 4] = "nothing of the kind"
    found = compare(dataset, 5, dataset.read_image(5), other)
    assert found.labels == 1
    assert not found.small


def test_another_light_is_a_difference(dataset):
    lighter = (dataset.read_image(5) * 0.95).astype(np.uint8)
    assert not compare(dataset, 5, lighter, names(dataset, 5)).small


def test_ten_scenes_rendered_again_have_the_shipped_labels():
    pytest.importorskip("mujoco", reason="the renderer is not installed (requirements-demo.txt)")
    command = [sys.executable, "-m", "demo.scenes.check", str(SHIPPED), "--scenes", "10"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 of 10 scenes reproduced" in done.stdout
