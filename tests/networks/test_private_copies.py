"""Whatever is bound to a module, wrapped around it or closed over: nothing of a copy leads back to it."""

from __future__ import annotations

import functools
import threading
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from interpret_core.errors import NetworkError
from interpret_core.networks import load
from interpret_core.networks.objects.copies import private_copy, shared_clone
from tests.networks import own
from tests.networks.conftest import images
from tests.networks.test_own_module import state_of

LIVE = "tests.networks.own:live"


def ordinary(self: own.Base, x: Tensor) -> Tensor:
    return self.head(self.body(x).mean((2, 3))) * 2


def decorated(module: own.Base) -> None:
    module.forward = torch.no_grad()(module.forward)


def autocast(module: own.Base) -> None:
    module.forward = torch.autocast("cpu", enabled=False)(module.forward)


def compiled(module: own.Base) -> None:
    module.forward = torch.compile(module.forward, backend="eager")


def called_compiled(module: own.Base) -> None:
    module.compile(backend="eager")


def wrapped(module: own.Base) -> None:
    inside = module.norm.forward

    @functools.wraps(inside)
    def forward(x: Tensor) -> Tensor:
        return inside(x) + 1

    module.norm.forward = forward


def by_default(module: own.Base) -> None:
    module.forward = lambda x, inside=module.forward: inside(x) * 2


def partial(module: own.Base) -> None:
    module.forward = functools.partial(ordinary, module)


def cached(module: own.Base) -> None:
    module.width = functools.lru_cache(maxsize=2)(module.head.forward)
    module.forward = types.MethodType(lambda self, x: self.width(self.body(x).mean((2, 3))), module)


def with_a_lock(module: own.Base) -> None:
    module.lock = threading.Lock()
    module.forward = types.MethodType(ordinary, module)


def hidden_in_a_dictionary(module: own.Base) -> None:
    module.lock, module.heads = threading.Lock(), {"a": [nn.Linear(12, 3)]}
    module.forward = types.MethodType(lambda self, x: self.heads["a"][0](self.body(x).mean((2, 3))), module)


def collected(module: own.Base) -> None:
    kept: dict[str, Tensor] = {}
    module.second.register_forward_hook(lambda part, given, made: kept.__setitem__("second", made))
    module.forward = lambda x: module.head(F.relu(module.body(x) * 0 + kept["second"]).mean((2, 3)))


def counted(module: own.Base) -> None:
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1

    module.norm.register_forward_hook(count)
    module.seen = lambda: seen


class Saving:
    """A collector with a hook that is a method of its own, as notebooks have them."""

    def __init__(self, module: own.Base) -> None:
        self.module, self.lock, self.saved = module, threading.Lock(), []
        module.second.register_forward_hook(self.save)

    def save(self, part: nn.Module, given: object, made: Tensor) -> None:
        self.saved.append(self.module.head.weight.sum() + made.sum())


def saving(module: own.Base) -> None:
    module.collector = Saving(module)


GLOBAL: nn.Module = nn.Identity()


def by_a_global_name(module: own.Base) -> None:
    globals()["GLOBAL"] = module
    module.forward = lambda x: GLOBAL.head(GLOBAL.body(x).mean((2, 3)))


def first_half(x: Tensor, rest: bool = True) -> Tensor:
    return second_half(GLOBAL.body(x)) if rest else x


def second_half(x: Tensor) -> Tensor:
    return GLOBAL.head(first_half(x, rest=False).mean((2, 3)))


def by_functions_that_name_each_other(module: own.Base) -> None:
    globals()["GLOBAL"] = module
    module.forward = first_half


TRAITS = [decorated, autocast, compiled, called_compiled, wrapped, by_default, partial, cached, with_a_lock,
          hidden_in_a_dictionary, collected, counted, saving, by_a_global_name,
          by_functions_that_name_each_other]  # fmt: skip


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("trait", TRAITS)
def test_a_copy_neither_changes_the_module_nor_follows_its_training(
    trait: Callable[[own.Base], None], train: bool
) -> None:
    torch.manual_seed(0)
    module = own.Base().train(train)
    trait(module)
    before, attributes = state_of(module), {name: id(one) for name, one in vars(module).items()}
    batch = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        twin = private_copy(module)
        first = twin(batch)
        clone = shared_clone(twin)
        assert torch.equal(clone(batch), first)
        assert state_of(module) == before
        assert {name: id(one) for name, one in vars(module).items()} == attributes
        for hidden in (module, *[head for part in getattr(module, "heads", {}).values() for head in part]):
            for parameter in hidden.parameters():
                parameter.add_(0.5)
        assert torch.equal(twin(batch), first)
        assert torch.equal(private_copy(module.eval())(batch), module(batch))
    assert not getattr(getattr(module, "collector", None), "saved", [])[2:]  # one of each of our own runs
    assert trait is not counted or module.seen() == 1


@pytest.mark.parametrize("trait", [decorated, compiled, wrapped, with_a_lock, partial])
def test_a_network_with_a_wrapped_forward_is_loaded_from_its_copy(
    trait: Callable[[own.Base], None],
) -> None:
    torch.manual_seed(0)
    module = own.Base().train()
    trait(module)
    own.Live.parts = own.parts(module)
    before = state_of(module)
    network = load(LIVE)
    batch = images(network)
    with network.ablating({}) as intact:
        first = intact(batch)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.sub_(0.5)
        assert torch.equal(intact(batch), first)
        for parameter in module.parameters():
            parameter.data.add_(0.5)
    assert [*before[0].items()] == [*state_of(module)[0].items()]
    torch.testing.assert_close(first, module.eval()(batch), rtol=1e-4, atol=1e-5)


class Careless(own.Base):
    """Its code names the module of the notebook in place of `self`."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(GLOBAL.body(x).mean((2, 3)))


def test_what_cannot_be_bound_to_the_copy_is_refused() -> None:
    globals()["GLOBAL"] = module = Careless()
    own.Live.parts = own.parts(module)
    with pytest.raises(NetworkError, match=r"through the code of Careless.forward.* through self") as caught:
        load(LIVE)
    assert "\n" not in str(caught.value)
    globals()["GLOBAL"] = own.Base().eval()  # another module is nobody's copy
    load(LIVE)


def test_clones_of_one_copy_keep_their_activations_apart() -> None:
    module = own.Base()
    collected(module)
    twin = private_copy(module)
    one, other = torch.randn(2, 3, 32, 32), torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        first, second = shared_clone(twin), shared_clone(twin)
        assert len(first(one)) == 2
        assert len(second(other)) == 3
        assert all(a is b for a, b in zip(twin.parameters(), first.parameters(), strict=True))


@pytest.mark.parametrize("place", ["first", "last"])
def test_wrappers_within_a_network_are_taken_off_too(place: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    inside = own.Base()
    plain = nn.Sequential(inside, nn.Softmax(1)) if place == "first" else nn.Sequential(nn.Identity(), inside)
    own.Live.parts = own.parts(plain)
    expected = load(LIVE)
    for wrap in (nn.DataParallel, lambda one: torch.compile(one, backend="eager")):
        wrapped_parts = [wrap(part) if part is inside else part for part in plain]
        own.Live.parts = own.parts(module := nn.Sequential(*wrapped_parts))
        network = load(LIVE)
        assert network.digest == expected.digest
        assert network.traced
        assert [part is other for part, other in zip(module, wrapped_parts, strict=True)] == [True, True]
        torch.save(module.state_dict(), tmp_path / "wrapped.pth")
        assert load(f"{LIVE}@{tmp_path / 'wrapped.pth'}").digest == expected.digest
