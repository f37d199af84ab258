"""Pictures larger than the network's input: reduced as they are read, analyses see the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core import networks
from interpret_core.analyses.relevance.attribution import baselines
from interpret_core.analyses.relevance.work import _blurred, _loaded
from interpret_core.classes.known import KnownClass
from interpret_core.datasets import Dataset, open_dataset
from interpret_core.runtime.evaluated import LabelledImages
from tests.planted_classes import write_classes
from tests.planted_names import NETWORK


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Photographs of 60×90, 100×30 and 10×10 pixels for a network of 24×24."""
    random = np.random.default_rng(4)
    for index, shape in enumerate([(60, 90, 3), (100, 30, 3), (10, 10, 3)]):
        Image.fromarray(random.integers(0, 255, shape, dtype=np.uint8)).save(tmp_path / f"{index}.png")
    write_classes(tmp_path, [(f"{index}.png", "cat") for index in range(3)])
    return open_dataset(tmp_path)


def test_relevance(dataset: Dataset) -> None:
    """A baseline that is blurred is blurred whole: that of a small picture would be another."""
    network = networks.load(NETWORK)
    known = KnownClass("cat", (0,), ("cat",), (), np.arange(3), np.array(["val"] * 3), few=True)
    whole = [dataset.read_image(index) for index in range(3)]
    loaded = [one.image for one in _loaded(network, dataset, known, range(3))]
    assert [image.shape for image in loaded] == [(24, 24, 3), (24, 24, 3), (10, 10, 3)]
    assert bool((network.batch(loaded) == network.batch(whole)).all())
    for kind in ("black", "mean"):
        assert bool((baselines(network, kind, loaded) == baselines(network, kind, whole)).all())
    wanted = baselines(network, "blur", whole)
    assert bool((network.batch(_blurred(network, dataset, range(3))) == wanted).all())
    assert not bool((baselines(network, "blur", loaded) == wanted).all())


def test_images_that_are_evaluated(dataset: Dataset) -> None:
    network = networks.load(NETWORK)
    images = LabelledImages(network, dataset, np.arange(3), np.zeros(3, np.int64), ((0,),))
    wanted = network.batch([dataset.read_image(index) for index in range(3)])
    assert bool((images.batch(np.arange(3)) == wanted).all())
