"""What one read of every image and mask tells, whatever the network."""

from interpret_core.analyses.base import Entry
from interpret_core.analyses.survey.request import SurveyRequest

ENTRIES = (
    Entry(
        "survey",
        "Read every image and mask of a data set once: its concepts, in how many images and pixels.",
        SurveyRequest,
        "interpret_core.analyses.survey.analysis:SurveyAnalysis",
        sharded=True,
        spread=True,
    ),
)
