"""Does each image get its own answer? What a network, and each of its layers, does with batches.

The same three images are run together, in another order, as a pair and alone. Rows that change with the
company belong to no image: a network whose output does so is refused, a layer whose response does so is left
out, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from interpret_core.errors import NetworkError
from interpret_core.networks.graph.interpreter import Runner, SkippedLayerError, Taps
from interpret_core.networks.objects.reachability import reached
from interpret_core.networks.outputs import Outputs

# Of three images: in another order, two of them, each alone.
COMPANIES = ((2, 0, 1), (1, 2), (0,), (1,), (2,))
TOLERANCE = 1e-3  # of the largest number; another batch size moves responses by a millionth of it …
COARSE = 3e-2  # … and by a hundredth where weights have 16 bits


def examine(
    runner: Runner, images: Tensor, layers: Sequence[str], outputs: Outputs, named: tuple[str, nn.Module]
) -> dict[str, str]:
    """Run the probe in several companies and compare row by row.

    Args:
        runner: of the network.
        images: (3, 3, H, W).
        layers: names of all layers.
        outputs: how the output is read.
        named: the network's name and its module, for the message.

    Returns:
        Layers that cannot be used, with the reason as the end of a sentence.

    Raises:
        NetworkError: the answer to an image depends on the others, or it fails on another number of images.
    """
    trial = _Trial(runner, layers, *named)
    answer, responses = trial.run(images)
    for layer, response in responses.items():
        if not response.is_floating_point():
            kind = str(response.dtype).removeprefix("torch.")
            trial.left_out[layer] = f"its response consists of numbers of type {kind}, which have no order"
        elif len(response) != len(images):
            trial.left_out[layer] = f"for {len(images)} images, its response has {len(response)} in the batch"
    for company in COMPANIES:
        chosen = list(company)
        found, rows = trial.run(images[chosen])
        if outputs.count is not None and not trial.same(found, answer[chosen]):
            raise NetworkError(trial.refusal(found, answer[chosen], (len(chosen), len(images))))
        for layer, response in rows.items():
            if not trial.same(response, responses[layer][chosen]):
                trial.left_out[layer] = "its response to an image changes with the other images of the batch"
    return trial.left_out


class _Trial:
    """A network on the probe; layers that drop out are not asked for again."""

    def __init__(self, runner: Runner, layers: Sequence[str], name: str, module: nn.Module) -> None:
        self._runner, self._layers, self._name, self._module = runner, layers, name, module
        self._tolerance = COARSE if any(one.itemsize < 4 for one in _types(module)) else TOLERANCE
        self.left_out: dict[str, str] = {}

    def run(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Output and responses of the layers that are still in."""
        while True:
            found: dict[str, Tensor] = {}
            wanted = [name for name in self._layers if name not in self.left_out]
            try:
                with torch.no_grad():
                    taps = Taps(read={name: partial(_keep, found, name) for name in wanted})
                    output = self._runner(images.clone(), taps)
            except SkippedLayerError as error:
                self.left_out[error.layer] = "it is not computed for every image: the control flow decides"
            except Exception as error:  # the user's own code, on a batch of this size
                raise NetworkError(self._failure(len(images), error)) from error
            else:
                return (torch.empty(0) if output is None else output), found

    def same(self, one: Tensor, other: Tensor) -> bool:
        """Equal up to the arithmetic of another batch.

        What is not finite is passed over: how far a NaN among the weights spreads differs from one size of
        batch to the next, and a profile names the layer and the image that it comes from.
        """
        if one.shape != other.shape:
            return False
        if not math.isfinite(_largest(one - other)):  # picking numbers out takes ten times as long
            finite = one.isfinite() & other.isfinite()
            one, other = one[finite], other[finite]
        return _largest(one - other) <= self._tolerance * max(_largest(one), _largest(other))

    def refusal(self, answer: Tensor, expected: Tensor, sizes: tuple[int, int]) -> str:
        """Why no number of this network would mean anything."""
        difference = (answer - expected).abs().nan_to_num(0.0)
        row, column = divmod(int(difference.argmax()), answer.shape[1])
        return (
            f"{self._name} answers to an image according to the others of its batch: output {column} is "
            f"{float(answer[row, column]):.5f} among {sizes[0]} and {float(expected[row, column]):.5f} among "
            f"{sizes[1]}. Expected each image by itself, or no number here would mean anything. Likely "
            f"{self._culprit()}."
        )

    def _culprit(self) -> str:
        named = {id(part): path for path, part in self._module.named_modules()}
        for attribute, part in reached(self._module):
            path = named.get(id(part), "")
            if ".quantized.dynamic." in type(part).__module__:
                return f"{path}, quantised by one scale for the whole batch: give the network in float32"
            if not isinstance(part, nn.modules.batchnorm._BatchNorm):
                continue
            if part.running_mean is None:
                return f"{path or 'BatchNorm'}, which normalises by the batch: give it running statistics"
            if part.training and id(part) in named:
                return (
                    f"{path or 'BatchNorm'}, which normalises by the batch: it is in training mode though "
                    "the network is in eval mode, so let neither forward() nor train() put it there"
                )
            if part.training:
                return (
                    f"the {type(part).__name__} in {attribute}, which normalises by the batch: it "
                    "is in training mode, and eval() does not reach what is outside the tree; use ModuleList"
                )
        return "an operation along axis 0 (a mean or maximum over the batch, attention): let none mix images"

    def _failure(self, images: int, error: Exception) -> str:
        told = " ".join(str(error).split())[:300]
        return (
            f"{self._name} fails on a batch of {images} ({type(error).__name__}: {told}), expected it to "
            "take any number of images: let no operation depend on it (squeeze() drops the axis of a batch "
            "of one)."
        )


def _keep(found: dict[str, Tensor], name: str, response: Tensor) -> None:
    found[name] = response.clone()


def _types(module: nn.Module) -> set[torch.dtype]:
    return {one.dtype for one in module.parameters() if one.is_floating_point()}


def _largest(values: Tensor) -> float:
    """The largest magnitude; not finite where one number is not."""
    if not values.numel():
        return 0.0
    low, high = values.aminmax() if not values.is_complex() else values.abs().aminmax()
    return max(abs(float(low)), abs(float(high)))
