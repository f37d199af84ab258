"""What a survey is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from interpret_core.concepts import DEFAULT_CATEGORIES
from interpret_core.options import Data, Option, Request


@dataclass(frozen=True)
class SurveyRequest(Request):
    """What one read of every image and mask of a data set tells.

    Attributes:
        dataset: a name (or, from the command line, a folder).
        categories: of the annotations, in the order in which they are asked for.
    """

    analysis: ClassVar[str] = "survey"

    dataset: Data
    categories: Annotated[tuple[str, ...], Option("Annotation categories, separated by commas.", "NAMES")] = (
        DEFAULT_CATEGORIES
    )
