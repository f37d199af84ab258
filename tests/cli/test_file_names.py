"""Names of files and folders that are no text in UTF-8: every command goes on, and the screen names them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.planted_classes import write_photos
from tests.planted_names import NETWORK, Named
from tests.slow import thorough_beyond

ODD = os.fsdecode(b"caf\xe9")
QUICK = {
    "evaluate": ("--split", "all"),
    "profile": ("--min-images", 1, "--permutations", 0, "--quantile", 0.05),
    "relevance": ("--split", "all"),
    "ablate": ("--fractions", "0.2", "--rank", "top"),
    "agreement": ("--top", 0.2, "--permutations", 5, "--quantile", 0.05),
}


def test_a_stray_picture(command: Command, tmp_path: Path) -> None:
    root = write_photos(tmp_path / "photos", {"red/1.png": "red", "blue/2.png": "blue", f"red/{ODD}.png": ""})
    ran = command("evaluate", "--network", "tests.cli.networks:named", "--dataset", root, "--split", "all")
    assert (ran.status, ran.err) == (0, "")
    assert "2 images" in ran.out


@thorough_beyond(2)
@pytest.mark.parametrize("kind", QUICK)
def test_a_folder(command: Command, tmp_path: Path, kind: str) -> None:
    """One of its pictures is damaged, so that its name gets into results."""
    root = Named(split=False).write(tmp_path / ODD)
    (root / "images" / "3.png").write_bytes(b"")
    out = tmp_path / f"{ODD}.json"
    ran = command(kind, "--network", NETWORK, "--dataset", root, *QUICK[kind], "--out", out)
    assert (ran.status, ran.err) == (0, "")
    assert r"caf\udce9" in ran.out
    assert ODD in json.dumps(json.loads(out.read_text("utf-8")), ensure_ascii=False)
    again = command(kind, "--network", NETWORK, "--dataset", root, *QUICK[kind], "--out", tmp_path / "a.csv")
    assert (again.status, again.err) == (0, "")


def test_a_folder_is_listed(command: Command, tmp_path: Path) -> None:
    root = Named(split=False).write(tmp_path / ODD)
    assert r"caf\udce9: 24 images" in command("datasets", root).out


def test_a_cache(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / ODD))
    root = Named(split=False).write(tmp_path / "set")
    for _ in range(2):
        ran = command("evaluate", "--network", NETWORK, "--dataset", root, *QUICK["evaluate"])
        assert (ran.status, ran.err) == (0, "")
    assert "Found in the cache" in ran.out


def test_a_damaged_picture_of_such_a_name(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No table can name it; a layout that takes classes from folders can."""
    from interpret_core.datasets import classes
    from interpret_core.datasets.layouts.names import KnownNames

    root = write_photos(tmp_path / "photos", {"red/1.png": "red", "blue/2.png": "blue", f"red/{ODD}.png": ""})
    (root / "red" / f"{ODD}.png").write_bytes(b"damaged")
    with (root / "classes.csv").open("a") as file:
        file.write("red/odd.png,red\n")

    class Folders(KnownNames):
        def meant(self, name: str) -> list[str]:
            return [f"red/{ODD}.png"] if name == "red/odd.png" else super().meant(name)

    monkeypatch.setattr(classes, "KnownNames", Folders)
    for _ in range(2):
        ran = command(
            "evaluate", "--network", "tests.cli.networks:named", "--dataset", root, "--split", "all"
        )
        assert (ran.status, ran.err) == (0, "")
        assert r"1 skipped as damaged: image red/caf\udce9.png cannot be decoded" in ran.out
