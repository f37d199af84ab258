"""Effects of single units: the estimate against finite steps, the rest against edited networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from interpret_core import datasets, networks
from interpret_core.analyses.effects import compute as effects
from interpret_core.analyses.effects import plan
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.effects.plan import find_effects, planned_images
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.effects.result import Effects
from interpret_core.errors import Cancelled, NonFiniteError
from interpret_core.networks import NetworkParts, Preprocessing
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.related import NETWORK, SIZE, network, write_objects

OUTPUT = {"ball": 0, "box": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_objects(tmp_path_factory.mktemp("objects") / "data")


def asked(root: Path, name: str = NETWORK) -> EffectsRequest:
    return EffectsRequest(name, str(root))


def linear() -> NetworkParts:
    """Without any bend behind the response but the softmax's: one output more, always at 0."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    return NetworkParts(module, Preprocessing((SIZE, SIZE)), ("ball", "box", "sun"))


def probability(root: Path, name: str, scale: dict[tuple[str, int], float]) -> float:
    """Mean probability of a class over its val images, responses scaled by hand; the network is written
    out."""
    parts = network()
    module = parts.module.double()
    dataset = datasets.open_dataset(str(root))
    found = []
    for index in range(6, 12):
        if index % 2 != OUTPUT[name]:
            continue
        x = parts.preprocessing.batch([dataset.read_image(index)]).double()
        with torch.no_grad():
            first = module.first(x).relu()
            for (layer, unit), factor in scale.items():
                if layer == "first":
                    first[:, unit] *= factor
            second = module.second(first)
            for (layer, unit), factor in scale.items():
                if layer == "second":
                    second[:, unit] *= factor
            logits = module.head((second + first).relu().mean((2, 3)))
        found.append(float(logits.softmax(1)[0, OUTPUT[name]]))
    return float(np.mean(found))


@pytest.mark.thorough
def test_the_estimate_is_the_derivative_along_the_silencing(root: Path, store: Store) -> None:
    """d/dt of P with the response scaled by 1 − t, at t = 0, is −Σ a·∂P/∂a."""
    found = run_effects(asked(root), store)
    step = 1e-6
    for place, (layer, unit) in enumerate(found.units):
        for number, name in enumerate(found.classes):
            more, less = (probability(root, name, {(layer, unit): 1 + s}) for s in (step, -step))
            expected = (less - more) / (2 * step)
            assert found.first_order[place, number] == pytest.approx(expected, rel=2e-4, abs=1e-7)


def test_the_measured_effect_is_that_of_a_network_with_the_unit_zeroed(root: Path, store: Store) -> None:
    found = run_effects(asked(root), store)
    assert len(found.strongest) == len(found.units) == 12  # fewer units than are measured at most
    largest = np.abs(found.first_order).max(1)
    assert found.strongest.tolist() == np.argsort(-largest, kind="stable").tolist()
    assert found.images == (3, 3)
    for row, place in enumerate(found.strongest.tolist()):
        for number, name in enumerate(found.classes):
            change = probability(root, name, {found.units[place]: 0.0}) - probability(root, name, {})
            assert found.exact[row, number] == pytest.approx(change, abs=2e-6)


def test_units_that_help_one_class_and_hurt_another_come_first() -> None:
    exact = np.array([[-0.2, -0.1], [-0.3, 0.05], [0.0, 0.4], [0.2, -0.1]])
    made = Effects({"exact": exact}, {})
    assert made.two_faced().tolist() == [3, 1]


def test_a_network_that_cannot_be_traced_gets_the_same(root: Path, store: Store) -> None:
    traced = run_effects(asked(root), store)
    watched = run_effects(asked(root, "tests.analyses.related:untraceable"), store)
    np.testing.assert_allclose(watched.first_order, traced.first_order, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(watched.exact, traced.exact, atol=1e-6)


def test_only_the_strongest_are_measured_and_the_answer_is_kept(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (effects, plan):
        monkeypatch.setattr(module, "STRONGEST", 2)
    images = planned_images(asked(root), store, networks.load(NETWORK))
    assert find_effects(images) is None
    found = run_effects(asked(root), store)
    assert found.exact.shape == found.exact_accuracy.shape == (2, 2)
    again = find_effects(images)
    assert again is not None
    np.testing.assert_array_equal(again.exact, found.exact)
    told: list[str] = []
    run_effects(asked(root), store, Execution(tell=lambda stage, _done, _total: told.append(stage)))
    assert set(told) == {"reading the data set's digest"}


def test_stopping_and_nan(root: Path, store: Store) -> None:
    with pytest.raises(Cancelled):
        run_effects(asked(root), store, Execution(cancelled=lambda: True))
    with pytest.raises(NonFiniteError, match=r"ball-6.png"):
        run_effects(asked(root, "tests.analyses.related:poisoned"), store)


def test_a_linear_network_changes_by_the_arithmetic_amount(root: Path, store: Store) -> None:
    """Logits change by −w·a; with the probabilities' logarithms against the third output, exactly."""
    found = run_effects(asked(root, "tests.analyses.test_effects:linear"), store)
    parts = linear()
    dataset = datasets.open_dataset(str(root))
    convolution, head = parts.module[0].double(), parts.module[3].double()
    for row, place in enumerate(found.strongest.tolist()):
        unit = found.units[place].unit
        for number, name in enumerate(found.classes):
            changes = []
            for index in (i for i in range(6, 12) if i % 2 == OUTPUT[name]):
                x = parts.preprocessing.batch([dataset.read_image(index)]).double()
                with torch.no_grad():
                    means = convolution(x).mean((2, 3))
                    logits = head(means)
                    lost = logits - means[:, [unit]] * head.weight[:, unit]
                changes.append(float((lost.softmax(1) - logits.softmax(1))[0, OUTPUT[name]]))
            assert found.exact[row, number] == pytest.approx(np.mean(changes), abs=1e-6)
