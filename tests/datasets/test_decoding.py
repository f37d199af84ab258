"""What counts as readable depends on the file alone, whatever the process has set or is short of."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile, TiffImagePlugin

from interpret_core.datasets import decoder
from interpret_core.datasets.decoder import decode
from interpret_core.datasets.pictures import read_rgb
from interpret_core.errors import DamagedFileError, DatasetError
from tests.datasets.files import RGB, Tiff, png, unturned

PIXELS = np.random.default_rng(6).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def users_settings() -> Iterator[None]:
    """Whatever a test sets does not reach the next one."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, TiffImagePlugin.READ_LIBTIFF
    yield
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, TiffImagePlugin.READ_LIBTIFF = before


def saved(kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **how)
    return buffer.getvalue()


FORMATS = {
    "JPEG": saved("JPEG"),
    "PNG": saved("PNG"),
    "WebP": saved("WEBP", lossless=True),
    "GIF": saved("GIF"),
    "BMP": saved("BMP"),
    "PPM": saved("PPM"),
    "TIFF": Tiff(8, RGB, rows=8).write(PIXELS),
    "tiled TIFF": Tiff(8, RGB, tile=(16, 16), deflate=True).write(PIXELS),
}


def pixels(content: bytes) -> np.ndarray:
    return decode("image", Path("there"), content, lambda image: np.array(image.convert("RGB")))


def plain(content: bytes) -> None:
    """As other code in the process decodes."""
    with Image.open(io.BytesIO(content)) as image:
        image.load()


@pytest.mark.filterwarnings("ignore:Truncated File Read", "ignore:Corrupt EXIF", "ignore:Metadata")
@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("name", FORMATS)
def test_truncated_files_are_damaged(name: str, lenient: bool) -> None:
    content = FORMATS[name]
    whole = pixels(content)
    ImageFile.LOAD_TRUNCATED_IMAGES = lenient
    for keep in (0.05, 0.3, 0.5, 0.7, 0.9, 0.97):
        try:
            found = pixels(content[: int(keep * len(content))])
        except DamagedFileError:
            continue
        np.testing.assert_array_equal(found, whole, err_msg="what was made up for the missing rest")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is lenient


def test_settings_are_put_back() -> None:
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, TiffImagePlugin.READ_LIBTIFF = True, 12345, False
    pixels(FORMATS["PNG"])
    with pytest.raises(DamagedFileError):
        pixels(FORMATS["PNG"][:90])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert type(Image.MAX_IMAGE_PIXELS) is int
    assert Image.MAX_IMAGE_PIXELS == 12345
    assert TiffImagePlugin.READ_LIBTIFF is False


@pytest.mark.parametrize("limit", [10, 2000, None])
def test_the_process_s_limit_is_not_ours(limit: int | None) -> None:
    """3,072 pixels: beyond the first limit Pillow refuses, beyond the second it warns, here an error."""
    Image.MAX_IMAGE_PIXELS = limit
    np.testing.assert_array_equal(pixels(FORMATS["PNG"]), PIXELS)
    np.testing.assert_array_equal(pixels(FORMATS["TIFF"]), PIXELS)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_each_thread_has_its_own_settings() -> None:
    """Other code that lets Pillow fill up truncated files goes on doing so, at the same time."""
    ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = True, 2000
    truncated, over, wrong = FORMATS["JPEG"][: len(FORMATS["JPEG"]) // 2], threading.Event(), []

    def others() -> None:
        small = truncated  # 3,072 pixels: warned of
        while not over.is_set():
            try:
                with pytest.warns(Image.DecompressionBombWarning):
                    plain(small)
            except Exception as error:
                wrong.append(error)

    def ours() -> None:
        for _ in range(150):
            try:
                pixels(truncated)
                wrong.append("taken for whole")
            except DamagedFileError:
                pass

    one = threading.Thread(target=others)
    several = [threading.Thread(target=ours) for _ in range(3)]
    for thread in (one, *several):
        thread.start()
    for thread in several:
        thread.join()
    over.set()
    one.join()
    assert not wrong
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
    assert Image.MAX_IMAGE_PIXELS == 2000


def test_a_setting_made_while_we_decode() -> None:
    """It counts for whoever made it, from then on; what we decoded meanwhile is decoded once more."""
    attempts = 0

    def convert(image: Image.Image) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            ImageFile.LOAD_TRUNCATED_IMAGES = True
        image.load()

    with pytest.raises(DamagedFileError):
        decode("image", Path("there"), FORMATS["PNG"][:-200], convert)
    assert attempts == 2
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True

    def restless(image: Image.Image) -> None:
        ImageFile.LOAD_TRUNCATED_IMAGES = True

    with pytest.raises(DatasetError, match="changes Pillow's settings") as caught:
        decode("image", Path("there"), FORMATS["PNG"], restless)
    assert not isinstance(caught.value, DamagedFileError)


def warned(orientation: int) -> bytes:
    """EXIF that states an orientation, then breaks off: Pillow warns."""
    tags = (
        b"\x02\x00"
        + b"\x12\x01\x03\x00\x01\x00\x00\x00"
        + bytes([orientation, 0, 0, 0])
        + b"\x0f\x01\x02\x00\xff"
    )
    return b"II*\x00\x08\x00\x00\x00" + tags


@pytest.mark.parametrize("filters", ["ignore", "error", "always"])
def test_warnings_do_not_matter(tmp_path: Path, filters: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(unturned(PIXELS, 6), 8, [(b"eXIf", warned(6))]))
    with warnings.catch_warnings():
        warnings.simplefilter(filters)
        if filters == "always":
            with pytest.warns(UserWarning, match="Corrupt EXIF"):
                np.testing.assert_array_equal(read_rgb(path, (48, 64)), PIXELS)
        else:
            np.testing.assert_array_equal(read_rgb(path, (48, 64)), PIXELS)


def test_a_warning_and_a_full_room_do_not_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread has all the room and wants the settings' lock; the other begins anew without warnings."""
    monkeypatch.setattr(decoder, "AT_ONCE", 48 * 64)
    path = tmp_path / "a.png"
    path.write_bytes(png(unturned(PIXELS, 6), 8, [(b"eXIf", warned(6))]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [
            threading.Thread(target=lambda: [read_rgb(path, (48, 64)) for _ in range(20)], daemon=True)
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert not [thread for thread in threads if thread.is_alive()]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (MemoryError(), MemoryError),
        (OSError("out of memory error when reading image file"), MemoryError),
        (OSError(errno.EIO, os.strerror(errno.EIO)), DatasetError),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), DatasetError),
    ],
)
def test_what_is_not_the_file_s_fault(raised: Exception, expected: type[Exception]) -> None:
    def convert(image: Image.Image) -> None:
        raise raised

    with pytest.raises(expected) as caught:
        decode("image", Path("there"), FORMATS["PNG"], convert)
    assert not isinstance(caught.value, DamagedFileError)


SCARCE = """
import resource, sys
from pathlib import Path
import numpy, PIL.Image
from interpret_core.datasets.pictures import read_rgb
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + 60_000_000, resource.RLIM_INFINITY))
read_rgb(Path(sys.argv[1]), None)
"""


@pytest.mark.thorough
def test_too_little_memory_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (7000, 7000)).save(path)
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", SCARCE, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=here)
    assert done.stderr.strip().splitlines()[-1].startswith("MemoryError")
