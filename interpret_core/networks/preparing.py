"""Finds a checked way to run a module with taps: its traced graph, or watching it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from interpret_core.errors import NetworkError
from interpret_core.networks.cutting import Cutter, GraphCutter, WatchedCutter
from interpret_core.networks.layers import Layer, find_layers
from interpret_core.networks.resuming import GraphResumer, Resumer, WatchedResumer
from interpret_core.networks.running import GraphRunner, Runner, Taps, run_all
from interpret_core.networks.tracing import UntraceableError, record_shape, trace
from interpret_core.networks.watching import WatchedRunner


class Prepared(NamedTuple):
    """A checked way to run a module with taps, to cut it and to halt it; a note if it is the slower way."""

    runner: Runner
    cutter: Cutter
    resumer: Resumer
    layers: tuple[Layer, ...]
    note: str = ""


def prepare(module: nn.Module, probe: torch.Tensor, name: str) -> Prepared:
    """Find a way to run a module with taps and to cut it at its layers, and check it.

    Args:
        module: in eval mode; not changed.
        probe: two images.
        name: for messages.

    Raises:
        NetworkError: the module fails on the probe, does not return one tensor, or neither way to run it
        gives
            its own output bit for bit.
    """
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise NetworkError(
            f"{name} is a TorchScript module, expected an ordinary module: its inside cannot be read. "
            "Build it in Python and load its state dict."
        )
    with torch.no_grad():
        expected = _expected(module, probe, name)
        try:
            found = _prepare_traced(module, probe)
            if not _same(_run(found.runner, probe), expected):
                raise UntraceableError("its graph gives another output than the module")
        except UntraceableError as error:
            found = _prepare_watched(module, probe, name)
            if not _same(_run(found.runner, probe), expected):
                raise NetworkError(
                    f"{name} gives another output when it is watched, expected the same bits: it may "
                    "be random even in eval mode. Make it deterministic."
                ) from error
            reason = (str(error).splitlines() or [""])[0]
            note = f"torch.fx cannot trace this network ({reason}): responses are read on a slower path."
            found = found._replace(note=note)
    if not found.layers:
        raise NetworkError(f"{name} has no two-dimensional convolution with a grid larger than 1×1 to show.")
    return found


def _prepare_watched(module: nn.Module, probe: torch.Tensor, name: str) -> Prepared:
    try:
        runner = WatchedRunner(module, probe.clone())
    except Exception as error:  # the module's own code, on a clone
        raise NetworkError(
            f"{name} can neither be traced nor run on a clone ({type(error).__name__}: {error}), expected a "
            "module made of torch functions: write it without modules outside its tree."
        ) from error
    cutter = WatchedCutter(runner, runner.ops, runner.responses)
    resumer = WatchedResumer(runner, [layer.name for layer in runner.layers])
    return Prepared(runner, cutter, resumer, runner.layers)


def _prepare_traced(module: nn.Module, probe: torch.Tensor) -> Prepared:
    graph = trace(module)
    shapes: dict[torch.fx.Node, tuple[int, ...] | None] = {}
    try:
        run_all(graph.module, graph.nodes, probe, record_shape(shapes))
    except Exception as error:  # a graph that does not even run is no better than none
        raise UntraceableError(f"its graph fails with {type(error).__name__}: {error}") from error
    ops = graph.ops(shapes)
    found = find_layers(ops)
    responses = {item.layer.name: item.response for item in found}
    plain = graph.copied()
    cutter, resumer = GraphCutter(plain, ops, responses), GraphResumer(plain, responses)
    graph.restore_in_place({graph.nodes[item.response] for item in found}, shapes)
    return Prepared(GraphRunner(graph, responses), cutter, resumer, tuple(item.layer for item in found))


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal bit for bit, NaN included: a profile names the layer and image a NaN comes from."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def _expected(module: nn.Module, probe: torch.Tensor, name: str) -> torch.Tensor:
    try:
        output = module(probe.clone())
    except Exception as error:  # the module's own code
        raise NetworkError(
            f"{name} fails on a batch {tuple(probe.shape)} with {type(error).__name__}: {error}. Expected "
            "a network that takes one batch of images: check the preprocessing's size."
        ) from error
    if not isinstance(output, torch.Tensor):
        raise NetworkError(f"{name} returns {type(output).__name__}, expected one tensor (N, classes).")
    return output


def _run(runner: Runner, probe: torch.Tensor) -> torch.Tensor:
    output = runner(probe.clone(), Taps())
    return torch.empty(0) if output is None else output
