"""Which networks are known, by name, and what is known of each before it is built.

Names:
    a name from the configuration's `[networks]` table;
    `demo/<alexnet | vgg11 | resnet18>[@random]`, where the demo is shown;
    `efficientnet-lite0`;
    `torchvision/<classification model>[@<member of its weights enum> | @random]`;
    `package.module:factory[@weights.safetensors | @weights.pth]`, for the command line and the
    configuration only: pages take names out of `known()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from interpret_core import __version__, config, demo
from interpret_core.errors import NetworkError, WeightsError, unknown
from interpret_core.networks.demo import TITLES, DemoSource, available, class_names
from interpret_core.networks.description import canonical, sha
from interpret_core.networks.factories import FactorySource, Facts
from interpret_core.networks.identity import SCHEMA
from interpret_core.networks.preprocessing import Preprocessing
from interpret_core.networks.sources import LITE, LiteSource, Source, TorchvisionSource
from interpret_core.networks.torchvision_ops import VERSION, models
from interpret_core.networks.weights import SUFFIXES, Weights, file_digest

FEATURED = ("torchvision/alexnet", "torchvision/vgg11", "torchvision/resnet18", LITE)
_RANDOM = "random"


@dataclass(frozen=True)
class NetworkSpec:
    """What is known of a network without building it.

    Attributes:
        name: as it was asked for.
        title: for headings.
        description: one sentence.
        preprocessing: of its input.
        class_names: of its outputs, in order; empty if unknown.
        source: where module and weights come from.
        head: what its owner says of its outputs, one of `heads.HEADS`; None: found by running it.
        facts: what its factory says; None for a network that has none.
    """

    name: str
    title: str
    description: str
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    source: Source | FactorySource
    head: str | None = None
    facts: Facts | None = None

    def weights(self, *, fetch: bool = True) -> Weights:
        """Where the weights come from now.

        Args:
            fetch: allow one attempt per process to download a missing file (bounded waiting; never when the
                configuration says offline).

        Raises:
            WeightsError: the file named is missing or damaged.
        """
        if isinstance(self.source, FactorySource):
            return self.source.weights(self.facts or self.source.facts())
        return self.source.weights(fetch=fetch)

    def build(self, weights: Weights) -> nn.Module:
        """A new module with these weights, in eval mode, on the CPU; Unitscope's own, also of a factory."""
        if isinstance(self.source, FactorySource):
            return self.source.make()[0].module
        return self.source.build(weights).eval()

    def recipe(self, weights: Weights, device: torch.device) -> str:
        """Digest (hex) of all that is known of a network without running it.

        Two networks of one recipe have one digest, unless a factory reads what nobody can list (settings,
        other files, the clock); the reverse need not hold. So a page can look up what a run has found out
        about a network, if the factory's answers are those of that run (`runtime.subjects`).
        """
        if isinstance(self.source, FactorySource):
            made = self.source.recipe(weights, self.facts or self.source.facts())
        else:
            made = self.source.recipe(weights)
        content = {
            "schema": SCHEMA,
            "version": __version__,
            "made": made,
            "preprocessing": self.preprocessing.record(),
            "outputs": list(self.class_names),
            "head": self.head,
            "device": device.type,
            # Without the label of the build: the graph is the same, and shipped results were made by one.
            "by": [version.partition("+")[0] for version in (torch.__version__, VERSION)],
        }
        return sha(canonical(content))


@dataclass(frozen=True)
class Made:
    """A network just made: everything here comes from one call of its source.

    Attributes:
        spec: of it.
        weights: in it.
        module: Unitscope's own, in eval mode, on the CPU.
        modules: dotted names of the modules that made it.
    """

    spec: NetworkSpec
    weights: Weights
    module: nn.Module
    modules: tuple[str, ...] = ()


def make(name: str, *, fetch: bool = True) -> Made:
    """Build a network; a factory is called anew.

    Raises:
        NetworkError, WeightsError: as `find` and `NetworkSpec.weights`; weights of another architecture, or
            that change while they are read.
    """
    target = _target(name)
    if _is_factory(target):
        source = _factory_source(target)
        with _unchanged(source.file):
            parts, facts = source.make()
        spec = _configured(_factory_spec(target, source, facts), name, target)
        return Made(spec, source.weights(facts), parts.module, (source.module,))
    spec = find(name)
    weights = spec.weights(fetch=fetch)
    with _unchanged(weights.file):
        return Made(spec, weights, spec.build(weights))


@contextmanager
def _unchanged(file: Path | None) -> Iterator[None]:
    """A recipe names a file's content, so what is read inside must be that content.

    Raises:
        WeightsError: it is another one at the end.
    """
    before = file_digest(file) if file is not None and file.is_file() else None
    yield
    if file is not None and before is not None and file_digest(file) != before:
        raise WeightsError(f"Weights file {file} changed while it was read, expected it at rest: try again.")


def featured() -> tuple[str, ...]:
    """Names to show first: the demo's networks where it is shown and has them, then `FEATURED`."""
    return (*available(), *FEATURED)


def known() -> tuple[str, ...]:
    """Every registered name: configured, featured, then all of torchvision's classification models."""
    rest = (f"torchvision/{name}" for name in _torchvision_models())
    return tuple(dict.fromkeys((*config.current().networks, *featured(), *rest)))


def find(name: str, *, recent: bool = False, since: float = 0.0) -> NetworkSpec:
    """The spec of a name.

    Args:
        name: of the network.
        recent: of a factory, an answer of a moment ago will do (`FactorySource.facts`); pages ask often.
        since: seconds since the epoch; an answer from before is too old in any case.

    Raises:
        NetworkError: unknown; the message gives the nearest names. Or a factory that cannot be called.
        WeightsError: one of the demo's networks whose file is missing or damaged.
    """
    target = _target(name)
    if target == LITE:
        spec = _lite()
    elif target.startswith(demo.PREFIX):
        spec = _demo(target)
    elif target.startswith("torchvision/"):
        spec = _torchvision(target)
    elif _is_factory(target):
        source = _factory_source(target)
        spec = _factory_spec(target, source, source.facts(recent=recent, since=since))
    else:
        remedy = "A network of your own is named package.module:factory[@weights.safetensors]."
        raise NetworkError(unknown("network", name, known(), remedy))
    return _configured(spec, name, target)


def _is_factory(target: str) -> bool:
    return ":" in target and not target.startswith(("torchvision/", demo.PREFIX))


def _target(name: str) -> str:
    """What a configured name stands for; any other name stands for itself."""
    return config.current().networks.get(name, name)


def _configured(spec: NetworkSpec, name: str, target: str) -> NetworkSpec:
    """A spec under the name it was asked by, with the head that the configuration states for it."""
    head = config.current().heads.get(name, spec.head)
    return replace(spec, head=head) if name == target else replace(spec, name=name, title=name, head=head)


@lru_cache(maxsize=1)
def _torchvision_models() -> tuple[str, ...]:
    return tuple(models.list_models(module=models))


@lru_cache(maxsize=1)
def _lite() -> NetworkSpec:
    names = tuple(models.get_model_weights("alexnet").DEFAULT.meta["categories"])
    half = (0.5, 0.5, 0.5)
    return NetworkSpec(
        name=LITE,
        title="EfficientNet-Lite0",
        description="Small network for phones without squeeze-and-excitation; ImageNet weights included.",
        preprocessing=Preprocessing((224, 224), half, half, "bicubic"),
        class_names=names,
        source=LiteSource(),
    )


def _demo(name: str) -> NetworkSpec:
    """Not remembered: the class names are in the file, and reading its header takes no time."""
    model, at, member = name.removeprefix(demo.PREFIX).partition("@")
    if not demo.shown():
        remedy = "The demo is not shown here: unset INTERPRET_DEMO."
        raise NetworkError(unknown("network", name, known(), remedy))
    if model not in demo.NETWORKS:
        raise NetworkError(unknown("network", name, [f"{demo.PREFIX}{known}" for known in demo.NETWORKS]))
    if at and member != _RANDOM:
        choices = [f"{demo.PREFIX}{model}", f"{demo.PREFIX}{model}@{_RANDOM}"]
        raise NetworkError(unknown("weights", name, choices))
    names = class_names(model)
    return NetworkSpec(
        name=name,
        title=f"{TITLES[model]} (demo{', untrained' if at else ''})",
        description=f"{TITLES[model]}'s convolutional layers, for {len(names)} classes of rendered scenes.",
        preprocessing=Preprocessing(),
        class_names=names,
        source=DemoSource(model, len(names), random=bool(at)),
    )


@lru_cache(maxsize=256)
def _torchvision(name: str) -> NetworkSpec:
    model, at, member = name.removeprefix("torchvision/").partition("@")
    if model not in _torchvision_models():
        raise NetworkError(
            unknown("network", name, [f"torchvision/{known}" for known in _torchvision_models()])
        )
    enum = models.get_model_weights(model)
    if at and member not in {*enum.__members__, _RANDOM}:
        choices = [f"torchvision/{model}@{choice}" for choice in (*enum.__members__, _RANDOM)]
        raise NetworkError(unknown("weights", name, choices))
    documented = enum.DEFAULT if member in ("", _RANDOM) else enum[member]
    preset = documented.transforms()
    return NetworkSpec(
        name=name,
        title=f"torchvision {model}" + (f" ({member})" if member else ""),
        description=f"torchvision's {model}, ImageNet's {len(documented.meta['categories'])} classes.",
        preprocessing=Preprocessing(
            (preset.crop_size[0],) * 2, tuple(preset.mean), tuple(preset.std), preset.interpolation.value
        ),
        class_names=tuple(documented.meta["categories"]),
        source=TorchvisionSource(model, documented, random=member == _RANDOM),
    )


def _factory_source(name: str) -> FactorySource:
    code, at, file = name.partition("@")
    module, _, factory = code.partition(":")
    if not module or not factory or (at and not file.endswith(SUFFIXES)):
        raise NetworkError(
            f"Network {name!r} is not a factory string, expected package.module:factory or "
            f"package.module:factory@file with a file that ends in {', '.join(SUFFIXES)}: correct the name."
        )
    return FactorySource(module, factory, Path(file).expanduser() if at else None)


def _factory_spec(name: str, source: FactorySource, facts: Facts) -> NetworkSpec:
    weights = f", weights from {source.file.name}." if source.file is not None else "."
    return NetworkSpec(
        name=name,
        title=source.name,
        description=f"Made by {source.name}{weights}",
        preprocessing=facts.preprocessing,
        class_names=facts.class_names,
        source=source,
        head=facts.head,
        facts=facts,
    )
