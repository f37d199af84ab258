"""A picture that is stored turned reads like the same one stored upright, whatever states the orientation."""

from __future__ import annotations

import io
import itertools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from interpret_core.datasets import open_dataset, survey
from interpret_core.datasets.masks import ListedLabels, read_mask
from interpret_core.datasets.pictures import read_rgb
from tests.datasets.files import CMYK, GREY, LONG, RGB, Tiff, png, unturned
from tests.planted_dataset import write_tables
from tests.slow import thorough_beyond

TAG = 0x0112
ORIENTATIONS = range(1, 9)
PIXELS = np.random.default_rng(3).integers(0, 256, (6, 9, 4), dtype=np.uint8)  # oblong, no two rows alike
FLAT = np.zeros((32, 48, 3), np.uint8)  # four large patches: a lossy format keeps them apart
FLAT[:16, :24], FLAT[:16, 24:], FLAT[16:, :24] = (250, 0, 0), (0, 250, 0), (0, 0, 250)


def read(tmp_path: Path, content: bytes) -> np.ndarray:
    """What the product reads from these bytes."""
    path = tmp_path / "picture"
    path.write_bytes(content)
    return read_rgb(path, None)


def saved(image: Image.Image, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[TAG] = orientation
    return tags.tobytes()


def xmp(orientation: int) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


MODES: dict[str, Callable[[np.ndarray], Image.Image]] = {
    "RGB": lambda pixels: Image.fromarray(pixels[..., :3].copy()),
    "L": lambda pixels: Image.fromarray(pixels[..., 0].copy()),
    "RGBA": lambda pixels: Image.fromarray(pixels.copy()),
    "LA": lambda pixels: Image.merge("LA", [Image.fromarray(pixels[..., band].copy()) for band in (0, 3)]),
    "P": lambda pixels: Image.fromarray(pixels[..., :3].copy()).quantize(32),
    "I;16": lambda pixels: Image.fromarray(pixels[..., 0].astype(np.uint16) * 257),
    "CMYK": lambda pixels: Image.fromarray(pixels.copy(), "CMYK"),
    "1": lambda pixels: Image.fromarray(pixels[..., 0] > 127),
}


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """An image as it is stored with an orientation."""
    places = unturned(np.arange(image.width * image.height).reshape(image.height, image.width), orientation)
    if image.mode == "I;16":
        return Image.fromarray(np.asarray(image).ravel()[places])
    stored = Image.new(image.mode, places.shape[::-1])
    if image.mode == "P":
        stored.putpalette(image.getpalette())
    stored.putdata([list(image.get_flattened_data())[place] for place in places.ravel()])
    return stored


@thorough_beyond(24)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "compression", [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd", "tiff_lzma"]
)
def test_tiff_as_pillow_writes_it(tmp_path: Path, mode: str, compression: str | None) -> None:
    upright = MODES[mode](PIXELS)
    wanted = read(tmp_path, saved(upright, "TIFF"))
    assert wanted.shape == (6, 9, 3)
    for orientation, big in itertools.product(ORIENTATIONS, [False, True]):
        how = {"compression": compression, "tiffinfo": {TAG: orientation}, "big_tiff": big}
        content = saved(turned(upright, orientation), "TIFF", **how)
        np.testing.assert_array_equal(read(tmp_path, content), wanted)


LAYOUTS = list(itertools.product("<>", [False, True], [None, (16, 16)], [1 << 20, 2], [False, True]))


KINDS = [(GREY, 1, ()), (GREY, 2, (2,)), (RGB, 3, ()), (RGB, 4, (0,)), (RGB, 4, (2,)), (CMYK, 4, ())]
DEEP = [(16, *kind) for kind in KINDS if kind[:2] != (GREY, 2)]  # of that, Pillow has no mode: see test_depth


@thorough_beyond(5)
@pytest.mark.parametrize(("bits", "colours", "channels", "extra"), [*((8, *kind) for kind in KINDS), *DEEP])
@pytest.mark.parametrize("deflate", [False, True])
def test_tiff_in_every_layout(
    tmp_path: Path, bits: int, deflate: bool, colours: int, channels: int, extra: tuple[int, ...]
) -> None:
    """Strips, tiles, channels side by side or one after the other, either byte order, BigTIFF."""
    samples = PIXELS[..., :channels].astype(np.uint16) * (257 if bits == 16 else 1)
    if colours == CMYK:
        wanted = np.asarray(Image.fromarray(PIXELS, "CMYK").convert("RGB"))
    else:
        wanted = PIXELS[..., :3] if channels >= 3 else np.repeat(PIXELS[..., :1], 3, 2)
    for order, big, tile, rows, planar in LAYOUTS:
        if big and order == ">":
            continue  # Pillow does not read those: test_depth
        layout = Tiff(
            bits,
            colours,
            order=order,
            big=big,
            tile=tile,
            rows=rows,
            planar=planar,
            deflate=deflate,
            extra=extra,
        )
        for orientation in ORIENTATIONS:
            content = layout.write(unturned(samples, orientation), orientation)
            np.testing.assert_array_equal(read(tmp_path, content), wanted, err_msg=f"{layout} {orientation}")


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("kind", "modes", "how"),
    [
        ("PNG", ["RGB", "L", "RGBA", "LA", "P", "I;16", "1"], {}),
        ("WEBP", ["RGB", "RGBA"], {"lossless": True, "exact": True}),
    ],
)
def test_lossless_formats(
    tmp_path: Path, kind: str, modes: list[str], how: dict[str, Any], orientation: int
) -> None:
    for mode in modes:
        upright = MODES[mode](PIXELS)
        wanted = read(tmp_path, saved(upright, kind, **how))
        stored = turned(upright, orientation)
        content = saved(stored, kind, exif=exif(orientation), **how)
        np.testing.assert_array_equal(read(tmp_path, content), wanted)
        with Image.open(io.BytesIO(content)) as image:
            seen = ImageOps.exif_transpose(image)
            assert seen.size == (9, 6)
            if mode != "I;16":
                np.testing.assert_array_equal(np.asarray(seen.convert("RGBA").convert("RGB")), wanted)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("kind", "mode"),
    [(kind, mode) for kind in ("JPEG", "MPO", "AVIF", "WEBP") for mode in ("RGB", "L")]
    + [("JPEG", "CMYK"), ("MPO", "CMYK")],
)
def test_lossy_formats(tmp_path: Path, kind: str, mode: str, orientation: int) -> None:
    upright = Image.fromarray(FLAT).convert(mode)
    stored = Image.fromarray(unturned(FLAT, orientation)).convert(mode)
    extra = {"save_all": True, "append_images": [Image.new(mode, stored.size)]} if kind == "MPO" else {}
    content = saved(stored, kind, exif=exif(orientation), quality=95, **extra)
    found = read(tmp_path, content)
    wanted = read(tmp_path, saved(upright, kind, quality=95, **extra))
    assert found.shape == wanted.shape == FLAT.shape
    assert np.abs(found.astype(int) - wanted).mean() < 4


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_an_orientation_that_only_xmp_states(tmp_path: Path, orientation: int) -> None:
    rgb, stored = PIXELS[..., :3], unturned(PIXELS[..., :3], orientation)
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(orientation)
    note = xmp(orientation)
    contents = {
        "PNG": png(stored, 8, before=[(b"iTXt", text)]),
        "PNG, after the pixels": png(stored, 8, after=[(b"iTXt", text)]),
        "WEBP": saved(Image.fromarray(stored), "WEBP", lossless=True, xmp=note),
        "TIFF": Tiff(8, RGB, tags=((700, 7, note),)).write(stored),
        "TIFF, compressed": Tiff(8, RGB, tags=((700, 7, note),), deflate=True).write(stored),
    }
    for name, content in contents.items():
        np.testing.assert_array_equal(read(tmp_path, content), rgb, err_msg=name)
    jpeg = saved(Image.fromarray(unturned(FLAT, orientation)), "JPEG", quality=95, subsampling=0, xmp=note)
    assert np.abs(read(tmp_path, jpeg).astype(int) - FLAT).mean() < 4


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exif_of_a_png_wherever_it_stands(tmp_path: Path, orientation: int) -> None:
    rgb, stored = PIXELS[..., :3], unturned(PIXELS[..., :3], orientation)
    chunk = (b"eXIf", exif(orientation).removeprefix(b"Exif\0\0"))
    raw = exif(orientation)
    old = b"Raw profile type exif\0\0" + zlib.compress(f"\nexif\n{len(raw):8}\n{raw.hex()}\n".encode())
    for content in (png(stored, 8, [chunk]), png(stored, 8, after=[chunk]), png(stored, 8, [(b"zTXt", old)])):
        np.testing.assert_array_equal(read(tmp_path, content), rgb)


@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_means_nothing_turns_nothing(tmp_path: Path, orientation: int) -> None:
    rgb = PIXELS[..., :3]
    for content in (
        Tiff(8, RGB).write(rgb, orientation),
        Tiff(8, RGB, deflate=True).write(rgb, orientation),
        png(rgb, 8, [(b"eXIf", exif(orientation).removeprefix(b"Exif\0\0"))]),
    ):
        np.testing.assert_array_equal(read(tmp_path, content), rgb)


def test_an_orientation_stored_as_a_long_number(tmp_path: Path) -> None:
    rgb = PIXELS[..., :3]
    for deflate in (False, True):
        layout = Tiff(8, RGB, deflate=deflate, tags=((TAG, LONG, (6,)),))
        np.testing.assert_array_equal(read(tmp_path, layout.write(unturned(rgb, 6))), rgb)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_masks_are_turned_too(tmp_path: Path, orientation: int) -> None:
    numbers = np.random.default_rng(0).integers(0, 300, (6, 9))
    listed = ListedLabels(range(1, 300))
    path = tmp_path / "mask"
    stored = unturned(numbers, orientation)
    tag = [(b"eXIf", exif(orientation).removeprefix(b"Exif\0\0"))]
    rgb = np.stack([stored & 255, stored >> 8, 0 * stored], 2)
    for content in (
        png(stored, 16, tag),
        png(rgb, 8, after=tag),
        png(np.stack([stored, 0 * stored], 2), 16, tag),
        Tiff(16).write(stored, orientation),
        Tiff(16, planar=True).write(stored, orientation),
        Tiff(16, deflate=True, tile=(16, 16)).write(stored, orientation),
        Tiff(8, RGB).write(rgb, orientation),
    ):
        path.write_bytes(content)
        np.testing.assert_array_equal(read_mask(path, (6, 9), listed), numbers)


@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_a_data_set_of_turned_pictures_is_that_of_upright_ones(tmp_path: Path, suffix: str) -> None:
    """Sizes in index.csv are those of the upright picture; no picture is left out, and the colours agree."""
    for name, orientation in (("upright", 1), ("turned", 6)):
        root = tmp_path / name
        (root / "images").mkdir(parents=True)
        stored = Image.fromarray(unturned(FLAT, orientation))
        how = {"tiffinfo": {TAG: orientation}} if suffix == "tif" else {"exif": exif(orientation)}
        stored.save(root / "images" / f"a.{suffix}", **how)
        row = {"image": f"a.{suffix}", "ih": 32, "iw": 48, "sh": 8, "sw": 8, "object": "1"}
        write_tables(root, [row], [(1, "thing", ("object",))])
    found = [open_dataset(tmp_path / name) for name in ("upright", "turned")]
    first, second = (survey(dataset, dataset.concepts()) for dataset in found)
    assert not first.problems
    assert not second.problems
    np.testing.assert_array_equal(first.shades.lab, second.shades.lab)
    np.testing.assert_array_equal(found[0].read_image(0), found[1].read_image(0))
