"""`datasets check`: what a data set holds, and what in it looks like a mistake."""

from interpret_core.datasets.inspection.check import check_dataset
from interpret_core.datasets.inspection.findings import CategoryShare, ConceptCount, DatasetCheck, Finding

__all__ = ["CategoryShare", "ConceptCount", "DatasetCheck", "Finding", "check_dataset"]
