from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from interpret_core.errors import ParameterError
from interpret_core.networks import Preprocessing


def photograph(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_batch_equals_the_formula() -> None:
    preprocessing = Preprocessing(size=(8, 12))
    photographs = [photograph(8, 12, seed) for seed in range(3)]
    batch = preprocessing.batch(photographs)
    mean, std = np.array(preprocessing.mean), np.array(preprocessing.std)
    expected = (np.stack(photographs) / 255.0 - mean) / std
    assert batch.dtype == torch.float32
    assert batch.shape == (3, 3, 8, 12)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(batch.permute(0, 2, 3, 1).numpy(), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
def test_the_whole_image_is_resized(interpolation: str) -> None:
    """Also when its aspect ratio differs: nothing is cropped, so annotations stay aligned."""
    preprocessing = Preprocessing((20, 20), (0.0,) * 3, (1.0,) * 3, interpolation)
    image = np.zeros((40, 80, 3), np.uint8)
    image[:10, :20, 0] = image[-10:, -20:, 1] = 255  # two opposite corners
    batch = preprocessing.batch([image, photograph(20, 20)])[0]
    assert batch[0, :4, :4].min() > 0.99
    assert batch[1, -4:, -4:].min() > 0.99
    assert batch[0].sum() == pytest.approx(25, abs=3)
    pillow = Image.fromarray(image).resize((20, 20), getattr(Image.Resampling, interpolation.upper()))
    np.testing.assert_allclose(batch.permute(1, 2, 0).numpy(), np.asarray(pillow) / 255, atol=1e-6)


def test_a_batch_does_not_depend_on_its_neighbours() -> None:
    preprocessing = Preprocessing(size=(16, 16))
    photographs = [photograph(16, 16, 1), photograph(30, 22, 2), photograph(16, 16, 3)]
    together = preprocessing.batch(photographs)
    for number, image in enumerate(photographs):
        assert torch.equal(together[number], preprocessing.batch([image])[0])


def test_read_only_and_sliced_arrays_are_welcome() -> None:
    image = photograph(16, 32)
    image.setflags(write=False)
    batch = Preprocessing(size=(16, 16)).batch([image[:, ::2], image[:, ::-1][:, :16]])
    assert batch.shape == (2, 3, 16, 16)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32),
              np.zeros((0, 4, 3), np.uint8), "photo.jpg"]
)  # fmt: skip
def test_other_images_are_refused_by_number(image: object) -> None:
    with pytest.raises(ParameterError, match=r"Image 1 has shape .* expected \(h, w, 3\) and uint8"):
        Preprocessing(size=(4, 4)).batch([photograph(4, 4), image])


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(ParameterError, match="empty"):
        Preprocessing().batch([])


@pytest.mark.parametrize(
    "values", [{"size": (0, 4)}, {"size": (4,)}, {"mean": (0.0, 0.0)}, {"std": (1.0, 0.0, 1.0)},
               {"mean": (0.0, 0.0, float("nan"))}, {"interpolation": "lanczos"}]
)  # fmt: skip
def test_wrong_settings(values: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="expected"):
        Preprocessing(**values)
