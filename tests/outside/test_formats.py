"""A format that an installed package adds is a command like the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.cli import main
from interpret_core.datasets import open_dataset
from tests.outside.conftest import Install


def test_its_command_imports(tmp_path: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("unitscope.importers", "halves", "tests.outside.formats:Halves")
    (tmp_path / "in").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "in/a.png")
    out = tmp_path / "out"
    assert (
        main(["import", "halves", str(tmp_path / "in"), "--into", str(out), "--left", "sea", "--grid", "2x4"])
        == 0
    )
    assert "Imported: 1 picture, 1 label," in capsys.readouterr().out
    dataset = open_dataset(out)
    assert dataset.labels[7].name == "sea"
    assert np.array_equal(dataset.read_annotation(0, dataset.concepts())[0], [[1, 1, 0, 0]] * 2)
