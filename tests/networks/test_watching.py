"""The slower way for networks that torch.fx cannot trace, and in-place operations on both ways."""

from __future__ import annotations

import operator
import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from interpret_core.errors import NetworkError
from interpret_core.networks import Silence, load, torchvision_ops
from interpret_core.networks.graph.interpreter import Taps, run_all
from interpret_core.networks.graph.preparation import Stated, prepare, refuse_unreadable
from interpret_core.networks.graph.trace import UntraceableError, trace
from interpret_core.networks.graph.watch import WatchedRunner
from interpret_core.networks.layers.inventory import find_layers
from interpret_core.networks.objects.copies import shared_clone
from tests.networks.conftest import images, responses
from tests.networks.samples import Assigning, Gated, Overwriting, randomise
from tests.slow import thorough_beyond

models = torchvision_ops.classifiers()


def read(runner: object, layers: object, batch: Tensor) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = {}
    taps = {layer.name: lambda t, name=layer.name: kept.__setitem__(name, t) for layer in layers}
    with torch.no_grad():
        runner(batch, Taps(read=taps))
    return kept


@thorough_beyond(1)
@pytest.mark.parametrize("model", ["alexnet", "resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_watching_and_tracing_agree_in_everything(model: str) -> None:
    module = randomise(models.get_model(model, weights=None).eval())
    probe = torch.randn(3, 3, 96, 96)
    prepared = prepare(module, probe, Stated(model))
    traced, layers = prepared.runner, prepared.layers
    with torch.no_grad():
        watched = WatchedRunner(module, probe, prepared.outputs)
    assert prepared.slower == ""
    assert tuple(one.layer for one in watched.inventory.layers) == layers
    batch = torch.randn(3, 3, 96, 96)
    one, other = read(traced, layers, batch), read(watched, layers, batch)
    assert list(one) == list(other) == [layer.name for layer in layers]
    assert all(torch.equal(one[name], other[name]) for name in one)


def gated_by_hand(module: nn.Module, x: Tensor, silenced: tuple[int, ...] = ()) -> dict[str, Tensor]:
    first = F.relu(module.norm(module.first(x)))
    second = module.second(first)
    second[:, silenced] = 0.25
    third = F.relu(module.third((second + first) * 2.0))
    return {"first": first, "second": second, "third": third, "output": third.mean((2, 3))}


def test_data_dependent_control_flow_is_watched() -> None:
    network = load("tests.networks.samples:gated")
    assert not network.traced
    assert "slower" in network.note
    assert [layer.name for layer in network.layers] == ["first", "second", "third"]
    module = network.spec.build(network.spec.weights()).to(memory_format=torch.channels_last)
    batch = images(network)
    with torch.no_grad():
        expected = gated_by_hand(module, batch)
    found = responses(network, batch)
    for name, response in found.items():
        torch.testing.assert_close(response, expected[name], rtol=1e-5, atol=1e-6, msg=name)
    assert (found["second"] < 0).any()  # neither the addition nor the doubling after it reached the recording


def test_streaming_stops_early_when_watching() -> None:
    network = load("tests.networks.samples:gated")
    seen: list[str] = []
    batch = images(network)
    assert network.stream(batch, ["first", "second"], lambda layer, _: seen.append(layer.name)) is None
    assert seen == ["first", "second"]
    output = network.stream(batch, ["first"], lambda *_: None, stop=False)
    assert output is not None
    assert output.shape == (2, 4)


def test_ablating_when_watching_equals_arithmetic() -> None:
    network = load("tests.networks.samples:gated")
    module = network.spec.build(network.spec.weights()).to(memory_format=torch.channels_last)
    batch = images(network)
    with torch.no_grad():
        intact = module(batch.clone())
        expected = gated_by_hand(module, batch, silenced=(1, 5))["output"]
    with network.ablating({"second": Silence([1, 5], 0.25)}) as run:
        torch.testing.assert_close(run(batch), expected, rtol=1e-5, atol=1e-6)
    with network.ablating({}) as run:
        assert torch.equal(run(batch), intact)


def test_a_layer_that_the_batch_skips_is_an_error_that_names_it() -> None:
    network = load("tests.networks.samples:gated")
    dark = torch.zeros(1, 3, *network.preprocessing.size)
    with pytest.raises(NetworkError, match="Layer second was not computed for this batch"):
        network.stream(dark, ["second"], lambda *_: None)
    seen: list[str] = []
    network.stream(dark, ["first", "third"], lambda layer, _: seen.append(layer.name))
    assert seen == ["first", "third"]


def overwriting_by_hand(m: nn.Module, x: Tensor) -> dict[str, Tensor]:
    a = F.relu(m.a(x))
    b = m.b(a)
    c = m.c(F.relu(b + a))
    d = m.d((c + 1.0) * 0.5)
    output = F.relu(F.relu(d) - d.sigmoid()).mean((2, 3))
    return {"a": a, "b": b, "c": c, "d": d, "output": output}


@pytest.mark.parametrize("watched", [False, True])
def test_in_place_operations_do_not_reach_recorded_responses(watched: bool) -> None:
    module = Overwriting().eval()
    probe, batch = torch.randn(3, 3, 24, 32), torch.randn(2, 3, 24, 32)
    prepared = prepare(module, probe, Stated("overwriting"))
    runner, layers = prepared.runner, prepared.layers
    assert prepared.slower == ""
    if watched:
        with torch.no_grad():
            runner = WatchedRunner(module, probe, prepared.outputs)
    with torch.no_grad():
        expected = overwriting_by_hand(module, batch)
        output = runner(batch, Taps())
    torch.testing.assert_close(output, expected["output"])
    found = read(runner, layers, batch)
    # d is read by two (sigmoid, relu), so its response is the convolution itself.
    for name in ("a", "b", "c", "d"):
        torch.testing.assert_close(found[name], expected[name], msg=name)


def test_tracing_refuses_what_it_cannot_follow() -> None:
    with pytest.raises(UntraceableError):
        trace(Gated().eval())
    with pytest.raises(UntraceableError, match="assignment"):
        trace(Assigning().eval())


class Dictionary(nn.Module):
    """Layers by name, one after the other; a name may hold anything but a dot."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({name: nn.Conv2d(3, 3, 3) for name in names})
        self.head = nn.Linear(3, 2)

    def forward(self, images: Tensor) -> Tensor:
        for part in self.parts.values():
            images = part(images).relu()
        return self.head(images.mean((2, 3)))


@pytest.mark.parametrize(
    "name", ['a"b', "a\\b", "a\\nb", "a\nb", "a\rb", "3'utr", "a b", "{x}", "名", "class"]
)
def test_layers_of_any_name_are_read(name: str) -> None:
    module = Dictionary(("plain", name)).eval()
    probe = torch.randn(3, 3, 12, 12)
    prepared = prepare(module, probe, Stated("own"))
    assert [layer.name for layer in prepared.layers] == ["parts.plain", f"parts.{name}"]
    with torch.no_grad():
        plain = module.parts["plain"](probe).relu()
        expected = module.parts[name](plain).relu()
    assert torch.equal(read(prepared.runner, prepared.layers, probe)[f"parts.{name}"], expected)


def test_an_addition_in_place_is_traced_as_such_and_spares_the_response() -> None:
    """ResNet's `out += identity` writes into the identity where nobody reads that later."""
    module = models.resnet18(weights=None).eval()
    graph = trace(module)
    shapes: dict[object, object] = {}
    with torch.no_grad():
        run_all(graph.module, graph.nodes, torch.randn(1, 3, 64, 64), graph.recorder(shapes))
    found = {item.layer.name: graph.nodes[item.response] for item in find_layers(graph.ops(shapes)).layers}
    graph.restore_in_place(set(found.values()), shapes)
    overwriting = [node for node in graph.nodes if node.target is operator.iadd]
    assert len(overwriting) == 8
    assert not {node.args[0] for node in overwriting} & set(found.values())


def test_assignment_to_an_index_is_watched() -> None:
    network = load("tests.networks.samples:assigning")
    assert not network.traced
    assert (network.evidence, network.note.startswith("A note. torch.fx")) == ("demo", True)
    found = responses(network, images(network))["conv"]
    assert not (found[:, 0] == 5).any()


def test_a_network_that_is_random_in_eval_mode_is_refused() -> None:
    with pytest.raises(NetworkError, match="random"):
        load("tests.networks.samples:random_output")


def test_scripted_networks_are_refused_in_one_line() -> None:
    with warnings.catch_warnings():  # TorchScript is deprecated; somebody may still bring such a module
        warnings.simplefilter("ignore", DeprecationWarning)
        script = torch.jit.trace(nn.Sequential(nn.Conv2d(3, 2, 3)).eval(), torch.randn(1, 3, 8, 8))
    with pytest.raises(NetworkError, match="TorchScript") as caught:
        refuse_unreadable(script, "scripted")
    assert "\n" not in str(caught.value)


def test_a_clone_shares_parameters_and_nothing_else() -> None:
    module = Gated().eval()
    clone = shared_clone(module)
    assert all(a is b for a, b in zip(module.parameters(), clone.parameters(), strict=True))
    clone.norm.running_mean.add_(1.0)
    clone.first.register_forward_hook(lambda *_: None)
    clone.added = nn.ReLU()
    assert (module.norm.running_mean == 0).all()
    assert not module.first._forward_hooks
    assert "added" not in dict(module.named_children())
