"""What a network can no longer do with units silenced."""

from interpret_core.analyses.ablation.request import AblateRequest, AblationRequest, SpecialiseRequest
from interpret_core.analyses.base import Entry

ENTRIES = (
    Entry(
        "ablation",
        "The points of the dashboard's ablation slider, computed once: every class, top and bottom.",
        AblationRequest,
        "interpret_core.analyses.ablation.analysis:GridAnalysis",
        command="grid",
        spread=True,
    ),
    Entry(
        "ablate",
        "Silence units and count what the network still gets right; what is missing is computed.",
        AblateRequest,
        "interpret_core.analyses.ablation.analysis:AblateAnalysis",
        spread=True,
    ),
    Entry(
        "specialise",
        "Remove the units that a class needs least, and see how far that goes.",
        SpecialiseRequest,
        "interpret_core.analyses.ablation.analysis:SpecialiseAnalysis",
        spread=True,
    ),
)
