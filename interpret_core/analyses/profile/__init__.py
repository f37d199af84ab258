"""What each unit detects: thresholds, IoU with annotated concepts, masks, chance."""

from interpret_core.analyses.base import Entry
from interpret_core.analyses.profile.request import ProfileRequest

ENTRIES = (
    Entry(
        "profile",
        "Profile a network's units on annotated photographs; only what is missing is computed.",
        ProfileRequest,
        "interpret_core.analyses.profile.analysis:ProfileAnalysis",
        sharded=True,
        spread=True,
    ),
)
