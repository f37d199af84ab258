"""Cut networks: what is left behind a layer gives what the whole network gives, on both ways to run it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from interpret_core.networks import load, torchvision_ops
from interpret_core.networks.graph.cuts import INPUT, Cutter, NotCuttableError
from interpret_core.networks.graph.interpreter import Values
from interpret_core.networks.graph.preparation import Stated, _traced, _watched, prepare
from interpret_core.networks.outputs import Outputs
from tests.networks.samples import Overwriting, randomise
from tests.slow import slow, some_slow

models = torchvision_ops.classifiers()

MODELS = ("alexnet", "resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "densenet121")


class Sizes(nn.Module):
    """What follows the second convolution asks for the batch's size before it, as EfficientNet-Lite does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.shape[0]
        y = self.second(self.first(x).relu())
        return y.reshape(rows, 2, -1).mean(2)


class Added(nn.Module):
    """No activation directly behind the second and third convolution; something is added in between."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.third, self.head = nn.Conv2d(4, 5, 3), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x).relu()
        y = self.second(y) + x.mean(1, keepdim=True).expand(-1, 4, -1, -1)
        return self.head(nn.functional.max_pool2d(self.third(y), 2).relu().mean((2, 3)))


class Tempting(nn.Module):
    """Behind the convolution, something that is only nearly affine, or read twice."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.conv, self.head = kind, nn.Conv2d(3, 4, 3), nn.Linear(4, 3)
        self.norm = nn.BatchNorm2d(4, track_running_stats=False)  # by the batch's own statistics
        self.gate = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self.kind == "statistics":
            y = self.norm(y)
        elif self.kind == "twice":
            y = y + y.abs()
        elif self.kind == "kernel":
            y = nn.functional.conv2d(y, y[:1, :, :2, :2].expand(4, -1, -1, -1))
        elif self.kind == "largest":
            y = nn.functional.max_pool2d(y, 2)
        elif self.kind == "product":
            y = y * self.gate(x)
        return self.head(y.relu().mean((2, 3)))


def both(module: nn.Module, size: int = 64) -> tuple[Cutter, Cutter, list[str], Tensor]:
    """The network cut by its graph, and cut by watching; its layers; three images."""
    torch.manual_seed(4)
    module = randomise(module.eval()).requires_grad_(False)
    probe = torch.randn(3, 3, size, size)
    traced = prepare(module, probe, Stated("network"))
    assert not traced.slower
    with torch.no_grad():
        watched = _watched(module, probe, traced.outputs, Stated("network"))
    return (
        traced.cutter,
        watched.cutter,
        [layer.name for layer in traced.layers],
        torch.randn(3, 3, size, size),
    )


@pytest.mark.thorough
@pytest.mark.parametrize("model", some_slow(MODELS, MODELS[:2]))
def test_tails_and_their_gradients_are_those_of_whole_runs(model: str) -> None:
    traced, watched, layers, images = both(models.get_model(model, weights=None))
    names = [INPUT, layers[0], layers[len(layers) // 2], layers[-1]]
    one, other = traced(images, names), watched(images, names)
    assert torch.equal(one.output, other.output)
    assert traced.crossed & {*layers} == watched.crossed & {*layers}
    rows = torch.tensor([2, 0, 1, 2])
    for name in names:
        assert torch.equal(one.responses[name], other.responses[name])
        changed = (one.responses[name][rows] * torch.tensor([1.0, 0.5, 0.0, -0.3]).view(-1, 1, 1, 1)).detach()
        outputs, gradients = [], []
        for cut in (one, other):
            place = changed.clone().requires_grad_()
            output = cut.tail(name, place, rows)
            outputs.append(output.detach())
            gradients.append(torch.autograd.grad(output[:, 1].sum(), place)[0])
        torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(outputs[0][0], one.output[2], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-7)
        assert gradients[0].abs().max() > 0


def test_a_batch_is_cut_again_and_again_without_being_changed() -> None:
    """The graph overwrites tensors to save memory; a kept value must not be among them."""
    traced, _, layers, images = both(Overwriting(), 24)
    cut = traced(images, layers)
    before = {name: response.clone() for name, response in cut.responses.items()}
    rows = torch.arange(3)
    for _ in range(2):
        for name in layers:
            torch.testing.assert_close(cut.tail(name, cut.responses[name], rows), cut.output)
    assert all(torch.equal(before[name], cut.responses[name]) for name in layers)


def test_a_size_taken_before_the_layer_does_not_stop_the_cut() -> None:
    traced, watched, layers, images = both(Sizes(), 16)
    assert traced.crossed & {*layers} == {"first", "second"}
    rows = torch.tensor([0, 1, 2, 2, 1])
    for cutter in (traced, watched):
        cut = cutter(images, layers)
        for name in layers:
            output = cut.tail(name, cut.responses[name][rows], rows)
            torch.testing.assert_close(output, cut.output[rows])


def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the graph's nodes that are computed from now on."""
    seen: list[str] = []
    compute = Values.compute

    def watched(self: Values, node: Any) -> Any:
        seen.append(node.name)
        return compute(self, node)

    monkeypatch.setattr(Values, "compute", watched)
    return seen


def test_a_tail_that_needs_the_batchs_size_runs_nothing_else_before_the_layer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traced, _, layers, images = both(Sizes(), 16)
    cut, rows = traced(images, layers), torch.tensor([0, 1, 2, 2, 1])
    seen = ran(monkeypatch)
    output = cut.tail("second", cut.responses["second"][rows], rows)
    torch.testing.assert_close(output, cut.output[rows])
    assert "reshape" in seen
    assert not {"first", "relu", "second"} & set(seen)


@pytest.mark.parametrize("module", [Overwriting(), Sizes(), Added()], ids=["overwriting", "sizes", "added"])
def test_a_tail_frees_what_nobody_reads_any_more(module: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but its own value; what is freed too early would be missing to whoever reads it."""
    traced, _, layers, images = both(module, 24)
    cut, freed = traced(images, layers), []
    free = Values.free

    def watched(self: Values, nodes: Any) -> None:
        freed.extend(nodes)
        free(self, nodes)

    monkeypatch.setattr(Values, "free", watched)
    for name in layers:
        freed.clear()
        cut.tail(name, cut.responses[name], torch.arange(len(images)))
        part = traced._tails[name]
        assert set(freed) >= {part.node, *part.nodes} - {part.end}
        assert part.end not in freed


def test_layers_that_a_path_goes_around_are_known() -> None:
    traced, watched, layers, _ = both(models.resnet18(weights=None))
    assert traced.crossed & {*layers} == watched.crossed & {*layers} == {"conv1"}
    assert {"layer1.0", "layer4.1", "fc"} <= traced.crossed & watched.crossed
    assert len(layers) == 17
    traced, _, layers, _ = both(models.alexnet(weights=None))
    assert traced.crossed >= {*layers}


@pytest.mark.thorough
def test_a_sweep_gives_the_gradients_that_tails_give() -> None:
    traced, watched, layers, images = both(models.resnet18(weights=None))
    output, responses = traced.sweep(images, layers)
    swept = torch.autograd.grad(output[:, 3].sum(), responses)
    rows = torch.arange(3)
    for name, gradient in zip(layers, swept, strict=True):
        cut = traced(images, [name])
        place = cut.responses[name].clone().requires_grad_()
        (expected,) = torch.autograd.grad(cut.tail(name, place, rows)[:, 3].sum(), place)
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-8)
    with pytest.raises(NotCuttableError):
        watched.sweep(images, layers)


@pytest.mark.thorough
def test_bytes_behind_a_layer_shrink_with_depth() -> None:
    traced, watched, layers, _ = both(models.alexnet(weights=None))
    sizes = [traced.tail_bytes[name] for name in (INPUT, *layers)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > 0
    assert {watched.tail_bytes[name] for name in layers} == {watched.tail_bytes[INPUT]}


@pytest.mark.thorough
def test_cutting_leaves_the_shared_network_as_it_is() -> None:
    network = load("tests.networks.samples:resnet")
    images = torch.randn(2, 3, 224, 224)
    with network.ablating({}) as intact:
        before = intact(images)
        cut = network.cutter(images, [layer.name for layer in network.layers])
        place = cut.responses["layer2.0.conv2"].clone().requires_grad_()
        cut.tail("layer2.0.conv2", place, torch.arange(2)).sum().backward()
        assert torch.equal(intact(images), before)


@pytest.mark.thorough
@pytest.mark.parametrize("model", [slow("alexnet"), "resnet18", slow("mobilenet_v3_small")])
def test_a_response_is_carried_on_in_a_straight_line_and_the_rest_is_the_tails(model: str) -> None:
    torch.manual_seed(4)
    module = randomise(models.get_model(model, weights=None).double().eval()).requires_grad_(False)
    probe = torch.randn(3, 3, 64, 64, dtype=torch.float64)
    images, cutter = probe[:2], prepare(module, probe, Stated("network")).cutter
    every = list(cutter.paths)
    names = every[:3] + every[3 :: max(1, len(every) // 3)]
    cut, rows = cutter(images, names), torch.tensor([1, 0])
    moved = 0
    for name in names:
        here, there = cut.responses[name], torch.rand_like(cut.responses[name])
        ends = [cut.carried(name, end, rows) for end in (here, there)]
        between = cut.carried(name, 0.25 * here + 0.75 * there, rows)
        torch.testing.assert_close(between, 0.25 * ends[0] + 0.75 * ends[1], rtol=1e-9, atol=1e-9)
        place = there.requires_grad_()
        outputs = (
            cut.tail(name, place, rows),
            cut.behind(name, cut.carried(name, place, rows), rows),
        )
        torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-9, atol=1e-9)
        one, other = (torch.autograd.grad(output[:, 1].sum(), place)[0] for output in outputs)
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
        moved += ends[0].shape != here.shape or not torch.equal(ends[0], here)
    assert moved >= 2


def test_the_two_layers_of_a_residual_block_have_one_path() -> None:
    traced, watched, layers, images = both(models.resnet18(weights=None))
    for name in layers[1:]:
        assert traced.paths[name] == name.replace("conv1", "conv2")
    assert traced.paths["conv1"] == "conv1"  # max-pooling comes next
    assert all(watched.paths[name] == name for name in (INPUT, *layers))
    rows = torch.arange(3)
    one, other = traced(images, layers), traced(torch.zeros_like(images), layers)
    for end in (one, other):  # both ends of the one path are carried on to those of the other
        fronts = [
            one.carried(f"layer2.1.{c}", end.responses[f"layer2.1.{c}"], rows) for c in ("conv1", "conv2")
        ]
        torch.testing.assert_close(fronts[0], fronts[1], rtol=1e-4, atol=1e-4)


def test_behind_an_addition_a_path_is_no_longer_that_of_the_next_layer() -> None:
    traced, _, layers, images = both(Added(), 16)
    assert layers == ["first", "second", "third"]
    shared = {INPUT: INPUT, "first": "second", "second": "second", "third": "third"}
    assert traced.paths == shared | {"sum": "sum", "head": "head"}
    cut, rows = traced(images, layers), torch.arange(3)
    for name in layers:  # carried on, all three end before the pooling
        assert cut.carried(name, cut.responses[name], rows).shape == (3, 5, 14, 14)


@pytest.mark.parametrize("kind", ["statistics", "twice", "kernel", "largest", "product"])
def test_what_is_not_affine_ends_the_straight_line(kind: str) -> None:
    images = torch.randn(3, 3, 16, 16)
    # Two of them mix the images, so that no network with them gets further than this.
    traced = _traced(Tempting(kind).eval().requires_grad_(False), images, Outputs(), Stated("tempting"))
    cut = traced.cutter(images, ["conv"])
    response = cut.responses["conv"]
    assert cut.carried("conv", response, torch.arange(3)) is response
