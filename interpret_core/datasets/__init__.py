"""Data sets in Broden's layout: opening, reading, surveying and loading them."""

from interpret_core.concepts import DEFAULT_CATEGORIES, Concept, ConceptTable
from interpret_core.datasets.classes import Classes, read_classes
from interpret_core.datasets.dataset import Dataset
from interpret_core.datasets.decoder import held
from interpret_core.datasets.excerpts import excerpt
from interpret_core.datasets.loader import Batch, Loaded, Loader
from interpret_core.datasets.registry import known, open_dataset
from interpret_core.datasets.shades import Shades
from interpret_core.datasets.statistics import Problem, Survey, read_part, survey, survey_of
from interpret_core.datasets.tables import ImageRecord, Label

__all__ = [
    "DEFAULT_CATEGORIES",
    "Batch",
    "Classes",
    "Concept",
    "ConceptTable",
    "Dataset",
    "ImageRecord",
    "Label",
    "Loaded",
    "Loader",
    "Problem",
    "Shades",
    "Survey",
    "excerpt",
    "held",
    "known",
    "open_dataset",
    "read_classes",
    "read_part",
    "survey",
    "survey_of",
]
