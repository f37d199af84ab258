"""Licences of photographs come along with an import, and stand beside what is computed of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from interpret_core import datasets
from interpret_core.cli import main
from interpret_core.datasets.rights import LicenceCount, Rights, licence_files, rights_of
from interpret_core.importers import ImportSettings, run_import
from interpret_core.importers.formats.coco_instances import CocoInstances
from interpret_core.importers.formats.folder import PictureFolder

TEXTS = ["COPYING", "LICENCE", "dataset-license.md", "notice.txt"]
BY, NC = "Attribution License", "Attribution-NonCommercial License"
LICENCES = [{"id": 1, "name": BY, "url": "http://l/by"}, {"id": 2, "name": NC}, "no object", {"id": 3}]


def coco(root: Path, **more: object) -> Path:
    """Four pictures under three licences, one of which says nothing."""
    (root / "val2017").mkdir(parents=True)
    (root / "annotations").mkdir()
    pictures = []
    for number, licence in ((1, 1), (2, 2), (3, 1), (4, 9)):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(root / "val2017" / f"{number}.png")
        told = {"flickr_url": f"http://f/{number}"} if number < 3 else {"coco_url": f"http://c/{number}"}
        pictures.append(
            {"id": number, "file_name": f"{number}.png", "height": 8, "width": 8, "license": licence, **told}
        )
    square = [[0, 0, 4, 0, 4, 4, 0, 4]]
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": square, "iscrowd": 0}
    said = {"images": pictures, "annotations": [annotation], "categories": [{"id": 1, "name": "cat"}], **more}
    (root / "annotations" / "instances_val2017.json").write_text(json.dumps(said))
    return root


def test_coco_s_licences_of_single_pictures(tmp_path: Path) -> None:
    source = coco(tmp_path / "coco", licenses=LICENCES)
    (source / "LICENSE.txt").write_text("All of them.")
    run_import(CocoInstances(str(source)), ImportSettings(tmp_path / "with"))
    assert (tmp_path / "with" / "licences.csv").read_text().splitlines() == [
        "image,licence,address,origin",
        f"pictures/val2017/1.png,{BY},http://l/by,http://f/1",
        f"pictures/val2017/2.png,{NC},,http://f/2",
        f"pictures/val2017/3.png,{BY},http://l/by,http://c/3",
        "pictures/val2017/4.png,,,",
    ]
    found = rights_of(tmp_path / "with")
    counts = LicenceCount(BY, "http://l/by", 2), LicenceCount(NC, "", 1), LicenceCount("not stated", "", 1)
    assert found == Rights(("licences/LICENSE.txt",), counts)
    assert "2 pictures: Attribution License (http://l/by)" in found.lines()


def test_a_digest_is_the_same_with_licences_and_without(tmp_path: Path) -> None:
    digests = []
    for name, more in (("without", {}), ("with", {"licenses": LICENCES})):
        run_import(
            CocoInstances(str(coco(tmp_path / name, **more))), ImportSettings(tmp_path / f"{name}-set")
        )
        digests.append(datasets.open_dataset(tmp_path / f"{name}-set").digest)
    assert digests[0] == digests[1]
    assert not (tmp_path / "without-set" / "licences.csv").exists()
    assert rights_of(tmp_path / "without-set") == Rights()


def test_texts_of_licences_and_nothing_else_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for name in ("cat/1.png", "cat/2.png"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (int(name[4]), 0, 0)).save(source / name)
    for name in ("LICENCE", "dataset-license.md", "COPYING", "notice.txt", "notes.txt", "copyrights-of-x.py"):
        (source / name).write_text(name)
    Image.new("RGB", (8, 8)).save(source / "license.png")  # a picture, and no text
    assert [one.name for one in licence_files(source)] == [
        "COPYING",
        "LICENCE",
        "dataset-license.md",
        "notice.txt",
    ]
    run_import(PictureFolder(str(source)), ImportSettings(tmp_path / "set"))
    kept = tmp_path / "set" / "licences"
    assert sorted(one.name for one in kept.iterdir()) == [
        "COPYING",
        "LICENCE",
        "dataset-license.md",
        "notice.txt",
    ]
    assert (kept / "LICENCE").read_text() == "LICENCE"
    assert len(datasets.open_dataset(tmp_path / "set")) == 3


def test_what_is_computed_says_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    run_import(
        CocoInstances(str(coco(tmp_path / "coco", licenses=LICENCES))), ImportSettings(tmp_path / "set")
    )
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    assert main(["survey", "--dataset", str(tmp_path / "set"), "--out", str(tmp_path / "out.json")]) == 0
    told = json.loads((tmp_path / "out.json").read_text())["metadata"]["licences"]
    assert told["pictures"][0] == {"licence": BY, "address": "http://l/by", "pictures": 2}
    capsys.readouterr()
    assert main(["datasets", str(tmp_path / "set")]) == 0
    assert f"2 pictures: {BY} (http://l/by)" in capsys.readouterr().out


def test_a_table_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "licences.csv").write_bytes(b"\xff\xfe\x00")
    assert rights_of(tmp_path) == Rights()
    assert rights_of(tmp_path / "nowhere") == Rights()
