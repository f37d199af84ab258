"""What a network returns for a batch, brought to one row per image."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from interpret_core.errors import NetworkError


@dataclass(frozen=True)
class Outputs:
    """How a batch's output is read.

    Attributes:
        count: K, numbers per image; None where an image has no such list, and nothing can be said of classes.
        problem: why not, as the end of a sentence that begins with the network's name.
    """

    count: int | None = None
    problem: str = ""

    @classmethod
    def of(cls, output: Tensor, images: int) -> Outputs:
        """From the output for several images.

        (N, K), and (N, K, 1, 1) as fully convolutional ones give it, are K numbers per image, (N,) is one.
        """
        shape = tuple(output.shape)
        shown = ", ".join(["N", *map(str, shape[1:])]) + ("," if len(shape) == 1 else "")
        if not output.is_floating_point():
            kind = str(output.dtype).removeprefix("torch.")
            return cls(problem=f"returns numbers of type {kind}, expected floating-point ones (N, classes)")
        if not shape or shape[0] != images:
            return cls(problem=f"returns {shape} for {images} images, expected (N, classes), a row for each")
        if any(extent != 1 for extent in shape[2:]):
            return cls(problem=f"returns ({shown}), expected (N, classes): one number per class and image")
        return cls(output.numel() // images)

    def rows(self, output: Tensor, images: int) -> Tensor:
        """(N, K); an output that is not read as classes stays as it is.

        A network that squeezes all axes of length 1 drops the batch's own when there is one image.

        Raises:
            NetworkError: another number of outputs than for the probe.
        """
        if self.count is None or output.shape == (images, self.count):
            return output
        if output.numel() != images * self.count:
            raise NetworkError(
                f"The network returns {tuple(output.shape)} for {images} images, expected "
                f"({images}, {self.count}) as for those it was tried on: it must not depend on the batch."
            )
        return output.reshape(images, self.count)
