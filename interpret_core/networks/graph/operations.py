"""One vocabulary for what a network computes, whether torch.fx traced it or a run was watched.

The rules that find layers, responses, shortcuts and receptive fields read a list of `Op`, so that they are
the same on both ways and can be tested without a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import torch
from torch import nn

from interpret_core.networks.graph.moves import Moves, Pair, Window, argument, pair


class Kind(Enum):
    """What an operation does to the spatial axes, as far as the rules need to know."""

    INPUT = "input"
    CONV = "conv"
    TRANSPOSED = "transposed conv"
    LINEAR = "linear"
    JOIN = "join"  # puts tensors side by side along one axis
    PERMUTE = "permute"  # puts the axes in another order
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
class Op:
    """One operation of a network.

    Attributes:
        kind: what it does.
        inputs: indices of the operations whose values it reads, in the order of its arguments.
        shape: of its (first) tensor output for the traced batch; None if it returns no tensor (a size).
        path: dotted module path, for convolutions and linear layers.
        window: for convolutions and poolings.
        axes: of a permutation, the axis of its input that each of its axes is; of a joining, the axis.
        move: which positions of its input it reads, by axis; None where all stay, or that is not known.
    """

    kind: Kind
    inputs: tuple[int, ...] = ()
    shape: tuple[int, ...] | None = None
    path: str = ""
    window: Window | None = None
    axes: tuple[int, ...] = ()
    move: Moves | None = None

    @property
    def grid(self) -> Pair | None:
        """(h, w) of a four-dimensional output, else None."""
        return (self.shape[2], self.shape[3]) if self.shape is not None and len(self.shape) == 4 else None


class Described(NamedTuple):
    """What an operation is, whatever it reads; see `Op`."""

    kind: Kind
    window: Window | None = None
    axes: tuple[int, ...] = ()


@dataclass(frozen=True)
class ModuleCalls:
    """Which operations belong to which modules.

    Attributes:
        outputs: by module path, the operation whose value each call of it returned.
        single: paths of modules that are one operation.
        inside: for each operation, the path of the innermost module whose code asks for it; may be shorter.
    """

    outputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    single: frozenset[str] = frozenset()
    inside: Sequence[str] = ()

    def returning(self, op: int) -> tuple[str, ...]:
        """Paths of the modules of several operations that return an operation's value, outermost first."""
        found = [path for path, ops in self.outputs.items() if op in ops and path and path not in self.single]
        return tuple(sorted(found, key=lambda path: path.count(".")))

    def around(self, op: int) -> str:
        """Path of the module whose code asks for an operation; empty for the network itself."""
        return self.inside[op] if op < len(self.inside) else ""


WEIGHTED = frozenset({Kind.CONV, Kind.TRANSPOSED, Kind.LINEAR})  # their units have a weight each, and a path


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
    layer_norm pad to float type type_as chunk split getitem detach
""")
_JOINS = _names("cat concat concatenate")
_LOCAL_MODULES = (
    nn.LayerNorm, nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.ConstantPad2d, nn.CircularPad2d,
)  # fmt: skip
_PASSES = _names("""
    dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout feature_alpha_dropout
    stochastic_depth drop_path drop_block contiguous clone identity
""")
_PASS_MODULES = (
    nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)  # fmt: skip
_RESHAPES = _names("view reshape flatten unflatten squeeze unsqueeze")
_SWAPS = _names("transpose swapaxes swapdims")
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


def describe_module(module: nn.Module) -> Described:
    """A torch.nn module that is called as a whole."""
    if isinstance(module, nn.Conv2d):
        window = Window(pair(module.kernel_size), pair(module.stride), pair(module.dilation))
        return Described(Kind.CONV, window)
    if isinstance(module, _POOL_MODULES):
        return Described(
            Kind.POOL, _pool_window(module.kernel_size, module.stride, getattr(module, "dilation", 1))
        )
    named = named_norm(module)
    if named is not None:
        return Described(named)
    for kind, classes in (
        (Kind.TRANSPOSED, (nn.ConvTranspose2d,)),
        (Kind.LINEAR, (nn.Linear,)),
        (Kind.NORM, _NORM_MODULES),
        (Kind.SELF_NORM, _SELF_NORM_MODULES),
        (Kind.PASS, _PASS_MODULES),
        (Kind.ACTIVATION, _ACTIVATION_MODULES),
        (Kind.LOCAL, _LOCAL_MODULES),
        (Kind.RESHAPE, (nn.Flatten, nn.Unflatten)),
    ):
        if isinstance(module, classes):
            return Described(kind)
    return Described(Kind.OTHER)


def describe_function(name: str, args: Sequence[Any], kwargs: Mapping[str, Any], shape: Shape) -> Described:
    """A function or tensor method, by its name and arguments.

    Args:
        name: of the function or method, underscores included.
        args: positional arguments; tensors may stand for themselves or be represented by anything that
            `shape` understands.
        kwargs: keyword arguments.
        shape: gives the shape of a tensor argument, None for anything else.
    """
    plain = plain_name(name)
    if plain == "conv2d":
        kernel = shape(argument(args, kwargs, 1, "weight"))
        if kernel is None or len(kernel) != 4:
            return Described(Kind.OTHER)
        stride, dilation = argument(args, kwargs, 3, "stride", 1), argument(args, kwargs, 5, "dilation", 1)
        return Described(Kind.CONV, Window((kernel[2], kernel[3]), pair(stride), pair(dilation)))
    if plain in _POOLS:
        return Described(Kind.POOL, _function_pool(plain, args, kwargs))
    if plain == "permute" or plain in _SWAPS:
        return _permutation(plain, args, kwargs, shape)
    if plain in _JOINS:
        axis = argument(args, kwargs, 1, "dim", kwargs.get("axis", 0))
        return Described(Kind.JOIN, axes=(axis,) if isinstance(axis, int) else ())
    if plain == "getitem":
        return Described(_picking(argument(args, kwargs, 1, "index")))
    for kind, names in (
        (Kind.TRANSPOSED, {"conv_transpose2d"}),
        (Kind.LINEAR, {"linear"}),
        (Kind.NORM, {"batch_norm"}),
        (Kind.SELF_NORM, {"group_norm", "instance_norm"}),
        (Kind.PASS, _PASSES),
        (Kind.ACTIVATION, ACTIVATIONS),
        (Kind.ADD, _ADDITIONS),
        (Kind.LOCAL, _LOCAL),
        (Kind.RESHAPE, _RESHAPES),
    ):
        if plain in names:
            return Described(kind)
    return Described(Kind.OTHER)


def _picking(index: Any) -> Kind:
    """x[:, 0] is one unit of every image, an axis less; what a tensor picks may lie anywhere."""
    parts = index if isinstance(index, tuple) else (index,)
    if not all(part is Ellipsis or isinstance(part, (int, slice)) for part in parts):
        return Kind.OTHER
    unit = len(parts) == 2 and parts[0] == slice(None) and isinstance(parts[1], int)
    return Kind.RESHAPE if unit else Kind.LOCAL


def _permutation(name: str, args: Sequence[Any], kwargs: Mapping[str, Any], shape: Shape) -> Described:
    """permute(x, 0, 2, 3, 1), permute(x, (0, 2, 3, 1)), transpose(x, 1, 2); axes are () where unknown."""
    before = shape(argument(args, kwargs, 0, "input"))
    rank = 0 if before is None else len(before)
    if name in _SWAPS:
        given = [*args[1:], *(kwargs[one] for one in ("dim0", "axis0", "dim1", "axis1") if one in kwargs)]
        axes = list(range(rank))
        if not rank or len(given) != 2 or not all(isinstance(one, int) for one in given):
            return Described(Kind.PERMUTE)
        first, second = (one % rank for one in given)
        axes[first], axes[second] = second, first
        return Described(Kind.PERMUTE, axes=tuple(axes))
    dims = kwargs.get("dims", args[1:])
    dims = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    whole = len(dims) == rank and all(isinstance(one, int) for one in dims)
    return Described(Kind.PERMUTE, axes=tuple(one % rank for one in dims) if whole else ())


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Shape of a tensor, or of the first tensor in a tuple or list; None if there is none."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape)
    if isinstance(value, (tuple, list)):
        return next((shape for shape in map(shape_of, value) if shape is not None), None)
    return None


def _function_pool(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Window:
    at = 2 if name == "lp_pool2d" else 1
    dilation = argument(args, kwargs, 4, "dilation", 1) if name.startswith("max") else 1
    kernel = argument(args, kwargs, at, "kernel_size")
    return _pool_window(kernel, argument(args, kwargs, at + 1, "stride"), dilation)


def _pool_window(kernel: Any, stride: Any, dilation: Any) -> Window:
    return Window(pair(kernel), pair(kernel if stride in (None, [], ()) else stride), pair(dilation))
