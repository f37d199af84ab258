"""Large photographs: one after the other, decoded once, and nothing of them is kept but what is wanted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from interpret_core.datasets import Dataset, Loader, decoder, open_dataset, pictures, survey
from interpret_core.datasets.pictures import shrink
from interpret_core.networks import Preprocessing
from tests.datasets.files import unturned
from tests.planted_dataset import save_mask, write_tables

SIZES = ((240, 320), (320, 240), (20, 31), (301, 500), (240, 320), (240, 320))
GRID = 16
PIXELS = 240 * 320


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of several sizes; one is smaller than a network's input."""
    root, random = tmp_path_factory.mktemp("large"), np.random.default_rng(2)
    (root / "images").mkdir()
    rows = []
    for index, (height, width) in enumerate(SIZES):
        noise = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(root / "images" / f"{index}.jpg", quality=90)
        save_mask(root / "images" / f"{index}.png", random.integers(0, 2, (GRID, GRID)).astype(np.uint16))
        sizes = {"ih": height, "iw": width, "sh": GRID, "sw": GRID}
        rows.append({"image": f"{index}.jpg", "object": f"{index}.png", **sizes})
    write_tables(root, rows, [(1, "noise", ("object",))])
    return root


@pytest.fixture
def dataset(folder: Path) -> Dataset:
    return open_dataset(folder)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """(width, height) of every picture or mask whose pixels were decoded."""
    found: list[tuple[int, ...]] = []
    whole = ImageFile.ImageFile.load

    def noted(image: ImageFile.ImageFile) -> object:
        if image.tile and image.size[0] > GRID:
            found.append(image.size)
        return whole(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", noted)
    return found


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("grey", [False, True])
def test_the_network_s_input_is_the_same(dataset: Dataset, interpolation: str, grey: bool) -> None:
    preprocessing = Preprocessing((64, 48), interpolation=interpolation)
    preprocessing = preprocessing.grey() if grey else preprocessing
    (batch,) = Loader(dataset, reduce=preprocessing.reduced).batches([range(6)])
    whole = [dataset.read_image(index) for index in range(6)]
    assert [image.shape[:2] for image in batch.images] == [(64, 48)] * 2 + [(20, 31)] + [(64, 48)] * 3
    assert bool((preprocessing.batch(batch.images) == preprocessing.batch(whole)).all())


@pytest.mark.parametrize("band", [1, 320, 5 * 320 + 7, 1 << 20])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_picture_in_bands_is_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, band: int, orientation: int
) -> None:
    monkeypatch.setattr(pictures, "_BAND", band)
    noise = np.random.default_rng(0).integers(0, 255, (203, 320, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(unturned(noise, orientation)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(pictures.read_rgb(tmp_path / "a.png", (203, 320)), noise)


def test_a_second_pass_decodes_nothing_again(dataset: Dataset, decoded: list[tuple[int, ...]]) -> None:
    """Not for other things either: the colours under the annotation are kept, too."""
    loader = Loader(dataset, dataset.concepts(), reduce=Preprocessing((32, 32)).reduced)
    for asked in (False, True, False, True):
        for batch in loader.batches([[0, 1, 2], [3, 4, 5]], annotations=asked):
            assert batch.valid.all()
    assert sorted(decoded) == sorted((width, height) for height, width in SIZES)
    decoded.clear()
    (batch,) = loader.batches([range(6)], annotations=True)
    assert not decoded
    assert batch.colours is not None
    for colours, index in zip(batch.colours, range(6), strict=True):
        wanted = shrink(dataset.read_image(index), (GRID, GRID))
        np.testing.assert_array_equal(colours, wanted.reshape(-1, 3))


def test_without_room_each_pass_decodes_once(dataset: Dataset, decoded: list[tuple[int, ...]]) -> None:
    loader = Loader(dataset, dataset.concepts(), memory=0, reduce=Preprocessing((32, 32)).reduced)
    for asked in (True, False):
        list(loader.batches([range(6)], annotations=asked))
    assert len(decoded) == 2 * len(SIZES)


def test_who_asks_at_the_same_time_waits(dataset: Dataset, decoded: list[tuple[int, ...]]) -> None:
    loader = Loader(dataset, workers=4, reduce=Preprocessing((32, 32)).reduced)
    (batch,) = loader.batches([[3] * 8])
    assert len(batch.images) == 8
    assert decoded == [(500, 301)]


class Whole:
    """Notes how many pixels of whole pictures are there at a time."""

    def __init__(self) -> None:
        self.now, self.most, self.lock = 0, 0, threading.Lock()

    def __call__(self, image: np.ndarray) -> np.ndarray:
        pixels = image.shape[0] * image.shape[1]
        with self.lock:
            self.now += pixels
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self.lock:
            self.now -= pixels
        return image[:1, :1].copy()


@pytest.mark.parametrize(
    ("room", "least", "most"), [(1, 1, 1), (PIXELS, 1, 1), (2 * PIXELS, 2, 2), (4 * PIXELS, 2, 4)]
)
def test_large_pictures_wait_for_each_other(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, room: int, least: int, most: int
) -> None:
    """Also one that is larger than all the room, by itself."""
    monkeypatch.setattr(decoder, "AT_ONCE", room)
    seen = Whole()
    list(Loader(dataset, workers=6, reduce=seen).ahead([0, 1, 4, 5] * 3, annotations=False))
    assert least * PIXELS <= seen.most <= most * PIXELS


def test_the_survey_waits_too(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from interpret_core.datasets import statistics

    monkeypatch.setattr(decoder, "AT_ONCE", PIXELS)
    monkeypatch.setattr(statistics, "_CHUNK", 1)
    seen = Whole()

    def noted(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        seen(pixels)
        return shrink(pixels, size)

    monkeypatch.setattr(statistics, "shrink", noted)
    found = survey(dataset, dataset.concepts(), workers=4)
    assert found.valid.all()
    assert seen.most == 301 * 500, "the largest, alone"


def test_what_fails_makes_room(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "AT_ONCE", 1)

    def fails(_image: np.ndarray) -> np.ndarray:
        raise RuntimeError("no")

    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"no"):
            Loader(dataset, reduce=fails).read(0)
    assert Loader(dataset).read(0).image.shape == (240, 320, 3)


def test_a_forked_process_has_room(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that hold some do not go on there."""
    monkeypatch.setattr(decoder, "AT_ONCE", 1)
    with decoder.held():
        dataset.read_image(0)
        found = _in_a_fork(lambda: threading.Thread(target=dataset.read_image, args=(1,)))
    assert found == 0


def _in_a_fork(thread: Callable[[], threading.Thread]) -> int:
    child = os.fork()
    if not child:
        started = thread()
        started.start()
        started.join(5)
        os._exit(int(started.is_alive()))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_damaged_large_picture_takes_no_room(folder: Path, tmp_path: Path) -> None:
    text = (folder / "index.csv").read_text().replace("2.jpg,,20,31", "2.jpg,,8000,6000")
    (tmp_path / "index.csv").write_text(text)
    (tmp_path / "label.csv").write_bytes((folder / "label.csv").read_bytes())
    (tmp_path / "images").symlink_to(folder / "images")
    dataset = open_dataset(tmp_path)
    found = Loader(dataset, reduce=Preprocessing((32, 32)).reduced).read(2)
    assert "is 20×31 pixels, expected 8000×6000" in found.problem
    assert found.image.nbytes == 3
    assert not Preprocessing((32, 32), (0, 0, 0), (1, 1, 1)).batch([found.image]).any()
