"""How often an intact network is right."""

from interpret_core.analyses.base import Entry
from interpret_core.analyses.evaluation.request import EvaluationRequest

ENTRIES = (
    Entry(
        "evaluation",
        "How often the intact network is right on images whose classes are known; computed once.",
        EvaluationRequest,
        "interpret_core.analyses.evaluation.analysis:EvaluationAnalysis",
        command="evaluate",
        spread=True,
    ),
)
