"""Pictures of more, or fewer, than eight bits a colour: the right 8-bit picture, or the true reason."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from interpret_core.datasets.pictures import read_rgb
from interpret_core.errors import DamagedFileError
from tests.datasets.files import CMYK, FLOAT, GREY, INVERTED, LAB, RGB, SIGNED, YCBCR, Tiff, png

PIXELS = np.random.default_rng(4).integers(0, 256, (6, 9, 4), dtype=np.uint8)
PIXELS[0, 0], PIXELS[0, 1] = 0, 255  # black and white are there
COLOURS, GREYS = PIXELS[..., :3], np.repeat(PIXELS[..., :1], 3, 2)


def read(tmp_path: Path, content: bytes) -> np.ndarray:
    path = tmp_path / "picture"
    path.write_bytes(content)
    return read_rgb(path, (6, 9))


def deep(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Samples of so many bits whose highest eight are the given ones, with noise below."""
    noise = np.random.default_rng(5).integers(0, 1 << (bits - 8), pixels.shape)
    return (pixels.astype(np.int64) << (bits - 8)) + noise


def whole(pixels: np.ndarray, largest: int) -> np.ndarray:
    """The same picture in numbers up to `largest`, as a camera's program scales them."""
    return np.round(pixels.astype(np.float64) * largest / 255).astype(np.int64)


def same(found: np.ndarray, wanted: np.ndarray, within: int = 0) -> None:
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - wanted).max() <= within


def test_png_of_sixteen_bits(tmp_path: Path) -> None:
    for make in (lambda pixels: deep(pixels, 16), lambda pixels: whole(pixels, 65535)):
        same(read(tmp_path, png(make(PIXELS[..., 0]), 16)), GREYS)
        same(read(tmp_path, png(make(PIXELS[..., :2]), 16)), GREYS)
        same(read(tmp_path, png(make(COLOURS), 16)), COLOURS)
        same(read(tmp_path, png(make(PIXELS), 16)), COLOURS)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("own", [9, 10, 12, 14, 15])
def test_png_that_states_its_own_bits(tmp_path: Path, channels: int, own: int) -> None:
    """Scaled up to all bits, as the standard says, or the bare numbers, as many writers leave them."""
    wanted = GREYS if channels < 3 else COLOURS
    numbers = whole(PIXELS[..., :channels], (1 << own) - 1)
    stated = [(b"sBIT", bytes([own] * channels))]
    scaled = numbers << (16 - own) | numbers >> max(2 * own - 16, 0)
    for samples in (numbers, numbers << (16 - own), scaled, whole(PIXELS[..., :channels], 65535)):
        same(read(tmp_path, png(samples.squeeze(), 16, stated)), wanted, within=1)


def test_bare_numbers_whose_low_bits_are_zero(tmp_path: Path) -> None:
    numbers = COLOURS.astype(np.int64) << 4
    same(read(tmp_path, png(numbers, 16, [(b"sBIT", bytes([12, 12, 12]))])), COLOURS, within=1)


def test_a_dark_picture_stays_dark(tmp_path: Path) -> None:
    """Half as bright as white at most, and scaled as the standard says: nothing is brightened."""
    dark = COLOURS // 2
    for own, bits in ((15, 16), (7, 8)):
        numbers = whole(dark, (1 << own) - 1)
        samples = (numbers << (bits - own)) | (numbers >> (2 * own - bits))
        same(read(tmp_path, png(samples, bits, [(b"sBIT", bytes([own] * 3))])), dark, within=1)


def test_png_of_eight_bits_of_which_five_are_its_own(tmp_path: Path) -> None:
    numbers = COLOURS.astype(np.int64) >> 3
    stated = [(b"sBIT", bytes([5, 5, 5]))]
    same(read(tmp_path, png(numbers, 8, stated)), numbers * 255 // 31, within=1)
    same(read(tmp_path, png(COLOURS, 8, stated)), COLOURS)


@pytest.mark.parametrize("stated", [b"", b"\0\0\0", b"\5", b"\5\5\5\5", b"\x20\x20\x20"])
def test_bits_that_cannot_be_are_ignored(tmp_path: Path, stated: bytes) -> None:
    same(read(tmp_path, png(deep(COLOURS, 16), 16, [(b"sBIT", stated)])), COLOURS)
    same(read(tmp_path, png(COLOURS, 8, [(b"sBIT", stated)])), COLOURS)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_and_tiff_of_few_bits(tmp_path: Path, bits: int) -> None:
    numbers = PIXELS[..., 0] >> (8 - bits)
    wanted = np.repeat((numbers * (255 // ((1 << bits) - 1)))[..., None], 3, 2)
    for content in (png(numbers, bits), Tiff(bits).write(numbers), Tiff(bits, deflate=True).write(numbers)):
        same(read(tmp_path, content), wanted)
    same(read(tmp_path, Tiff(bits, INVERTED).write(numbers)), 255 - wanted)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_in_which_zero_is_white(tmp_path: Path, order: str) -> None:
    for bits in (1, 8):
        numbers = PIXELS[..., 0] >> (8 - bits)
        wanted = np.repeat((numbers * (255 // ((1 << bits) - 1)))[..., None], 3, 2)
        for deflate in (False, True):
            same(
                read(tmp_path, Tiff(bits, INVERTED, order=order, deflate=deflate).write(numbers)),
                255 - wanted,
            )


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_of_sixteen_bits(tmp_path: Path, order: str, planar: bool, deflate: bool) -> None:
    how: dict[str, Any] = {"order": order, "planar": planar, "deflate": deflate}
    for samples in (deep(PIXELS, 16), whole(PIXELS, 65535)):
        same(read(tmp_path, Tiff(16, GREY, **how).write(samples[..., 0])), GREYS)
        same(read(tmp_path, Tiff(16, RGB, **how).write(samples[..., :3])), COLOURS)
        same(read(tmp_path, Tiff(16, RGB, extra=(2,), **how).write(samples)), COLOURS)
        wanted = np.asarray(Image.fromarray(PIXELS, "CMYK").convert("RGB"))
        same(read(tmp_path, Tiff(16, CMYK, **how).write(samples)), wanted)
    if order == "<":
        same(read(tmp_path, Tiff(16, INVERTED, **how).write(65535 - deep(PIXELS[..., 0], 16))), GREYS)


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_tiff_of_twelve_bits(
    tmp_path: Path, planar: bool, deflate: bool, tile: tuple[int, int] | None
) -> None:
    layout = Tiff(12, planar=planar, deflate=deflate, tile=tile)
    same(read(tmp_path, layout.write(deep(PIXELS[..., 0], 12))), GREYS)
    same(read(tmp_path, layout.write(whole(PIXELS[..., 0], 4095))), GREYS)


@pytest.mark.parametrize("largest", [3, 100, 255, 256, 1000, 1023, 4095, 65535])
@pytest.mark.parametrize("magic", ["P2", "P3", "P5", "P6"])
def test_pnm_of_any_largest_number(tmp_path: Path, magic: str, largest: int) -> None:
    grey = magic in ("P2", "P5")
    numbers = whole(PIXELS[..., 0] if grey else COLOURS, largest)
    head = f"{magic}\n# made for a test\n9 6\n{largest}\n".encode()
    if magic in ("P2", "P3"):
        body = " ".join(map(str, numbers.ravel())).encode()
    else:
        body = numbers.astype(">u2" if largest > 255 else np.uint8).tobytes()
    wanted = GREYS if grey else COLOURS
    same(read(tmp_path, head + body), wanted, within=1 if largest >= 255 else 255 // largest)


def test_one_bit(tmp_path: Path) -> None:
    black = PIXELS[..., 0] > 127
    wanted = np.repeat(black[..., None], 3, 2) * 255
    for kind in ("PNG", "TIFF", "BMP", "PPM", "GIF"):
        buffer = io.BytesIO()
        Image.fromarray(black).save(buffer, kind)
        same(read(tmp_path, buffer.getvalue()), wanted)


def test_jpeg_2000_of_sixteen_bits(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(deep(PIXELS[..., 0], 16).astype(np.uint16)).save(buffer, "JPEG2000")
    same(read(tmp_path, buffer.getvalue()), GREYS)


def test_ycbcr_becomes_rgb(tmp_path: Path) -> None:
    converted = Image.fromarray(COLOURS.copy()).convert("YCbCr")
    wanted = np.asarray(converted.convert("RGB"))
    for deflate in (False, True):
        layout = Tiff(8, YCBCR, deflate=deflate, tags=((530, 3, (1, 1)),))
        same(read(tmp_path, layout.write(np.asarray(converted))), wanted, within=3)


def lab() -> bytes:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(Image.fromarray(COLOURS.copy()), *profiles, outputMode="LAB")
    buffer = io.BytesIO()
    assert converted is not None
    converted.save(buffer, "TIFF")
    return buffer.getvalue()


NUMBERS = PIXELS[..., 0].astype(np.int64)
NOT_READ = "which is not read: save it with 8 bits a colour, as PNG or JPEG"
REFUSED = {
    "32 bits": (lambda: Tiff(32).write(NUMBERS << 24), "more than 16 bits"),
    "32 bits, compressed": (lambda: Tiff(32, deflate=True).write(NUMBERS), "more than 16 bits"),
    "32 bits, big endian": (
        lambda: Tiff(32, order=">").write(NUMBERS),
        f"is a TIFF of 32 bits in big-endian order, {NOT_READ}",
    ),
    "32 bits, signed": (lambda: Tiff(32, kind=SIGNED).write(NUMBERS), "signed 32-bit numbers"),
    "16 bits, signed": (lambda: Tiff(16, kind=SIGNED).write(NUMBERS), "signed 16-bit numbers"),
    "8 bits, signed": (lambda: Tiff(8, kind=SIGNED).write(NUMBERS % 128), "signed 8-bit numbers"),
    "floating point": (lambda: Tiff(32, kind=FLOAT).write(NUMBERS / 255), "floating-point numbers"),
    "floating point of 16 bits": (
        lambda: Tiff(16, kind=FLOAT).write(NUMBERS),
        f"is a TIFF of 16 floating-point bits, {NOT_READ}",
    ),
    "floating point, colours": (
        lambda: Tiff(32, RGB, kind=FLOAT).write(COLOURS / 255),
        rf"is a TIFF of 32\+32\+32 floating-point bits, {NOT_READ}",
    ),
    "10 bits": (lambda: Tiff(10).write(NUMBERS << 2), f"is a TIFF of 10 bits, {NOT_READ}"),
    "12 bits, big endian": (
        lambda: Tiff(12, order=">").write(NUMBERS << 4),
        f"is a TIFF of 12 bits in big-endian order, {NOT_READ}",
    ),
    "12 bits, colours": (
        lambda: Tiff(12, RGB).write(COLOURS.astype(int) << 4),
        rf"is a TIFF of 12\+12\+12 bits, {NOT_READ}",
    ),
    "16 bits, alpha": (
        lambda: Tiff(16, extra=(2,)).write(deep(PIXELS[..., :2], 16)),
        rf"is a TIFF of 16\+16 bits with an alpha channel, {NOT_READ}",
    ),
    "16 bits, 0 is white, big endian": (
        lambda: Tiff(16, INVERTED, order=">").write(deep(NUMBERS, 16)),
        f"is a TIFF of 16 bits in which 0 is white, in big-endian order, {NOT_READ}",
    ),
    "big-endian BigTIFF": (
        lambda: Tiff(8, order=">", big=True).write(NUMBERS),
        "is a BigTIFF in big-endian order, which is not read: save it with 8 bits a colour, as PNG or JPEG",
    ),
    "a TIFF that breaks off": (lambda: Tiff(16).write(NUMBERS)[:8], r"cannot be decoded \(TIFF: .*: restore"),
    "LAB": (lab, "holds LAB colours"),
    "LAB of 16 bits": (
        lambda: Tiff(16, LAB).write(deep(COLOURS, 16)),
        r"a TIFF of 16\+16\+16 bits of CIELAB, ",
    ),
    "PFM": (lambda: b"Pf\n9 6\n-1.0\n" + (NUMBERS / 255).astype("<f4").tobytes(), "floating-point numbers"),
    "PFM of three colours": (lambda: b"PF\n9 6\n-1.0\n" + b"\0" * 648, "cannot be decoded"),
    "no picture": (lambda: b"hello", "no picture of a format that is read"),
    "nothing": (lambda: b"", "it is empty"),
    "a pointer": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "Git LFS pointer",
    ),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_stated_white_is_refused(tmp_path: Path, name: str) -> None:
    """Never black, white or clipped: a line that says what the file holds."""
    make, cause = REFUSED[name]
    with pytest.raises(DamagedFileError, match=cause) as caught:
        read(tmp_path, make())
    assert str(tmp_path / "picture") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "BytesIO" not in str(caught.value)
