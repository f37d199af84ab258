"""Which labels of whole images the units of a network tell, where nobody has annotated a pixel."""

from interpret_core.analyses.base import Entry
from interpret_core.analyses.image_labels.request import ImageLabelsRequest

ENTRIES = (
    Entry(
        "image-labels",
        "Label units by labels of whole images (classes.csv, folders): AUC, precision and chance.",
        ImageLabelsRequest,
        "interpret_core.analyses.image_labels.analysis:ImageLabelsAnalysis",
        sharded=True,
        spread=True,
    ),
)
