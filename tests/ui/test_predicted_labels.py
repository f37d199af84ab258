"""Pages on photographs that a segmenter has labelled say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpret_core.cli.app import main
from tests.importers.sources import save
from tests.importers.test_segmenters import picture
from tests.ui.test_image_labels import _environment, markup, page
from tests.ui.test_pages import words
from ui.components.gallery.gallery import _outlined
from ui.session.view import Concept

CONFIG = """
[datasets]
mine = "mine"
[networks]
small = "tests.cli.networks:named"
"""


@pytest.mark.thorough
def test_units_and_relevance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in range(30):  # ten of each, so that no label is left out
        colour = ("red", "green", "blue")[place % 3]
        save(tmp_path / "in" / colour / f"{place}.png", picture(place, (16, 16)))
    (tmp_path / "unitscope.toml").write_text(CONFIG)
    _environment(monkeypatch, tmp_path, tmp_path / "cache")
    segmenter = ("--segmenter", "tests.importers.segmenting:colours", "--grid", "16")
    assert main(["import", "folder", str(tmp_path / "in"), *segmenter, "--into", str(tmp_path / "mine")]) == 0
    for command in ("profile", "relevance"):
        assert main([command, "--network", "small", "--dataset", "mine"]) == 0, capsys.readouterr().err
    app = page("units", "mine", unit="0")
    assert "3 concepts marked (predicted): a model's answers, which nobody has drawn" in words(app)
    assert "red (predicted)" in markup(app) + words(app)
    said = words(page("relevance", "mine"))
    assert "Summed inside masks that a model gives, and nobody has drawn: " in said


def test_outlines_say_whose_they_are() -> None:
    assert _outlined(Concept(1, "dog (predicted)", "object")) == "“dog (predicted)” as a model labels it"
    assert _outlined(Concept(1, "dog", "object")) == "“dog” as annotated"
