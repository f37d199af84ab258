"""Segmenters of colours, for `--segmenter`: one per way to be one, and one per way to be none."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from interpret_core.networks import NetworkParts, Preprocessing

LEVEL, FAILS = "TEST_SEGMENTER_LEVEL", "TEST_SEGMENTER_FAILS"
NAMES = ("red", "green", "blue")
PLAIN = Preprocessing((20, 20), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "nearest")


class Colours:
    """Whatever is brighter than a level bears the name of its strongest channel."""

    labels: object = NAMES

    def __init__(self) -> None:
        self.level = int(os.environ.get(LEVEL, "125"))

    def __call__(self, picture: NDArray[np.uint8]) -> object:
        assert picture.dtype == np.uint8
        assert picture.flags.writeable
        return np.where(picture.max(2) > self.level, 1 + picture.argmax(2), 0)


def colours() -> Colours:
    return Colours()


def failing() -> Colours:
    """Fails on a picture whose first pixel is as told, as one does that asks another machine."""

    class Failing(Colours):
        def __call__(self, picture: NDArray[np.uint8]) -> object:
            if str(int(picture[0, 0, 2])) == os.environ.get(FAILS):
                raise TimeoutError("nobody\nanswers")
            return super().__call__(picture)

    return Failing()


def alone() -> Colours:
    """Notices whether it is asked by two at once, and whether gradients are asked for."""

    class Alone(Colours):
        def __init__(self) -> None:
            super().__init__()
            self.busy = threading.Lock()

        def __call__(self, picture: NDArray[np.uint8]) -> object:
            assert self.busy.acquire(blocking=False), "asked by two at once"
            time.sleep(0.01)
            self.busy.release()
            assert not torch.is_grad_enabled()
            return torch.from_numpy(super().__call__(picture))

    return Alone()


class Scores(nn.Module):
    """1×1 convolution: nothing, then red, green and blue; draws at random unless it is in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.Conv2d(3, 4, 1)
        self.dropout = nn.Dropout(0.9)
        with torch.no_grad():
            self.scores.weight.copy_(torch.cat([torch.zeros(1, 3), torch.eye(3) * 2 - 1])[:, :, None, None])
            self.scores.bias.copy_(torch.tensor([0.5, 0.0, 0.0, 0.0]))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"aux": images, "out": self.dropout(self.scores(images))}


def scores() -> NetworkParts:
    return NetworkParts(Scores(), PLAIN, ("__background__", *NAMES))


def short() -> NetworkParts:
    return NetworkParts(Scores(), PLAIN, ("__background__", "red"))


def infinite() -> NetworkParts:
    made = Scores()
    made.scores.bias.data[2] = float("nan")
    return NetworkParts(made, PLAIN, ("__background__", *NAMES))


class OnPictures(nn.Module):
    """A module that takes pictures itself."""

    labels = {0: "background", 5: "bright", 9: ("dark", "material")}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(float(os.environ.get(LEVEL, "125"))))

    def forward(self, picture: NDArray[np.uint8]) -> Tensor:
        return torch.where(torch.from_numpy(picture).amax(2) > self.level, 5, 9)


def on_pictures() -> OnPictures:
    return OnPictures()


class Wrong(Colours):
    """Gives whatever it is made of."""

    def __init__(self, made: object) -> None:
        super().__init__()
        self.made = made

    def __call__(self, picture: NDArray[np.uint8]) -> object:
        found = super().__call__(picture)
        return self.made(found) if callable(self.made) else self.made


def small() -> Wrong:
    return Wrong(lambda found: found[:-1])


def floats() -> Wrong:
    return Wrong(lambda found: found / 1)


def beyond() -> Wrong:
    return Wrong(lambda found: found + 3)


def negative() -> Wrong:
    return Wrong(lambda found: found - 2)


def unsigned() -> Wrong:
    return Wrong(lambda found: np.full(found.shape, 2**64 - 1, np.uint64))


def mapping() -> Wrong:
    return Wrong({"out": 1})


def nothing() -> Wrong:
    return Wrong(None)


def leaving() -> Wrong:
    def leave(_: object) -> object:
        raise SystemExit(3)

    return Wrong(leave)


def unfinished() -> Colours:
    made = Colours()
    made.network = Scores()  # type: ignore[attr-defined]  # in training mode
    return made


def hidden() -> object:
    """A function that closes over one."""
    network = Scores()

    def segment(picture: NDArray[np.uint8]) -> object:
        return network(picture)

    segment.labels = NAMES  # type: ignore[attr-defined]
    return segment


def without_labels() -> object:
    return lambda picture: picture[..., 0]


def raising() -> object:
    raise RuntimeError("no weights here")
