"""The report on a network that has been examined: what is shown of it, what is not, and why.

    {"network", "title", "digest", "evidence", "note", "input": [C, H, W], "path": "graph" | "watched",
     "outputs": {"count", "problem", "names", "head", "why"},
     "batches": companies that the probe's images were run in,
     "layers": [{"layer", "kind", "module", "also", "units", "grid", "receptive_field", "stride", "read",
                 "values", "finite", "gradient", "masks", "positions"}, …],
     "not_offered": [[module, why], …], "findings": [sentence, …]}

`gradient` is None where it was not asked for, since an output of no classes attributes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from interpret_core.errors import NetworkError
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.examination.companies import COMPANIES
from interpret_core.networks.examination.probe import COUNT, probe_images
from interpret_core.networks.graph.cuts import NotCuttableError
from interpret_core.networks.graph.placement import UPRIGHT
from interpret_core.networks.layers.layer import Layer
from interpret_core.networks.network import Network

VERSION = 2  # raise when the rows change: a report that is kept is then made anew
GOES = "yes"
NONE = "no: detach(), no_grad() or a rounding stops it, or the output does not depend on the layer"


def examination(network: Network) -> dict[str, Any]:
    """The report, as JSON takes it. Runs the seeded probe once more, forward and back.

    Args:
        network: loaded, and thereby examined.
    """
    every = (*network.layers, *network.further)
    images = probe_images(network.preprocessing.size, network.preprocessing.channels).to(network.device)
    seen: dict[str, Tensor] = {}
    network.stream(images, every, lambda layer, response: seen.update({layer.name: response}))
    reaches = _gradients(network, images, [layer.name for layer in every])
    return {
        "network": network.name,
        "title": network.spec.title,
        "digest": network.digest,
        "evidence": network.evidence,
        "note": network.note,
        "input": [network.preprocessing.channels, *network.preprocessing.size],
        "path": "graph" if network.traced else "watched",
        "outputs": _outputs(network),
        "batches": [list(range(COUNT)), *map(list, COMPANIES)],
        "layers": [
            _row(layer, seen[layer.name], reaches.get(layer.name), network.preprocessing.size)
            for layer in every
        ],
        "not_offered": [*map(list, network.left_out), *map(list, network.not_offered)],
        "findings": list(network.findings),
    }


def outputs_text(found: Mapping[str, Any]) -> str:
    """What a report says of the outputs, as a sentence or two."""
    outputs = found["outputs"]
    names = _counted(outputs["names"], "name") if outputs["names"] else "no names"
    means = (
        outputs["problem"] or f"{_counted(outputs['count'], 'output')}, {names}, read as {outputs['head']}."
    )
    return f"{means} {outputs['why']}".strip()


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def batches_text(found: Mapping[str, Any]) -> str:
    """What a report says of the batches that were tried."""
    sizes = sorted({len(company) for company in found["batches"]})
    return (
        f"Batches of {', '.join(map(str, sizes[:-1]))} and {sizes[-1]} images, in other orders: each image "
        "gets its own answer"
    )


def _outputs(network: Network) -> dict[str, Any]:
    problem = ""
    try:
        network.require_classes()
    except NetworkError as error:
        problem = str(error)
    head = network.head
    return {
        "count": network.output_count,
        "problem": problem,
        "names": len(network.class_names),
        "head": head.kind if network.output_count is not None else None,
        "why": head.reason,
    }


def _positions(layer: Layer, size: tuple[int, int]) -> str:
    """Where they lie in the network's input, in words."""
    if layer.lines is None:
        return layer.without_masks or "none"
    turned = "turned back; " if layer.turn != UPRIGHT else ""
    if layer.spread:
        return f"{turned}{layer.spread}"
    told = [
        f"from {line.share(0) * extent:.4g} px, every {extent / line.steps:.4g} px"
        for line, extent in zip(layer.lines, size, strict=True)
    ]
    return turned + (told[0] if told[0] == told[1] else f"{told[0]} down; {told[1]} across")


def _row(layer: Layer, response: Tensor, reaches: bool | None, size: tuple[int, int]) -> dict[str, Any]:
    finite = response[response.isfinite()]
    return {
        "layer": layer.name,
        "kind": layer.sort.value,
        "module": layer.path,
        "also": list(layer.aliases),
        "units": layer.units,
        "grid": list(layer.grid),
        "receptive_field": layer.receptive_field,
        "stride": layer.stride,
        "read": layer.read,
        "values": [float(finite.min()), float(finite.max())] if finite.numel() else None,
        "finite": finite.numel() == response.numel(),
        "gradient": None if reaches is None else GOES if reaches else NONE,
        "masks": layer.without_masks or GOES,
        "positions": _positions(layer, size),
    }


def _gradients(network: Network, images: Tensor, names: Sequence[str]) -> Mapping[str, bool]:
    """Whether a gradient of the outputs reaches each layer; nothing where the outputs are no classes."""
    if network.output_count is None:
        return {}
    with plain_arithmetic(), torch.enable_grad():
        batch = network.placed(images)
        swept = _swept(network, batch, names)
        # What the images cannot reach may itself reach the output: behind a detach(), say.
        return {name: name in swept or _reaches(network, batch, name) for name in names}


def _swept(network: Network, images: Tensor, names: Sequence[str]) -> set[str]:
    """Layers that one run back from the output passes on its way to the images."""
    try:
        output, responses = network.cutter.sweep(images, names)
    except NotCuttableError:
        return set()
    places = {name: one for name, one in zip(names, responses, strict=True) if one.requires_grad}
    if not output.requires_grad or not places:
        return set()
    found = torch.autograd.grad(output.sum(), list(places.values()), allow_unused=True)
    return {name for name, one in zip(places, found, strict=True) if one is not None}


def _reaches(network: Network, images: Tensor, name: str) -> bool:
    """The same for one layer, by a run of what is behind it."""
    cut = network.cutter(images[:1], [name])
    place = cut.responses[name].detach().clone().requires_grad_()
    output = cut.tail(name, place, torch.zeros(1, dtype=torch.long, device=images.device))
    if not output.requires_grad:
        return False
    (found,) = torch.autograd.grad(output.sum(), [place], allow_unused=True)
    return found is not None
