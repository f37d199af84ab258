"""Every family of networks against forward hooks on a clean copy: responses, outputs without a unit, and IoU.

The oracle knows nothing of layers: it keeps what every module returns. A layer's response has to be one of
these tensors, of a module that runs after the convolution, silencing has to be what zeroing that very tensor
does to the output, and its IoUs those that the reference counts from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from interpret_core import datasets, networks
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.networks import Layer, Network, NetworkParts, Preprocessing, Silence, torchvision_ops
from interpret_core.networks.layers.layer import Sort
from interpret_core.networks.providers.timm_models import timm
from interpret_core.positions import Placing
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.planted_dataset import make_planted
from tests.reference import profile as reference
from tests.slow import thorough_beyond

CLOSE = 1e-5  # of the largest number
QUICK = ("torchvision/mobilenet_v3_small", "timm/resnet18")
TORCHVISION = {
    "alexnet": 96,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet_b0": 64,
    "efficientnet_v2_s": 64,
    "googlenet": 64,
    "inception_v3": 96,
    "maxvit_t": 224,
    "mnasnet0_5": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "regnet_x_400mf": 64,
    "regnet_y_400mf": 64,
    "resnet18": 64,
    "resnet50": 64,
    "resnext50_32x4d": 64,
    "shufflenet_v2_x0_5": 64,
    "squeezenet1_0": 64,
    "swin_t": 64,
    "vgg11_bn": 64,
    "vit_b_32": 224,
    "wide_resnet50_2": 64,
}
TIMM = (
    "convmixer_768_32", "convnext_atto", "convnextv2_atto", "cspdarknet53", "cspresnet50", "darknet53",
    "densenet121", "dla34", "dpn48b", "efficientnet_b0", "efficientnet_lite0", "ese_vovnet19b_dw",
    "fbnetc_100",
    "gernet_s", "ghostnet_050", "hardcorenas_a", "hrnet_w18_small", "inception_v4", "legacy_seresnet18",
    "lcnet_050", "mixnet_s", "mnasnet_small", "mobilenetv3_small_050", "mobileone_s0", "nf_resnet26",
    "regnetx_002", "repvgg_a0", "res2net50_26w_4s", "resnet18", "resnetv2_50", "rexnet_100", "selecsls42",
    "skresnet18", "tinynet_e", "xception41",
)  # fmt: skip
_MADE: dict[str, NetworkParts] = {}


def made() -> NetworkParts:
    """The factory: the network that the test wants."""
    return _MADE["now"]


def built(name: str) -> tuple[nn.Module, int]:
    """A model with seeded weights and statistics that are not those of a fresh BatchNorm, and its edge."""
    source, _, model = name.partition("/")
    torch.manual_seed(0)
    if source == "timm":
        options: dict[str, Any] = {"pretrained": False, "num_classes": 10}
        module, edge = timm().create_model(model, **options), 96
    else:
        options = (
            {"init_weights": False, "aux_logits": False} if model in ("googlenet", "inception_v3") else {}
        )
        module, edge = (
            torchvision_ops.classifiers().get_model(model, weights=None, **options),
            TORCHVISION[model],
        )
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_var, 0.5, 2)  # type: ignore[arg-type]
            nn.init.normal_(part.running_mean, std=0.1)  # type: ignore[arg-type]
            nn.init.uniform_(part.weight, 0.5, 1.5)
    # Branches begin at zero in some libraries: nothing behind them could be compared.
    for value in module.parameters():
        if value.numel() == value.shape[:1].numel() and not value.any():
            nn.init.normal_(value, 0.2, 0.1)
    return module.eval(), edge


class Kept:
    """What every call of every module returned, in the order in which they returned."""

    def __init__(self, module: nn.Module, batch: Tensor) -> None:
        self.returned: list[tuple[str, int, Tensor]] = []
        counts: Counter[str] = Counter()
        handles = [
            part.register_forward_hook(partial(self._keep, counts, path))
            for path, part in module.named_modules()
        ]
        with torch.no_grad():
            module(batch)
        for handle in handles:
            handle.remove()

    def _keep(self, counts: Counter[str], path: str, _module: nn.Module, _args: Any, output: Any) -> None:
        counts[path] += 1
        if isinstance(output, Tensor):
            self.returned.append((path, counts[path], output.clone()))

    def call_that_returned(self, response: Tensor, after: str) -> tuple[str, int] | None:
        """The first call behind a module that returned this tensor."""
        begun = False
        for path, number, output in self.returned:
            begun = begun or path == after
            if begun and output.ndim == 4 and output.shape == response.shape and near(response, output):
                return path, number
        return None


def near(one: Tensor, other: Tensor) -> bool:
    return float((one - other).abs().max()) <= CLOSE * max(float(other.abs().max()), 1e-30)


def with_hook(
    module: nn.Module, call: tuple[str, int], batch: Tensor, change: Callable[[Tensor], Tensor]
) -> Tensor:
    """The output where one call of a module returns something else."""
    path, wanted = call
    counts = Counter[str]()

    def hook(_module: nn.Module, _args: Any, output: Tensor) -> Tensor | None:
        counts[path] += 1
        return change(output) if counts[path] == wanted else None

    handle = module.get_submodule(path).register_forward_hook(hook)
    with torch.no_grad():
        found: Tensor = module(batch)
    handle.remove()
    return found


def seen(module: nn.Module, call: tuple[str, int], batch: Tensor, layer: Layer) -> list[tuple[int, int, int]]:
    """(position, first pixel, last pixel), down and across, that the middle of a response can see."""
    kept: list[Tensor] = []
    images = batch.clone().requires_grad_()
    path, wanted = call
    counts = Counter[str]()

    def on_return(_module: nn.Module, _args: Any, output: Tensor) -> None:
        counts[path] += 1
        if counts[path] == wanted:
            kept.append(output)

    handle = module.get_submodule(path).register_forward_hook(on_return)
    with torch.enable_grad():
        module(images)
    handle.remove()
    row, column = (extent // 2 for extent in layer.grid)
    weight = torch.linspace(0.5, 1.5, layer.units)
    (gradient,) = torch.autograd.grad((kept[0][:, :, row, column] * weight).sum(), images)
    reached = (gradient != 0).any(0).any(0)
    rows, columns = (torch.nonzero(reached.any(axis)).flatten().tolist() for axis in (1, 0))
    return [(row, rows[0], rows[-1]), (column, columns[0], columns[-1])]


def silenced(output: Tensor, unit: int) -> Tensor:
    output = output.clone()
    output[:, unit] = 0
    return output


def check(network: Network, layers: list[Layer], module: nn.Module, batch: Tensor) -> int:
    """Every layer against the hooks; how many of them a module returns, and could be checked."""
    kept, checked = Kept(module, batch), 0
    placed: list[str] = []
    with network.recording(layers) as record:
        responses = record(batch).responses
    for number, layer in enumerate(layers):
        call = kept.call_that_returned(responses[layer.name], layer.path)
        if call is None:
            continue
        checked += 1
        if number % max(1, len(layers) // 6):  # silencing costs two runs: a few layers of each network
            continue
        if layer.lines is not None and not layer.spread:
            edges = batch.shape[2:]
            told = seen(module, call, batch, layer)
            for (position, first, last), line, edge in zip(told, layer.lines, edges, strict=True):
                if first > 0 and last < edge - 1:  # not cut off by the border
                    placed.append(layer.name)
                    # A maximum hands its gradient to one position, so that a border may stay unseen.
                    near_by = max(1.0, edge / line.steps / 2)
                    middle = (first + last + 1) / 2
                    assert abs(line.share(position) * edge - middle) <= near_by, layer.name
        unit = layer.units // 2
        expected = with_hook(module, call, batch, partial(silenced, unit=unit))
        with network.ablating({layer.name: Silence([unit])}) as run:
            assert near(run(batch), expected), layer.name
    assert placed or layers != list(network.layers)
    return checked


def of_every_family(quick: tuple[str, ...]) -> pytest.MarkDecorator:
    """A test for each of them; all but a few run on demand."""
    names = (*(f"torchvision/{one}" for one in TORCHVISION), *(f"timm/{one}" for one in TIMM))
    marked = [pytest.param(name, marks=[] if name in quick else [pytest.mark.slow]) for name in names]
    return pytest.mark.parametrize("name", marked)


@thorough_beyond(1)
@of_every_family(QUICK)
def test_responses_and_silencing_are_those_of_hooks(name: str) -> None:
    module, edge = built(name)
    _MADE["now"] = NetworkParts(module, Preprocessing((edge, edge), (0.0,) * 3, (1.0,) * 3))
    network = networks.load(f"{__name__}:made")
    batch = torch.randn(2, 3, edge, edge, generator=torch.Generator().manual_seed(3))
    with network.recording([]) as record, torch.no_grad():
        assert near(record(batch).output, module(batch))
    # Functional activations and sums within a module are returned by none: those layers cannot be compared.
    layers = list(network.layers)
    assert check(network, layers, module, batch) >= 0.3 * len(layers)
    blocks = [layer for layer in network.further if layer.sort in (Sort.SUM, Sort.JOIN) and layer.path]
    returned = {path for path, _ in module.named_modules()}
    whole = [layer for layer in blocks if layer.path in returned and not layer.name.endswith(("sum", "tion"))]
    if whole:
        assert check(network, whole, module, batch) >= 0.5 * len(whole)
    # Every convolution is a layer, or it is said why not.
    paths = {layer.path for layer in (*network.layers, *network.further)}
    told = paths | {path for path, _ in (*network.left_out, *network.not_offered)}
    known = {id(module.get_submodule(path)) for path in told if path in returned}
    for path, part in module.named_modules():
        assert not isinstance(part, nn.Conv2d) or id(part) in known, path


IMAGES, UNITS, COUNTED = 6, 6, 4  # of the data set; of a layer; layers of a network


@of_every_family(QUICK[:1])
def test_ious_are_those_of_an_independent_count(name: str, tmp_path: Path) -> None:
    """Thresholds, masks and tallies from what hooks kept, counted literally as the method says."""
    module, edge = built(name)
    _MADE["now"] = NetworkParts(module, Preprocessing((edge, edge), (0.0,) * 3, (1.0,) * 3))
    planted = make_planted(tmp_path / "planted", IMAGES, edge, edge // 4)
    opened = datasets.open_dataset(str(planted.root))
    network = networks.load(f"{__name__}:made")
    batch = network.preprocessing.batch([opened.read_image(image) for image in range(IMAGES)])
    compared = [
        pair
        for pair in _returned(network, module, batch)
        if not pair[0].without_masks and pair[1].shape[2] > 1
    ]
    compared = compared[:: max(1, len(compared) // COUNTED)]
    assert compared
    request = ProfileRequest(
        network.name,
        str(planted.root),
        tuple(layer.name for layer, _ in compared),
        quantile=0.05,
        min_images=1,
        permutations=0,
        positions=Placing.STRETCHED,
    )
    with Store(tmp_path / "cache", shipped=()) as store:
        outcome = run_profile(request, store, Execution(device="cpu"))
        found = {key: one.profile for key, one in find_profiles(outcome.keys, store).items()}
    annotations = [
        [(kind, map_) for kind, maps in scene.items() for map_ in maps] for scene in planted.scenes
    ]
    overlapping = 0
    for layer, response in compared:
        mine = found[layer.name]
        concepts = [(one.number, one.category) for one in mine.table.concepts]
        known = [[pair for pair in one if pair[0] in mine.categories] for one in annotations]
        counted = reference.profile(
            response[:, :UNITS].numpy(),
            known,
            concepts,
            list(mine.categories),
            size=opened.annotation_size,
            quantile=request.quantile,
        )
        arrays = mine.arrays
        both, active = (arrays[key][:UNITS].astype(float) for key in ("intersection", "active"))
        np.testing.assert_allclose(arrays["threshold"][:UNITS], counted["threshold"], rtol=1e-4, atol=1e-7)
        np.testing.assert_array_equal(arrays["concept_pixels"], counted["concept_pixels"])
        overlapping += bool(counted["intersection"].any())
        # A response that differs in its last bits may pass the threshold or not: a pixel or two.
        assert abs(both - counted["intersection"]).max() <= 2, layer.name
        assert abs(active - counted["active"]).max() <= 2, layer.name
    assert overlapping >= len(compared) / 2


def _returned(network: Network, module: nn.Module, batch: Tensor) -> list[tuple[Layer, Tensor]]:
    """Layers that some module returns, each with what hooks kept of it."""
    kept = Kept(module, batch)
    layers = [*network.layers, *(one for one in network.further if one.sort in (Sort.SUM, Sort.JOIN))]
    with network.recording(layers) as record:
        responses = record(batch).responses
    found = []
    for layer in layers:
        call = kept.call_that_returned(responses[layer.name], layer.path)
        if call is not None:
            tensor = next(one for path, number, one in kept.returned if (path, number) == call)
            found.append((layer, tensor))
    return found
