from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from interpret_core.datasets.pictures import read_rgb, shrink
from interpret_core.errors import DamagedFileError
from tests.datasets.files import bmp

RGB = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def save(tmp_path: Path, image: Image.Image, name: str = "a.png", **how: object) -> Path:
    image.save(tmp_path / name, **how)  # type: ignore[arg-type]
    return tmp_path / name


def test_rgb_is_read_exactly(tmp_path: Path) -> None:
    pixels = read_rgb(save(tmp_path, Image.fromarray(RGB)), (6, 9))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, RGB)


def test_grey_is_repeated(tmp_path: Path) -> None:
    grey = RGB[..., 0].copy()
    pixels = read_rgb(save(tmp_path, Image.fromarray(grey)), (6, 9))
    np.testing.assert_array_equal(pixels, np.repeat(grey[..., None], 3, axis=2))


def test_wide_grey_keeps_its_high_byte(tmp_path: Path) -> None:
    wide = RGB[..., 0].astype(np.uint16) * 256 + 255
    pixels = read_rgb(save(tmp_path, Image.fromarray(wide)), (6, 9))
    np.testing.assert_array_equal(pixels[..., 1], RGB[..., 0])


def test_alpha_is_dropped_and_colours_stay(tmp_path: Path) -> None:
    rgba = np.dstack([RGB, np.zeros((6, 9), dtype=np.uint8)])
    np.testing.assert_array_equal(read_rgb(save(tmp_path, Image.fromarray(rgba)), (6, 9)), RGB)


@pytest.mark.parametrize("transparency", [None, 0, bytes([0, 128, 255])])
def test_palette_is_looked_up(tmp_path: Path, transparency: int | bytes | None) -> None:
    indices = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    image = Image.fromarray(indices).convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 9, 8, 7])
    how: dict[str, object] = {} if transparency is None else {"transparency": transparency}
    path = save(tmp_path, image, **how)  # type: ignore[arg-type]
    colours = np.array([[255, 0, 0], [0, 255, 0], [9, 8, 7]], dtype=np.uint8)
    np.testing.assert_array_equal(read_rgb(path, (2, 3)), colours[indices])


@pytest.mark.parametrize(
    ("bits", "greys"), [(8, [0, 255]), (4, [0, 255]), (1, [0, 255]), (4, [0, 1, 2, 3]), (8, [7, 200])]
)
def test_a_bmp_of_a_few_greys(tmp_path: Path, bits: int, greys: list[int]) -> None:
    indices = np.random.default_rng(1).integers(0, len(greys), (5, 7))
    (tmp_path / "a.bmp").write_bytes(bmp(indices, bits, greys))
    pixels = read_rgb(tmp_path / "a.bmp", (5, 7))
    np.testing.assert_array_equal(pixels, np.repeat(np.array(greys)[indices][..., None], 3, axis=2))


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    red = Image.new("RGB", (16, 16), (250, 10, 10)).convert("CMYK")
    pixels = read_rgb(save(tmp_path, red, "a.jpg", quality=100), (16, 16))
    assert abs(pixels.astype(int) - [250, 10, 10]).max() <= 3


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_exif_orientation_is_applied_as_pillow_does(tmp_path: Path, orientation: int, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path, Image.fromarray(RGB), name, exif=exif.tobytes())
    with Image.open(path) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read_rgb(path, wanted.shape[:2]), wanted)


GARBLED = [
    b"Exif\0\0garbage",
    b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
    b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\0\0\0\x01\xff\xff\xff\xff\0\0\0\0",
]


@pytest.mark.parametrize("exif", GARBLED)
@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_garbled_exif_does_not_damage_the_pixels(tmp_path: Path, exif: bytes, name: str) -> None:
    assert read_rgb(save(tmp_path, Image.fromarray(RGB), name, exif=exif), (6, 9)).shape == (6, 9, 3)


def jpeg(tmp_path: Path) -> Path:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return save(tmp_path, Image.fromarray(noise), "a.jpg")


@pytest.mark.parametrize("keep", [0, 2, 100, 0.5, 0.95])
def test_truncated_jpeg(tmp_path: Path, keep: float) -> None:
    path = jpeg(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: keep if isinstance(keep, int) else int(keep * len(content))])
    with pytest.raises(DamagedFileError, match="cannot be decoded") as caught:
        read_rgb(path, (64, 64))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_size_missing_and_text(tmp_path: Path) -> None:
    path = save(tmp_path, Image.fromarray(RGB))
    with pytest.raises(DamagedFileError, match="is 6×9 pixels, expected 9×6"):
        read_rgb(path, (9, 6))
    with pytest.raises(DamagedFileError, match="is missing"):
        read_rgb(tmp_path / "nowhere.png", (9, 6))
    path.write_text("<html>not found</html>")
    with pytest.raises(DamagedFileError, match="cannot be decoded"):
        read_rgb(path, (6, 9))


def test_a_folder_in_the_place_of_an_image(tmp_path: Path) -> None:
    with pytest.raises(DamagedFileError):
        read_rgb(tmp_path, (6, 9))


def test_too_many_pixels_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpret_core.datasets.decoder.MAX_PIXELS", 50)
    with pytest.raises(DamagedFileError, match="at most 50"):
        read_rgb(save(tmp_path, Image.fromarray(RGB)), (6, 9))


def test_shrink_is_the_mean_of_each_cell() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    means = pixels.reshape(4, 2, 4, 3, 3).mean(axis=(1, 3))
    assert np.abs(shrink(pixels, (4, 4)) - means).max() <= 0.5 + 1e-9


def test_shrink_takes_whole_pixels_where_the_grids_do_not_match() -> None:
    """Seven columns to three cells of 2⅓: centres 0.5, 1.5 | 2.5, 3.5, 4.5 | 5.5, 6.5, as 227 to 113 does."""
    columns = np.array([30, 60, 90, 120, 150, 180, 210], dtype=np.uint8)
    pixels = np.broadcast_to(columns[None, :, None], (3, 7, 3)).copy()
    assert shrink(pixels, (3, 3))[0, :, 0].tolist() == [45, 120, 195]
