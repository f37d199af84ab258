"""What a run of relevances found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interpret_core.analyses.relevance.plan import RelevancePlan
from interpret_core.analyses.relevance.result import ClassRelevance


@dataclass(frozen=True)
class Related:
    """What a run found.

    Attributes:
        plan: what was asked for, in full.
        classes: relevance by class.
        computed: classes that were not on disk.
        left_out: (class, why) of those asked for that have no image to compute it on.
        seconds: wall-clock seconds of this call.
    """

    plan: RelevancePlan
    classes: Mapping[str, ClassRelevance]
    computed: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    seconds: float
