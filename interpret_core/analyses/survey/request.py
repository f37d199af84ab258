"""What a survey is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core.store.keys import content_key


def survey_key(dataset_digest: str, categories: Sequence[str]) -> str:
    """Key of a data set's survey.

    Args:
        dataset_digest: hex digest of its content.
        categories: of the annotations, in the order in which they are asked for.
    """
    return content_key("survey", {"dataset": dataset_digest, "categories": list(categories)})
