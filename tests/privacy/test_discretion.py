"""How names are told to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpret_core.privacy import VARIABLE, Discretion, discretion, pictures_leave

HOME = Path.home()


@pytest.mark.parametrize(
    ("asked", "called"),
    [
        (["m:f@/a/b/w.safetensors"], ["m:f@w.safetensors"]),
        (["m:f@../a/w.safetensors#ema"], ["m:f@w.safetensors#ema"]),
        (["m:f@/a/one/w.st", "m:f@/a/two/w.st"], ["m:f@one/w.st", "m:f@two/w.st"]),
        (["m:f@a/w.st", "m:f@b/w.st", "m:g@b/w.st"], ["m:f@a/w.st", "m:f@b/w.st", "m:g@w.st"]),
        (["torchvision/alexnet@C:\\ada\\w.st"], ["torchvision/alexnet@w.st"]),
        (["timm/x@random", "demo/vgg11", "m:f"], ["timm/x@random", "demo/vgg11", "m:f"]),
    ],
)
def test_networks_are_called_by_their_files_alone(asked: list[str], called: list[str]) -> None:
    told = discretion(asked)
    assert [told.text(one) for one in asked] == called
    assert told.text(f"{asked[0]} on kitchen, split val") == f"{called[0]} on kitchen, split val"


def test_what_a_stored_result_was_once_asked_for_by_is_cut_as_well() -> None:
    assert Discretion().text("other:factory@/home/bea/w.st") == "other:factory@w.st"


def test_folders_have_names_and_labels_are_no_folders(tmp_path: Path) -> None:
    root = tmp_path / "x" / "kitchen"
    told = discretion([], (str(root), "kitchen", root))
    assert (
        told.text(f"image {tmp_path}/x/kitchen/images/1.jpg is missing")
        == "image kitchen/images/1.jpg is missing"
    )
    assert told.text(f"{HOME}/w.st: no") == "~/w.st: no"
    for label in ("/a/airfield", "/d/dining room", "and/or", "ada@home", "#3", "."):
        assert told.text(label) == label


def test_a_data_set_that_is_asked_for_as_a_place_changes_no_other_text(tmp_path: Path) -> None:
    told = discretion([], (".", "kitchen", tmp_path))
    assert told.told({"name": ".", "said": "As is. 1.jpg"}) == {"name": "kitchen", "said": "As is. 1.jpg"}


def test_numbers_stand_for_pictures_whole_names_alone() -> None:
    told = Discretion(pictures=["1.jpg", "a/1.jpg", "11.jpg", "one two.png"])
    assert told.told(["1.jpg", "a/1.jpg", "11.jpg", "one two.png", "2.jpg"]) == [
        "#0",
        "#1",
        "#2",
        "#3",
        "2.jpg",
    ]
    assert told.text("images/a/1.jpg cannot be read; 11.jpg = 1.jpg.") == "images/#1 cannot be read; #2 = #0."
    assert told.text("21.jpg, jpg") == "21.jpg, jpg"
    labels = {"concept": "1.jpg", "class": "a/1.jpg", "image": "1.jpg"}
    assert told.told(labels) == {**labels, "image": "#0"}, "a label that is called like a file is a label"
    assert told.told({"a/1.jpg": ("11.jpg", 1, None, 0.5)}) == {"#1": ("#2", 1, None, 0.5)}


@pytest.mark.parametrize(
    ("value", "wanted", "leave"),
    [("", True, True), ("0", True, False), ("no", True, False), ("1", False, False)],
)
def test_the_variable_only_forbids(
    value: str, wanted: bool, leave: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert pictures_leave(wanted) is leave


def test_folders_of_downloads_are_places_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The note of a network whose weights are missing says where to put them."""
    monkeypatch.setenv("TORCH_HOME", "/data/of-ada/torch")
    note = "Put the file at /data/of-ada/torch/hub/checkpoints/alexnet.pth to use it."
    wanted = "Put the file at $TORCH_HOME/hub/checkpoints/alexnet.pth to use it."
    assert discretion(["torchvision/alexnet"]).text(note) == wanted
    monkeypatch.delenv("TORCH_HOME")
    home = str(Path.home())
    assert discretion([]).text(f"at {home}/.cache/torch/x.pth to") == "at ~/.cache/torch/x.pth to"
