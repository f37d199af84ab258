"""A response is what the next layer sees, whatever lies between the convolution and the activation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from interpret_core.networks import NetworkParts, Preprocessing, load, torchvision_ops

SIZE = (32, 32)


class LayerNorm2d(nn.Module):
    """Over the units of each position, as torchvision's and timm's: permuted there and back."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(units)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return normed


class BatchNormAct(nn.BatchNorm2d):
    """Timm's: one module that normalises, drops and activates."""

    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.drop, self.act = nn.Identity(), nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)
        activated: Tensor = self.act(self.drop(x))
        return activated


class DropPath(nn.Module):
    """A function that does nothing in eval mode."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout2d(x, 0.3, self.training)


def frozen(units: int) -> nn.Module:
    torchvision_ops.torchvision()
    from torchvision.ops.misc import FrozenBatchNorm2d

    return FrozenBatchNorm2d(units)


BETWEEN: dict[str, Callable[[int], list[nn.Module]]] = {
    "nothing": lambda units: [],
    "batch norm": lambda units: [nn.BatchNorm2d(units)],
    "identity": lambda units: [nn.BatchNorm2d(units), nn.Identity()],
    "identities around": lambda units: [nn.Identity(), nn.BatchNorm2d(units), nn.Identity(), nn.Identity()],
    "dropout": lambda units: [nn.Dropout2d(0.1)],
    "all dropouts": lambda units: [nn.Dropout(0.1), nn.AlphaDropout(0.1), nn.FeatureAlphaDropout(0.1)],
    "drop path": lambda units: [nn.BatchNorm2d(units), DropPath()],
    "group norm": lambda units: [nn.GroupNorm(2, units)],
    "instance norm": lambda units: [nn.InstanceNorm2d(units, affine=True)],
    "layer norm": lambda units: [LayerNorm2d(units)],
    "frozen batch norm": lambda units: [frozen(units)],
}


class Dynamic(nn.Module):
    """The same where torch.fx cannot follow."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        if x.max() > 1e9:
            x = x * 0
        found: Tensor = self.body(x)
        return found


def built(between: Callable[[int], list[nn.Module]], activation: Callable[[], nn.Module]) -> nn.Sequential:
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for wide, (inside, outside) in enumerate(((3, 8), (8, 4))):
        parts += [nn.Conv2d(inside, outside, 3, 1 + wide, 1), *between(outside), activation()]
    network = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    for module in network.modules():
        if (
            isinstance(module, nn.BatchNorm2d | nn.GroupNorm | nn.InstanceNorm2d)
            and module.weight is not None
        ):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.normal_(module.bias)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 2)  # type: ignore[arg-type]
    return network


_MADE: dict[str, nn.Module] = {}


def made() -> NetworkParts:
    """The factory: the network that the test wants."""
    return NetworkParts(_MADE["now"], Preprocessing(SIZE, (0.0,) * 3, (1.0,) * 3), ("a", "b", "c"))


def seen(network: nn.Sequential, images: Tensor) -> list[Tensor]:
    """What each following part is handed: the output of every activation, by hooks on the network itself."""
    found: list[Tensor] = []
    hooks = [
        part.register_forward_hook(lambda _module, _inputs, output: found.append(output.clone()))
        for part in network
        if isinstance(part, nn.ReLU | nn.SiLU | nn.Hardswish | BatchNormAct)
    ]
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
@pytest.mark.parametrize("dynamic", [False, True])
def test_the_response_is_what_the_next_layer_sees(
    between: str, activation: Callable[[], nn.Module], dynamic: bool
) -> None:
    if dynamic and between in ("layer norm", "frozen batch norm"):
        pytest.skip("what they are made of does not tell what they are where a run is only watched")
    network = built(BETWEEN[between], activation)
    _MADE["now"] = Dynamic(network) if dynamic else network
    loaded = load(f"{__name__}:made")
    assert loaded.traced is not dynamic
    images = torch.rand(2, 3, *SIZE)
    expected = seen(network, images)
    with loaded.recording(loaded.layers) as run:
        responses = run(images).responses
    assert len(responses) == len(expected) == 2
    for response, wanted in zip(responses.values(), expected, strict=True):
        torch.testing.assert_close(response, wanted, rtol=1e-5, atol=1e-6)


def test_one_module_that_normalises_and_activates() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        BatchNormAct(8),
        nn.Conv2d(8, 4, 3),
        BatchNormAct(4),
        nn.Flatten(),
        nn.LazyLinear(3),
    ).eval()
    network(torch.rand(1, 3, *SIZE))
    _MADE["now"] = network
    loaded, images = load(f"{__name__}:made"), torch.rand(2, 3, *SIZE)
    with loaded.recording(loaded.layers) as run:
        responses = list(run(images).responses.values())
    for response, wanted in zip(responses, seen(network, images), strict=True):
        torch.testing.assert_close(response, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("between", ["identity", "group norm", "layer norm"])
def test_silencing_there_is_silencing_what_the_next_layer_sees(between: str) -> None:
    from interpret_core.networks import Silence

    network = built(BETWEEN[between], nn.ReLU)
    _MADE["now"] = network
    loaded, images = load(f"{__name__}:made"), torch.rand(2, 3, *SIZE)
    first = loaded.layers[0].name
    with loaded.ablating({first: Silence([1, 5])}) as run:
        answer = run(images)

    def silenced(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output = output.clone()
        output[:, [1, 5]] = 0
        return output

    activation = next(part for part in network if isinstance(part, nn.ReLU))
    hook = activation.register_forward_hook(silenced)
    with torch.no_grad():
        torch.testing.assert_close(answer, network(images), rtol=1e-5, atol=1e-6)
    hook.remove()


def test_another_reader_or_a_step_that_mixes_units_ends_it() -> None:
    """Then nobody can say what the next layer sees: the raw response is taken."""

    class Read(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.act = nn.Conv2d(3, 4, 3), nn.Identity(), nn.ReLU()
            self.fc = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(self.conv(x))
            return self.fc((self.act(x) + x).mean((2, 3)))  # type: ignore[no-any-return]

    torch.manual_seed(0)
    _MADE["now"] = module = Read().eval()
    loaded, images = load(f"{__name__}:made"), torch.rand(2, 3, *SIZE)
    with loaded.recording(loaded.layers) as run:
        (response,) = run(images).responses.values()
    with torch.no_grad():
        torch.testing.assert_close(response, module.conv(images), rtol=1e-5, atol=1e-6)
    assert (response < 0).any()


def test_results_from_before_are_of_another_network() -> None:
    """An Identity that is only handed on changes what a response is, and so the digest."""
    digests = {}
    for between in ("batch norm", "identity"):
        _MADE["now"] = built(BETWEEN[between], nn.ReLU)
        digests[between] = load(f"{__name__}:made").digest
    assert digests["batch norm"] != digests["identity"]
