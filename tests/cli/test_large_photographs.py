"""8,000×6,000 photographs: what a profile needs of memory, and how often it decodes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import ROOT
from tests.planted_dataset import save_mask, write_tables

PHOTOGRAPHS, HEIGHT, WIDTH, GRID = 8, 6000, 8000, 16
RUN = """
import resource, sys
from PIL import ImageFile
from interpret_core.cli import main
whole, decoded = ImageFile.ImageFile.load, []
def load(image):
    decoded.append(image.size) if image.tile and image.size[0] > 1000 else None
    return whole(image)
ImageFile.ImageFile.load = load
status = main(sys.argv[1:])
print(status, len(decoded), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One picture under several names."""
    root = tmp_path_factory.mktemp("photographs")
    (root / "images").mkdir()
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((WIDTH, HEIGHT)).save(root / "images" / "0.jpg", quality=80)
    mask = np.zeros((GRID, GRID), np.uint16)
    mask[4:12, 4:12] = 1
    rows = []
    for index in range(PHOTOGRAPHS):
        if index:
            os.link(root / "images" / "0.jpg", root / "images" / f"{index}.jpg")
        save_mask(root / "images" / f"{index}.png", mask)
        sizes = {"ih": HEIGHT, "iw": WIDTH, "sh": GRID, "sw": GRID}
        rows.append({"image": f"{index}.jpg", "object": f"{index}.png", **sizes})
    write_tables(root, rows, [(1, "cat", ("object",))])
    return root


@pytest.mark.slow
def test_memory_and_decodings_of_a_profile(environment: Path, photographs: Path) -> None:
    """The survey decodes each once, all passes of the profile together once more."""
    asked = ("profile", "--network", "tests.planted_names:network", "--dataset", photographs)
    how = ("--batch-size", 32, "--min-images", 1, "--permutations", 0, "--quantile", 0.05)
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, (*asked, *how))],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )
    status, decoded, kilobytes = map(int, ran.stdout.split()[-3:])
    assert status == 0, ran.stderr
    assert decoded == 2 * PHOTOGRAPHS
    assert kilobytes * 1024 < 1.5e9
