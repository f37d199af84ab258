"""Networks: names, weights, layers, and reading or silencing responses without touching the module."""

from interpret_core.networks.devices import find_device
from interpret_core.networks.graph.prefixes import Prefix
from interpret_core.networks.layers.layer import Layer
from interpret_core.networks.network import Network, Recording, Silence, digest, load
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.registry import featured, find, known
from interpret_core.networks.spec import NetworkParts, NetworkSpec
from interpret_core.networks.weights import Weights

__all__ = [
    "Layer",
    "Network",
    "NetworkParts",
    "NetworkSpec",
    "Prefix",
    "Preprocessing",
    "Recording",
    "Silence",
    "Weights",
    "digest",
    "featured",
    "find",
    "find_device",
    "known",
    "load",
]
