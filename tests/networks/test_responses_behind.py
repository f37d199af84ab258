"""A response is what the next layer sees, whatever lies between the convolution and the activation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from interpret_core.networks import NetworkParts, Preprocessing, Silence, load, torchvision_ops
from interpret_core.networks.graph import preparation
from tests.slow import thorough_beyond

SIZE = (32, 32)


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


def library(name: str, units: int) -> nn.Module:
    """A normalisation that torchvision writes out."""
    torchvision_ops.classifiers()
    from torchvision.models.convnext import LayerNorm2d
    from torchvision.ops.misc import FrozenBatchNorm2d

    return {"layer": LayerNorm2d, "frozen": FrozenBatchNorm2d}[name](units)


BETWEEN: dict[str, Callable[[int], list[nn.Module]]] = {
    "nothing": lambda units: [],
    "batch norm": lambda units: [nn.BatchNorm2d(units)],
    "two batch norms": lambda units: [nn.BatchNorm2d(units), nn.BatchNorm2d(units)],
    "identity": lambda units: [nn.BatchNorm2d(units), nn.Identity()],
    "identities around": lambda units: [nn.Identity(), nn.BatchNorm2d(units), nn.Identity(), nn.Identity()],
    "dropout": lambda units: [nn.Dropout2d(0.1)],
    "all dropouts": lambda units: [nn.Dropout(0.1), nn.AlphaDropout(0.1), nn.FeatureAlphaDropout(0.1)],
    "drop path": lambda units: [nn.BatchNorm2d(units), DropPath()],
    "group norm": lambda units: [nn.GroupNorm(2, units)],
    "instance norm": lambda units: [nn.InstanceNorm2d(units, affine=True)],
    "layer norm": lambda units: [library("layer", units)],
    "frozen batch norm": lambda units: [library("frozen", units)],
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


CASES = [
    *((between, nn.ReLU, False) for between in BETWEEN),
    *((between, nn.SiLU, False) for between in ("identity", "group norm")),
    *((between, nn.ReLU, True) for between in BETWEEN if between not in ("layer norm", "frozen batch norm")),
]  # what those two are made of does not tell what they are where a run is only watched


@thorough_beyond(8)
@pytest.mark.parametrize(("between", "activation", "dynamic"), CASES)
def test_the_response_is_what_the_next_layer_sees(
    between: str, activation: Callable[[], nn.Module], dynamic: bool
) -> None:
    network = built(BETWEEN[between], activation)
    _MADE["now"] = Dynamic(network) if dynamic else network
    loaded = load(f"{__name__}:made")
    assert loaded.traced is not dynamic
    images = torch.rand(2, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    expected = seen(network, images)
    with loaded.recording(loaded.layers) as run:
        responses = run(images).responses
    assert len(responses) == len(expected) == 2
    for response, wanted in zip(responses.values(), expected, strict=True):
        torch.testing.assert_close(response, wanted, rtol=1e-5, atol=1e-5)


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


def test_results_from_before_are_of_another_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Identity that is only handed on changes what a response is, and so the digest."""
    for between in ("identity", "two batch norms", "group norm"):
        _MADE["now"] = built(BETWEEN[between], nn.ReLU)
        new = load(f"{__name__}:made").digest
        with monkeypatch.context() as before:
            before.setattr(preparation, "followed", lambda ops, found: [])
            assert load(f"{__name__}:made").digest != new, between
    _MADE["now"] = built(BETWEEN["batch norm"], nn.ReLU)
    new = load(f"{__name__}:made").digest
    monkeypatch.setattr(preparation, "followed", lambda ops, found: [])
    assert load(f"{__name__}:made").digest == new, "nothing lies further behind there"


class Overwrites(nn.Module):
    """Somebody's own of that name, which writes over what it is given."""

    def forward(self, x: Tensor) -> Tensor:
        x -= x.mean(1, keepdim=True)
        return x


Overwrites.__name__ = "LayerNorm2d"


class Turned(nn.LayerNorm):
    """Somebody's own of that name, which hands its units out last."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1))


Turned.__name__ = "LayerNorm2d"


def test_what_only_bears_the_name_of_a_normalisation() -> None:
    torch.manual_seed(0)
    body = (nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), Overwrites(), nn.Conv2d(4, 4, 3), nn.ReLU())
    network = nn.Sequential(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).eval()
    _MADE["now"] = network
    loaded, images = load(f"{__name__}:made"), torch.rand(2, 3, *SIZE)
    with loaded.recording(loaded.layers) as run:
        first, _ = run(images).responses.values()
    torch.testing.assert_close(first, seen(network, images)[0], rtol=1e-5, atol=1e-6)
    turned = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), Turned(4), nn.Flatten(), nn.Linear(4 * 32 * 32, 3))
    _MADE["now"] = turned.eval()
    (layer,) = load(f"{__name__}:made").layers
    assert (layer.units, layer.grid) == (4, SIZE)
