"""Training on a few tiny pictures: an interrupted one ends with the weights of one that ran through."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from demo import train
from tests.slow import slow

PLAN = (train.Stage(64, 2, 0.1), train.Stage(96, 1, 0.1))  # large steps, so that a lost one shows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for number, name in enumerate(("bus", "cat")):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for picture in range(4):
            pixels = random.integers(0, 90, (96, 96, 3), dtype=np.uint8) + 120 * number
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "pictures" / name / f"{picture}.jpg")
    return tmp_path / "pictures"


@pytest.mark.thorough
@pytest.mark.parametrize("epochs_before", [slow(1), 2])
def test_an_interrupted_training_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs_before: int
) -> None:
    monkeypatch.setattr(train, "BATCH", 4)
    monkeypatch.setitem(train.PLANS, "alexnet", PLAN)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for out in (whole, broken):
        out.mkdir()
    train.train("alexnet", folder, whole)
    real, calls = train.one_epoch, []

    def stops(*arguments: object) -> tuple[float, float]:
        if len(calls) == epochs_before:
            raise KeyboardInterrupt
        calls.append(arguments)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(train, "one_epoch", stops)
    with pytest.raises(KeyboardInterrupt):
        train.train("alexnet", folder, broken)
    monkeypatch.setattr(train, "one_epoch", real)
    train.train("alexnet", folder, broken)
    expected, found = (load_file(out / "alexnet.safetensors") for out in (whole, broken))
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(value.float(), found[key].float(), rtol=1e-2, atol=1e-4, err_msg=key)
