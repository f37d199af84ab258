"""Profiles that are stored of a network on a data set, under other settings than those that pages show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from interpret_core.positions import Placing
from ui.session import results
from ui.session.memory import kept, once
from ui.session.stored import store
from ui.shell.sidebar import Ask

PREFIX = "profile/"


class ProfileSettings(NamedTuple):
    """What a profile was computed with."""

    quantile: float
    batch_size: int
    positions: str


class OtherProfile(NamedTuple):
    """Layers that are profiled under some settings."""

    settings: ProfileSettings
    layers: tuple[str, ...]


class _Told(NamedTuple):
    network: str
    dataset: str
    layer: str
    settings: ProfileSettings


@once
def other_profiles(ask: Ask) -> tuple[OtherProfile, ...]:
    """What there is of a network on a data set beside the profiles that pages show, layers in their order.

    Raises:
        UserError: one of them cannot be opened.
        StoreError: the cache cannot be read.
    """
    request = ask.request()
    shown = ProfileSettings(request.quantile, request.batch_size, str(request.positions))
    network, dataset = results.subject(ask.network).digest, results.dataset(ask.dataset).digest
    found: dict[ProfileSettings, set[str]] = defaultdict(set)
    for told in _stored().get((network, dataset), ()):
        if told.settings != shown:
            found[told.settings].add(told.layer)
    keys = results.profile_keys(ask)
    order = keys.layers if keys is not None else ()
    return tuple(
        OtherProfile(settings, (*filter(layers.__contains__, order), *sorted(layers.difference(order))))
        for settings, layers in sorted(found.items())
    )


@once
def _stored() -> dict[tuple[str, str], list[_Told]]:
    """All stored profiles by the digests of network and data set: one look for all of them."""
    found: dict[tuple[str, str], list[_Told]] = defaultdict(list)
    for told in filter(None, map(_told, store().keys(PREFIX))):
        found[told.network, told.dataset].append(told)
    return found


@kept(16384, kind="")
def _told(key: str) -> _Told | None:
    """What a record's metadata says, read once: what lies under a key never becomes another."""
    told = store().metadata(key)
    try:
        return _read(told)
    except (KeyError, TypeError, AttributeError):  # of another schema, or damaged: its page says so
        return None


def _read(told: Mapping[str, Any]) -> _Told:
    positions = Placing.ANCHORED if "placing" in told else Placing.STRETCHED
    settings = ProfileSettings(float(told["quantile"]), int(told["batch_size"]), str(positions))
    return _Told(told["network"]["digest"], told["dataset"]["digest"], told["layer"]["name"], settings)
