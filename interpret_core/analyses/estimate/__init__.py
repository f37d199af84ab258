"""What analyses take on a network and a data set: hours, memory, disk, traffic, from a measured sample."""

from interpret_core.analyses.base import Entry
from interpret_core.analyses.estimate.request import EstimateRequest

ENTRIES = (
    Entry(
        "estimate",
        "Measure a sample, and say what hours, memory, disk and traffic each analysis takes.",
        EstimateRequest,
        "interpret_core.analyses.estimate.analysis:EstimateAnalysis",
    ),
)
