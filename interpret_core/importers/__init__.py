"""Other people's data sets, brought into the layout that the reader knows: one file per format."""

from interpret_core.importers.base import Importer, ImportSettings, ImportSource, NewLabel, SourcePicture
from interpret_core.importers.registry import importers
from interpret_core.importers.runner import run_import
from interpret_core.importers.target import Imported

__all__ = [
    "ImportSettings",
    "ImportSource",
    "Imported",
    "Importer",
    "NewLabel",
    "SourcePicture",
    "importers",
    "run_import",
]
