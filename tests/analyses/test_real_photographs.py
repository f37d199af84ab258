"""The acceptance on real photographs; skipped unless INTERPRET_REAL_DATA names the folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret_core import datasets, networks
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.measures.dissection.masks import decode
from interpret_core.measures.dissection.thresholds import State
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.runs import digests, lines_of
from tests.reference import bands as reference_bands
from tests.reference import profile as reference
from tests.slow import slow

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.real,
    pytest.mark.skipif("INTERPRET_REAL_DATA" not in os.environ, reason="INTERPRET_REAL_DATA is not set"),
]
EXPECTED_UNITS = {
    "torchvision/alexnet@random": [64, 192, 384, 256, 256],
    "torchvision/vgg11@random": [64, 128, 256, 256, 512, 512, 512, 512],
    "torchvision/resnet18@random": [64] * 5 + [128] * 4 + [256] * 4 + [512] * 4,
}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A data set of every fourth photograph."""
    return every(4, tmp_path / "photographs")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A data set of every sixteenth photograph."""
    return every(16, tmp_path / "few")


def every(step: int, folder: Path) -> Path:
    """The same files, a shorter index."""
    source = Path(os.environ["INTERPRET_REAL_DATA"]) / "coco_broden"
    folder.mkdir()
    for name in ("images", "label.csv", "category.csv"):
        (folder / name).symlink_to(source / name)
    rows = (source / "index.csv").read_text().splitlines(keepends=True)
    (folder / "index.csv").write_text("".join(rows[:1] + rows[1::step]))
    return folder


@pytest.mark.parametrize("step", [16, slow(4)])
def test_efficientnet_equals_the_reference(tmp_path: Path, store: Store, step: int) -> None:
    """Early, depthwise and late layers, with ReLU6 and without, on the annotations as they are."""
    layers = ("conv_stem", "blocks.4.depthwise_conv", "blocks.10.project_conv", "blocks.15.expand_conv")
    photographs = every(step, tmp_path / "every")
    request = ProfileRequest("efficientnet-lite0", str(photographs), layers, min_images=1, permutations=0)
    found = find_profiles(run_profile(request, store).keys, store)
    dataset, network = datasets.open_dataset(str(photographs)), networks.load("efficientnet-lite0")
    table = dataset.concepts()
    images = [dataset.read_image(i) for i in range(len(dataset))]
    responses: dict[str, np.ndarray] = {}
    with torch.inference_mode():
        network.stream(
            network.preprocessing.batch(images),
            layers,
            lambda layer, response: responses.__setitem__(layer.name, response.numpy().copy()),
        )
    category_of = [table.categories[index] for index in table.category_of]
    concepts = [(index + 1, category) for index, category in enumerate(category_of)]
    annotations = [_by_category(dataset.read_annotation(i, table), category_of) for i in range(len(dataset))]
    units = np.arange(0, 10_000, 27)
    for name, layer in found.items():
        chosen = units[units < layer.profile.units]
        assert_silence(layer.profile, responses[name], chosen)
        expected = reference.profile(
            responses[name][:, chosen],
            annotations,
            concepts,
            list(table.categories),
            size=dataset.annotation_size,
            lines=lines_of(layer.profile),
        )
        for field in ("threshold", "exceeding", "intersection", "active", "active_total"):
            np.testing.assert_array_equal(layer.profile.arrays[field][chosen], expected[field], err_msg=field)
        live = layer.profile.arrays["state"] == State.LIVE
        assert (layer.profile.arrays["exceeding"][live] == layer.profile.metadata["wanted"]).all()


def assert_silence(profile: LayerProfile, responses: np.ndarray, chosen: np.ndarray) -> None:
    """Where some of the units fire, and their tenths with masks, are the reference's."""
    threshold = profile.arrays["threshold"][chosen]
    fires = reference_bands.fires(responses[:, chosen], threshold)
    np.testing.assert_array_equal(np.stack([profile.fires_in(unit) for unit in chosen]), fires)
    image, response = reference_bands.bands(responses[:, chosen])
    np.testing.assert_array_equal(profile.arrays["band_image"][chosen], image)
    np.testing.assert_array_equal(profile.arrays["band_response"][chosen], response)
    masks = reference.masks(responses[:, chosen], threshold, profile.annotation_size, lines_of(profile))
    for row, unit in enumerate(chosen):
        for band in range(reference_bands.TENTHS):
            for place, index in enumerate(profile.band(unit, band)[0]):
                found = decode(profile.band_runs(unit, band, place), profile.annotation_size)
                np.testing.assert_array_equal(found, masks[index, row])


def _by_category(planes: np.ndarray, category_of: list[str]) -> list[tuple[str, np.ndarray]]:
    """Planes as the reference takes them: each labelled plane with the category of its labels."""
    return [(category_of[int(plane.max()) - 1], plane.astype(int)) for plane in planes if plane.any()]


@pytest.mark.slow
def test_shards_on_photographs(photographs: Path, tmp_path: Path) -> None:
    """Chance included; seven batches of four, since a shard is at least one batch."""
    layers = ("conv_stem", "blocks.10.project_conv")
    request = ProfileRequest(
        "efficientnet-lite0", str(photographs), layers, min_images=1, permutations=3, batch_size=4
    )
    plain = Store(tmp_path / "plain")
    run_profile(request, plain, Execution(shards=1))
    for shards, order in ((2, (1, 0)), (4, (0, 1, 2, 3)), (4, (3, 1, 0, 2))):
        store = Store(tmp_path / f"{shards}{order[0]}")
        assert run_profile(request, store, Execution(shards=shards, order=order)).computed >= 3 * shards
        assert digests(request, store) == digests(request, plain)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if "alexnet" in name else [pytest.mark.slow]) for name in EXPECTED_UNITS],
)
def test_torchvision_networks_profile_without_error(name: str, few: Path, store: Store) -> None:
    outcome = run_profile(ProfileRequest(name, str(few), min_images=1, permutations=3), store)
    found = find_profiles(outcome.keys, store)
    assert [layer.profile.units for layer in found.values()] == EXPECTED_UNITS[name]
    assert outcome.evidence == "random weights"
    assert "Random weights" in outcome.note
    for layer in found.values():
        live = layer.profile.arrays["state"] == State.LIVE
        assert (layer.profile.arrays["exceeding"][live] == layer.profile.metadata["wanted"]).all()


@pytest.mark.slow
def test_batch_sizes_on_photographs(photographs: Path, tmp_path: Path) -> None:
    layers = ("conv_stem", "blocks.6.depthwise_conv", "conv_head")
    found = []
    for size in (1, 7, 32):
        request = ProfileRequest(
            "efficientnet-lite0", str(photographs), layers, min_images=1, permutations=0, batch_size=size
        )
        store = Store(tmp_path / f"cache{size}")
        found.append(find_profiles(run_profile(request, store).keys, store))
    for name, first in found[0].items():
        for other in found[1:]:
            for field in ("intersection", "active_total", "exceeding"):
                moved = np.abs(first.profile.arrays[field] - other[name].profile.arrays[field])
                # A response at its threshold falls to either side; its mask's edge moves with it.
                assert moved.max() <= 8, f"{name} {field}"
