"""A training that is watched is the same training, bit for bit; what is recorded is what the weights were."""

from __future__ import annotations

import random
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

import interpret_core as ic
from interpret_core.errors import ParameterError
from tests.planted_dataset import make_planted

OPTIONS = {"quantile": 0.05, "min_images": 1, "permutations": 0}
INPUT = {"size": 32, "mean": [0, 0, 0], "std": [1, 1, 1]}


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    make_planted(tmp_path / "planted", images=6, size=32, annotation=32)
    return ic.open_dataset(tmp_path / "planted")


def model():
    torch.manual_seed(1)
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.AdaptiveAvgPool2d(1)
    made = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 2))
    made[1].register_forward_hook(lambda *_: None)
    return made.train()


def trained(made, epochs, after):
    """A training that draws from every stream, keeps its last gradients, and tells of each epoch."""
    torch.manual_seed(2)
    np.random.seed(2)
    random.seed(2)
    optimizer = torch.optim.Adam(made.parameters(), 0.1)
    for _ in range(epochs):
        optimizer.zero_grad()
        pictures = torch.rand(8, 3, 32, 32) + np.random.rand() + random.random()
        made(pictures)[:, 0].sum().backward()
        optimizer.step()
        after()
    state = [*made.state_dict().values(), *(one.grad for one in made.parameters())]
    state += [value for one in optimizer.state.values() for value in one.values()]
    streams = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    modes = [(one.training, len(one._forward_hooks), len(one._forward_pre_hooks)) for one in made.modules()]
    return state, streams, modes, [one.requires_grad for one in made.parameters()]


def test_a_watched_training_is_the_same_bit_for_bit(data):
    alone, watched = model(), model()
    seen = ic.watch(watched, data, every=2, wrap=INPUT, **OPTIONS)
    expected = trained(alone, 5, lambda: None)
    found = trained(watched, 5, seen.step)
    assert all(torch.equal(one, other) for one, other in zip(found[0], expected[0], strict=True))
    assert torch.equal(found[1][0], expected[1][0])
    assert found[1][1:] == expected[1][1:]
    assert found[2:] == expected[2:]
    assert [one.number for one in seen.moments] == [2, 4]


def test_each_moment_is_that_of_its_own_weights(data):
    made = model()
    with ic.watch(made, data, every=2, wrap=INPUT, **OPTIONS) as seen:
        first = ic.wrap(made, **INPUT)
        trained(made, 3, seen.step)
        last = ic.wrap(made, **INPUT)
    assert [one.number for one in seen.moments] == [0, 2, 3]
    digests = [one.digest for one in seen.moments]
    assert len(set(digests)) == 3
    assert (digests[0], digests[2]) == (first.digest, last.digest)
    profile = ic.profile(last, data, **OPTIONS)
    assert profile.found.outcome.computed == 0
    (layer,) = seen.moments[-1].layers
    assert list(layer.labels) == profile.labels["conv1"]
    np.testing.assert_array_equal(layer.iou, profile.best["conv1"])
    frame, changes = seen.to_frame(), seen.changes()
    assert frame["detectors"].tolist()[-1] == int(profile.layers["conv1"].detector.sum())
    assert frame["changed"].tolist()[1:] == [int((changes["moment"] == one).sum()) for one in (2, 3)]
    assert (changes["before"] != changes["after"]).all()
    lines = seen.plot().data
    assert [(list(one.x), list(one.y)) for one in lines] == [([0, 2, 3], frame["detectors"].tolist())]


def test_lightning_calls_it_once_in_its_first_process_alone(data, monkeypatch):
    class Callback:
        """As Lightning's: whoever is none of these is refused."""

        state_key = "callback"

    monkeypatch.setitem(sys.modules, "lightning.pytorch", types.SimpleNamespace(Callback=Callback))
    seen = ic.watch(model(), data, wrap=INPUT, **OPTIONS)
    assert isinstance(seen, Callback)
    first, other = (types.SimpleNamespace(is_global_zero=one, sanity_checking=False) for one in (True, False))
    for trainer in (first, other):
        seen.on_fit_start(trainer, seen.model)
        with torch.inference_mode():
            seen.on_train_epoch_end(trainer, seen.model)
        seen.on_fit_end(trainer, seen.model)
    assert [one.number for one in seen.moments] == [0, 1]
    monkeypatch.delitem(sys.modules, "lightning.pytorch")
    assert not isinstance(ic.watch(model(), data), Callback)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"every": 0}, r"every is 0"), ({"layer": "x"}, r"Unknown option of profile 'layer'")],
)
def test_what_cannot_be_asked_is_told_before_the_training(data, options, words):
    with pytest.raises(ParameterError, match=words):
        ic.watch(model(), data, **options)


def test_nothing_recorded_is_told(data):
    seen = ic.watch(model(), data)
    with pytest.raises(ParameterError, match=r"Nothing was recorded yet"):
        seen.plot()
    with pytest.raises(ParameterError, match=r"Unknown number of a training"):
        seen.plot("iou")
