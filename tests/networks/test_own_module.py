"""Whoever hands a module to Unitscope gets it back as it was, and may go on training it."""

from __future__ import annotations

import logging
import threading

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import weight_norm

from interpret_core.errors import NetworkError
from interpret_core.networks import Network, Silence, load
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.objects.copies import private_copy
from tests.networks import own
from tests.networks.conftest import images

LIVE = "tests.networks.own:live"


def state_of(module: nn.Module) -> list[object]:
    """All that a caller can see of a module."""
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    return [
        {name: part.training for name, part in module.named_modules()},
        {
            name: (id(one), one.requires_grad, one.dtype, one.stride(), one.device)
            for name, one in tensors.items()
        },
        {name: one.detach().clone().numpy().tobytes() for name, one in tensors.items()},
        {name: (id(part), len(part._forward_hooks)) for name, part in module.named_modules()},
    ]


def used(network: Network) -> None:
    """Everything that is done with a network."""
    batch = images(network)
    with network.recording(network.layers) as run:
        run(batch)
    with network.ablating({"first": Silence([0])}) as run:
        run(network.prefix(batch, "first"))
    cut = network.cutter(batch, ["second"])
    place = cut.responses["second"].clone().requires_grad_()
    torch.autograd.grad(cut.tail("second", place, torch.arange(2)).sum(), place)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
@pytest.mark.parametrize("factory", [own.Base, own.Trains, own.Viewed, own.Untraceable])
def test_the_users_module_is_never_changed(factory: type[nn.Module], kind: torch.dtype) -> None:
    module = factory().to(kind).train()
    module.head.eval()  # a mixture: neither mode is right for all parts
    own.Live.parts = own.parts(module)
    before = state_of(module)
    try:
        used(load(LIVE))
    except NetworkError:
        assert factory is own.Trains  # refused, and not changed either
    assert state_of(module) == before


def test_weights_loaded_on_top_do_not_reach_the_live_module(tmp_path) -> None:  # type: ignore[no-untyped-def]
    module = own.Base()
    own.Live.parts = own.parts(module)
    torch.save({name: one + 1 for name, one in module.state_dict().items()}, tmp_path / "other.pth")
    before = state_of(module)
    load(f"{LIVE}@{tmp_path / 'other.pth'}")
    assert state_of(module) == before


def test_a_loaded_network_does_not_follow_the_training() -> None:
    own.Live.parts = own.parts(module := own.Base())
    network = load(LIVE)
    batch = images(network)
    with network.ablating({}) as intact:
        before = intact(batch)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.5)
        assert torch.equal(intact(batch), before)


def test_training_goes_on_after_a_look() -> None:
    torch.manual_seed(0)
    module = own.Base().train()
    own.Live.parts = own.parts(module)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    losses = []
    for _ in range(3):
        used(load(LIVE))
        optimizer.zero_grad()
        loss = module(torch.ones(4, 3, 32, 32)).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > losses[1] > losses[2]


class Undeepcopiable(own.Base):
    """What deepcopy cannot take: a lock, a logger, a tensor with a history, modules in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.lock, self.log = threading.Lock(), logging.getLogger("user")
        self.scale = self.head.weight.sum() * 0 + 2.0
        self.hidden = [nn.Conv2d(12, 12, 1)]

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.hidden[0](self.body(x)).mean((2, 3))) * self.scale


@pytest.mark.parametrize("old_weight_norm", [False, True])
def test_what_cannot_be_copied_deeply_is_copied_all_the_same(old_weight_norm: bool) -> None:
    module = Undeepcopiable().eval()
    if old_weight_norm:
        with pytest.warns(FutureWarning):
            weight_norm(module.first)
    twin = private_copy(module)
    batch = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(twin(batch), module(batch))
    own_tensors = {
        id(one) for one in (*module.parameters(), *module.buffers(), *module.hidden[0].parameters())
    }
    assert not own_tensors & {
        id(one) for one in (*twin.parameters(), *twin.buffers(), *twin.hidden[0].parameters())
    }
    expected = twin(batch)
    with torch.no_grad():
        for parameter in (*module.parameters(), *module.hidden[0].parameters()):
            parameter.add_(1.0)
    assert torch.equal(twin(batch), expected)


def test_tied_parameters_stay_tied_in_a_copy() -> None:
    module = own.Base()
    module.again = module.second
    module.lock = threading.Lock()
    twin = private_copy(module)
    assert twin.again is twin.second
    assert twin.again is not module.second


# Arithmetic ------------------------------------------------------------------------------------------------


def precision() -> list[object]:
    backends = torch.backends
    cudnn = backends.cudnn
    chosen = [torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic]
    return [*chosen, backends.mkldnn.matmul.fp32_precision, torch.is_autocast_enabled("cpu"),
            torch.is_grad_enabled()]  # fmt: skip


@pytest.mark.parametrize("choice", ["highest", "high", "medium"])
def test_the_processs_own_arithmetic_is_put_aside_and_comes_back(
    choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_float32_matmul_precision(choice)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
            before = precision()
            with plain_arithmetic():
                assert precision() == ["highest", False, False, True, "ieee", False, True]
                with plain_arithmetic():
                    assert precision()[0] == "highest"
                assert precision()[0] == "highest"
            assert precision() == before
            with pytest.raises(ValueError), plain_arithmetic():
                raise ValueError
            assert precision() == before
    finally:
        torch.set_float32_matmul_precision("highest")


def test_a_network_computes_the_same_whatever_the_process_chose() -> None:
    own.Live.parts = own.parts(own.Base())
    network = load(LIVE)
    batch = images(network)

    def everything() -> list[Tensor]:
        with network.recording(network.layers) as run:
            found = run(batch)
        with network.ablating({"first": Silence([1])}) as silenced:
            return [found.output, *found.responses.values(), silenced(network.prefix(batch, "first"))]

    expected = everything()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
            assert load(LIVE).digest == network.digest
            found = everything()
    finally:
        torch.set_float32_matmul_precision("highest")
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
