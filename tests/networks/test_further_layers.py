"""Layers beside the convolutions: found over families, read and silenced like forward hooks do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from interpret_core.errors import LayerError, NetworkError
from interpret_core.networks import Network, NetworkParts, Preprocessing, Silence, load, torchvision_ops
from interpret_core.networks.examination.report import NONE, examination
from interpret_core.networks.layers.layer import Layer, Sort
from tests.networks.test_responses_behind import Dynamic
from tests.slow import thorough_beyond

models = torchvision_ops.classifiers()
SIZE = (64, 64)
CLOSE = 1e-5  # of the largest number

# model: further layers of each sort, counted by hand in torchvision's sources.
FAMILIES = {
    "resnet18": {Sort.SUM: 8, Sort.SHORTCUT: 3, Sort.LINEAR: 1},
    "densenet121": {Sort.JOIN: 58, Sort.LINEAR: 1},  # 5 + 11 + 23 + 15 dense layers of several, 4 blocks
    "googlenet": {Sort.JOIN: 9, Sort.LINEAR: 1},
    "squeezenet1_1": {Sort.JOIN: 8},
    "shufflenet_v2_x0_5": {Sort.JOIN: 16, Sort.LINEAR: 1},
    "mobilenet_v3_small": {Sort.SUM: 6, Sort.LINEAR: 1},
    "convnext_tiny": {Sort.SUM: 18, Sort.LINEAR: 1},
    "swin_t": {Sort.LINEAR: 1},  # its sums have their units along the last axis
    "vit_b_32": {Sort.LINEAR: 1},
}
_MADE: dict[str, NetworkParts] = {}


def made() -> NetworkParts:
    """The factory: the network that the test wants."""
    return _MADE["now"]


def loaded(module: nn.Module, size: tuple[int, int] = SIZE, layers: tuple[str, ...] = ()) -> Network:
    _MADE["now"] = NetworkParts(module, Preprocessing(size, (0.0,) * 3, (1.0,) * 3), layers=layers)
    return load(f"{__name__}:made")


def family(name: str) -> nn.Module:
    """A model with statistics that are not those of a fresh BatchNorm."""
    torch.manual_seed(0)
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    module: nn.Module = models.get_model(name, weights=None, **options).eval()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_var, 0.5, 2)  # type: ignore[arg-type]
            nn.init.normal_(part.running_mean, std=0.1)  # type: ignore[arg-type]
    return module


def noise(size: tuple[int, int] = SIZE) -> Tensor:
    return torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(3))


@contextmanager
def hooked(module: nn.Module, path: str, hook: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    handle = module.get_submodule(path).register_forward_hook(lambda _module, _input, output: hook(output))
    try:
        yield
    finally:
        handle.remove()


def near(one: Tensor, other: Tensor) -> bool:
    return float((one - other).abs().max()) <= CLOSE * float(other.abs().max())


def agrees_with_hooks(network: Network, module: nn.Module, layer: Layer, path: str, batch: Tensor) -> None:
    """Reading and silencing a layer are what a hook on the module does that returns the response."""
    kept: list[Tensor] = []
    with torch.no_grad(), hooked(module, path, lambda output: kept.append(output.clone())):
        module(batch)
    with network.recording([layer]) as record:
        found = record(batch).responses[layer.name]
    assert near(found.flatten(), kept[0].flatten()), layer.name
    unit = layer.units // 2

    def silence(output: Tensor) -> Tensor:
        output = output.clone()
        output[:, unit] = 0
        return output

    with torch.no_grad(), hooked(module, path, silence):
        expected = module(batch)
    with network.ablating({layer.name: Silence([unit])}) as run:
        assert near(run(batch), expected), layer.name
        first = network.prefix(batch, layer.name)
        assert near(run(first), expected), layer.name


QUICK = ("resnet18", "squeezenet1_1", "mobilenet_v3_small", "swin_t")


@thorough_beyond(1)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in FAMILIES]
)
def test_families(name: str) -> None:
    size = (224, 224) if name == "vit_b_32" else SIZE
    module = family(name)
    network = loaded(module, size)
    counts = {sort: sum(layer.sort is sort for layer in network.further) for sort in Sort}
    assert {sort: count for sort, count in counts.items() if count} == FAMILIES[name]
    assert len({layer.name for layer in (*network.layers, *network.further)}) == len(
        (*network.layers, *network.further)
    )
    paths = dict(module.named_modules())
    batch = noise(size)
    # A few of each sort, the last ones among them; what no module returns has no hook to compare with.
    for sort in FAMILIES[name]:
        returned = [layer for layer in network.further if layer.sort is sort and layer.path in paths]
        for layer in (*returned[:1], *returned[-2:]):
            whole = layer.path if sort is not Sort.SHORTCUT else layer.aliases[-1]
            if sort is Sort.JOIN and layer.name.endswith(".concatenation"):
                continue
            agrees_with_hooks(network, module, layer, whole, batch)


@pytest.mark.thorough
def test_published_names_mean_the_last_block(monkeypatch: pytest.MonkeyPatch) -> None:
    network = loaded(family("resnet18"))
    assert network.layer("layer4").name == "layer4.1"
    assert network.layer("layer4").sort is Sort.SUM
    assert network.layer("layer4.1.conv2").sort is Sort.CONVOLUTION
    with network.recording(["layer4"]) as record:
        assert list(record(noise()).responses) == ["layer4.1"]
    with pytest.raises(LayerError, match=r"did you mean layer4\.1"):
        network.layer("layer4.11")


@pytest.mark.thorough
def test_what_all_layers_means_stays_the_convolutions() -> None:
    network = loaded(family("resnet18"))
    assert {layer.sort for layer in network.layers} == {Sort.CONVOLUTION}
    assert [layer.index for layer in (*network.layers, *network.further)] == list(range(17 + 12))


def test_a_sum_is_read_behind_its_own_activation_and_no_normalisation() -> None:
    class Pre(nn.Module):
        """A block before whose successor stands a normalisation."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
            self.last = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            x = x + self.conv(x)
            found: Tensor = self.last(torch.relu(self.norm(x))).mean((2, 3))
            return found

    torch.manual_seed(0)
    module = Pre().eval()
    nn.init.constant_(module.norm.bias, 3.0)
    network, batch = loaded(module), noise()
    (layer,) = network.further
    assert (layer.name, layer.sort) == ("sum", Sort.SUM)
    with network.recording([layer]) as record, torch.no_grad():
        assert near(record(batch).responses["sum"], batch + module.conv(batch))


def test_both_operands_of_a_sum_are_silenced() -> None:
    """What a shortcut carries past the block goes with it."""
    module = family("resnet18")
    network, batch = loaded(module), noise()
    layer = network.layer("layer2.0")
    every = Silence(range(layer.units))
    with network.ablating({layer.name: every}) as run, network.recording(["layer2.1.conv1"]) as record:
        silenced = run(batch)
        intact = record(batch).output
    assert near(silenced[0], silenced[1])
    assert not near(intact[0], intact[1])


class Branches(nn.Module):
    """Parallel branches, one of a single larger convolution; a transposed convolution; a view as a module."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.wide = nn.Conv2d(8, 8, 3, padding=1)
        self.deep = nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))
        self.up = nn.ConvTranspose2d(8, 6, 2, 2)
        self.some = Some()
        self.last = nn.Conv2d(3, 5, 3, padding=1)
        self.never = nn.Conv2d(3, 5, 3)
        self.line = nn.Conv1d(5, 5, 1)
        self.fc = nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(self.wide(x) + self.deep(x))
        x = torch.relu(self.up(x))
        x = torch.relu(self.last(self.some(x)))
        found: Tensor = self.fc(self.line(x.mean((2, 3))[:, :, None])[:, :, 0])
        return found


class Some(nn.Module):
    """Returns a view of what it reads."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :3]


@pytest.mark.parametrize("traced", [True, False])
def test_named_modules_transposed_convolutions_and_what_is_not_offered(traced: bool) -> None:
    torch.manual_seed(0)
    body = Branches().eval()
    module, before = (body, "") if traced else (Dynamic(body), "body.")
    network = loaded(module, layers=(f"{before}some", f"{before}line", f"{before}nothing"))
    assert network.traced is traced
    assert [layer.path for layer in network.layers] == [
        f"{before}{path}" for path in ("stem", "wide", "deep.0", "deep.2", "last")
    ]
    found = {layer.sort: layer for layer in network.further}
    assert found[Sort.MODULE].name == f"{before}some"
    assert found[Sort.LINEAR].grid == (1, 1)
    assert found[Sort.LINEAR].without_masks
    batch = noise()
    for sort in (Sort.MODULE, Sort.LINEAR):
        agrees_with_hooks(network, module, found[sort], found[sort].path, batch)
    with network.recording([found[Sort.TRANSPOSED]]) as record, torch.no_grad():
        x = torch.relu(body.stem(batch))
        x = torch.relu(body.up(torch.relu(body.wide(x) + body.deep(x))))
        assert near(record(batch).responses[found[Sort.TRANSPOSED].name], x)
    why = dict((*network.left_out, *network.not_offered))
    assert "not run" in why[f"{before}never"]
    assert "one-dimensional" in why[f"{before}line"] or "expected" in why[f"{before}line"]
    assert "no module" in why[f"{before}nothing"]


def test_silencing_a_view_leaves_the_tensor_that_it_looks_at() -> None:
    class Twice(Branches):
        """Reads the tensor once more behind the view."""

        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu(self.up(torch.relu(self.stem(x))))
            part = self.some(x)
            found: Tensor = torch.cat([self.last(part).mean((2, 3)), x.mean((2, 3))], 1)
            return found

    torch.manual_seed(0)
    module = Twice().eval()
    network, batch = loaded(module, layers=("some",)), noise()
    with network.ablating({"some": Silence([0, 1, 2])}) as run, torch.no_grad():
        assert near(run(batch)[:, 5:], module(batch)[:, 5:])


def test_a_network_of_transposed_convolutions_alone_is_shown() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.ConvTranspose2d(3, 4, 2, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    network = loaded(module.eval(), (16, 16))
    assert [(layer.name, layer.sort) for layer in network.layers] == [("0", Sort.TRANSPOSED)]


def test_without_any_convolution_every_reason_is_said() -> None:
    class Line(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv1d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.b(self.a(x.flatten(2)).mean(2))
            return found

    with pytest.raises(NetworkError, match=r"no two-dimensional convolution.*a: it is one-dimensional"):
        loaded(Line().eval())


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["swin_t", pytest.param("vit_b_32", marks=pytest.mark.slow)])
def test_transformers_say_that_their_patch_embedding_is_all_that_is_shown(name: str) -> None:
    network = loaded(family(name), (224, 224))
    assert any("only its patch embedding" in finding for finding in network.findings)


@pytest.mark.thorough
def test_squeeze_and_excitation_is_no_attention() -> None:
    network = loaded(family("mobilenet_v3_small"))
    assert not any("attention" in finding for finding in network.findings)
    gates = [path for path, why in network.not_offered if "1×1" in why]
    assert len(gates) == 18  # nine of two


class Blocked(nn.Module):
    """No gradient reaches its first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.c(torch.relu(self.b(torch.relu(self.a(x)).detach())).mean((2, 3)))
        return found


@pytest.mark.parametrize("traced", [True, False])
def test_the_report_says_where_gradients_and_numbers_end(traced: bool) -> None:
    torch.manual_seed(0)
    blocked = Blocked().eval()
    nn.init.constant_(blocked.b.bias[:1], float("inf"))
    found = examination(loaded(blocked if traced else Dynamic(blocked)))
    assert found["path"] == ("graph" if traced else "watched")
    first, second, linear = found["layers"]
    assert (first["gradient"], second["gradient"], linear["gradient"]) == (NONE, "yes", "yes")
    assert first["finite"]
    assert not second["finite"]
    assert found["outputs"]["count"] == 3
    assert linear["masks"] != "yes"


class Probing(nn.Module):
    """Calls a part once for a number, which is no tensor, and then for its response."""

    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor, measure: bool = False) -> object:
            return float(x.max()) if measure else torch.sin(self.conv(x))

    def __init__(self) -> None:
        super().__init__()
        self.part, self.head = self.Part(), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        if self.part(x, measure=True) > 1e9:
            x = x * 0
        found: Tensor = self.head(self.part(x).mean((2, 3)))
        return found


def test_a_call_that_returns_no_tensor_counts_too() -> None:
    torch.manual_seed(0)
    module = Probing().eval()
    network, batch = loaded(module, layers=("part",)), noise()
    assert not network.traced
    with network.recording(["part"]) as record, torch.no_grad():
        assert near(record(batch).responses["part"], torch.sin(module.part.conv(batch)))
