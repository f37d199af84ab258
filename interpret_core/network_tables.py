"""What `unitscope.toml` says of a network: a name for it, or a table.

[networks]
mine = "package.module:factory@weights.safetensors"
tagger = { network = "package.module:tagger", head = "sigmoid" }
[networks.birds]
network = "torchvision/resnet18"         an architecture, or package.module:factory
weights = "birds.safetensors"            beside this file; "file.pth#ema" names a part of it
classes = ["owl", "wren"]                or the name of a text file with a class in each line
size = 224                               or [H, W], pixels
mean = [0.485, 0.456, 0.406]             per channel; one number for a network of grey pictures
std = [0.229, 0.224, 0.225]
range = [0, 255]                         of pixels before mean and std, where it is not [0, 1]
interpolation = "bilinear"
head = "logits"                          how its outputs become probabilities
layers = ["layer4", "encoder.3"]         modules that are layers beside its convolutions
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interpret_core.errors import UserError

HEADS = ("logits", "probabilities", "sigmoid")  # how a network's outputs become probabilities
KEYS = ("network", "weights", "classes", "size", "mean", "std", "range", "interpolation", "head", "layers")
LARGEST_SIDE = 4096  # pixels of an input
_EXAMPLE = 'write network = "package.module:factory", or an architecture such as "torchvision/resnet18"'


@dataclass(frozen=True)
class NetworkTable:
    """What is stated of a network; what is None or empty stays as its maker says.

    Attributes:
        network: the name that it stands for, weights included.
        classes: names of its outputs.
        size: (H, W).
        mean, std: per channel, on the scale 0 to 1.
        interpolation, head: as `Preprocessing` and `heads` take them.
        layers: paths of its modules.
    """

    network: str
    classes: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    interpolation: str | None = None
    head: str | None = None
    layers: tuple[str, ...] = ()


def network_table(file: Path, name: str, entry: Any) -> NetworkTable:
    """An entry of `[networks]`.

    Args:
        file: the configuration; other files are found from its folder.
        name: of the network.
        entry: a text or a table.

    Raises:
        UserError: a key or a value that is none; one line with what to write.
    """
    where = f"{file}: [networks] {name}"
    if isinstance(entry, str):
        entry = {"network": entry}
    if not isinstance(entry, Mapping):
        raise UserError(f"{where} is {entry!r}, expected a text or a table: {_EXAMPLE}.")
    unknown = [key for key in entry if key not in KEYS]
    if unknown:
        raise UserError(f"{where} has {unknown[0]!r}, expected only {', '.join(KEYS)}: remove it.")
    target = entry.get("network")
    if not isinstance(target, str) or not target.strip():
        raise UserError(f"{where} is {target!r}, expected a non-empty text: {_EXAMPLE}.")
    head = entry.get("head")
    if head is not None and head not in HEADS:
        raise UserError(f"{where}: head is {head!r}, expected one of {', '.join(HEADS)}.")
    low, high = _pair(where, "range", entry.get("range", [0, 1]))
    if low >= high:
        raise UserError(f"{where}: range is [{low:g}, {high:g}], expected the lower number first.")
    mean, std = (_numbers(where, key, entry.get(key)) for key in ("mean", "std"))
    if (low, high) != (0, 1) and (mean is None or std is None):
        raise UserError(f"{where}: range needs mean and std, which are on that scale: write both.")
    return NetworkTable(
        _target(file, where, target, entry.get("weights")),
        _classes(file, where, entry.get("classes")),
        _size(where, entry.get("size")),
        None if mean is None else tuple((one - low) / (high - low) for one in mean),
        None if std is None else tuple(one / (high - low) for one in std),
        _text(where, "interpolation", entry.get("interpolation")),
        head,
        _texts(where, "layers", entry.get("layers", [])),
    )


def _target(file: Path, where: str, target: str, weights: Any) -> str:
    """The name it stands for, with its weights file as an absolute path."""
    code, at, member = target.partition("@")
    if weights is not None:
        if at:
            raise UserError(f"{where} names weights twice, expected them after @ or in weights: remove one.")
        return f"{code}@{_beside(file, _text(where, 'weights', weights) or '')}"
    # After a network's own name follows a member of its weights, after a factory's a file.
    return f"{code}@{_beside(file, member)}" if at and member and ":" in code else target


def _beside(file: Path, relative: str) -> str:
    return os.path.normpath(file.parent / Path(relative).expanduser())


def _classes(file: Path, where: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, str):
        return _texts(where, "classes", value)
    path = Path(_beside(file, value))
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{where}: classes names {path}, which cannot be read ({error}): expected a text file with the "
            "name of a class in each line, in the order of the outputs."
        ) from error
    return tuple(line.strip() for line in lines if line.strip())


def _size(where: str, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    pair = [value, value] if _is(int, value) else value
    if not isinstance(pair, list) or len(pair) != 2 or not all(_is(int, one) and one > 0 for one in pair):
        raise UserError(f"{where}: size is {value!r}, expected pixels: write size = 224, or size = [H, W].")
    if max(pair) > LARGEST_SIDE:
        raise UserError(f"{where}: size is {value!r}, expected up to {LARGEST_SIDE:,} pixels a side.")
    return (pair[0], pair[1])


def _pair(where: str, key: str, value: Any) -> tuple[float, float]:
    numbers = _numbers(where, key, value)
    if numbers is None or len(numbers) != 2:
        raise UserError(f"{where}: {key} is {value!r}, expected two numbers: write {key} = [0, 255].")
    return numbers[0], numbers[1]


def _numbers(where: str, key: str, value: Any) -> tuple[float, ...] | None:
    if value is None:
        return None
    several = [value] if _is((int, float), value) else value
    if not isinstance(several, list) or not all(_is((int, float), one) for one in several):
        raise UserError(f"{where}: {key} is {value!r}, expected numbers: write {key} = [0.5, 0.5, 0.5].")
    return tuple(float(one) for one in several)


def _texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise UserError(f'{where}: {key} is {value!r}, expected texts: write {key} = ["one", "two"].')
    return tuple(value)


def _text(where: str, key: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise UserError(f'{where}: {key} is {value!r}, expected a text: write {key} = "…".')
    return value


def _is(kind: type | tuple[type, ...], value: Any) -> bool:
    """Whether a value is of a kind; true and false are no numbers."""
    return isinstance(value, kind) and not isinstance(value, bool)
