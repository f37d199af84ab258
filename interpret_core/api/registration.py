"""Live networks and unnamed data sets under a name that other processes find: dashboard and jobs.

Pages take registered names alone. A live network becomes one as it would on a page: its weights in a file
without code, beside a table that says who builds the module. It is built once from these, and registered only
if it is the same network: every result that was asked about the live one is then found.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from interpret_core import config, datasets, networks
from interpret_core.datasets import Dataset
from interpret_core.errors import DatasetError, NetworkError, ParameterError, UserError, WeightsError
from interpret_core.network_tables import NetworkTable, network_table
from interpret_core.networks import Network
from interpret_core.networks.providers.live import PREFIX, LiveSource
from interpret_core.runtime.subjects import remember
from interpret_core.store import Store
from interpret_core.uploads.datasets import AddedDatasets
from interpret_core.uploads.networks import AddedNetworks
from interpret_core.uploads.places import VARIABLE

DIGITS = 8  # of a digest, behind a name: two networks are never called alike


def registered_network(network: Network | str, factory: str, store: Store) -> str:
    """A name under which other processes find a network; registered now if it has none.

    Args:
        network: a network, or a name.
        factory: who builds a live one's module: `package.module:factory`, or an architecture such as
            "torchvision/resnet18"; "" for its own class, where that can be imported and takes no arguments.
        store: what the network is is noted there.

    Raises:
        NetworkError: nobody can build it, or what is built is another network; the message says what to do.
        ParameterError: nothing may be registered here.
    """
    name = network if isinstance(network, str) else network.name
    if name in networks.known():
        if isinstance(network, Network) and networks.digest(name, str(network.device)) != network.digest:
            raise NetworkError(
                f"{name} means another network than when it was loaded, expected the same: load it again."
            )
        return name
    loaded = networks.load(name) if isinstance(network, str) else network
    source = loaded.spec.source
    # Weights go into a file of their own; what built the network goes on building it.
    own = (
        _own_class(source.module)
        if isinstance(source, LiveSource) and not factory
        else name.partition("@")[0]
    )
    return _added(loaded, {**_stated(loaded), "network": factory or own}, store)


def registered_dataset(data: Dataset) -> str:
    """A name under which other processes find a data set; registered now if it has none.

    Raises:
        ParameterError: nothing may be registered here.
        DatasetError: its files are not what they were.
    """
    if _is(data, data.name):
        return data.name
    name = _slug(data.name, data.digest)
    if not _is(data, name):
        AddedDatasets(_uploads("data set", data.name)).register(name, data.root, "a notebook")
    if not _is(data, name):
        raise DatasetError(
            f"{data.root} holds other files than when it was opened, expected the same: open it again."
        )
    return name


def _is(data: Dataset, name: str) -> bool:
    """Whether a registered name means this very data set."""
    if name not in datasets.known():
        return False
    return datasets.open_dataset(name, registered_only=True).digest == data.digest


def _added(network: Network, entry: Mapping[str, Any], store: Store) -> str:
    name = _slug(network.spec.title, network.digest)
    added = AddedNetworks(_uploads("network", name))
    if name not in networks.known():
        tensors = {
            key: tensor.detach().cpu().contiguous().clone() for key, tensor in _module(network).items()
        }
        staged = added.stage(safetensors.torch.save(tensors), f"{name}.safetensors")
        try:
            table = network_table(staged, name, {**entry, "weights": staged.name})
            _require_same(_loaded(name, table, staged, entry), network, entry)
            added.register(staged, name, entry)
        except UserError:
            added.discard(staged)
            raise
    built = networks.load(name, fetch=False)
    _require_same(built, network, entry)
    remember(built, store)
    return name


def _loaded(name: str, table: NetworkTable, staged: Path, entry: Mapping[str, Any]) -> Network:
    try:
        return networks.load(name, fetch=False, table=table)
    except WeightsError as error:
        told = str(error).replace(str(staged), "the live network's weights")
        raise NetworkError(f"{entry['network']} builds another network: {told}") from error


def _module(network: Network) -> Mapping[str, Any]:
    source = network.spec.source
    if isinstance(source, LiveSource):
        return source.module.state_dict()
    return source.build(source.weights(fetch=False)).state_dict()


def _require_same(built: Network, network: Network, entry: Mapping[str, Any]) -> None:
    if built.digest != network.digest:
        raise NetworkError(
            f"{entry['network']} builds another network than {network.name} with the same weights, expected "
            'the same: name a function that builds it, factory="package.module:function".'
        )


def _stated(network: Network) -> dict[str, Any]:
    """What `unitscope.toml` would say of it."""
    spec, taken = network.spec, network.preprocessing
    found: dict[str, Any] = {
        "size": list(taken.size),
        "mean": list(taken.mean),
        "std": list(taken.std),
        "interpolation": str(taken.interpolation),
    }
    if spec.class_names:
        found["classes"] = list(spec.class_names)
    if spec.head:
        found["head"] = spec.head
    if spec.layers:
        found["layers"] = list(spec.layers)
    return found


def _own_class(module: nn.Module) -> str:
    """`package.module:Class` of a module whose class another process can import and call.

    Raises:
        NetworkError: it cannot; what to do instead.
    """
    made = type(module)
    place, name = made.__module__, made.__qualname__
    remedy = (
        'write a function that returns the module into a file beside the notebook and name it, factory="file:'
        'function", or name an architecture, factory="torchvision/resnet18".'
    )
    if place == "__main__" or not name.isidentifier() or _imported(place, name) is not made:
        raise NetworkError(
            f"{name} is defined in the notebook, where no other process finds it, and the dashboard is one: "
            f"{remedy}"
        )
    if not _takes_nothing(made):
        raise NetworkError(f"{name} takes arguments, which nobody knows who builds it anew: {remedy}")
    return f"{place}:{name}"


def _takes_nothing(made: type[nn.Module]) -> bool:
    """Whether a class is called without arguments; `*parts`, as of a Sequential, are its parts."""
    try:
        signature = inspect.signature(made)
        signature.bind()
    except (TypeError, ValueError):
        return False
    return all(one.kind is not inspect.Parameter.VAR_POSITIONAL for one in signature.parameters.values())


def _imported(place: str, name: str) -> object:
    try:
        return getattr(importlib.import_module(place), name, None)
    except Exception:  # somebody's own code
        return None


def _uploads(what: str, name: str) -> Path:
    """The folder of what is added.

    Raises:
        ParameterError: there is to be none.
    """
    folder = config.current().uploads
    if folder is None:
        raise ParameterError(
            f"The {what} {name} has no name that the dashboard knows, and none can be added ({VARIABLE}=0): "
            f"name a folder in {VARIABLE}, or the {what} in unitscope.toml."
        )
    return folder


def _slug(title: str, digest: str) -> str:
    """A name for addresses and folders that tells it from everything else of its title."""
    title = title.removeprefix(PREFIX).partition("@")[0]
    bare = re.sub(r"[^A-Za-z0-9_.-]+", "-", title).strip("-._") or "unnamed"
    return f"{bare[:40]}-{digest[:DIGITS]}"


def importing_paths() -> list[str]:
    """Folders from which this process imports, absolute, for another that is to find the same modules."""
    return [str(Path(one or ".").absolute()) for one in sys.path if not one or Path(one).is_dir()]
