"""Whether the units that overlap a class's object most matter most for it."""

from interpret_core.analyses.agreement.request import AgreementRequest
from interpret_core.analyses.base import Entry

ENTRIES = (
    Entry(
        "agreement",
        "Compare units by IoU and by relevance, class by class; only what is missing is computed.",
        AgreementRequest,
        "interpret_core.analyses.agreement.analysis:AgreementAnalysis",
        spread=True,
    ),
)
