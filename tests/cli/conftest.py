from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.cli import main
from tests.planted_dataset import Planted, make_planted, save_mask, write_tables
from tests.planted_networks import scenes

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """One command's end."""

    status: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on stderr."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


Command = Callable[..., Ran]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own, nothing registered; the folder."""
    (tmp_path / "unitscope.toml").write_text("")
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("INTERPRET_DATASETS", "")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("INTERPRET_REAL_DATA", raising=False)
    return tmp_path


@pytest.fixture
def command(environment: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Ran(status, *capsys.readouterr())

    return run


def started(*arguments: object, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """A command in a process of its own, in the environment of the test."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "interpret_core", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
        cwd=os.environ["INTERPRET_CACHE"].rpartition("/")[0],
    )


def ended(process: subprocess.Popen[str]) -> Ran:
    """Waits for it."""
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    """Twelve small planted images; a test may damage them."""
    return make_planted(tmp_path / "planted", images=12, size=32, annotation=16)


@pytest.fixture(scope="session")
def planted_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`planted_networks.scenes()` in Broden's layout, annotated on the grid of the images."""
    root = tmp_path_factory.mktemp("sets") / "scenes"
    found = scenes()
    size = found.images.shape[1]
    rows = []
    for index, (image, objects) in enumerate(zip(found.images, found.objects, strict=True)):
        mask = f"{index}_object.png"
        save_mask(root / "images" / mask, objects.astype(np.uint16))
        Image.fromarray(image).save(root / "images" / f"{index}.png")
        size_columns = dict.fromkeys(("ih", "iw", "sh", "sw"), size)
        rows.append({"image": f"{index}.png", "split": "train", **size_columns, "object": mask})
    labels = [(number, name, ("object",)) for number, name in enumerate(found.names, 1)]
    write_tables(root, rows, labels)
    return root
