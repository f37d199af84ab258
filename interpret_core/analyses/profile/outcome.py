"""What a run of a profile did, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from interpret_core.analyses.profile.plan import LayerKeys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.summary import LayerSummary
from interpret_core.networks import Network


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        keys: where each layer's results lie.
        layers: names, in forward order.
        computed: shards computed, as opposed to found.
        seconds: wall-clock seconds by stage.
        network: None where every answer was on disk already.
    """

    keys: LayerKeys
    layers: tuple[str, ...]
    computed: int
    seconds: Mapping[str, float]
    problems: tuple[tuple[str, str], ...] = ()
    evidence: str = ""
    note: str = ""
    network: Network | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Profiled:
    """What was asked for.

    Attributes:
        request: as asked; stored results may bear older names.
        outcome: how it was come by.
        summaries: of the layers, in forward order, with the request's settings.
        seconds: wall-clock.
    """

    request: ProfileRequest
    outcome: Outcome
    summaries: tuple[LayerSummary, ...]
    seconds: float = 0.0
