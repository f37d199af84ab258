"""One vocabulary for what a network computes, whether torch.fx traced it or a run was watched.

The rules that find layers, responses, shortcuts and receptive fields read a list of `Op`, so that they are
the same on both ways and can be tested without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch
from torch import nn

Pair = tuple[int, int]


class Kind(Enum):
    """What an operation does to the spatial axes, as far as the rules need to know."""

    INPUT = "input"
    CONV = "conv"
    NORM = "norm"  # by constants: a BatchNorm in eval mode
    SELF_NORM = "self norm"  # by statistics of the response itself: GroupNorm, InstanceNorm, LayerNorm2d
    PASS = "pass"  # hands its input on as it is: Identity, dropout in eval mode
    ACTIVATION = "activation"
    ADD = "add"
    POOL = "pool"
    LOCAL = "local"  # each output position depends on the same input position only
    RESHAPE = "reshape"  # local if the last two axes survive
    OTHER = "other"  # anything else: the receptive field is unknown behind it


@dataclass(frozen=True)
class Window:
    """Sliding window of a convolution or a pooling, (vertical, horizontal), pixels of its input grid."""

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)


@dataclass(frozen=True)
class Op:
    """One operation of a network.

    Attributes:
        kind: what it does.
        inputs: indices of the operations whose values it reads, in the order of its arguments.
        shape: of its (first) tensor output for the traced batch; None if it returns no tensor (a size).
        path: dotted module path, for convolutions.
        window: for convolutions and poolings.
    """

    kind: Kind
    inputs: tuple[int, ...] = ()
    shape: tuple[int, ...] | None = None
    path: str = ""
    window: Window | None = None

    @property
    def grid(self) -> Pair | None:
        """(h, w) of a four-dimensional output, else None."""
        return (self.shape[2], self.shape[3]) if self.shape is not None and len(self.shape) == 4 else None


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTIVATIONS = _names("""
    relu relu6 silu hardswish gelu leaky_relu prelu rrelu elu selu celu sigmoid tanh mish hardtanh hardsigmoid
    softplus softsign softshrink hardshrink tanhshrink logsigmoid threshold clamp clip clamp_min clamp_max
""")
_ACTIVATION_MODULES = (
    nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.GELU, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU,
    nn.CELU, nn.Sigmoid, nn.Tanh, nn.Mish, nn.Hardtanh, nn.Hardsigmoid, nn.Softplus, nn.Softsign,
    nn.Softshrink, nn.Hardshrink, nn.Tanhshrink, nn.LogSigmoid, nn.Threshold,
)  # fmt: skip
_ADDITIONS = _names("add iadd radd")
_LOCAL = _names("""
    mul imul rmul sub isub rsub truediv itruediv rtruediv div pow neg abs exp sqrt rsqrt maximum minimum
    cat concat concatenate permute layer_norm linear pad to float type type_as chunk split getitem detach
""")
_LOCAL_MODULES = (
    nn.LayerNorm, nn.Linear, nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.ConstantPad2d,
)  # fmt: skip
_PASSES = _names("""
    dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout feature_alpha_dropout
    stochastic_depth drop_path drop_block contiguous clone identity
""")
_PASS_MODULES = (
    nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)  # fmt: skip
_RESHAPES = _names("view reshape transpose flatten unflatten squeeze unsqueeze")
_POOLS = _names("max_pool2d avg_pool2d lp_pool2d max_pool2d_with_indices")
_POOL_MODULES = (nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d)
# torch.nn.modules.batchnorm._BatchNorm is the public base in all but name.
_NORM_MODULES = (nn.modules.batchnorm._BatchNorm,)
_SELF_NORM_MODULES = (nn.GroupNorm, nn.modules.instancenorm._InstanceNorm)
# Written out in several libraries (torchvision, timm, detectron2) under these names: run as a whole, since
# what they are made of (arithmetic, permutations) does not tell what they are. Only the libraries' own: they
# overwrite nothing and return a new tensor, which another class of that name need not do.
_NAMED_NORMS = {"FrozenBatchNorm2d": Kind.NORM, "LayerNorm2d": Kind.SELF_NORM}
_LIBRARIES = frozenset({"torchvision", "timm", "detectron2"})

Shape = Callable[[Any], tuple[int, ...] | None]


def plain_name(name: str) -> str:
    """`__iadd__` → `iadd`, `relu_` → `relu`: the operation's name without how it stores its result."""
    return name.strip("_")


def named_norm(module: nn.Module) -> Kind | None:
    """The kind of a normalisation that a library writes out; None for anything else."""
    known = type(module).__module__.partition(".")[0] in _LIBRARIES
    return _NAMED_NORMS.get(type(module).__name__) if known else None


def describe_module(module: nn.Module) -> tuple[Kind, Window | None]:
    """Kind and window of a torch.nn module that is called as a whole."""
    if isinstance(module, nn.Conv2d):
        return Kind.CONV, Window(_pair(module.kernel_size), _pair(module.stride), _pair(module.dilation))
    if isinstance(module, _POOL_MODULES):
        return Kind.POOL, _pool_window(module.kernel_size, module.stride, getattr(module, "dilation", 1))
    named = named_norm(module)
    if named is not None:
        return named, None
    for kind, classes in (
        (Kind.NORM, _NORM_MODULES),
        (Kind.SELF_NORM, _SELF_NORM_MODULES),
        (Kind.PASS, _PASS_MODULES),
        (Kind.ACTIVATION, _ACTIVATION_MODULES),
        (Kind.LOCAL, _LOCAL_MODULES),
    ):
        if isinstance(module, classes):
            return kind, None
    return (Kind.RESHAPE if isinstance(module, (nn.Flatten, nn.Unflatten)) else Kind.OTHER), None


def describe_function(
    name: str, args: Sequence[Any], kwargs: Mapping[str, Any], shape: Shape
) -> tuple[Kind, Window | None]:
    """Kind and window of a function or tensor method, by its name and arguments.

    Args:
        name: of the function or method, underscores included.
        args: positional arguments; tensors may stand for themselves or be represented by anything that
            `shape` understands.
        kwargs: keyword arguments.
        shape: gives the shape of a tensor argument, None for anything else.
    """
    plain = plain_name(name)
    if plain in {"conv2d", "_conv2d"}:
        kernel = shape(_argument(args, kwargs, 1, "weight"))
        if kernel is None or len(kernel) != 4:
            return Kind.OTHER, None
        stride, dilation = _argument(args, kwargs, 3, "stride", 1), _argument(args, kwargs, 5, "dilation", 1)
        return Kind.CONV, Window((kernel[2], kernel[3]), _pair(stride), _pair(dilation))
    if plain in _POOLS:
        return Kind.POOL, _function_pool(plain, args, kwargs)
    for kind, names in (
        (Kind.NORM, {"batch_norm"}),
        (Kind.SELF_NORM, {"group_norm", "instance_norm"}),
        (Kind.PASS, _PASSES),
        (Kind.ACTIVATION, ACTIVATIONS),
        (Kind.ADD, _ADDITIONS),
        (Kind.LOCAL, _LOCAL),
        (Kind.RESHAPE, _RESHAPES),
    ):
        if plain in names:
            return kind, None
    return Kind.OTHER, None


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Shape of a tensor, or of the first tensor in a tuple or list; None if there is none."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape)
    if isinstance(value, (tuple, list)):
        return next((shape for shape in map(shape_of, value) if shape is not None), None)
    return None


def _function_pool(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Window:
    at = 2 if name == "lp_pool2d" else 1
    dilation = _argument(args, kwargs, 4, "dilation", 1) if name.startswith("max") else 1
    kernel = _argument(args, kwargs, at, "kernel_size")
    return _pool_window(kernel, _argument(args, kwargs, at + 1, "stride"), dilation)


def _pool_window(kernel: Any, stride: Any, dilation: Any) -> Window:
    return Window(_pair(kernel), _pair(kernel if stride in (None, [], ()) else stride), _pair(dilation))


def _argument(
    args: Sequence[Any], kwargs: Mapping[str, Any], position: int, name: str, default: Any = None
) -> Any:
    return args[position] if len(args) > position else kwargs.get(name, default)


def _pair(value: Any) -> Pair:
    if isinstance(value, (tuple, list)):
        return (int(value[0]), int(value[-1]))
    return (int(value), int(value))
