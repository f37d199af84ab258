"""Networks and data sets as any process finds them: by their names, and what they must turn out to be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from interpret_core import datasets, networks
from interpret_core.datasets import ConceptTable, Dataset
from interpret_core.datasets.excerpts import opened_excerpt
from interpret_core.errors import UserError
from interpret_core.networks import Network
from interpret_core.store.records import canonical_json

Opened = tuple[Network, Dataset]


class DifferentSubjectError(UserError):
    """A worker knows another network or data set under a name."""


def opening_name(parts: Mapping[str, Any]) -> str:
    """A name that differs where what is opened does; no key, nothing lies under it."""
    return hashlib.sha256(canonical_json(dict(parts)).encode()).hexdigest()


def place_of(dataset: Dataset) -> str:
    """How another process finds a data set: by its registered name, else by its address or folder.

    An excerpt is found in this process alone, under its name.
    """
    if opened_excerpt(dataset.name) is not None:
        return dataset.name
    registered = datasets.known().get(dataset.name)
    same = registered is not None and registered.resolve() == dataset.root
    return dataset.name if same else dataset.origin or str(dataset.root)


@dataclass(frozen=True)
class DatasetOpening:
    """A data set and its concepts.

    Attributes:
        place: its name or folder.
        digest: what it is.
        categories: of the concepts.
    """

    place: str
    digest: str
    categories: tuple[str, ...]
    device = "cpu"

    @property
    def name(self) -> str:
        """Equal ones open the same."""
        return opening_name({"dataset": self.digest, "categories": list(self.categories)})

    def open(self) -> tuple[Dataset, ConceptTable]:
        """Find it in this process; its files are read where they are not known.

        Raises:
            UserError: it is not there, or is another one here.
        """
        dataset = datasets.open_dataset(self.place)
        _require("Data set", self.place, self.digest, dataset.compute_digest())
        return dataset, dataset.concepts(self.categories)


@dataclass(frozen=True)
class NetworkOnData:
    """A network and a data set.

    Attributes:
        network: its name.
        network_digest: what it is.
        dataset: name or folder of the data set.
        dataset_digest: what that is.
        device: type of the device that computes.
    """

    network: str
    network_digest: str
    dataset: str
    dataset_digest: str
    device: str

    @classmethod
    def of(cls, network: Network, dataset: Dataset) -> NetworkOnData:
        """Those that a run has open."""
        place = place_of(dataset)
        return cls(network.spec.name, network.digest, place, dataset.digest, network.device.type)

    @property
    def name(self) -> str:
        """Equal ones open the same."""
        return opening_name({"pair": [self.network_digest, self.dataset_digest, self.device]})

    def open(self) -> Opened:
        """Find and load both in this process.

        Raises:
            UserError: one is not there, or is another one here.
        """
        network = networks.load(self.network, torch.device(self.device))
        _require("Network", self.network, self.network_digest, network.digest)
        dataset = datasets.open_dataset(self.dataset)
        _require("Data set", self.dataset, self.dataset_digest, dataset.compute_digest())
        return network, dataset


def _require(kind: str, name: str, expected: str, found: str) -> None:
    if found != expected:
        raise DifferentSubjectError(
            f"{kind} {name!r} is another one for a worker (digest {found[:12]}, expected {expected[:12]}): "
            "give all workers the same files, code and unitscope.toml, and change none during a run."
        )
