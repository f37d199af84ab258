"""Finds a checked way to run a module with taps: its traced graph, or watching it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, fx, nn
from torch.nn.parameter import UninitializedTensorMixin  # type: ignore[attr-defined]

from interpret_core.errors import NetworkError
from interpret_core.networks import identity
from interpret_core.networks.examination.companies import examine
from interpret_core.networks.examination.first_runs import first_runs, same
from interpret_core.networks.examination.positions import find_positions
from interpret_core.networks.examination.probe import extreme_images, sample
from interpret_core.networks.graph.cuts import Cutter, GraphCutter, WatchedCutter
from interpret_core.networks.graph.ends import ending
from interpret_core.networks.graph.interpreter import GraphRunner, LayerRunner, Runner, Taps, run_all
from interpret_core.networks.graph.operations import Op
from interpret_core.networks.graph.placement import UPRIGHT
from interpret_core.networks.graph.prefixes import GraphResumer, Resumer, WatchedResumer
from interpret_core.networks.graph.trace import UntraceableError, trace
from interpret_core.networks.graph.watch import WatchedRunner
from interpret_core.networks.heads import Head, find_head, stated_head
from interpret_core.networks.layers.coverage import not_covered, not_listed
from interpret_core.networks.layers.inventory import Inventory, find_layers
from interpret_core.networks.layers.layer import FoundLayer, Layer, Sort
from interpret_core.networks.layers.responses import followed
from interpret_core.networks.objects.copies import shared_clone
from interpret_core.networks.objects.description import Plain
from interpret_core.networks.outputs import Outputs

DISSECTED = frozenset({Sort.CONVOLUTION, Sort.TRANSPOSED})  # their units have a filter each on the image


@dataclass(frozen=True)
class Ways:
    """Ways to run a module with taps, to cut it and to halt it.

    Attributes:
        runner, cutter, resumer: the ways.
        inventory: the layers that were found, and the others.
        computed: what the digest holds of it.
        ending: what its last operations say of its outputs, see `ends`; empty where they are unknown.
        note: why it is the slower way; empty for the graph.
    """

    runner: Runner
    cutter: Cutter
    resumer: Resumer
    inventory: Inventory
    computed: Plain
    ending: str = ""
    note: str = ""


@dataclass(frozen=True)
class Prepared:
    """A network that has been run and examined.

    Attributes:
        runner, cutter, resumer: ways to run it.
        slower: why it is watched and not run from its graph; empty for the graph.
        computed: what the digest holds of it.
        layers: the convolutions that can be used, in forward order.
        further: other layers that can be used.
        left_out: (layer, why) of those that cannot.
        not_offered: (path, why) of convolutions and named modules that are no layer.
        outputs, head: how its output is read.
        memory_format: that images and weights are in.
        answers: its outputs for the probe, at most `probe.KEPT` of them.
        notes: what a user should know of how it is run.
    """

    runner: Runner
    cutter: Cutter
    resumer: Resumer
    slower: str
    computed: Plain
    layers: tuple[Layer, ...]
    further: tuple[Layer, ...]
    left_out: tuple[tuple[str, str], ...]
    not_offered: tuple[tuple[str, str], ...]
    outputs: Outputs
    head: Head
    memory_format: torch.memory_format
    answers: list[float | None]
    notes: tuple[str, ...] = ()


def refuse_unreadable(module: nn.Module, name: str) -> None:
    """A module that was made into a program cannot be read from inside, and one without values cannot be run.

    Raises:
        NetworkError: it is of TorchScript or torch.export, or holds such a one; it lies on the meta device.
    """
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise NetworkError(
            f"{name} is a TorchScript module, expected an ordinary module: its inside cannot be read. "
            "Build it in Python and load its state dict."
        )
    if any(isinstance(part, fx.GraphModule) and _is_exported(part) for part in module.modules()):
        raise NetworkError(
            f"{name} is a program of torch.export, expected an ordinary module: its layers are no modules "
            "any more. Hand out the module that it was exported from."
        )
    tensors = (*module.parameters(), *module.buffers())
    if any(one.is_meta and not isinstance(one, UninitializedTensorMixin) for one in tensors):
        raise NetworkError(
            f"{name} lies on the meta device, where tensors have no values. Expected weights: build it on "
            'the CPU, or call module.to_empty(device="cpu") and load its state dict.'
        )


def _is_exported(module: fx.GraphModule) -> bool:
    return any(isinstance(node.target, torch._ops.OpOverload) for node in module.graph.nodes)


@dataclass(frozen=True)
class Stated:
    """What is known of a module beforehand.

    Attributes:
        name: for messages.
        head: what its owner says of the outputs, if anything.
        modules: dotted names of the Python modules that it was made by.
        layers: paths of its parts that are to be layers.
    """

    name: str
    head: str | None = None
    modules: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()


def prepare(module: nn.Module, images: Tensor, stated: Stated) -> Prepared:
    """Find a way to run a module with taps and to cut it at its layers, and check it.

    Args:
        module: in eval mode, Unitscope's own copy: types and memory formats of its tensors may change.
        images: (3, 3, H, W), the probe.
        stated: what is known of it.

    Raises:
        NetworkError: the module fails on the probe, does not return one tensor, answers to an image
            according to others, or neither way to run it gives its own output bit for bit.
        CodeChangedError: its code on disk is not what this process imported.
    """
    name = stated.name
    with torch.no_grad():
        runnable = first_runs(module, images, name)
        probe, expected = runnable.images, runnable.output
        outputs = Outputs.of(expected, len(images))
        ways = _ways(module, probe, outputs.rows(expected, len(images)), outputs, stated)
        every = [one.layer for one in ways.inventory.all]
        if not any(layer.sort in DISSECTED for layer in every):
            raise NetworkError(_nothing_to_show(name, module, ways.inventory))
        left_out = examine(ways.runner, probe, [layer.name for layer in every], outputs, (name, module))
        usual = _usual(ways.inventory)
        kept = _with_positions([layer for layer in every if layer.name not in left_out], ways, probe)
        layers, further = _split(kept, usual)
        if not any(layer.sort in usual for layer in kept):
            first, why = next(iter(left_out.items()))
            raise NetworkError(f"{name} has no layer that can be used; {first}: {why}.")
        found = _head(ways, probe, outputs, expected, stated.head)
    profiled = f"It {outputs.problem}: its units can be profiled, and nothing said of classes."
    covered = [*(layer.path for layer in every), *(path for path, _ in ways.inventory.not_offered)]
    told = {one.layer.name for one in ways.inventory.all if one.layer.sort in usual}
    notes = (
        *runnable.notes,
        ways.note,
        profiled if outputs.problem else found.reason,
        not_covered(module, layers),
        *(f"Layer {one} is left out: {why}." for one, why in left_out.items() if one in told),
        *(f"Layer {one.name} has no masks: {one.without_masks}." for one in further if one.sort in usual),
    )
    return Prepared(
        ways.runner,
        ways.cutter,
        ways.resumer,
        ways.note,
        (ways.computed or {}) | _turned((*layers, *further)),
        layers,
        further,
        tuple(left_out.items()),
        (*ways.inventory.not_offered, *not_listed(module, covered)),
        outputs,
        found,
        runnable.memory_format,
        sample(expected),
        tuple(filter(None, notes)),
    )


def _with_positions(layers: Sequence[Layer], ways: Ways, probe: Tensor) -> list[Layer]:
    """The layers, each with its place in the picture."""
    unknown = [layer for layer in layers if layer.unplaced]
    found = {one.name: one for one in find_positions(ways.runner, ways.cutter, probe, unknown)}
    return [found.get(layer.name, layer) for layer in layers]


def _turned(layers: Sequence[Layer]) -> dict[str, Plain]:
    """Responses that do not lie as the picture does, for the digest; nothing where there are none."""
    turns: dict[str, Plain] = {
        layer.name: [layer.turn.swapped, *layer.turn.flipped] for layer in layers if layer.turn != UPRIGHT
    }
    nowhere: list[Plain] = [layer.name for layer in layers if layer.without_masks and max(layer.grid) > 1]
    return ({"turned": turns} if turns else {}) | ({"nowhere": nowhere} if nowhere else {})


def _usual(inventory: Inventory) -> frozenset[Sort]:
    """The sorts whose layers are a network's layers: its convolutions, or else the transposed ones."""
    return frozenset({Sort.CONVOLUTION if inventory.layers else Sort.TRANSPOSED})


def _split(layers: Sequence[Layer], usual: frozenset[Sort]) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    first = [layer for layer in layers if layer.sort in usual and not layer.without_masks]
    others = [layer for layer in layers if layer not in first]
    numbered = [replace(layer, index=index) for index, layer in enumerate((*first, *others))]
    return tuple(numbered[: len(first)]), tuple(numbered[len(first) :])


def _nothing_to_show(name: str, module: nn.Module, inventory: Inventory) -> str:
    known = [path for path, _ in inventory.not_offered]
    reasons = (*inventory.not_offered, *not_listed(module, known))
    why = "".join(f"; {path}: {reason}" for path, reason in reasons[:4])
    return f"{name} has no two-dimensional convolution with a grid larger than 1×1 to show{why}."


def _ways(module: nn.Module, probe: Tensor, expected: Tensor, outputs: Outputs, stated: Stated) -> Ways:
    """The graph where it gives the module's own output bit for bit, else watching."""
    try:
        ways = _traced(module, probe, outputs, stated)
        # Other images tell what a graph computes from what an earlier run has left in it.
        others = probe.roll(1, 0)
        own = outputs.rows(shared_clone(module)(others.clone()), len(others))
        if not same(_run(ways.runner, probe), expected) or not same(_run(ways.runner, others), own):
            raise UntraceableError("its graph gives another output than the module")
        return ways
    except UntraceableError as error:
        ways = _watched(module, probe, outputs, stated)
        if not same(_run(ways.runner, probe), expected):
            raise NetworkError(
                f"{stated.name} gives another output when it is watched, expected the same bits: it may "
                "be random even in eval mode. Make it deterministic."
            ) from error
        why = (str(error).splitlines() or [""])[0]
        note = f"torch.fx cannot trace this network ({why}): responses are read on a slower path."
        computed = identity.untraced(module, stated.modules) | (ways.computed or {})
        return Ways(ways.runner, ways.cutter, ways.resumer, ways.inventory, computed, note=note)


def _further(ops: Sequence[Op], found: Sequence[FoundLayer]) -> dict[str, Plain]:
    """Responses that lie further behind, for the digest; nothing where there are none."""
    steps = followed(ops, {one.layer.name: one.chain for one in found})
    return {"responses": steps} if steps else {}


def _watched(module: nn.Module, probe: Tensor, outputs: Outputs, stated: Stated) -> Ways:
    try:
        runner = WatchedRunner(module, probe.clone(), outputs, stated.layers)
    except Exception as error:  # the module's own code, on a clone
        raise NetworkError(
            f"{stated.name} can neither be traced nor run on a clone ({type(error).__name__}: {error}), "
            "expected a module made of torch functions: write it without modules outside its tree."
        ) from error
    inventory = runner.inventory
    cutter = WatchedCutter(runner, runner.ops, runner.responses)
    resumer = WatchedResumer(runner, [one.layer.name for one in inventory.all])
    return Ways(runner, cutter, resumer, inventory, _further(runner.ops, inventory.layers))


def _traced(module: nn.Module, probe: Tensor, outputs: Outputs, stated: Stated) -> Ways:
    graph = trace(shared_clone(module))  # tracing leaves its traces in whatever a forward assigns
    shapes: dict[torch.fx.Node, tuple[int, ...] | None] = {}
    try:
        run_all(graph.module, graph.nodes, probe.clone(), graph.recorder(shapes))
    except Exception as error:  # a graph that does not even run is no better than none
        raise UntraceableError(f"its graph fails with {type(error).__name__}: {error}") from error
    try:
        ops = graph.ops(shapes)
    except (TypeError, ValueError, AttributeError) as error:  # an argument that only a run knows
        raise UntraceableError(f"an operation's arguments are not known beforehand: {error}") from error
    inventory = find_layers(ops, graph.calls, stated.layers)
    usual: Mapping[str, int] = {item.layer.name: item.response for item in inventory.layers}
    every: Mapping[str, int] = {item.layer.name: item.response for item in inventory.all}
    further = every.keys() - usual.keys()
    views = [item.layer.name for item in inventory.all if item.layer.sort is Sort.MODULE]
    plain = graph.copied()
    cutter = GraphCutter(plain, ops, every, outputs, further)
    resumer = GraphResumer(plain, every, outputs, views)
    computed = identity.traced(plain, module) | _further(ops, inventory.layers)
    graph.restore_in_place({graph.nodes[index] for index in usual.values()}, shapes)
    runner = LayerRunner(GraphRunner(graph, usual, outputs), GraphRunner(plain, every, outputs, views), usual)
    return Ways(runner, cutter, resumer, inventory, computed, ending(graph))


def _head(ways: Ways, probe: Tensor, outputs: Outputs, expected: Tensor, stated: str | None) -> Head:
    """What the outputs mean; where they are no classes, nothing depends on it."""
    if outputs.count is None:
        return Head()
    answers = outputs.rows(expected, len(probe)).float()
    if stated:
        return stated_head(stated, answers)
    return find_head(answers, lambda: _run(ways.runner, extreme_images(probe)).float(), ways.ending)


def _run(runner: Runner, probe: Tensor) -> Tensor:
    output = runner(probe.clone(), Taps())
    return torch.empty(0) if output is None else output
