"""Which networks are known, by name, and what is known of each before it is built.

Names:
    a name from the configuration's `[networks]` table, or of a network that was added on a page;
    `demo/<alexnet | vgg11 | resnet18>[@random]`, where the demo is shown;
    `efficientnet-lite0`, `-lite1`, `-lite2`;
    `torchvision/<classification model>[@<member of its weights enum> | @random | @weights file]`;
    `timm/<model>[@random | @weights file]`, where timm is installed;
    `live/<name>@<digest>`, a module that this process has wrapped (`providers.live`), and no other knows;
    those of installed packages (entry points `unitscope.networks`, each a `Provider`);
    `package.module:factory[@weights.safetensors | @weights.pth]`, for the command line and the
    configuration only: pages take names out of `known()`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from interpret_core import config
from interpret_core.errors import NetworkError, ParameterError, unknown
from interpret_core.network_tables import NetworkTable
from interpret_core.networks.providers.base import Provider
from interpret_core.networks.providers.demo import DemoProvider
from interpret_core.networks.providers.factories import FactoryProvider
from interpret_core.networks.providers.lite import LiteProvider
from interpret_core.networks.providers.live import LiveProvider
from interpret_core.networks.providers.timm_models import TimmProvider
from interpret_core.networks.providers.torchvision_models import TorchvisionProvider
from interpret_core.networks.spec import Made, NetworkSpec
from interpret_core.packages import installed

GROUP = "unitscope.networks"


@cache
def providers() -> tuple[Provider, ...]:
    """The built-in ones, those of installed packages, and at last factories; found once per process."""
    built_in = (DemoProvider(), TorchvisionProvider(), LiteProvider(), TimmProvider(), LiveProvider())
    others = installed(GROUP, Provider)  # type: ignore[type-abstract]  # it only tells what is one
    return (*built_in, *(one for _, one in others), FactoryProvider())


def make(name: str, *, fetch: bool = True, table: NetworkTable | None = None) -> Made:
    """Build a network; a factory is called anew.

    Args:
        name: of the network.
        fetch: allow a download.
        table: what is stated of it, in place of what the configuration says of the name.

    Raises:
        NetworkError, WeightsError: as `Provider.make`.
    """
    table = table or config.current().networks.get(name)
    target = table.network if table else name
    made = _provider(name, target).make(target, fetch=fetch)
    return replace(made, spec=_configured(made.spec, name, table))


def featured() -> tuple[str, ...]:
    """Names to show first: the demo's networks where it is shown and has them, then other sources' own."""
    return tuple(name for one in providers() for name in one.featured())


def known() -> tuple[str, ...]:
    """Every registered name: configured, featured, then all that the sources list."""
    rest = (name for one in providers() for name in one.known())
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
    table = config.current().networks.get(name)
    target = table.network if table else name
    spec = _provider(name, target).find(target, recent=recent, since=since)
    return _configured(spec, name, table)


def _provider(name: str, target: str) -> Provider:
    for one in providers():
        if one.takes(target):
            return one
    remedy = "A network of your own is named package.module:factory[@weights.safetensors]."
    raise NetworkError(unknown("network", name, known(), remedy))


def _configured(spec: NetworkSpec, name: str, table: NetworkTable | None) -> NetworkSpec:
    """A spec under the name it was asked by, with what is stated of it."""
    if table is None:
        return spec
    input_of = {key: getattr(table, key) for key in ("size", "mean", "std", "interpolation")}
    try:
        preprocessing = replace(
            spec.preprocessing, **{k: one for k, one in input_of.items() if one is not None}
        )
    except ParameterError as error:
        raise NetworkError(f"[networks] {name}: {error}") from error
    return replace(
        spec,
        name=name,
        title=spec.title if name == table.network else name,
        preprocessing=preprocessing,
        class_names=table.classes or spec.class_names,
        head=table.head or spec.head,
        layers=table.layers or spec.layers,
    )
