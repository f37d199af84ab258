"""What of a network its layers do not cover: said where a user would take a part for the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn
from torch.nn.modules.conv import _ConvNd

from interpret_core.networks.layers.layer import Layer

# What modules that attend keep: torch's own, timm's, torchvision's and the usual ones of users.
_ATTENDING = ("qkv", "in_proj_weight", "to_qkv", "to_q", "query", "q_proj", "q")
_SHOWN = 3
_WHY = {
    1: "it is one-dimensional: its responses have no grid in the picture",
    3: "it is three-dimensional: its responses have no grid in the picture",
}


def not_listed(module: nn.Module, covered: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(path, why) of convolutions of a module that no run on the images has listed.

    Args:
        module: the network.
        covered: paths of those that are layers, or that are left out with a reason.
    """
    parts = dict(module.named_modules(remove_duplicate=False))
    known = {id(parts[path]) for path in covered if path in parts}
    found = []
    for path, part in module.named_modules():
        if isinstance(part, _ConvNd) and id(part) not in known:
            found.append(
                (path, _WHY.get(_axes(part), "it is not run on images, or within a part that is one step"))
            )
    return tuple(found)


def _axes(part: _ConvNd) -> int:
    return len(part.kernel_size)


def not_covered(module: nn.Module, layers: Sequence[Layer]) -> str:
    """A sentence where a network consists of attention, which has no layers here; empty elsewhere.

    Args:
        module: the network.
        layers: that are shown.
    """
    attending = [
        path for path, part in module.named_modules() if any(hasattr(part, name) for name in _ATTENDING)
    ]
    if not attending:
        return ""
    names = [layer.name for layer in layers]
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    if len(names) == 1:
        what = f"only its patch embedding ({shown}) is a convolution, and only that is shown"
    else:
        what = f"only its convolutions ({shown}) are shown"
    return (
        f"This network attends ({len(attending)} attention modules, the first {attending[0]}): {what}. Units "
        "of attention and MLP blocks are not covered."
    )
