"""Networks and data sets as a notebook has them: by name, by folder, or live."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import torch
from torch import nn

from interpret_core import datasets, networks
from interpret_core.datasets import Dataset
from interpret_core.errors import NetworkError, ParameterError
from interpret_core.networks import Network, NetworkParts, Preprocessing, find_device, streams
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.providers.live import wrapped

USUAL = Preprocessing()  # 224 px, ImageNet's mean and deviation


def load(name: str, device: str = "cpu") -> Network:
    """A network by its name, with its weights, traced and tried on three pictures.

    Args:
        name: `demo/alexnet`, `torchvision/resnet18`, a name of the configuration, or
            `package.module:factory[@weights.safetensors]`. `interpret_core.networks.known()` lists names.
        device: "cpu", "cuda", "mps", or "auto" for the best there is.

    Returns:
        The network: `layers`, `class_names`, `preprocessing`, `digest`, …; what it is asked about is answered
        for this very object, whatever becomes of its files.

    Raises:
        NetworkError: an unknown name (the message gives the nearest), or a network that cannot be run.
        WeightsError: weights that are missing, unsafe, damaged or of another architecture.
        ParameterError: a device that is not there.

    Example:
        >>> import interpret_core as ic
        >>> net = ic.load("demo/alexnet")
        >>> net.layer("conv5").units, net.layer("conv5").grid, len(net.class_names)
        (256, (13, 13), 10)
    """
    return networks.load(name, device)


def open_dataset(name_or_path: str | os.PathLike[str]) -> Dataset:
    """A data set by its name or folder: its tables are read, and no picture.

    Args:
        name_or_path: `demo`, a name of the configuration, a folder in Broden's layout, or a folder of
            photographs with or without classes.csv.

    Returns:
        The data set of N pictures: `len()`, `categories`, `annotation_size` (H, W) in pixels,
        `read_image(i)` (h, w, 3) uint8. What is asked about it is answered for its files as they were when
        it was opened: one that changes afterwards ends the computation.

    Raises:
        DatasetError: an unknown name, a folder that is missing, or a layout that is none.

    Source: Bau et al. 2017, section 2.1, for Broden's layout.

    Example:
        >>> import interpret_core as ic
        >>> data = ic.open_dataset("demo")
        >>> len(data), data.annotation_size
        (480, (112, 112))
    """
    return datasets.open_dataset(os.fspath(name_or_path))


def wrap(
    module: nn.Module | NetworkParts,
    size: int | tuple[int, int] = USUAL.size,
    class_names: Sequence[str] = (),
    mean: float | Sequence[float] = USUAL.mean,
    std: float | Sequence[float] = USUAL.std,
    name: str = "",
) -> Network:
    """A live module as a network that can be asked about, in this process alone.

    The module is left as it is, and may be trained on: what is asked about is a copy made now, in eval mode,
    on the module's own device. Wrap it again for what it has become. Results are kept under a digest of what
    the copy computes, so that equal weights find the answers of before, also from a file or a factory.
    It cannot be a background job, since jobs are other processes: those need a function that returns the
    module, `package.module:factory`.

    Args:
        module: takes (N, 3, H, W) float32 pictures, or (N, 1, H, W) with one mean; or `NetworkParts`, for
            whoever has more to say (head, further layers, evidence), without the arguments below.
        size: of its input in pixels, one number for a square, or (H, W).
        class_names: of its outputs, in order; () where they are unknown.
        mean: per RGB channel, or one of grey, on the scale 0 to 1, that is taken off; by default ImageNet's.
        std: the same, of the deviation.
        name: to call it by; by default its class.

    Returns:
        The network, called `live/<name>@<digits>`.

    Raises:
        NetworkError: it cannot be copied or run; no module; class names that are no texts.
        ParameterError: a size, a mean or a deviation that is none.

    Example:
        >>> import interpret_core as ic
        >>> from torch import nn
        >>> layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        >>> net = ic.wrap(nn.Sequential(*layers), size=32, mean=[0, 0, 0], std=[1, 1, 1], name="small")
        >>> [(layer.name, layer.units, layer.grid) for layer in net.layers]
        [('conv1', 4, (30, 30))]
        >>> net.name.split("@")[0]
        'live/small'
    """
    parts = _parts(module, size, class_names, mean, std)
    called = name.strip() or type(parts.module).__name__
    if not called.isprintable():
        raise ParameterError(f"name is {name!r}, expected a name in one line that can be printed.")
    device = find_device(str(_device(parts.module)))
    with plain_arithmetic(), streams.kept():
        return Network(wrapped(parts, called), device)


def _parts(
    module: object,
    size: int | tuple[int, int],
    class_names: Sequence[str],
    mean: float | Sequence[float],
    std: float | Sequence[float],
) -> NetworkParts:
    if isinstance(module, NetworkParts):
        if (size, tuple(class_names), mean, std) != (USUAL.size, (), USUAL.mean, USUAL.std):
            raise ParameterError(
                "NetworkParts were given together with size, class_names, mean or std, but expected all of "
                "it in one place: put it into the parts."
            )
        return module
    if not isinstance(module, nn.Module):
        what = f"the text {module!r}" if isinstance(module, str) else type(module).__name__
        raise NetworkError(
            f"The module is {what}, expected a torch.nn.Module: call the class or the function that makes "
            "it, or use load(…) for a name."
        )
    if isinstance(class_names, str):
        raise ParameterError(f"class_names is the text {class_names!r}, expected a list of names.")
    square = (size, size) if isinstance(size, int) else size
    means, deviations = (_channels(one) for one in (mean, std))
    return NetworkParts(module, Preprocessing(square, means, deviations), tuple(class_names))


def _channels(values: float | Sequence[float]) -> tuple[float, ...]:
    return (values,) if isinstance(values, int | float) else tuple(values)


def _device(module: nn.Module) -> torch.device:
    """Where a module is: with its first tensor."""
    tensors = itertools.chain(module.parameters(), module.buffers())
    return next((one.device for one in tensors), torch.device("cpu"))
