"""Which classes each unit matters for."""

from interpret_core.analyses.base import Entry
from interpret_core.analyses.relevance.request import RelevanceRequest

ENTRIES = (
    Entry(
        "relevance",
        "Which classes each unit matters for (integrated gradients); only what is missing is computed.",
        RelevanceRequest,
        "interpret_core.analyses.relevance.analysis:RelevanceAnalysis",
        spread=True,
        bounded=True,
    ),
)
