"""Where in one image a layer's units matter for a class: attributions of a single image, on demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interpret_core.analyses.relevance.attribution import Attributing
from interpret_core.analyses.relevance.plan import RelevancePlan
from interpret_core.errors import NonFiniteError
from interpret_core.measures.attribution.path import SMALLEST_CHANGE
from interpret_core.measures.attribution.target import as_target
from interpret_core.networks import Network
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.graph.cuts import INPUT


@dataclass(frozen=True, eq=False)
class ImageMap:
    """Attributions of one image at one layer.

    Attributes:
        units: (U, h, w) float32, G on the layer's grid; of the pixels (3, H, W).
        score: F of the image.
        residual: |Σ G − ΔF| / max(|ΔF|, 0.01); NaN where it cannot be checked.
        points: gradients evaluated.
    """

    units: NDArray[np.float32]
    score: float
    residual: float
    points: int

    @property
    def absolute(self) -> NDArray[np.float32]:
        """(h, w) Σ |G| over the units: where the layer's evidence lies, for and against."""
        return np.asarray(np.abs(self.units).sum(0))

    @property
    def signed(self) -> NDArray[np.float32]:
        """(h, w) Σ G over the units: for the class where positive, against it where negative."""
        return np.asarray(self.units.sum(0))


def image_map(plan: RelevancePlan, network: Network, class_name: str, image: int, layer: str) -> ImageMap:
    """The attributions of one image at a layer; takes as long as the network's path behind it does.

    Args:
        plan: says method, baseline, points, and which outputs are the class.
        network: the plan's.
        class_name: of the plan's data set.
        image: index into the data set.
        layer: its name, or INPUT for the pixels themselves.

    Raises:
        ParameterError, LayerError: a class or a layer that is not there.
        DamagedFileError: the image cannot be read.
        NonFiniteError: NaN or infinity in the attributions.
    """
    known = plan.class_plan.find(class_name)
    name = layer if layer == INPUT else network.layer(layer).name
    target = as_target(known.outputs, plan.request.output, network.head)
    attributing = Attributing(network, target, plan.request)
    with plain_arithmetic():
        output, layers = attributing.layers([plan.dataset.read_image(image)], [name])
        ((_, found),) = layers
    units = found.attribution[0].float().cpu().numpy()
    if not np.isfinite(units).all():
        where = plan.dataset.records[image].image
        raise NonFiniteError(
            f"The relevance of {layer or 'the pixels'} of {network.name} is NaN or infinite on image "
            f"{where}; expected finite numbers. Check the weights."
        )
    change, gap = float(found.change[0]), float(found.gap[0])
    residual = abs(gap) / max(abs(change), SMALLEST_CHANGE)
    return ImageMap(units, float(target(output)[0]), residual, int(found.points[0]))
