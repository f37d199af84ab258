"""Which positions of its input an operation reads: windows, crops, paddings, flips, resampling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import nn

Pair = tuple[int, int]
Shape = Callable[[Any], tuple[int, ...] | None]
ROWS, COLUMNS = 2, 3  # axes of images


@dataclass(frozen=True)
class Window:
    """Sliding window of a convolution or a pooling, (vertical, horizontal), pixels of its input grid."""

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)


class Reach(NamedTuple):
    """Along one axis: the first output position reads from `low` to `high`, each next one `step` further."""

    low: float
    high: float
    step: float = 1.0


# By axis; axes that are not listed stay as they are.
Moves = Mapping[int, Reach]


def pair(value: Any) -> Pair:
    """A number for both axes, or one for each."""
    if isinstance(value, (tuple, list)):
        return (int(value[0]), int(value[-1]))
    return (int(value), int(value))


def argument(
    args: Sequence[Any], kwargs: Mapping[str, Any], position: int, name: str, default: Any = None
) -> Any:
    """A function's argument, given by its place or by its name."""
    return args[position] if len(args) > position else kwargs.get(name, default)


def windowed(window: Window, padding: Any) -> Moves | None:
    """Of a convolution or a pooling; None where the padding is not understood."""
    lengths = [window.dilation[at] * (window.kernel[at] - 1) for at in (0, 1)]
    if isinstance(padding, str):
        if padding not in {"same", "valid"}:
            return None
        before = [length // 2 if padding == "same" else 0 for length in lengths]
    else:
        before = list(pair(padding))
    reach = [Reach(-before[at], lengths[at] - before[at], window.stride[at]) for at in (0, 1)]
    return {ROWS: reach[0], COLUMNS: reach[1]}


def transposed(window: Window, padding: Any) -> Moves:
    """Of a transposed convolution."""
    kernel, stride, dilation, before = window.kernel, window.stride, window.dilation, pair(padding)
    reach = [
        Reach(
            (before[at] - dilation[at] * (kernel[at] - 1)) / stride[at],
            before[at] / stride[at],
            1 / stride[at],
        )
        for at in (0, 1)
    ]
    return {ROWS: reach[0], COLUMNS: reach[1]}


def resized(
    before: Sequence[int] | None,
    after: Sequence[int] | None,
    *,
    corners: bool = False,
    scale: Any = None,
    nearest: bool = False,
) -> Moves | None:
    """Another number of positions over the same stretch: adaptive pooling, interpolation, pixel shuffling.

    Args:
        before: shapes.
        after: shapes.
        corners: whether the outermost positions stay where they are.
        scale: of each axis, or of both, where positions are counted by it and not by their number.
        nearest: each position is the one at its beginning, and no mean.
    """
    if before is None or after is None or len(before) != 4 or len(after) != 4:
        return None
    scales = tuple(scale) if isinstance(scale, (tuple, list)) else (scale, scale)
    steps = [
        1 / float(scales[at]) if scales[at] is not None else before[axis] / after[axis]
        for at, axis in enumerate((ROWS, COLUMNS))
    ]
    if corners:
        steps = [(before[axis] - 1) / max(1, after[axis] - 1) for axis in (ROWS, COLUMNS)]
        return {axis: Reach(0, 0, step) for axis, step in zip((ROWS, COLUMNS), steps, strict=True)}
    return {axis: _resized(step, nearest) for axis, step in zip((ROWS, COLUMNS), steps, strict=True)}


def _resized(step: float, nearest: bool) -> Reach:
    if step > 1:
        return Reach(0, 0 if nearest else step - 1, step)
    return Reach((step - 1) / 2, (step - 1) / 2, step)


def module_moves(
    module: nn.Module, window: Window | None, before: Sequence[int] | None, after: Sequence[int] | None
) -> Moves | None:
    """What a module that is called as a whole reads; None where it moves nothing, or that is not known.

    Args:
        module: the module.
        window: that slides over its input, if one does.
        before: shapes of its input and its output.
        after: shapes of its input and its output.
    """
    if window is not None:
        return windowed(window, getattr(module, "padding", 0))
    if isinstance(module, nn.ConvTranspose2d):
        slid = Window(pair(module.kernel_size), pair(module.stride), pair(module.dilation))
        return transposed(slid, module.padding)
    if isinstance(module, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.PixelShuffle, nn.PixelUnshuffle)):
        return resized(before, after)
    if isinstance(module, nn.Upsample):
        counted = None if module.size is not None or module.recompute_scale_factor else module.scale_factor
        corners, nearest = bool(module.align_corners), module.mode == "nearest"
        return resized(before, after, corners=corners, scale=counted, nearest=nearest)
    if isinstance(module, _PADS):
        return _padded(module.padding)
    return None


_PADS = (nn.ZeroPad2d, nn.ConstantPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d)
_RESIZING = frozenset({
    "adaptive_avg_pool2d", "adaptive_max_pool2d", "pixel_shuffle", "pixel_unshuffle", "interpolate",
    "upsample", "upsample_nearest", "upsample_bilinear",
})  # fmt: skip
_PADDING = {"conv2d": 4, "max_pool2d": 3, "max_pool2d_with_indices": 3, "avg_pool2d": 3}  # which argument


def function_moves(
    name: str, given: tuple[Sequence[Any], Mapping[str, Any]], window: Window | None, shape: Shape, after: Any
) -> Moves | None:
    """What a function or tensor method reads; None where it moves nothing, or where that is not known: behind
    what gives another grid, the latter.

    Args:
        name: its plain name.
        given: its arguments, by place and by name.
        window: that slides over its input, if one does.
        shape: gives the shape of a tensor argument, None for anything else.
        after: shape of its output.
    """
    try:
        return _function_moves(name, given, window, shape, after)
    except (TypeError, ValueError, IndexError, ZeroDivisionError):  # only known while it runs
        return None


def _function_moves(
    name: str, given: tuple[Sequence[Any], Mapping[str, Any]], window: Window | None, shape: Shape, after: Any
) -> Moves | None:
    args, kwargs = given
    before = shape(argument(args, kwargs, 0, "input", kwargs.get("self")))
    if before is None:
        return None
    if window is not None:
        place = _PADDING.get(name)
        return windowed(window, 0 if place is None else argument(args, kwargs, place, "padding", 0))
    if name == "conv_transpose2d":
        return _transposed(args, kwargs, shape)
    if name in _RESIZING:
        return _interpolated(name, args, kwargs, (before, after))
    if name == "pad":
        return _padded(argument(args, kwargs, 1, "pad"), len(before))
    if name == "getitem":
        return _cut(argument(args, kwargs, 1, "index"), before)
    if name in {"narrow", "flip", "fliplr", "flipud"}:
        return _narrowed(args, kwargs, before) if name == "narrow" else _flipped(name, args, kwargs, before)
    return None


def _interpolated(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: tuple[Any, Any]
) -> Moves | None:
    if name not in {"interpolate", "upsample"}:
        nearest = name == "upsample_nearest"
        return resized(*shapes, corners=name == "upsample_bilinear", nearest=nearest)
    size, scale = argument(args, kwargs, 1, "size"), argument(args, kwargs, 2, "scale_factor")
    mode, corners = argument(args, kwargs, 3, "mode", "nearest"), argument(args, kwargs, 4, "align_corners")
    recomputed = argument(args, kwargs, 5, "recompute_scale_factor")
    counted = None if size is not None or recomputed else scale
    return resized(*shapes, corners=bool(corners), scale=counted, nearest=mode == "nearest")


def _transposed(args: Sequence[Any], kwargs: Mapping[str, Any], shape: Shape) -> Moves | None:
    kernel = shape(argument(args, kwargs, 1, "weight"))
    if kernel is None or len(kernel) != 4:
        return None
    stride, dilation = argument(args, kwargs, 3, "stride", 1), argument(args, kwargs, 7, "dilation", 1)
    window = Window((kernel[2], kernel[3]), pair(stride), pair(dilation))
    return transposed(window, argument(args, kwargs, 4, "padding", 0))


def _padded(padding: Any, rank: int = 4) -> Moves | None:
    """Numbers of positions before and after, the last axis first."""
    if isinstance(padding, int):
        padding = (padding,) * 4
    if not isinstance(padding, (tuple, list)) or not all(isinstance(one, int) for one in padding):
        return None
    return {rank - 1 - at // 2: Reach(-padding[at], -padding[at]) for at in range(0, len(padding), 2)}


def _cut(index: Any, before: Sequence[int]) -> Moves | None:
    """x[:, :, 1:-1, ::2]; None where an axis goes, comes, or is picked by numbers."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is Ellipsis for part in parts):
        at = next(place for place, part in enumerate(parts) if part is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(before) - len(parts) + 1)
    if len(parts) > len(before) or not all(isinstance(part, slice) for part in parts):
        return None
    moves = {}
    for axis, part in enumerate(parts):
        if not all(one is None or isinstance(one, int) for one in (part.start, part.stop, part.step)):
            return None
        start, _, step = part.indices(before[axis])
        if (start, step) != (0, 1):
            moves[axis] = Reach(start, start, step)
    return moves


def _narrowed(args: Sequence[Any], kwargs: Mapping[str, Any], before: Sequence[int]) -> Moves | None:
    axis, start = argument(args, kwargs, 1, "dim"), argument(args, kwargs, 2, "start")
    if not isinstance(axis, int) or not isinstance(start, int):
        return None
    first = start % before[axis]
    return {axis % len(before): Reach(first, first)}


def _flipped(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], before: Sequence[int]
) -> Moves | None:
    if name == "flip":
        given = kwargs.get("dims", args[1:])
        axes = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
    else:
        axes = (1,) if name == "fliplr" else (0,)
    axes = (axes,) if isinstance(axes, int) else axes
    if not all(isinstance(axis, int) for axis in axes):
        return None
    flipped = {axis % len(before) for axis in axes}
    return {axis: Reach(before[axis] - 1, before[axis] - 1, -1) for axis in flipped}
