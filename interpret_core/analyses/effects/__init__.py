"""What each single unit does for each class."""

from interpret_core.analyses.base import Entry
from interpret_core.analyses.effects.request import EffectsRequest

ENTRIES = (
    Entry(
        "effects",
        "What each single unit does for each class: estimated for all, measured for the strongest.",
        EffectsRequest,
        "interpret_core.analyses.effects.analysis:EffectsAnalysis",
        spread=True,
    ),
)
