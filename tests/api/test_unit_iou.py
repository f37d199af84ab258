"""The metric, batch by batch, against the profile's record."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import interpret_core as ic
from interpret_core.errors import NonFiniteError, ParameterError
from tests.planted_dataset import make_planted

COUNTED = ("threshold", "state", "exceeding", "intersection", "active", "active_total", "concept_pixels")


def network(seed=3):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = nn.Conv2d(3, 7, 5, stride=2), nn.ReLU(), nn.Conv2d(7, 9, 3), nn.ReLU6()
        head = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return ic.wrap(nn.Sequential(*layers, *head), 48, mean=[0, 0, 0], std=[1, 1, 1])


def compared(net, data, options, sizes):
    """The metric over a data set in batches of some sizes, and the profile's record, for each layer."""
    found = ic.profile(net, data, permutations=0, **options)
    categories = found.request.categories
    table = data.concepts(categories)
    for layer in net.layers:
        anchored = found.request.positions == "anchored"
        metric = ic.UnitIoU(options["quantile"], table.category_of, layer.lines if anchored else None)
        start = 0
        for size in sizes:
            images = range(start, min(start + size, len(data)))
            batch = net.batch([data.read_image(i) for i in images])
            planes = [data.read_annotation(i, table) for i in images]
            most = max(len(one) for one in planes)
            labels = np.stack([np.pad(one, ((0, most - len(one)), (0, 0), (0, 0))) for one in planes])
            with net.recording([layer]) as run:
                metric.update(run(batch).responses[layer.name], labels)
            start += size
        assert start >= len(data)
        yield metric, found.layers[layer.name].profile


@pytest.mark.parametrize("positions", ["anchored", "stretched"])
def test_batch_by_batch_the_integers_are_those_of_the_profile(notebook, tmp_path, positions):
    make_planted(tmp_path / "planted", images=13, size=64, annotation=32)
    data = ic.open_dataset(tmp_path / "planted")
    options = {"quantile": 0.02, "positions": positions, "min_images": 1, "batch_size": 5}
    for metric, profile in compared(network(), data, options, (5, 5, 5)):
        counted = metric.compute()
        for name in COUNTED:
            np.testing.assert_array_equal(getattr(counted, name), profile.arrays[name], err_msg=name)
        np.testing.assert_array_equal(counted.iou, profile.iou)
        assert counted.intersection.any()
        metric.reset()
        with pytest.raises(ParameterError, match=r"call update first"):
            metric.compute()


@pytest.mark.real
def test_the_same_on_photographs(notebook):
    root = os.environ.get("INTERPRET_REAL_DATA") or pytest.skip("INTERPRET_REAL_DATA is not set")
    data = ic.open_dataset(Path(root) / "coco_broden")
    sizes = (32,) * -(-len(data) // 32)
    for metric, profile in compared(network(), data, {"quantile": 0.005}, sizes):
        counted = metric.compute()
        for name in COUNTED:
            np.testing.assert_array_equal(getattr(counted, name), profile.arrays[name], err_msg=name)


def test_batches_and_their_order_change_nothing():
    random = np.random.default_rng(1)
    responses = random.normal(size=(12, 4, 6, 5)).astype(np.float32)
    labels = random.integers(0, 4, (12, 2, 12, 10))
    whole = ic.UnitIoU(0.03).update(torch.from_numpy(responses), labels).compute()
    metric = ic.UnitIoU(0.03)
    for part in ([7, 1, 2], [0], [11, 10, 9, 8], [3, 4, 5, 6]):
        metric.update(responses[part], torch.from_numpy(labels[part]))
    for name in COUNTED:
        np.testing.assert_array_equal(getattr(metric.compute(), name), getattr(whole, name))
    assert (whole.exceeding == round(0.03 * 12 * 30)).all()


def test_what_is_given_is_copied():
    responses, labels = torch.rand(2, 3, 4, 4), np.ones((2, 8, 8), int)
    metric = ic.UnitIoU(0.1).update(responses.to(memory_format=torch.channels_last), labels)
    before = metric.compute().threshold.copy()
    responses.zero_()
    labels[:] = 0
    assert np.array_equal(metric.compute().threshold, before)
    assert metric.compute().concept_pixels.tolist() == [128]


GOOD = np.ones((2, 3, 4, 4), np.float32), np.ones((2, 8, 8), int)


@pytest.mark.parametrize(
    ("responses", "labels", "words"),
    [
        (GOOD[0][0], GOOD[1], r"Expected responses to be \(N, U, h, w\).* but got \(3, 4, 4\)"),
        (GOOD[0].astype(int), GOOD[1], r"of torch\.int64"),
        (GOOD[0], GOOD[1].astype(float), r"Expected annotations to be .*float64"),
        (GOOD[0], GOOD[1][:1], r"as many annotations as responses, but got 1 and 2"),
        (GOOD[0], GOOD[1] - 2, r"from 0 to 65534, but got -1"),
        (GOOD[0][:, :2], GOOD[1], r"U 3.* as in the batches before, but got .*U 2"),
        (GOOD[0], GOOD[1] + 1, r"numbers up to 1, one for each category given, but got 2"),
    ],
)
def test_what_cannot_be_counted_is_told(responses, labels, words):
    metric = ic.UnitIoU(0.1, categories=[0]).update(*GOOD)
    with pytest.raises(ParameterError, match=words):
        metric.update(responses, labels)
    assert metric.compute().concept_pixels.tolist() == [128]


def test_a_response_that_is_no_number_is_told():
    responses = GOOD[0].copy()
    responses[1, 2, 0, 0] = np.nan
    with pytest.raises(NonFiniteError, match=r"unit 2 to picture 1"):
        ic.UnitIoU().update(responses, GOOD[1])
    with pytest.raises(ParameterError, match=r"quantile is 1"):
        ic.UnitIoU(1)


def test_a_concept_that_two_maps_give_to_a_pixel_counts_once():
    responses, one = GOOD
    twice = np.stack([one, one], 1)
    once, again = (ic.UnitIoU(0.1).update(responses, labels).compute() for labels in (one, twice))
    assert again.concept_pixels.tolist() == once.concept_pixels.tolist() == [128]
    nothing = ic.UnitIoU(0.1).update(responses, twice[:, :0]).compute()
    assert nothing.iou.shape == (3, 0)
