"""Keys under which relevances are kept."""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.networks.layers.layer import Sort, read_at
from interpret_core.positions import placing_content
from interpret_core.store.keys import content_key


def relevance_key(
    request: RelevanceRequest,
    digests: tuple[str, str],
    class_name: str,
    outputs: Sequence[int],
    images: Sequence[int],
    layers: Sequence[tuple[str, Sort | None]] = (),
) -> str:
    """Key of one class's relevance.

    Args:
        request: what is asked for; its classes do not matter here.
        digests: hex, of the network and the data set behind the names.
        class_name: the class, whose object is the mask.
        outputs: the network's outputs that stand for the class.
        images: indices of the images it is computed on: which ones they are may depend on a table of names.
        layers: those asked for, each with what it is made by (None for a convolution); empty for all
            convolutions.
    """
    settings = ("method", "baseline", "output", "points", "most_points", "tolerance")
    content = {
        "network": digests[0],
        "dataset": digests[1],
        "class": class_name,
        "outputs": sorted(outputs),
        "images": list(images),
        **{name: getattr(request, name) for name in settings},
    }
    content |= placing_content(request.positions)
    if layers:
        content["layers"] = [[name, *([] if sort is None else [read_at(sort)])] for name, sort in layers]
    return content_key("relevance", content)
