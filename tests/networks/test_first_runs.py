"""Random numbers, states and hooks: what a network may draw, keep and leave behind, and what is refused."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from interpret_core import networks
from interpret_core.errors import NetworkError
from interpret_core.networks import load, streams
from tests.networks import own
from tests.networks.conftest import images
from tests.networks.test_own_module import state_of, used

LIVE = "tests.networks.own:live"


# Streams of random numbers ---------------------------------------------------------------------------------


class Drawing(own.Base):
    """Draws, and makes no use of it, as a layer dropped in training alone does."""

    def forward(self, x: Tensor) -> Tensor:
        torch.rand(1), random.random(), np.random.rand()
        if self.training and random.random() < 0.1:
            return x
        return super().forward(x)


class SeededInside(own.Base):
    def forward(self, x: Tensor) -> Tensor:
        torch.manual_seed(3)
        return super().forward(x + torch.randn(1, 3, 32, 32) * 0.3)


class UntraceableDrawing(Drawing):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(-x if x.sum() > 1e9 else x)


class Flipped(own.Base):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flip(-1) if random.random() < 0.5 else x)


class Rarely(own.Base):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * float(np.random.choice([1] * 9 + [3])))


class Noisy(own.Base):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + torch.randn_like(x) * 1e-3)


class OwnStream(own.Base):
    """Draws from a stream of its own, which nobody seeds."""

    def __init__(self) -> None:
        super().__init__()
        self.stream = np.random.default_rng(0)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flip(-1) if self.stream.random() < 0.1 else x)


@pytest.mark.parametrize("kind", [Drawing, SeededInside, UntraceableDrawing, own.Base])
def test_what_draws_and_makes_no_use_of_it_is_loaded_and_leaves_no_trace(kind: type[nn.Module]) -> None:
    own.Live.parts = own.parts(kind())
    torch.manual_seed(7)
    before = streams.state()
    network = load(LIVE)
    assert not streams.moved(before, streams.state())
    torch.rand(1), random.random(), np.random.rand()
    assert load(LIVE).digest == network.digest


@pytest.mark.parametrize("kind", [Flipped, Rarely, Noisy, OwnStream])
def test_what_is_random_is_refused_whatever_was_drawn_before(kind: type[nn.Module]) -> None:
    own.Live.parts = own.parts(kind())
    for seed in range(3):
        streams.begin(seed)
        before = streams.state()
        with pytest.raises(NetworkError, match="random even in eval mode") as caught:
            load(LIVE)
        assert "others of its batch" not in str(caught.value)
        assert not streams.moved(before, streams.state())


def test_streams_of_several_threads_come_back_with_the_last() -> None:
    before = streams.state()
    inside, done = threading.Event(), threading.Event()

    def run() -> None:
        with streams.kept():
            inside.set()
            done.wait(60)
            torch.rand(3), random.random(), np.random.rand()

    thread = threading.Thread(target=run)
    with streams.kept():
        thread.start()
        inside.wait(60)
        torch.rand(5), random.random()
    done.set()
    thread.join(60)
    assert not streams.moved(before, streams.state())


def test_streams_of_a_graphics_card_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [torch.zeros(16, dtype=torch.uint8)]
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [one.clone() for one in drawn])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", lambda states: drawn.__setitem__(0, states[0]))
    for inside in (streams.kept, lambda: streams.seeded(0)):
        before = streams.state()
        with inside():
            drawn[0] = drawn[0] + 1
            assert streams.moved(before, streams.state())
        assert not streams.moved(before, streams.state())


def test_a_card_that_begins_later_begins_with_its_own_seed() -> None:
    torch.manual_seed(42)
    before = dict(vars(torch.cuda._lazy_seed_tracker))
    with streams.seeded(0):
        assert vars(torch.cuda._lazy_seed_tracker) != before
    assert vars(torch.cuda._lazy_seed_tracker) == before
    assert torch.initial_seed() == 42


# Factories -------------------------------------------------------------------------------------------------


def loading() -> networks.NetworkParts:
    """A factory that loads another network, which is built with a seed as well."""
    load("tests.networks.own:base")
    return own.base()


def test_a_factory_may_load_a_network() -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(load(f"{__name__}:loading")), daemon=True)
    thread.start()
    thread.join(120)  # it used to wait for itself
    assert found
    assert found[0].digest == load("tests.networks.own:base").digest


# States ----------------------------------------------------------------------------------------------------


class Seen(own.Base):
    """Assigns a buffer and an attribute in every forward; no answer depends on them."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x.mean((0, 2, 3))
        self.last = self.body(x)
        return self.head(self.last.mean((2, 3)))


class Moving(own.Base):
    """A moving average over all that it was ever shown."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.mean((0, 2, 3))
        return super().forward(x - self.mean.view(1, 3, 1, 1))


@pytest.mark.parametrize("train", [False, True])
def test_a_forward_may_assign_a_buffer_or_an_attribute(train: bool) -> None:
    module = Seen().train(train)
    own.Live.parts = own.parts(module)
    before = state_of(module)
    network = load(LIVE)
    used(network)
    assert network.traced
    assert state_of(module) == before
    assert not hasattr(module, "last")
    assert load(LIVE).digest == network.digest


def test_a_moving_average_is_refused_with_its_cause() -> None:
    own.Live.parts = own.parts(Moving())
    with pytest.raises(NetworkError, match="keeps a state from run to run"):
        load(LIVE)


# Hooks that the forward relies on --------------------------------------------------------------------------


class ByMethod(own.Base):
    def __init__(self) -> None:
        super().__init__()
        self.second.register_forward_hook(self.save)

    def save(self, part: nn.Module, given: object, made: Tensor) -> None:
        self.saved = made

    def forward(self, x: Tensor) -> Tensor:
        self.body(x)
        return self.head(F.relu(self.saved).mean((2, 3)))


class ByClosure(own.Base):
    def __init__(self) -> None:
        super().__init__()
        kept: dict[str, Tensor] = {}
        self.second.register_forward_hook(lambda part, given, made: kept.__setitem__("second", made))
        self.kept = lambda: kept["second"]

    def forward(self, x: Tensor) -> Tensor:
        self.body(x)
        return self.head(F.relu(self.kept()).mean((2, 3)))


class OfTheEnd(own.Base):
    """What a hook took from a block, which tracing runs through."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 12, 3), nn.ReLU())
        self.out: Tensor | None = None
        self.block.register_forward_hook(self.take)

    def take(self, part: nn.Module, given: object, made: Tensor) -> None:
        self.out = made

    def forward(self, x: Tensor) -> Tensor:
        self.block(x)
        return self.head(self.out.mean((2, 3)))


@pytest.mark.parametrize("used_before", [False, True])
@pytest.mark.parametrize("kind", [ByMethod, ByClosure, OfTheEnd])
def test_features_taken_by_a_hook_are_those_of_the_same_run(kind: type[nn.Module], used_before: bool) -> None:
    module = kind().eval()
    with torch.no_grad():
        if used_before:
            module(torch.randn(3, 3, 32, 32))
        own.Live.parts = own.parts(module)
        network = load(LIVE)
        for count in (1, 3, 4):
            batch = images(network, count, seed=count)
            with network.ablating({}) as intact:
                torch.testing.assert_close(intact(batch), module(batch), rtol=1e-5, atol=1e-6)
        module(batch)
        with network.ablating({}) as intact:
            assert len(intact(images(network, 2))) == 2
    used_layers = [layer.name for layer in network.layers]
    assert len(used_layers) == 2
