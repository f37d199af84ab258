"""Names of a network's layers, as they are noted for whoever asks without building the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from interpret_core.errors import LayerError, unknown
from interpret_core.lists import typed
from interpret_core.networks import Network
from interpret_core.networks.layers.layer import Sort, by_name
from interpret_core.options import ALL


class FurtherLayer(NamedTuple):
    """A layer that is asked for by name; `without_masks`: why it has none, empty where it has."""

    name: str
    sort: Sort
    units: int
    without_masks: str


@dataclass(frozen=True)
class KnownLayers:
    """A network's layers.

    Attributes:
        usual: names of those that "all layers" means, in forward order.
        further: the others.
        aliases: other names, and what they mean.
    """

    usual: tuple[str, ...]
    further: tuple[FurtherLayer, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Network) -> KnownLayers:
        """Of a network that is loaded."""
        names = by_name((*network.layers, *network.further))
        return cls(
            tuple(layer.name for layer in network.layers),
            tuple(
                FurtherLayer(layer.name, layer.sort, layer.units, layer.without_masks)
                for layer in network.further
            ),
            {name: layer.name for name, layer in names.items() if name != layer.name},
        )

    @classmethod
    def from_note(cls, note: Mapping[str, Any]) -> KnownLayers:
        """From what `note` gave."""
        further = tuple(
            FurtherLayer(name, Sort(sort), units, why) for name, sort, units, why in note["further"]
        )
        return cls(tuple(note["layers"]), further, dict(note["aliases"]))

    def note(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "layers": list(self.usual),
            "further": [[one.name, one.sort.value, one.units, one.without_masks] for one in self.further],
            "aliases": dict(self.aliases),
        }

    @property
    def all(self) -> tuple[str, ...]:
        """Every layer's name."""
        return (*self.usual, *(one.name for one in self.further))

    def sort(self, name: str) -> Sort | None:
        """Of a further layer; None for the usual ones."""
        return next((one.sort for one in self.further if one.name == name), None)

    def chosen(self, names: str | Iterable[str], network: str) -> tuple[str, ...]:
        """The layers that are asked for, in their order.

        Args:
            names: of layers, or of modules that return their response; or ALL.
            network: for the message.

        Raises:
            LayerError: an unknown name.
        """
        if names == ALL:
            if not self.usual:
                self.with_masks(self.all, network)
            return self.usual
        wanted = {self.aliases.get(name, name) if name not in self.all else name for name in names}
        for name in wanted:
            if name not in self.all:
                known = (*self.all, *self.aliases)
                raise LayerError(unknown("layer", name, known, f"Network: {network}.", typed))
        return tuple(name for name in self.all if name in wanted)

    def with_masks(self, names: Iterable[str], network: str) -> None:
        """Whether layers have masks.

        Raises:
            LayerError: one has none; says why.
        """
        for one in self.further:
            if one.without_masks and one.name in names:
                raise LayerError(
                    f"Layer {one.name} of {network} has no masks: {one.without_masks}. Expected layers whose "
                    "units have a grid in the picture; this one's can be silenced (ablate --layers)."
                )
