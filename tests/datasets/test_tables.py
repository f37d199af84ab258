from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from interpret_core.datasets import known, open_dataset
from interpret_core.errors import DatasetError

INDEX = "image,split,ih,iw,sh,sw,object,part\n"
ROW = "a.png,train,8,8,4,4,a_object.png,a_part1.png;a_part2.png\n"
LABELS = "number,name,category\n1,cat,object(1)\n2,leg,object(3);part(3)\n"


def write(root: Path, index: str | bytes = INDEX + ROW, labels: str | bytes = LABELS, **more: str) -> Path:
    root.mkdir(exist_ok=True)
    tables = {"index.csv": index, "label.csv": labels, **{f"{k}.csv": v for k, v in more.items()}}
    for name, text in tables.items():
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def complaint(root: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        open_dataset(root)
    message = str(caught.value)
    assert "\n" not in message, message
    assert "expected" in message, message
    return message


def test_records_and_labels(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path / "mine"))
    assert dataset.name == "mine"
    assert len(dataset) == 1
    assert dataset.annotation_size == (4, 4)
    assert dataset.categories == ("object", "part")
    record = dataset.records[0]
    assert (record.image, record.split, record.size) == ("a.png", "train", (8, 8))
    assert record.maps == {"object": ("a_object.png",), "part": ("a_part1.png", "a_part2.png")}
    assert dataset.labels[2].categories == {"object": 3, "part": 3}


def test_cells_may_be_empty_hold_numbers_or_be_quoted(tmp_path: Path) -> None:
    index = (
        "image,split,ih,iw,sh,sw,object,scene,texture\n"
        '"a, b.png",train,8,8,4,4,,300,"1; 2;"\n'
        "\n"
        "c.png,,8,9,4,4, ;,0,\n"
    )
    dataset = open_dataset(write(tmp_path, index))
    assert dataset.records[0].image == "a, b.png"
    assert dataset.records[0].maps == {"scene": (300,), "texture": (1, 2)}
    assert dataset.records[1].maps == {}  # 0 is "unlabelled"
    assert dataset.records[1].size == (8, 9)


def test_a_split_column_is_not_required(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path, "image,ih,iw,sh,sw,object\na.png,8,8,4,4,\n"))
    assert dataset.records[0].split == ""


def test_duplicate_images_are_allowed(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path, INDEX + ROW * 10))
    assert len(dataset) == 10
    assert (
        dataset.repetition == "1 image has several rows in index.csv, each of which counts: a.png (10 rows)"
    )
    assert open_dataset(write(tmp_path / "once")).repetition == ""


def test_display_names_lose_brodens_suffixes_but_raw_stays(tmp_path: Path) -> None:
    labels = (
        "number,name,category\n1,grey-c,color(2)\n2,street-s,scene(2)\n3,vitamin-c,object(1)\n4,-c,color(1)\n"
    )
    found = open_dataset(write(tmp_path, labels=labels)).labels
    assert [found[n].name for n in (1, 2, 3, 4)] == ["grey", "street", "vitamin-c", "-c"]
    assert [found[n].raw for n in (1, 2)] == ["grey-c", "street-s"]


def test_category_table_tells_notes_from_categories(tmp_path: Path) -> None:
    index = "image,ih,iw,sh,sw,note,pose,object\na.png,8,8,4,4,by hand,,\n"
    without = open_dataset(write(tmp_path / "without", index))
    assert without.categories == ("object", "note", "pose")
    named = open_dataset(write(tmp_path / "with", index, category="name,first\nobject,1\npose,2\n"))
    assert named.categories == ("object", "pose")


def test_dense_tables_may_add_a_label_to_their_category(tmp_path: Path) -> None:
    root = write(tmp_path, c_part="code,number,name\n1,1,cat\n")
    assert [(c.category, c.number) for c in open_dataset(root).concepts().concepts] == [
        ("object", 1), ("object", 2), ("part", 1), ("part", 2),
    ]  # fmt: skip
    assert "label 9 is not in label.csv" in complaint(write(tmp_path, c_part="code,number,name\n1,9,cat\n"))


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert len(open_dataset(write(tmp_path, b"\xef\xbb\xbf" + (INDEX + ROW).encode()))) == 1


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ("", ["index.csv", "image"]),
        ("image,split,ih,iw,object\n", ["sh, sw"]),
        ("image,image,ih,iw,sh,sw,object\n", ["column twice"]),
        ("image,ih,iw,sh,sw,object,object\u200b\n", ["column twice", "'object\\u200b'"]),
        ("image,split,ih,iw,sh,sw\na.png,train,8,8,4,4\n", ["no category column"]),
        (INDEX, ["lists no image"]),
        (INDEX + "a.png,train,8,8,4,4,\n", ["line 2", "7 cells", "expected 8"]),
        (INDEX + "a.png,train,8,8,four,4,,\n", ["line 2", "'four'"]),
        (INDEX + "a.png,train,8,8,4,²,,\n", ["line 2", "'²'"]),
        (INDEX + "a.png,train,0,8,4,4,,\n", ["line 2", "ih is '0'"]),
        (INDEX + "a.png,train,60000,60000,4,4,,\n", ["line 2", "60000×60000"]),
        (INDEX + ",train,8,8,4,4,,\n", ["line 2", "file ''"]),
        (INDEX + 'a.png,train,8,8,4,4,"x" y,\n', ["comma-separated"]),
        (INDEX + "a.png,train,8,8,4,4,a\0b.png,\n", ["line 2"]),
        (b"image,ih,iw,sh,sw,object\nM\xfcller.png,8,8,4,4,\n", ["0xfc", "UTF-8"]),
    ],
)
def test_a_bad_index_is_one_clear_line(tmp_path: Path, index: str | bytes, words: list[str]) -> None:
    message = complaint(write(tmp_path, index))
    assert "index.csv" in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    "path", ["../x.png", "/etc/passwd", "a/../../x.png", "C:/x.png", "..", "a\\..\\x.png"]
)
@pytest.mark.parametrize(
    "form", ["{},train,8,8,4,4,,\n", "a.png,train,8,8,4,4,{},\n", "a.png,train,8,8,4,4,,1;{}\n"]
)
def test_paths_outside_the_folder_are_refused(tmp_path: Path, path: str, form: str) -> None:
    message = complaint(write(tmp_path, INDEX + form.format(path)))
    assert "line 2" in message
    assert repr(path) in message


def test_dots_within_a_name_are_fine(tmp_path: Path) -> None:
    assert (
        open_dataset(write(tmp_path, INDEX + "a..b/..c.png,,8,8,4,4,,\n")).records[0].image == "a..b/..c.png"
    )


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ("", ["number, name, category"]),
        ("number,name,category\n", ["lists no label"]),
        ("number,name,category\nx,cat,object\n", ["line 2", "'x'"]),
        ("number,name,category\n70000,cat,object\n", ["line 2", "65535"]),
        ("number,name,category\n1,,object\n", ["no name"]),
        ("number,name,category\n1,cat,object\n1,dog,object\n", ["line 3", "twice"]),
        ("number,name,category\n1,cat,object(x)\n", ["line 2", "object(12);part(3)"]),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ["UTF-8"]),
    ],
)
def test_bad_labels_are_one_clear_line(tmp_path: Path, labels: str | bytes, words: list[str]) -> None:
    message = complaint(write(tmp_path, labels=labels))
    assert "label.csv" in message
    assert all(word in message for word in words), message


def test_missing_folder_and_missing_tables(tmp_path: Path) -> None:
    assert "does not exist" in complaint(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert "neither index.csv" in complaint(tmp_path / "empty")
    write(tmp_path / "half")
    (tmp_path / "half" / "label.csv").unlink()
    assert "label.csv is missing" in complaint(tmp_path / "half")


def test_names_come_from_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "folder")
    (tmp_path / "unitscope.toml").write_text('[datasets]\nkitchen = "folder"\n')
    assert known() == {"kitchen": folder}
    assert open_dataset("kitchen").name == "kitchen"
    assert open_dataset("kitchen", registered_only=True).root == folder
    assert open_dataset(str(folder)).name == "folder"
    with pytest.raises(DatasetError, match=r"Unknown data set 'kitchn'.*did you mean kitchen"):
        open_dataset("kitchn")


@pytest.mark.parametrize("spell", [str, lambda path: f"{path}/", lambda path: path])
def test_pages_cannot_open_folders(tmp_path: Path, spell: Callable[[Path], str | Path]) -> None:
    folder = write(tmp_path / "folder")
    with pytest.raises(DatasetError, match="Unknown data set"):
        open_dataset(spell(folder), registered_only=True)


def test_unknown_category(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path))
    assert dataset.concepts().categories == ("object", "part")  # material and color are not there
    with pytest.raises(DatasetError, match=r"Unknown category 'parts'.*part"):
        dataset.concepts(["parts"])
    with pytest.raises(DatasetError, match=r"no label in material, expected .* choose among object, part\."):
        dataset.concepts(["material"])


def test_a_category_that_label_csv_spells_otherwise(tmp_path: Path) -> None:
    """Neither `choose among object` nor `did you mean object` would help."""
    labels = "number,name,category\n1,cat,Object(1)\n2,leg,Object(3);Part(3)\n"
    dataset = open_dataset(write(tmp_path, labels=labels))
    what = r"label\.csv lists labels in {}, and index\.csv has the columns object, part"
    remedy = r"write one name in both\."
    with pytest.raises(DatasetError, match=rf"no label in object, .*{what.format('Object, Part')}: {remedy}"):
        dataset.concepts()
    with pytest.raises(DatasetError, match=rf"no column 'Object'.*{what.format('Object, Part')}: {remedy}"):
        dataset.concepts(["Object"])
    assert {name: len(found) for name, found in dataset.without_column.items()} == {"Object": 2, "Part": 1}
    some = open_dataset(write(tmp_path, labels=labels.replace("1,cat,Object", "1,cat,object")))
    assert some.concepts().categories == ("object",)
    assert [label.name for label in some.without_column["Object"]] == ["leg"]
    with pytest.raises(DatasetError, match="write one name in both, or choose among object"):
        some.concepts(["part"])


def test_a_default_category_without_a_column_is_left_out(tmp_path: Path) -> None:
    labels = "number,name,category\n1,cat,object(1);material(2)\n2,wood,material(2)\n"
    dataset = open_dataset(write(tmp_path, labels=labels))
    assert [concept.name for concept in dataset.concepts().concepts] == ["cat"]
    assert list(dataset.without_column) == ["material"]


def test_labels_without_any_category(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path, labels="number,name,category\n1,cat,\n"))
    with pytest.raises(
        DatasetError, match=r"label\.csv names a category for none of its labels: .* object, part"
    ):
        dataset.concepts()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\n".join(f"{line},," for line in text.splitlines()),
        lambda text: "\n".join(f"{line}, " for line in text.splitlines()),
        lambda text: "\n".join(
            line if at == 0 else f"{line},,," for at, line in enumerate(text.splitlines())
        ),
        lambda text: "\n".join(f"{at or ''},{line}" for at, line in enumerate(text.splitlines())),
        lambda text: text.replace("image,split", "image,,,split").replace("a.png,", "a.png,,,"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace("\n", "\r\n") + ",,,,,,,\r\n",
    ],
    ids=["two empty", "one empty", "wider rows", "row numbers", "between", "old Mac", "an empty row"],
)
def test_what_spreadsheets_leave_behind(tmp_path: Path, change: Callable[[str], str]) -> None:
    plain = open_dataset(write(tmp_path / "plain", INDEX + ROW))
    found = open_dataset(write(tmp_path / "changed", change(INDEX + ROW)))
    assert list(found.records) == list(plain.records)
    assert found.categories == plain.categories


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (INDEX.strip() + ",,\n" + ROW.strip() + ",,x\n", "line 2 has 10 cells, expected 8"),
        (
            "image,split,ih,iw,sh,sw,,object\na.png,train,8,8,4,4,x,\n",
            "line 2 has 'x' in column 7, expected nothing",
        ),
        (INDEX.replace(",", ";") + ROW, "semicolons stand between its cells, so export it with commas"),
        (INDEX.replace(",", "\t") + ROW, "tabs stand between its cells"),
    ],
)
def test_what_they_must_not_leave(tmp_path: Path, index: str, words: str) -> None:
    assert words in complaint(write(tmp_path, index))
