"""Silencing units: what changes, what does not, and that nobody else notices."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from interpret_core.errors import LayerError, ParameterError
from interpret_core.networks import Network, Silence
from tests.networks.conftest import images, responses
from tests.networks.samples import tensors_digest
from tests.networks.test_responses import module_of

Loaded = Callable[[str], Network]


@pytest.mark.thorough
def test_ablating_nothing_changes_no_bit(loaded: Loaded) -> None:
    network = loaded("torchvision/resnet18")
    batch = images(network)
    with torch.no_grad():
        intact = module_of(network)(batch)
    for silenced in ({}, {"conv1": Silence([])}, {"layer2.0.conv2": Silence(())}):
        with network.ablating(silenced) as run:
            assert torch.equal(run(batch), intact)


def test_silencing_alexnet_equals_editing_the_response_by_hand(loaded: Loaded) -> None:
    network = loaded("torchvision/alexnet")
    batch = images(network)
    module = module_of(network)
    means = torch.linspace(0.1, 1.0, 192)
    with torch.no_grad():
        x = module.features[:5](batch)
        x[:, [3, 100]] = means[[3, 100]].view(1, 2, 1, 1)
        x = module.features[5:11](x)
        x[:, 7] = 0.0
        expected = module.classifier(torch.flatten(module.avgpool(F.relu(module.features[11:](x))), 1))
    with network.ablating({"conv2": Silence([3, 100], means), "conv4": Silence([])}) as run:
        first = run(batch)
    with network.ablating({"conv2": Silence([100, 3, 3], means), "conv5": Silence([])}) as run:
        assert torch.equal(run(batch), first)
    assert not torch.equal(first, expected)
    with network.ablating({"conv2": Silence([3, 100], means), "conv4": Silence([7])}) as run:
        both = run(batch)
    with torch.no_grad():
        x = module.features[:5](batch)
        x[:, [3, 100]] = means[[3, 100]].view(1, 2, 1, 1)
        x = module.features[5:10](x)
        x[:, 7] = 0.0
        expected = module.classifier(torch.flatten(module.avgpool(module.features[10:](x)), 1))
    torch.testing.assert_close(both, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.thorough
def test_resnets_second_convolution_is_silenced_before_the_addition(loaded: Loaded) -> None:
    """All of layer1.0.conv2 silenced leaves the shortcut alone: the block's output is its input."""
    network = loaded("torchvision/resnet18")
    batch = images(network)
    module = module_of(network)
    with torch.no_grad():
        x = module.maxpool(module.relu(module.bn1(module.conv1(batch))))
        x = module.layer1[1](F.relu(x))
        x = module.layer4(module.layer3(module.layer2(x)))
        expected = module.fc(torch.flatten(module.avgpool(x), 1))
    with network.ablating({"layer1.0.conv2": Silence(range(64))}) as run:
        torch.testing.assert_close(run(batch), expected, rtol=1e-5, atol=1e-6)


def test_the_module_is_as_before_also_after_an_exception(loaded: Loaded) -> None:
    network = loaded("torchvision/resnet18")
    batch = images(network)
    modules = list(network._runner._usual._graph.module.modules())
    before = tensors_digest(network._runner._usual._graph.module)
    recorded = responses(network, batch)

    def break_off() -> None:
        with network.ablating({"conv1": Silence([0, 1, 2], 3.0)}) as run:
            run(batch)
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        break_off()
    with pytest.raises(RuntimeError, match="visitor"):
        network.stream(batch, ["conv1"], fail)
    again = responses(network, batch)
    assert all(torch.equal(recorded[name], again[name]) for name in recorded)
    assert tensors_digest(network._runner._usual._graph.module) == before
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in modules)
    assert not any(m.training for m in modules if isinstance(m, torch.nn.BatchNorm2d))


def fail(*_: object) -> None:
    raise RuntimeError("the visitor failed")


@pytest.mark.parametrize("name", ["torchvision/resnet18", "tests.networks.samples:gated"])
def test_two_threads_with_different_ablations_do_not_see_each_other(loaded: Loaded, name: str) -> None:
    network = loaded(name)
    batch = images(network, count=1)
    first, second = network.layers[0], network.layers[1]
    cases = [{}, {first.name: Silence(range(4))}, {second.name: Silence(range(8), 2.0)}]
    alone = []
    for case in cases:
        with network.ablating(case) as run:
            alone.append(run(batch))
    assert not torch.equal(alone[0], alone[1])
    assert not torch.equal(alone[1], alone[2])
    wrong: list[int] = []
    start = threading.Barrier(len(cases))

    def work(number: int) -> None:
        start.wait()
        with network.ablating(cases[number]) as run:
            wrong.extend(number for _ in range(6) if not torch.equal(run(batch), alone[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(cases))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.thorough
def test_loading_in_one_thread_does_not_disturb_runs_in_another(loaded: Loaded) -> None:
    """torch.fx replaces nn.Module.__call__ for the whole process while it traces."""
    from interpret_core.networks.graph.trace import trace
    from tests.networks.samples import Overwriting

    network = loaded("torchvision/alexnet")
    batch = images(network, count=1)
    expected = responses(network, batch)["conv5"]
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.ReLU())
    stop = threading.Event()
    errors: list[BaseException] = []

    def trace_all_the_time() -> None:
        try:
            while not stop.is_set():
                trace(Overwriting().eval())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=trace_all_the_time) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            assert torch.equal(responses(network, batch)["conv5"], expected)
            plain(batch)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert torch.nn.Module.__call__.__name__ == "_wrapped_call_impl"


@pytest.mark.parametrize(
    ("silenced", "error", "message"),
    [
        ({"conv9": Silence([0])}, LayerError, "layer of torchvision/alexnet 'conv9': did you mean conv"),
        ({"conv1": Silence([64])}, LayerError, "Unit 64 of layer conv1, expected 0 to 63"),
        ({"conv1": Silence([-1])}, LayerError, "Unit -1"),
        ({"conv1": Silence([0.5])}, LayerError, "Unit 0.5"),
        ({"conv1": Silence([0], float("nan"))}, ParameterError, "expected one finite number or 64"),
        ({"conv1": Silence([0], torch.zeros(3))}, ParameterError, "expected one finite number or 64"),
        ({"conv1": Silence([0], "much")}, ParameterError, "'much', expected one finite number"),
    ],
)
def test_wrong_requests(
    loaded: Loaded, silenced: dict[str, Silence], error: type[Exception], message: str
) -> None:
    network = loaded("torchvision/alexnet")
    with pytest.raises(error, match=message), network.ablating(silenced):
        pass


@pytest.mark.parametrize(
    "batch", [torch.zeros(3, 224, 224), torch.zeros(1, 3, 224, 225), torch.zeros(0, 3, 224, 224),
              torch.zeros(1, 3, 224, 224, dtype=torch.float64), None]
)  # fmt: skip
def test_wrong_images(loaded: Loaded, batch: torch.Tensor) -> None:
    with pytest.raises(ParameterError, match=r"expected .* make them with preprocessing.batch"):
        loaded("torchvision/alexnet").stream(batch, ["conv1"], lambda *_: None)


def test_unknown_layers(loaded: Loaded) -> None:
    network = loaded("torchvision/alexnet")
    with pytest.raises(LayerError, match="'convl': did you mean conv"):
        network.layer("convl")
    with pytest.raises(LayerError), network.recording(["conv6"]):
        pass
    assert network.layer("conv3") is network.layers[2]
