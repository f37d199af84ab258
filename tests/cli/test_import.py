"""`import`: a command per format, from its files to a profile; mistakes and traps in one line each."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from interpret_core.datasets import open_dataset
from tests.cli.conftest import Command, Ran
from tests.importers.sources import (
    files_of,
    number_png,
    photograph,
    save,
    write_json,
    write_panoptic,
    write_voc,
)
from ui.session.inventory.known import words_of

SMALL = ("--network", "tests.cli.networks:small", "--permutations", 0, "--min-images", 1)
GRID = ("--grid", 16)


def wrong(done: Ran, *parts: str) -> None:
    assert done.status == 2, (done.out, done.err)
    assert done.line.startswith("Error: ")
    for part in parts:
        assert part in done.line


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_voc_to_a_profile(command: Command, environment: Path) -> None:
    write_voc(environment / "source")
    done = command("import", "voc", environment / "source", "--into", environment / "mine", *GRID)
    assert done.status == 0, done.err
    assert "Imported: 4 pictures, 20 labels" in done.out
    assert "Label maps of 3 sizes from 32×32 to 48×32 were brought to 16×16 by nearest" in done.out
    assert f'mine = "{environment / "mine"}"' in done.out
    done = command("profile", "--dataset", environment / "mine", *SMALL, "--out", environment / "units.csv")
    assert done.status == 0, done.err
    concepts = {row["concept"] for row in rows(environment / "units.csv") if row["concept"]}
    assert concepts <= {"aeroplane", "person", "tvmonitor"}
    assert len(concepts) > 1


def test_panoptic_to_a_profile(command: Command, environment: Path) -> None:
    write_panoptic(environment / "coco")
    target = environment / "mine"
    done = command(
        "import", "coco-panoptic", environment / "coco", "--into", target, "--grid", "16x16", "--copy"
    )
    assert done.status == 0, done.err
    assert "Imported: 4 pictures, 3 labels" in done.out
    done = command("profile", "--dataset", target, *SMALL, "--out", environment / "units.csv")
    assert done.status == 0, done.err
    concepts = {row["concept"] for row in rows(environment / "units.csv") if row["concept"]}
    assert concepts <= {"person", "dog", "sky-other-merged"}


def test_a_folder_to_an_evaluation(command: Command, environment: Path) -> None:
    for place, name in enumerate(("red/1.png", "red/2.png", "blue/1.png", "blue/2.png")):
        save(environment / "in" / name, photograph((16, 16), place))
    assert command("import", "folder", environment / "in", "--into", environment / "mine").status == 0
    done = command("datasets", environment / "mine")
    assert "2 classes of 4 images" in done.out


def test_help_names_every_format(command: Command) -> None:
    done = command("import")
    assert done.status == 0
    for name in (
        "coco-panoptic",
        "coco-instances",
        "ade20k",
        "voc",
        "cityscapes",
        "camvid",
        "masks",
        "folder",
    ):
        assert name in done.out


def escape(environment: Path, name: str, where: str) -> tuple[object, ...]:
    """A panoptic set whose JSON leads elsewhere."""
    save(environment / "secret.jpg", photograph((8, 8), 0))
    save(environment / "coco/val/a.jpg", photograph((8, 8), 0))
    number_png(environment / "secret.png", np.ones((8, 8), np.int64))
    number_png(environment / "coco/panoptic_val/a.png", np.ones((8, 8), np.int64))
    image = {"id": 1, "file_name": "a.jpg", "height": 8, "width": 8}
    annotation = {"image_id": 1, "file_name": "a.png", "segments_info": [{"id": 1, "category_id": 1}]}
    {"image": image, "annotation": annotation}[where]["file_name"] = name
    path = write_json(environment / "coco/panoptic_val.json", [image], [annotation])
    return ("import", "coco-panoptic", path, "--into", environment / "mine")


@pytest.mark.parametrize("where", ["image", "annotation"])
@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg",
        "/etc/passwd",
        "x/../../secret.jpg",
        "C:/secret.jpg",
        "..\\secret.jpg",
        "./a.jpg",
        "a//b",
        "",
    ],
)
def test_names_that_lead_elsewhere(command: Command, environment: Path, name: str, where: str) -> None:
    arguments = escape(environment, name, where)
    before = files_of(environment)
    wrong(command(*arguments), "file name", "panoptic_val.json")
    after = {name: one for name, one in files_of(environment).items() if not name.startswith("mine/.import/")}
    assert after == before


@pytest.mark.parametrize("value", [None, 3, ["a"], {"a": 1}, "\ud800.jpg", "\0"])
def test_names_that_are_none(command: Command, environment: Path, value: object) -> None:
    arguments = escape(environment, value, "image")  # type: ignore[arg-type]
    done = command(*arguments)
    wrong(done)
    assert not (environment / "mine" / "index.csv").exists()


def test_a_name_that_is_odd_but_stays(command: Command, environment: Path) -> None:
    """Semicolons, commas, quotes, spaces at the ends: what index.csv's cells give another meaning."""
    latin = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    for place, name in enumerate((' a;b,c".png', "a%3Bb.png", "é\n.png", "=1+1.png", latin)):
        save(environment / "photos" / name, photograph((16, 16), place))
        save(environment / "masks" / name, np.full((16, 16), 1 + place, np.uint8))
    (environment / "p.csv").write_text("number,name\n1,a\n2,b\n3,c\n4,=d\n5,e\n")
    done = command(
        "import", "masks", environment / "photos", environment / "masks", "--palette", environment / "p.csv",
        "--into", environment / "mine", *GRID,
    )  # fmt: skip
    assert done.status == 0, done.err
    from tests.importers.sources import read

    data = read(environment / "mine")
    found = sorted(int(maps["object"][0][0, 0]) for maps in data.maps.values())
    assert found == [1, 2, 3, 4, 5]


def broken(change: str) -> object:
    """A JSON with one fault."""
    image = {"id": 1, "file_name": "a.jpg", "height": 8, "width": 8}
    other = {**image, "id": 2, "file_name": "b.jpg"}
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 0, 8, 8, 8]]}
    category = {"id": 1, "name": "cat"}
    images, annotations, categories = [image, other], [annotation], [category]
    if change == "image ids":
        other["id"] = 1
    elif change == "file names":
        other["file_name"] = "a.jpg"
    elif change == "annotation ids":
        annotations.append(dict(annotation))
    elif change == "category ids":
        categories.append({"id": 1, "name": "dog"})
    elif change == "sizes":
        image["height"] = -8
    elif change == "no id":
        del annotation["id"]
    elif change == "kinds":
        images.append("a.jpg")  # type: ignore[arg-type]
    elif change == "names":
        category["name"] = " "
    elif change == "ids":
        image["id"] = [1]
    elif change == "no categories":
        categories = []
    return {"images": images, "annotations": annotations, "categories": categories}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("image ids", "images[1]: id 1 or file 'b.jpg' is there twice"),
        ("file names", "images[1]: id 2 or file 'a.jpg' is there twice"),
        ("annotation ids", "annotations[1]: id 1 is there twice"),
        ("category ids", "categories[1]: id 1 is there twice"),
        ("sizes", "images[0]: height is -8"),
        ("no id", "annotations[0] has no id"),
        ("kinds", "images[2] is str"),
        ("names", "categories[0]: name is ' '"),
        ("ids", "images[0]: id [1]"),
        ("no categories", "lists no category"),
    ],
)
def test_a_json_that_contradicts_itself(command: Command, environment: Path, change: str, told: str) -> None:
    for name in ("a.jpg", "b.jpg"):
        save(environment / "coco/val" / name, photograph((8, 8), 0))
    path = environment / "coco/instances_val.json"
    path.write_text(json.dumps(broken(change)))
    before = files_of(environment)
    wrong(command("import", "coco-instances", path, "--into", environment / "mine"), told)
    after = {name: one for name, one in files_of(environment).items() if not name.startswith("mine/.import/")}
    assert after == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"images": [}', b"[" * 100_000, b'{"images": []}']
)
def test_broken_json(command: Command, environment: Path, content: bytes) -> None:
    (environment / "coco/val").mkdir(parents=True)
    path = environment / "coco/instances_val.json"
    path.write_bytes(content)
    wrong(command("import", "coco-instances", path, "--into", environment / "mine"), "instances_val.json")


def test_missing_pictures_are_named(command: Command, environment: Path) -> None:
    write_panoptic(environment / "coco")
    (environment / "coco/val2017/000000000001.jpg").unlink()
    done = command("import", "coco-panoptic", environment / "coco", "--into", environment / "mine", *GRID)
    assert done.status == 0
    assert "Left out: val2017/000000000001.jpg: image " in done.out
    assert "is missing" in done.out
    for name in (environment / "coco/val2017").iterdir():
        name.unlink()
    done = command("import", "coco-panoptic", environment / "coco", "--into", environment / "other", *GRID)
    wrong(done, "None of the 4 pictures of the source can be imported", "is missing")
    assert not (environment / "other").exists(), "once they are there, the same command imports them"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("voc", "nowhere"), "does not exist"),
        (("voc", "."), "expected one folder with JPEGImages"),
        (("cityscapes", "."), "leftImg8bit"),
        (("cityscapes", ".", "--ids", "colours"), "labelIds"),
        (("ade20k", "."), "neither objectInfo150.txt nor masks"),
        (("camvid", "."), "label_colors.txt"),
        (("folder", "empty"), "holds no picture"),
        (("masks", "empty", "empty", "--palette", "none.csv"), "none.csv is missing"),
        (("coco-panoptic", "empty"), "has no annotations/panoptic_*.json"),
        (("coco-instances", "nowhere.json"), "nowhere.json does not exist"),
        (("folder", "empty", "--grid", "12x"), "'12x' is no size"),
        (("folder", "empty", "--grid", "0"), "--grid is 0×0"),
        (("folder", "empty", "--resize", "0"), "--resize is 0"),
    ],
)
def test_sources_that_are_none(
    command: Command,
    environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    (environment / "work/empty").mkdir(parents=True)
    monkeypatch.chdir(environment / "work")
    wrong(command("import", *arguments, "--into", environment / "mine"), told)
    assert not (environment / "mine/index.csv").exists()


def test_targets_that_are_none(command: Command, environment: Path) -> None:
    save(environment / "in/a.jpg", photograph((8, 8), 0))
    (environment / "file").write_text("")
    (environment / "full").mkdir()
    (environment / "full/precious.txt").write_text("")
    wrong(
        command("import", "folder", environment / "in", "--into", environment / "in/out"), "lie in each other"
    )
    wrong(command("import", "folder", environment / "in", "--into", environment), "lie in each other")
    wrong(command("import", "folder", environment / "in", "--into", environment / "file"), "no import")
    wrong(command("import", "folder", environment / "in", "--into", environment / "full"), "no import")
    assert [path.name for path in (environment / "full").iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("palette", "told"),
    [
        ("", "names no label"),
        ("number,name\n", "names no label"),
        ("number,name\nx,cat\n", "line 2 has 'x'"),
        ("number,name\n1,cat\n1,dog\n", "line 3: 1 is listed twice"),
        ("r,g,b,name\n1,2,300,cat\n", "line 2 has '300'"),
        ("r,g,name\n1,2,cat\n", "expected either number,name or r,g,b,name"),
        ("number,name,category\n1,cat,../../x\n", "category '../../x'"),
        ("number,name,category\n1,cat,split\n", "category 'split'"),
        ("1 2 3 cat\n1 2 dog\n", "line 2 is no line"),
        ("void\nbackground\n", "names no label"),
    ],
)
def test_palettes_that_are_none(command: Command, environment: Path, palette: str, told: str) -> None:
    save(environment / "photos/a.jpg", photograph((8, 8), 0))
    save(environment / "masks/a.png", np.ones((8, 8), np.uint8))
    (environment / "p.csv").write_text(palette)
    arguments = (
        "import",
        "masks",
        environment / "photos",
        environment / "masks",
        "--palette",
        environment / "p.csv",
    )
    wrong(command(*arguments, "--into", environment / "mine"), told)
    assert not (environment / "mine/index.csv").exists()


@pytest.mark.parametrize("table", ["image,class\n", "image,class", "image,class,split\r\n\r\n , ,\n"])
def test_a_table_of_classes_without_a_row(command: Command, environment: Path, table: str) -> None:
    """Command, check and page take it for what it is: nothing is said of any image."""
    save(environment / "mine/1.png", photograph((16, 16), 0))
    (environment / "mine/classes.csv").write_text(table)
    assert "classes.csv names no class" in command("datasets", environment / "mine").out
    assert "Nothing suspicious was found" in command("datasets", "check", environment / "mine").out
    assert words_of(open_dataset(environment / "mine")) == "images, without annotations"
