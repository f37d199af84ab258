"""A segmenter as `--segmenter package.module:factory[@weights]` names it: loaded, identified, asked, checked.

The factory is a function without arguments, called as those of networks are. It returns either

- a callable with an attribute `labels` (see `predicted_labels`) that takes a picture, (h, w, 3) uint8 RGB,
  upright, and gives an (h, w) map of whole numbers: 0 or −1 where nothing is labelled, else its labels'; or
- `NetworkParts(module, preprocessing, class_names)` with a module that gives scores, (1, K, h, w).

What it says is the answer of another model. Every label bears a mark that says so, and import.json tells by
which code, weights, packages and answers it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from interpret_core.datasets.pictures import read_rgb
from interpret_core.datasets.tables import MAX_LABEL
from interpret_core.errors import DamagedFileError, DatasetError, UserError, WeightsError
from interpret_core.files import sha256
from interpret_core.importers.segmenters.labels import PredictedLabels, channel_labels, predicted_labels
from interpret_core.importers.segmenters.modules import SegmentingModule, module_in_training
from interpret_core.networks import NetworkParts
from interpret_core.networks.arithmetic import plain_arithmetic
from interpret_core.networks.checkpoints.fit import fit
from interpret_core.networks.objects import code
from interpret_core.networks.objects.copies import private_copy, unwrapped
from interpret_core.networks.objects.description import Describer, canonical, sha
from interpret_core.networks.providers.factories import FactorySource, source_of
from interpret_core.networks.seeds import SEED, seeded_call
from interpret_core.networks.streams import seeded

_PROTOCOL = "a callable with `labels` that takes a picture, or NetworkParts with class_names"
_BLOCK = 1 << 20  # pixels
Segment = Callable[[NDArray[np.uint8]], Any]


@dataclass(frozen=True, eq=False)
class Segmenter:
    """What a factory gave.

    Attributes:
        name: `package.module:factory`.
        answer: (h, w, 3) uint8 to an (h, w) map of whole numbers, not checked.
        known: its labels.
        record: what it is made of, as JSON takes it.
    """

    name: str
    answer: Segment
    known: PredictedLabels
    record: Mapping[str, Any]

    def numbers(self, path: Path) -> NDArray[np.int64]:
        """(h, w) label numbers of a picture, 0 = unlabelled.

        Raises:
            DamagedFileError: the picture cannot be read.
            DatasetError: the segmenter fails on it, or what it gives is no map of its labels; nobody knows
                then what its other answers are worth.
        """
        picture = np.array(read_rgb(path, None))  # its own, which it may write to
        height, width, _ = picture.shape
        return self._checked(self._asked(picture, path), (height, width), path)

    def told(self, paths: Iterable[Path], most: int) -> str:
        """SHA-256 (hex) of what it answers on the first pictures that can be read."""
        found: list[str] = []
        for path in paths:
            if len(found) == most:
                break
            try:
                numbers = self.numbers(path)
            except DamagedFileError:
                continue
            found.append(f"{numbers.shape} {sha(numbers.astype('<u2').tobytes())}")
        return sha("\n".join(found))

    def _asked(self, picture: NDArray[np.uint8], path: Path) -> Any:
        # `seeded` lets one thread in at a time: nobody promises that a segmenter can be asked by two.
        with seeded(SEED), plain_arithmetic(), torch.no_grad():
            try:
                return self.answer(picture)
            except UserError as error:
                raise DatasetError(f"Segmenter {self.name} on {path}: {error}") from error
            except (Exception, SystemExit) as error:  # the user's own code
                told = " ".join(str(error).split())
                raise DatasetError(
                    f"Segmenter {self.name} failed on {path} with {type(error).__name__}: {told}. Expected "
                    "an (h, w) map of whole numbers. Once it gives one, the same command goes on behind the "
                    "finished pictures; after a change of its code, import into a new folder."
                ) from error

    def _checked(self, given: Any, size: tuple[int, int], path: Path) -> NDArray[np.int64]:
        if isinstance(given, torch.Tensor) and not given.is_floating_point():
            given = given.detach().cpu().numpy()
        plain = np.asarray(given) if isinstance(given, (np.ndarray, Image.Image)) else None
        if plain is None or plain.shape != size or plain.dtype.kind not in "iu":
            raise DatasetError(
                f"Segmenter {self.name} gives {_in_words(given)} for {path}, expected whole numbers of "
                f"shape ({size[0]}, {size[1]}), a label for each pixel of the picture: return the best class "
                "of each, in the picture's size."
            )
        lowest, highest = int(plain.min()), int(plain.max())
        if lowest < -1 or highest > MAX_LABEL:
            self._refuse(lowest if lowest < -1 else highest, plain, path)
        numbers = np.empty(size, np.int64)
        rows = max(1, _BLOCK // size[1])
        for start in range(0, size[0], rows):  # a photograph may have 48 million pixels
            block = slice(start, start + rows)
            numbers[block] = self.known.table[plain[block].astype(np.int64)]
        if numbers.min() < 0:
            self._refuse(int(plain[numbers < 0][0]), plain, path)
        return numbers

    def _refuse(self, number: int, plain: NDArray[Any], path: Path) -> None:
        raise DatasetError(
            f"Segmenter {self.name} gives {number} for {path} ({int((plain == number).sum()):,} of "
            f"{plain.size:,} pixels), expected 0 for unlabelled, or one of its labels "
            f"({self.known.in_words()}): name it, or correct the segmenter."
        )


def load_segmenter(name: str) -> Segmenter:
    """Import and call a factory.

    Args:
        name: `package.module:factory[@weights[#part]]`.

    Raises:
        NetworkError: no such factory, it fails, or its weights file does not fit.
        CodeChangedError: its code on disk is not what this process imported.
        DatasetError: it returns no segmenter, or one whose labels are none.
    """
    source = source_of(name, "Segmenter")
    made = seeded_call(source.function(), source.name, makes="a segmenter")
    where = f"The labels of segmenter {source.name}"
    if isinstance(made, NetworkParts):
        module = _own_module(made.module, source)
        known, numbers = channel_labels(made.class_names, where)
        answer: Segment = SegmentingModule(module, made.preprocessing, numbers)
    elif callable(made) and hasattr(made, "labels") and not isinstance(made, type):
        known = predicted_labels(made.labels, where)
        answer = _own_callable(made, source)
    else:
        raise DatasetError(f"{source.name} returned {_in_words(made)}, expected {_PROTOCOL}.")
    return Segmenter(source.name, answer, known, _record(source, answer, known))


def _own_module(module: nn.Module, source: FactorySource) -> nn.Module:
    """A copy in eval mode with the file's weights in it: whoever owns the other may train it on."""
    copied = private_copy(unwrapped(module))
    if source.file is not None:
        if not source.file.is_file():
            raise WeightsError(f"Weights file {source.file} does not exist: check the path after '@'.")
        fit(copied, source.file, source.name, source.part)
    return copied


def _own_callable(made: Any, source: FactorySource) -> Segment:
    if isinstance(made, nn.Module):
        module: Segment = _own_module(made, source)
        return module
    if source.file is not None:
        raise DatasetError(
            f"Segmenter {source.name} is named with a weights file, but returns {type(made).__name__}, "
            "expected a torch.nn.Module or NetworkParts to load it into: load it in the factory, and leave "
            "it away here."
        )
    if training := module_in_training(made):
        raise DatasetError(
            f"Segmenter {source.name} reaches a module in training mode ({training}), whose answers change "
            "from call to call: call its eval() in the factory."
        )
    answer: Segment = made
    return answer


def _record(source: FactorySource, answer: Segment, known: PredictedLabels) -> dict[str, Any]:
    """Which code, objects, weights and packages its answers come from."""
    describer = Describer()
    labels = [[one.number, one.name, one.category] for one in known.labels]
    bound = hasattr(answer, "__name__") or isinstance(answer, partial)
    attributes = vars(answer) if bound else {}  # of a function, whose description leaves them out
    made = describer.plain([type(answer), answer, attributes, labels, sorted(known.nothing)])
    names = {*describer.modules, source.module}
    return {
        "factory": source.name,
        "made": sha(canonical(made)),
        "code": code.digests(names),
        "versions": code.versions(names | code.imported(names)),
        **({"weights": sha256(source.file), "part": source.part} if source.file is not None else {}),
    }


def _in_words(given: Any) -> str:
    """Type, and for arrays what they hold and in which shape."""
    if isinstance(given, (np.ndarray, torch.Tensor)):
        return f"{str(given.dtype).removeprefix('torch.')} of shape {tuple(given.shape)}"
    return "nothing" if given is None else f"an object of type {type(given).__name__}"
