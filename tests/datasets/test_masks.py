"""Which number a pixel of a mask stands for, in every format; and what is refused, with the true reason."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from interpret_core.datasets import open_dataset
from interpret_core.datasets.masks import ListedLabels, read_mask
from interpret_core.errors import DamagedFileError
from tests.datasets.files import CMYK, FLOAT, INVERTED, LAB, RGB, SIGNED, YCBCR, Tiff, bmp, png
from tests.planted_dataset import save_mask, write_tables

EVERY = ListedLabels(range(1, 65536))
SMALL = np.array([[0, 1, 2, 3], [3, 3, 0, 1], [2, 2, 2, 0]])
LARGE = np.array([[0, 1, 300, 65535], [256, 255, 0, 1], [2, 4096, 2, 0]])


def read(tmp_path: Path, content: bytes, listed: ListedLabels = EVERY) -> np.ndarray:
    path = tmp_path / "mask"
    path.write_bytes(content)
    return read_mask(path, (3, 4), listed)


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def grey(numbers: np.ndarray) -> Image.Image:
    return Image.fromarray(numbers.astype(np.uint8))


def coded(numbers: np.ndarray) -> np.ndarray:
    """(h, w, 3) as Broden and COCO store numbers."""
    return np.stack([numbers & 255, numbers >> 8 & 255, numbers >> 16], 2).astype(np.uint8)


def indexed(numbers: np.ndarray, colours: list[tuple[int, int, int]]) -> Image.Image:
    image = Image.fromarray(numbers.astype(np.uint8), "P")
    image.putpalette([part for colour in colours for part in colour])
    return image


@settings(deadline=None)
@given(
    hnp.arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 0xFFFF))
)
def test_rgb_round_trip(tmp_path_factory: pytest.TempPathFactory, numbers: np.ndarray) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.png"
    save_mask(path, numbers)
    np.testing.assert_array_equal(read_mask(path, numbers.shape, EVERY), numbers)


ALPHA = np.random.default_rng(0).integers(0, 256, SMALL.shape)
ONE_CHANNEL: dict[str, tuple[Callable[[np.ndarray], bytes], np.ndarray]] = {
    "L PNG": (lambda numbers: saved(grey(numbers), "PNG"), SMALL),
    "L TIFF": (lambda numbers: saved(grey(numbers), "TIFF", compression="tiff_lzw"), SMALL),
    "L BMP": (lambda numbers: saved(grey(numbers), "BMP"), SMALL),
    "L GIF": (lambda numbers: saved(grey(numbers), "GIF"), SMALL),
    "L TGA": (lambda numbers: saved(grey(numbers), "TGA"), SMALL),
    "L PGM": (lambda numbers: saved(grey(numbers), "PPM"), SMALL),
    "1": (lambda numbers: saved(Image.fromarray(numbers > 0), "PNG"), (SMALL > 0).astype(int)),
    "LA PNG": (lambda numbers: png(np.stack([numbers, ALPHA], 2), 8), SMALL),
    "LA PNG, 16 bits": (lambda numbers: png(np.stack([numbers, ALPHA], 2), 16), LARGE),
    "LA TIFF": (lambda numbers: Tiff(8, extra=(2,)).write(np.stack([numbers, ALPHA], 2)), SMALL),
    "16 bits PNG": (lambda numbers: png(numbers, 16), LARGE),
    "16 bits PNG of which 12 are stated": (lambda n: png(n, 16, [(b"sBIT", b"\x0c")]), LARGE % 4096),
    "16 bits TIFF": (lambda numbers: Tiff(16).write(numbers), LARGE),
    "16 bits TIFF, big endian": (lambda numbers: Tiff(16, order=">").write(numbers), LARGE),
    "16 bits TIFF, compressed": (lambda n: Tiff(16, order=">", deflate=True, tile=(16, 16)).write(n), LARGE),
    "16 bits TIFF, signed": (lambda numbers: Tiff(16, kind=SIGNED).write(numbers), LARGE % 32768),
    "16 bits TIFF, signed, big endian": (
        lambda n: Tiff(16, kind=SIGNED, order=">", deflate=True).write(n),
        LARGE % 32768,
    ),
    "12 bits TIFF": (lambda numbers: Tiff(12, planar=True).write(numbers), LARGE % 4096),
    "32 bits TIFF": (lambda numbers: Tiff(32).write(numbers), LARGE),
    "32 bits TIFF, signed": (lambda numbers: Tiff(32, kind=SIGNED).write(numbers), LARGE),
    "32 bits TIFF, signed, big endian": (
        lambda n: Tiff(32, kind=SIGNED, order=">", deflate=True).write(n),
        LARGE,
    ),
    "16 bits PGM": (lambda n: b"P5\n4 3\n65535\n" + n.astype(">u2").tobytes(), LARGE),
    "10 bits PGM": (lambda n: b"P5\n4 3\n1000\n" + n.astype(">u2").tobytes(), LARGE % 1001),
    "PGM of the numbers 0 to 3": (lambda n: b"P5\n4 3\n3\n" + n.astype(np.uint8).tobytes(), SMALL),
    "PGM with void above its largest number": (
        lambda n: b"P5\n4 3\n3\n" + np.where(n == 0, 255, n).astype(np.uint8).tobytes(),
        np.where(SMALL == 0, 255, SMALL),
    ),
    "10 bits PGM with void above its largest number": (
        lambda n: b"P5 # a remark\n4 3 1000\n" + n.astype(">u2").tobytes(),
        LARGE,
    ),
    "plain PGM": (lambda n: b"P2\n4 3\n7\n" + " ".join(map(str, n.ravel())).encode(), SMALL),
    "RGBA PNG": (lambda numbers: png(np.dstack([coded(numbers), ALPHA]), 8), LARGE),
    "RGB TIFF": (lambda n: Tiff(8, RGB, planar=True).write(coded(n)), LARGE),
    "RGB WebP": (lambda n: saved(Image.fromarray(coded(n)), "WEBP", lossless=True), LARGE),
    "RGB BMP": (lambda n: saved(Image.fromarray(coded(n)), "BMP"), LARGE),
    "BMP of 8 bits, black and white": (lambda n: bmp(n, 8, [0, 255]), SMALL % 2),
    "BMP of 4 bits, black and white": (lambda n: bmp(n, 4, [0, 255]), SMALL % 2),
    "BMP of 4 bits, a ramp": (lambda n: bmp(n, 4, [0, 1, 2, 3]), SMALL),
    "BMP of 4 bits, a ramp, without its header": (lambda n: bmp(n, 4, [0, 1, 2, 3])[14:], SMALL),
    "BMP of 1 bit, white first": (lambda n: bmp(n, 1, [255, 0]), SMALL % 2),
    "RGB PPM": (lambda n: saved(Image.fromarray(coded(n)), "PPM"), LARGE),
}


@pytest.mark.parametrize("name", ONE_CHANNEL)
def test_the_number_is_the_value(tmp_path: Path, name: str) -> None:
    write, numbers = ONE_CHANNEL[name]
    found = read(tmp_path, write(numbers))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, numbers)


VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
DAVIS = [(0, 0, 0), (236, 95, 103), (249, 145, 87), (250, 200, 99)]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("colours", [DAVIS, [(7, 7, 7)] * 4])
def test_a_palette_mask_is_read_by_index(
    tmp_path: Path, kind: str, colours: list[tuple[int, int, int]]
) -> None:
    listed = ListedLabels([1, 2, 3])
    np.testing.assert_array_equal(read(tmp_path, saved(indexed(SMALL, colours), kind), listed), SMALL)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_palette_of_few_bits(tmp_path: Path, bits: int) -> None:
    numbers = SMALL % (1 << bits)
    content = saved(indexed(numbers, DAVIS), "PNG", bits=bits)
    np.testing.assert_array_equal(read(tmp_path, content, ListedLabels([1, 2, 3])), numbers)


def test_void_in_a_palette_mask(tmp_path: Path) -> None:
    """VOC draws a border of 255, which has to be listed."""
    numbers = SMALL.copy()
    numbers[0, 0] = 255
    colours = [*VOC, *[(0, 0, 0)] * 251, (224, 224, 192)]
    content = saved(indexed(numbers, colours), "PNG")
    with pytest.raises(DamagedFileError, match=r"by palette index, has label number 255.*`255,void,`"):
        read(tmp_path, content, ListedLabels([1, 2, 3]))
    np.testing.assert_array_equal(read(tmp_path, content, ListedLabels([1, 2, 3, 255])), numbers)


def test_a_recompressed_broden_mask_reads_the_same(tmp_path: Path) -> None:
    """Its palette's colours are label numbers, and its indices are not."""
    numbers = np.where(SMALL == 3, 300, SMALL * 7)
    palette = Image.fromarray(coded(numbers)).quantize(8)
    assert palette.mode == "P"
    np.testing.assert_array_equal(read(tmp_path, saved(palette, "PNG"), ListedLabels([7, 14, 300])), numbers)


def test_a_palette_that_can_mean_two_things_is_refused(tmp_path: Path) -> None:
    colours = [(0, 0, 0), (3, 0, 0), (2, 0, 0), (1, 0, 0)]
    content = saved(indexed(SMALL, colours), "PNG")
    with pytest.raises(DamagedFileError, match="two ways") as caught:
        read(tmp_path, content, ListedLabels([1, 2, 3]))
    line = str(caught.value)
    assert "by palette index with labels 1, 2, 3" in line
    assert "by palette colour (R + 256·G) with labels 1, 2, 3" in line
    assert "save the label numbers with one channel" in line
    assert "\n" not in line
    # Two readings that agree settle it, and so does a colour that is no label number.
    plain = saved(indexed(SMALL, [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)]), "PNG")
    np.testing.assert_array_equal(read(tmp_path, plain, ListedLabels([1, 2, 3])), SMALL)
    blue = saved(indexed(SMALL, [*colours[:3], (1, 0, 1)]), "PNG")
    np.testing.assert_array_equal(read(tmp_path, blue, ListedLabels([1, 2, 3])), SMALL)


def test_a_palette_of_five_bits_a_colour_is_read_by_index_alone(tmp_path: Path) -> None:
    """Pillow scales such a palette's colours: 1 would become 8."""
    content = tga_palette16(SMALL, [0, 3, 1, 2])
    np.testing.assert_array_equal(read(tmp_path, content, ListedLabels([1, 2, 3, 8, 16, 24])), SMALL)


@pytest.mark.parametrize("write", [lambda n: png(n, 4), lambda n: Tiff(4).write(n)])
def test_grey_of_four_bits_can_mean_two_things(tmp_path: Path, write: Callable[[np.ndarray], bytes]) -> None:
    """The value as it is stored, or the grey of eight bits that a program squeezed."""
    content = write(SMALL)
    np.testing.assert_array_equal(read(tmp_path, content, ListedLabels([1, 2, 3])), SMALL)
    np.testing.assert_array_equal(read(tmp_path, content, ListedLabels([17, 34, 51])), SMALL * 17)
    with pytest.raises(
        DamagedFileError, match=r"two ways, by its 4-bit values with labels 1, 2, 3 or as grey"
    ):
        read(tmp_path, content)


def test_the_third_channel_counts(tmp_path: Path) -> None:
    content = png(coded(SMALL + 65536 * (SMALL > 0)), 8)
    with pytest.raises(DamagedFileError, match=r"R \+ 256·G \+ 65536·B, has label number 6553[789]"):
        read(tmp_path, content, ListedLabels([1, 2, 3]))


def test_grey_stored_as_rgb_is_named(tmp_path: Path) -> None:
    content = png(np.repeat(SMALL[..., None], 3, 2), 8)
    with pytest.raises(DamagedFileError, match=r"65793.*a grey mask that was stored as RGB.*one channel"):
        read(tmp_path, content, ListedLabels([1, 2, 3]))


@pytest.mark.parametrize("number", [255, 65535])
def test_void_is_explained(tmp_path: Path, number: int) -> None:
    content = png(np.where(SMALL == 0, number, SMALL), 16)
    with pytest.raises(DamagedFileError, match=rf"{number},void,.*makes it count as unlabelled"):
        read(tmp_path, content, ListedLabels([1, 2, 3]))
    with pytest.raises(DamagedFileError) as caught:
        read(tmp_path, png(np.full((3, 4), 9), 8), ListedLabels([1, 2, 3]))
    assert ",void," not in str(caught.value)


def test_a_row_for_void_makes_it_unlabelled(tmp_path: Path) -> None:
    labels = [(1, "cat", ("object",)), (2, "dog", ("object",)), (3, "bus", ("object",)), (255, "void", ())]
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "m.png").write_bytes(png(np.where(SMALL == 0, 255, SMALL), 8))
    row = {"image": "a.png", "ih": 3, "iw": 4, "sh": 3, "sw": 4, "object": "m.png"}
    write_tables(tmp_path, [row], labels)
    dataset = open_dataset(tmp_path)
    table = dataset.concepts()
    assert [concept.name for concept in table.concepts] == ["cat", "dog", "bus"]
    np.testing.assert_array_equal(dataset.read_annotation(0, table)[0], SMALL)


def bmp16(numbers: np.ndarray) -> bytes:
    """A BMP of five bits a colour, which Pillow scales to eight: the number is its red."""
    return bmp(numbers << 10, 16, [])


def tga16(numbers: np.ndarray) -> bytes:
    """The same as TGA."""
    header = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 4, 3, 16, 0x20)
    return header + (numbers << 10).astype("<u2").tobytes()


def tga_palette16(numbers: np.ndarray, labels: list[int]) -> bytes:
    """A palette of five bits a colour: its entries' reds, which Pillow scales."""
    header = struct.pack("<BBBHHBHHHHBB", 0, 1, 1, 0, len(labels), 16, 0, 0, 4, 3, 8, 0x20)
    palette = (np.array(labels) << 10).astype("<u2").tobytes()
    return header + palette + numbers.astype(np.uint8).tobytes()


NOISE = np.random.default_rng(1).integers(0, 256, (3, 4, 3), dtype=np.uint8)
LOSSLESSLY, CHANNEL = "expected PNG: save it losslessly", "expected one channel, a palette, or RGB"
NOT_READ = "which is not read: save the label numbers as PNG, with one channel of 8 or 16 bits"
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "JPEG": (lambda: saved(grey(SMALL), "JPEG", quality=100), f"is a JPEG, .*{LOSSLESSLY}"),
    "MPO": (
        lambda: saved(grey(SMALL), "MPO", save_all=True, append_images=[grey(SMALL)]),
        f"is a JPEG, .*{LOSSLESSLY}",
    ),
    "WebP": (lambda: saved(Image.fromarray(NOISE), "WEBP", quality=100), f"is a lossy WebP, .*{LOSSLESSLY}"),
    "WebP with EXIF": (
        lambda: saved(Image.fromarray(NOISE), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
        f"is a lossy WebP, .*{LOSSLESSLY}",
    ),
    "moving WebP": (
        lambda: saved(
            Image.fromarray(NOISE), "WEBP", save_all=True, append_images=[Image.fromarray(NOISE[::-1])]
        ),
        f"is a lossy WebP, .*{LOSSLESSLY}",
    ),
    "JPEG in TIFF": (
        lambda: saved(Image.fromarray(np.zeros((3, 4), np.uint8)), "TIFF", compression="jpeg"),
        f"is a TIFF compressed as JPEG, .*{LOSSLESSLY}",
    ),
    "AVIF": (lambda: saved(Image.fromarray(NOISE), "AVIF"), f"of format AVIF, .*{LOSSLESSLY}"),
    "JPEG 2000": (
        lambda: saved(Image.fromarray(NOISE), "JPEG2000", irreversible=True),
        f"is a JPEG 2000, which may have altered label numbers and does not say so; {LOSSLESSLY}",
    ),
    "JPEG 2000 of the reversible transform, which may have layers left out all the same": (
        lambda: saved(grey(SMALL), "JPEG2000", irreversible=False, quality_mode="rates", quality_layers=[3]),
        f"is a JPEG 2000, which may have altered label numbers and does not say so; {LOSSLESSLY}",
    ),
    "PPM with a number above its largest": (
        lambda: b"P6\n4 3\n7\n" + NOISE.tobytes(),
        f"holds 3 bits a colour; {CHANNEL}",
    ),
    "plain PGM with a number above its largest": (
        lambda: b"P2\n4 3\n2\n" + " ".join(map(str, SMALL.ravel())).encode(),
        "too large for this mode: 3",
    ),
    "BMP of 16 bits": (lambda: bmp16(SMALL), f"holds 5 bits a colour; {CHANNEL}"),
    "TGA of 16 bits": (lambda: tga16(SMALL), f"holds 5 bits a colour; {CHANNEL}"),
    "16 bits a colour": (lambda: png(NOISE, 16), f"holds 16 bits a colour; {CHANNEL}"),
    "16 bits a colour, TIFF": (lambda: Tiff(16, RGB).write(NOISE), f"holds 16 bits a colour; {CHANNEL}"),
    "PPM of another largest number": (
        lambda: b"P6\n4 3\n7\n" + (NOISE % 8).tobytes(),
        f"holds 3 bits a colour; {CHANNEL}",
    ),
    "floating point": (
        lambda: Tiff(32, kind=FLOAT).write(SMALL.astype(float)),
        f"holds floating-point numbers; {CHANNEL}",
    ),
    "CMYK": (
        lambda: Tiff(8, CMYK).write(np.dstack([NOISE, NOISE[..., 0]])),
        f"holds CMYK colours; {CHANNEL}",
    ),
    "YCbCr": (
        lambda: Tiff(8, YCBCR, tags=((530, 3, (1, 1)),)).write(NOISE),
        f"holds YCbCr colours; {CHANNEL}",
    ),
    "LAB": (lambda: Tiff(8, LAB).write(NOISE), f"holds LAB colours; {CHANNEL}"),
    "multiplied by alpha": (
        lambda: Tiff(8, RGB, extra=(1,)).write(np.dstack([coded(SMALL), ALPHA])),
        f"multiplied by its alpha channel; {CHANNEL}",
    ),
    "grey multiplied by alpha": (
        lambda: Tiff(8, extra=(1,)).write(np.stack([SMALL, ALPHA], 2)),
        f"multiplied by its alpha channel; {CHANNEL}",
    ),
    "0 is white": (lambda: Tiff(8, INVERTED).write(SMALL), "is a TIFF in which 0 is white"),
    "negative": (
        lambda: Tiff(16, kind=SIGNED).write(SMALL - 2),
        "has label number -2, expected one of label.csv",
    ),
    "negative, 8 bits": (lambda: Tiff(8, kind=SIGNED).write(SMALL - 2), "has label number -2, expected"),
    "beyond 65535": (lambda: Tiff(32).write(SMALL + 70000), "has label number 70000, expected"),
    "beyond 2147483647": (lambda: Tiff(32).write(SMALL + (1 << 31)), "has label number 2147483648, expected"),
    "10 bits": (lambda: Tiff(10).write(SMALL), f"is a TIFF of 10 bits, {NOT_READ}"),
    "32 bits, big endian": (
        lambda: Tiff(32, order=">").write(SMALL),
        f"is a TIFF of 32 bits in big-endian order, {NOT_READ}",
    ),
    "16 bits with alpha": (
        lambda: Tiff(16, extra=(2,)).write(np.stack([SMALL, ALPHA], 2)),
        rf"is a TIFF of 16\+16 bits with an alpha channel, {NOT_READ}",
    ),
    "big-endian BigTIFF": (
        lambda: Tiff(8, order=">", big=True).write(SMALL),
        f"is a BigTIFF in big-endian order, {NOT_READ}",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_numbers_is_refused(tmp_path: Path, name: str) -> None:
    make, cause = REFUSED[name]
    with pytest.raises(DamagedFileError, match=cause) as caught:
        read(tmp_path, make())
    assert str(tmp_path / "mask") in str(caught.value)
    assert "\n" not in str(caught.value)
