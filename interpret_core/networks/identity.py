"""A network is what it computes: the digest under which everything about it is kept.

Where torch.fx can trace it, that is the graph (every operation with its arguments, every leaf with its whole
configuration) and the tensors. Where it cannot, it is the tree of modules with their configuration, the
tensors, the source files outside the installed packages and the versions of the packages inside. To both
come the preprocessing, the names of the outputs, the head, and the device with its arithmetic.

A comment in a traced network's code changes nothing; another stride, activation or epsilon does, wherever it
was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import fx, nn

from interpret_core.networks.graph.trace import OUT_OF_PLACE, Graph
from interpret_core.networks.heads import Head
from interpret_core.networks.objects import code
from interpret_core.networks.objects.description import (
    Describer,
    Plain,
    canonical,
    named_tensors,
    qualified,
    sha,
    tensor_digest,
)
from interpret_core.networks.preprocessing import Preprocessing

SCHEMA = 2  # raise when the meaning of a response changes


def network_digest(
    computed: Plain,
    preprocessing: Preprocessing,
    class_names: Sequence[str],
    head: Head,
    device: torch.device,
) -> str:
    """SHA-256 (hex) of all that changes a result of a network.

    Args:
        computed: from `traced` or `untraced`.
        preprocessing: of the network.
        class_names: of the network.
        head: of the network.
        device: where it runs; arithmetic is IEEE single precision there (`arithmetic.plain_arithmetic`),
            whatever the module itself does in another one stands in what is computed.
    """
    content = {
        "schema": SCHEMA,
        "computed": computed,
        "preprocessing": preprocessing.record(),
        "outputs": list(class_names),
        "head": head.record(),
        "arithmetic": [device.type, "float32"],
    }
    return sha(canonical(content))


def traced(graph: Graph, module: nn.Module) -> Plain:
    """What a graph computes.

    Args:
        graph: without in-place operations; two networks that differ in those alone compute the same.
        module: that it was traced from, for its tensors.
    """
    describer = Describer()
    digests = {name: tensor_digest(tensor) for name, tensor in named_tensors(module).items()}
    places = {node: place for place, node in enumerate(graph.nodes)}
    nodes = [_node(node, graph, places, describer) for node in graph.nodes]
    return {
        "graph": nodes,
        "tensors": sorted(map(list, digests.items())),
        # Hooks, parametrizations and wrapped functions run as they are: nobody has traced them.
        "code": sorted(map(list, code.digests(describer.modules).items())),
    }


def untraced(module: nn.Module, modules: Iterable[str] = ()) -> Plain:
    """What a module is, where nobody can say what it computes.

    Args:
        module: in eval mode.
        modules: dotted names of further modules that it was made by.

    Raises:
        CodeChangedError: its code on disk is not what this process imported.
    """
    describer = Describer()
    tree = [[path, describer.module(part)] for path, part in module.named_modules(remove_duplicate=False)]
    tensors = [[name, tensor_digest(tensor)] for name, tensor in sorted(named_tensors(module).items())]
    names = {*describer.modules, *modules}
    return {
        "tree": tree,
        "tensors": tensors,
        "code": sorted(map(list, code.digests(names).items())),
        "versions": sorted(map(list, code.versions(_imported(names)).items())),
    }


def _imported(names: Iterable[str]) -> set[str]:
    """The modules themselves, and what their own sources import."""
    names = set(names)
    return names | code.imported(names)


def _node(node: fx.Node, graph: Graph, places: Mapping[fx.Node, int], describer: Describer) -> Plain:
    arguments = [_argument(one, places, describer) for one in node.args]
    named = [[name, _argument(one, places, describer)] for name, one in sorted(node.kwargs.items())]
    if node.op == "call_module":
        target: Plain = _leaf(str(node.target), graph, describer)
    elif node.op == "get_attr":
        target = _attribute(graph.module, str(node.target))
    elif node.op == "call_function":
        target = describer.plain(node.target)
    else:
        target = "" if node.op in {"placeholder", "output"} else str(node.target)
    return [node.op, target, arguments, named]


def _leaf(target: str, graph: Graph, describer: Describer) -> Plain:
    """A leaf with all that runs inside it; its path names its layer."""
    called = graph.module.get_submodule(target)
    described = [[name, describer.module(part)] for name, part in called.named_modules()]
    return [target.removesuffix(OUT_OF_PLACE), described]


def _attribute(module: fx.GraphModule, target: str) -> Plain:
    owner, _, name = target.rpartition(".")
    value = getattr(module.get_submodule(owner), name)
    return ["tensor", tensor_digest(value)] if isinstance(value, torch.Tensor) else qualified(value)


def _argument(value: Any, places: Mapping[fx.Node, int], describer: Describer) -> Plain:
    """An argument of a node; another node stands for itself by its place."""
    if isinstance(value, fx.Node):
        return {"node": places[value]}
    if isinstance(value, (tuple, list)):
        return [type(value) is tuple, [_argument(one, places, describer) for one in value]]
    if isinstance(value, slice):
        return {"slice": [_argument(one, places, describer) for one in (value.start, value.stop, value.step)]}
    if isinstance(value, dict):
        return {"mapping": [[str(key), _argument(one, places, describer)] for key, one in value.items()]}
    return describer.plain(value)
