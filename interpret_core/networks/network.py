"""A loaded network: its layers, its responses, and runs with units silenced."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from interpret_core.errors import LayerError, NetworkError, ParameterError, unknown
from interpret_core.network_tables import NetworkTable
from interpret_core.networks import streams
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.devices import find_device
from interpret_core.networks.examination.channels import adapted
from interpret_core.networks.examination.probe import probe_images
from interpret_core.networks.graph.interpreter import Taps
from interpret_core.networks.graph.prefixes import Prefix
from interpret_core.networks.graph.preparation import Stated, prepare
from interpret_core.networks.heads import Head
from interpret_core.networks.identity import network_digest
from interpret_core.networks.layers.layer import Layer, by_name
from interpret_core.networks.registry import find, make
from interpret_core.networks.spec import Made

Visit = Callable[[Layer, torch.Tensor], None]
Ablated = Callable[[torch.Tensor | Prefix], torch.Tensor]


@dataclass(frozen=True)
class Silence:
    """Units to silence in one layer, and what their response becomes.

    Attributes:
        units: unit numbers, 0-based.
        value: 0 or another scalar for all of them, or a (U,) tensor with one scalar per unit of the layer.
    """

    units: Sequence[int]
    value: float | torch.Tensor = 0.0


@dataclass(frozen=True)
class Recording:
    """One run's output (N, classes) and the responses asked for, by layer name, each (N, U, h, w)."""

    output: torch.Tensor
    responses: dict[str, torch.Tensor]


class Network:
    """A network in eval mode whose responses can be read and changed without touching its module.

    Several threads may use it at the same time: runs share parameters and nothing else. The module is a copy
    of Unitscope's own, so that whoever made it may go on training.

    Attributes:
        spec: what was known before it was built.
        name: of the spec.
        digest: hex; everything that changes a result, taken from what was built.
        recipe: hex; what a page can know of it without building it (`NetworkSpec.recipe`).
        evidence: "trained", "random weights", "demo" or "weights as given".
        note: for the screen; says where its weights are from, and all the findings.
        findings: what loading found out, a sentence each: what its outputs are taken for, why it is on the
            slower path, what is left out.
        preprocessing: of its input.
        class_names: of its outputs; empty if unknown.
        head: how its outputs become probabilities.
        layers: its convolutions in forward order: what "all layers" means.
        further: other layers, which are asked for by name: block outputs, concatenations, the last linear
            layer, …
        left_out: (layer, why) of those that cannot be used.
        not_offered: (path, why) of convolutions and named modules that are no layer.
        answers: numbers of its output for the seeded probe, None where not finite; they tell at the next load
            whether it still computes the same (`probe.agrees`).
        traced: whether torch.fx could trace it.
        device: where it runs.
        cutter: cuts batches at layers, for gradients; its images come from `batch`.
    """

    def __init__(self, made: Made, device: torch.device) -> None:
        """Trace a network just made, list its layers, examine it; see `load`."""
        self.spec = made.spec
        self.name = self.spec.name
        self.evidence = made.weights.evidence
        self.class_names = self.spec.class_names
        self.device = device
        self.recipe = self.spec.recipe(made.weights, device)
        module = made.module.to(device).requires_grad_(False)
        self.preprocessing, grey = adapted(module, self.spec.preprocessing)
        probe = probe_images(self.preprocessing.size, self.preprocessing.channels).to(device)
        stated = Stated(self.name, self.spec.head, made.modules, self.spec.layers)
        prepared = prepare(module, probe, stated)
        self._runner, self.cutter, self._resumer = prepared.runner, prepared.cutter, prepared.resumer
        self._outputs, self._memory_format = prepared.outputs, prepared.memory_format
        self.layers, self.further = prepared.layers, prepared.further
        self.left_out, self.not_offered = prepared.left_out, prepared.not_offered
        self.head: Head = prepared.head
        self.answers = prepared.answers
        self.traced = not prepared.slower
        self.findings = tuple(filter(None, (*made.findings, grey, *prepared.notes)))
        self.note = " ".join(filter(None, [made.weights.note, *self.findings]))
        self.digest = network_digest(
            prepared.computed, self.preprocessing, self.class_names, self.head, device
        )
        self._by_name = by_name((*self.layers, *self.further))

    @property
    def output_count(self) -> int | None:
        """K, numbers per image; None where its output is no such list."""
        return self._outputs.count

    def require_classes(self) -> None:
        """Whether its outputs can be read as classes.

        Raises:
            NetworkError: they cannot, or they are not as many as there are names.
        """
        count, names = self._outputs.count, len(self.class_names)
        if count is None:
            raise NetworkError(
                f"{self.name} {self._outputs.problem}. Its units can be profiled; evaluation, relevance and "
                "ablation need classes."
            )
        if names and names != count:
            raise NetworkError(
                f"{self.name} names {names:,} classes and gives {count:,} outputs, expected one name for "
                "each: correct class_names in its factory."
            )

    def batch(self, images: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """A list of images, (h, w, 3) uint8 RGB each, as (N, C, H, W), where and as the network takes them.

        Raises:
            ParameterError: see `Preprocessing.batch`.
        """
        return self.placed(self.preprocessing.batch(images))

    def layer(self, name: str) -> Layer:
        """The layer of a display name, or of the path of a module that returns its response (`layer4`).

        Raises:
            LayerError: unknown; the message gives the nearest names.
        """
        layer = self._by_name.get(name)
        if layer is None:
            raise LayerError(unknown(f"layer of {self.name}", name, self._by_name))
        return layer

    def stream(
        self, images: torch.Tensor, layers: Iterable[str | Layer], visit: Visit, *, stop: bool = True
    ) -> torch.Tensor | None:
        """Show each wanted response to `visit` as soon as it is computed; it is freed afterwards.

        Args:
            images: (N, C, H, W) float32 as `preprocessing.batch` makes them; moved to the device.
            layers: names or layers wanted.
            visit: called with the layer and its response (N, U, h, w) float32, upright, in forward order, in
                inference mode. It may keep the response, and must not change it.
            stop: end after the last wanted layer.

        Returns:
            The output (N, classes), or None when `stop`.

        Raises:
            LayerError: an unknown layer.
            ParameterError: images of another shape or type.
        """
        wanted = self._names(layers)
        with plain_arithmetic(), torch.inference_mode():
            batch = self._checked(images)
            taps = Taps(read={name: self._bound(visit, self._by_name[name], name) for name in wanted})
            return self._runner(batch, taps, stop=stop)

    @contextmanager
    def recording(self, layers: Iterable[str | Layer]) -> Iterator[Callable[[torch.Tensor], Recording]]:
        """A callable that runs the network and keeps the responses of some layers.

        Args:
            layers: names or layers wanted.

        Raises:
            LayerError: an unknown layer.
        """
        wanted = self._names(layers)

        def run(images: torch.Tensor) -> Recording:
            kept: dict[str, torch.Tensor] = {}
            taps = Taps(read={name: self._bound(kept.__setitem__, name, name) for name in wanted})
            return Recording(self._output(images, taps), kept)

        yield run

    def first_response(self, layers: Iterable[str | Layer]) -> str:
        """The layer among some whose response is computed first.

        Raises:
            LayerError: an unknown layer.
            ParameterError: no layer.
        """
        names = self._names(layers)
        if not names:
            raise ParameterError("No layer is named, expected at least one.")
        return self._resumer.first(names)

    def prefix(self, images: torch.Tensor, layer: str) -> Prefix:
        """The first part of an intact run, kept, so that ablations behind it need not repeat it.

        Args:
            images: (N, C, H, W) float32 as `preprocessing.batch` makes them; moved to the device.
            layer: the run halts after its response: the first of those to be silenced.

        Raises:
            LayerError: an unknown layer.
            ParameterError: images of another shape or type.
        """
        with plain_arithmetic(), torch.no_grad():
            return self._resumer.prefix(self._checked(images), self.layer(layer).name)

    @contextmanager
    def ablating(self, silenced: Mapping[str, Silence]) -> Iterator[Ablated]:
        """A callable that runs the network with units silenced.

        The silencing acts on the response, after normalisation and activation (method §8), so that the units
        of a ResNet block's `conv2` are silenced after `bn2` and before the addition.

        Args:
            silenced: by layer name; an empty mapping leaves the network intact, bit for bit.

        Yields:
            A callable: images (N, C, H, W), or a prefix of them that holds no silenced layer's
            response but its last, to the output (N, classes).

        Raises:
            LayerError: an unknown layer or unit.
            ParameterError: a value that is not finite, or not one per unit of the layer.
        """
        silencers = {name: self._silencer(self.layer(name), silence) for name, silence in silenced.items()}
        write = {name: silencer for name, silencer in silencers.items() if len(silenced[name].units) > 0}
        yield lambda images: self._output(images, Taps(write=write))

    def _output(self, images: torch.Tensor | Prefix, taps: Taps) -> torch.Tensor:
        with plain_arithmetic(), torch.no_grad():
            if isinstance(images, Prefix):
                output = self._resumer.resume(_ahead(images, taps), taps)
            else:
                output = self._runner(self._checked(images), taps)
        if output is None:  # only a run that stops early has none
            raise NetworkError(f"{self.name} gave no output, expected a tensor.")
        return output

    def _silencer(self, layer: Layer, silence: Silence) -> Callable[[torch.Tensor], None]:
        units = sorted({unit if isinstance(unit, float) else int(unit) for unit in silence.units})
        wrong = [unit for unit in units if unit not in range(layer.units)]
        if wrong:
            raise LayerError(
                f"Unit {wrong[0]} of layer {layer.name}, expected 0 to {layer.units - 1}: "
                "choose one in that range."
            )
        index = torch.tensor(units, dtype=torch.long, device=self.device)
        try:
            value = torch.as_tensor(silence.value, dtype=torch.float32, device=self.device)
        except (TypeError, ValueError, RuntimeError):
            value = torch.full((0,), math.nan)
        if value.shape not in {(), (layer.units,)} or not bool(torch.isfinite(value).all()):
            raise ParameterError(
                f"Silencing value for layer {layer.name} is {silence.value!r}, expected one finite number or "
                f"{layer.units} of them: give one per unit."
            )
        source = value.expand(layer.units)[index].view(1, -1, 1, 1)

        def silence_units(response: torch.Tensor) -> None:
            _as_grid(response)[:, index] = source.to(response.dtype)

        return silence_units

    def upright(self, layer: str, response: torch.Tensor) -> torch.Tensor:
        """A tensor on a layer's own grid, (N, U, h, w), turned to lie as the picture does."""
        return self._by_name[layer].turn.upright(response)

    def _bound(
        self, take: Callable[[Any, torch.Tensor], None], key: Any, layer: str
    ) -> Callable[[torch.Tensor], None]:
        """Hands a response on, upright and in float32 also where the network computes in half of it."""
        return lambda response: take(key, self.upright(layer, _as_grid(response)).float())

    def _names(self, layers: Iterable[str | Layer]) -> list[str]:
        asked = [layers] if isinstance(layers, (str, Layer)) else list(layers)
        names = {self.layer(item.name if isinstance(item, Layer) else item).name for item in asked}
        return [layer.name for layer in (*self.layers, *self.further) if layer.name in names]

    def _checked(self, images: torch.Tensor) -> torch.Tensor:
        expected = (self.preprocessing.channels, *self.preprocessing.size)
        if not isinstance(images, torch.Tensor) or images.ndim != 4 or images.shape[1:] != expected:
            shape = tuple(images.shape) if isinstance(images, torch.Tensor) else type(images).__name__
            raise ParameterError(
                f"Images have shape {shape}, expected (N, {', '.join(map(str, expected))}): "
                "make them with preprocessing.batch."
            )
        if images.dtype != torch.float32 or images.shape[0] == 0:
            raise ParameterError(
                f"Images are {images.shape[0]} of type {images.dtype}, expected at least one of type "
                "torch.float32: make them with preprocessing.batch."
            )
        return self.placed(images)

    def placed(self, images: torch.Tensor) -> torch.Tensor:
        """Images where and as the network takes them."""
        return images.to(self.device).contiguous(memory_format=self._memory_format)


def load(
    name: str,
    device: str | torch.device = "cpu",
    *,
    fetch: bool = True,
    table: NetworkTable | None = None,
) -> Network:
    """Build a network, load its weights, trace it, list its layers and try it on three images.

    Args:
        name: as `find` takes it; a factory is called anew.
        device: "cpu", "cuda", "mps" or any name torch knows; "auto" takes the best there is.
        fetch: allow one attempt per process to download missing weights.
        table: what is stated of it, in place of what the configuration says of the name: a network that is
            about to be registered.

    Raises:
        NetworkError: unknown name, weights that are unsafe, damaged or of another architecture, or a network
            that cannot be run as needed.
        CodeChangedError: its code on disk is not what this process imported.
        ParameterError: a device that is not there.
    """
    place, name = find_device(device), _named(name)
    with plain_arithmetic(), streams.kept():
        made = make(name, fetch=fetch, table=table)
        with plain_arithmetic():  # once more: the factory's code may have chosen another for the process
            return Network(made, place)


def digest(name: str, device: str | torch.device = "cpu", *, fetch: bool = True) -> str:
    """The digest that `load(name).digest` has; loads the network, unless its files were loaded here before.

    Raises:
        NetworkError: as `load`.
    """
    place, name = find_device(device), _named(name)
    spec = find(name)
    recipe = spec.recipe(spec.weights(fetch=fetch), place)
    if recipe not in _DIGESTS or spec.answers is not None:  # what a factory makes is known by loading it
        network = load(name, place, fetch=fetch)
        _DIGESTS[network.recipe] = network.digest
        return network.digest
    return _DIGESTS[recipe]


def _named(name: str) -> str:
    """The name, if it is one.

    Raises:
        NetworkError: it is a module, or something else.
    """
    if not isinstance(name, str):
        raise NetworkError(
            f"The network is {type(name).__name__}, expected a name. A live module is named by a function "
            "that returns it: def mine(): return module, and load('package.module:mine'), or '__main__:mine' "
            "in a notebook."
        )
    return name


_DIGESTS: dict[str, str] = {}  # append-only: recipe -> digest


def _ahead(prefix: Prefix, taps: Taps) -> Prefix:
    """The prefix, if no layer to be silenced lies in it."""
    passed = set(taps.write) - prefix.ahead
    if passed:
        raise ParameterError(
            f"Layer {min(passed)} lies before {prefix.layer}, up to which the run was kept intact; expected "
            f"layers from {prefix.layer} on: halt the run at the first of them."
        )
    return prefix


def _as_grid(response: torch.Tensor) -> torch.Tensor:
    """(N, U, h, w): a linear layer's (N, U) has a grid of one position; the same memory."""
    return response[..., None, None] if response.ndim == 2 else response
