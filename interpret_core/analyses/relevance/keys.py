"""Keys under which relevances are kept."""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.store.keys import content_key


def relevance_key(
    request: RelevanceRequest,
    network_digest: str,
    dataset_digest: str,
    class_name: str,
    outputs: Sequence[int],
    images: Sequence[int],
) -> str:
    """Key of one class's relevance.

    Args:
        request: what is asked for; its classes do not matter here.
        network_digest, dataset_digest: hex digests of the content behind the names.
        class_name: the class, whose object is the mask.
        outputs: the network's outputs that stand for the class.
        images: indices of the images it is computed on: which ones they are may depend on a table of names.
    """
    settings = ("method", "baseline", "output", "points", "most_points", "tolerance")
    content = {
        "network": network_digest,
        "dataset": dataset_digest,
        "class": class_name,
        "outputs": sorted(outputs),
        "images": list(images),
        **{name: getattr(request, name) for name in settings},
    }
    return content_key("relevance", content)
