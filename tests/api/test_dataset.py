"""Pictures in memory: what is asked about is what was given, to the last pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import interpret_core as ic
from interpret_core.datasets.classes import read_classes
from interpret_core.errors import DatasetError, ParameterError
from tests.api.networks import LIVE
from tests.planted_dataset import make_planted

BLACK = np.zeros((8, 8, 3), np.uint8)
MAP = np.ones((8, 8), int)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))


class Pairs(torch.utils.data.Dataset):
    """Pictures with classes, as torchvision's data sets are."""

    classes = ("dark", "light")

    def __init__(self, draw=lambda number: torch.Generator().manual_seed(number)):
        self.draw = draw

    def __len__(self):
        return 6

    def __getitem__(self, number):
        return torch.rand(3, 10, 12, generator=self.draw(number)), number % 2


def test_the_integers_are_those_of_the_same_pictures_as_a_folder(tmp_path):
    make_planted(tmp_path / "planted", images=6, size=32, annotation=32)
    folder = ic.open_dataset(tmp_path / "planted")
    table = folder.concepts()
    masks = []
    for i in range(len(folder)):
        planes = folder.read_annotation(i, table)
        masks.append(
            {
                (concept.name, concept.category): (planes == at).any(0)
                for at, concept in enumerate(table.concepts, 1)
            }
        )
    data = ic.dataset([folder.read_image(i) for i in range(len(folder))], masks)
    net = ic.wrap(LIVE, 32, mean=[0, 0, 0], std=[1, 1, 1])
    here, there = (
        ic.profile(net, one, quantile=0.05, min_images=1, permutations=0) for one in (data, folder)
    )
    for layer, one in here.layers.items():
        other = there.layers[layer]
        order = [here.concepts.index(name) for name in there.concepts if name in here.concepts]
        kept = [at for at, name in enumerate(there.concepts) if name in here.concepts]
        mine, its = (summary.profile.arrays["intersection"] for summary in (one, other))
        np.testing.assert_array_equal(mine[:, order], its[:, kept])
        assert mine.any()
    assert data.digest != folder.digest


def test_every_form_of_a_picture_is_the_same_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    grey = pixels[..., 0]
    forms = [
        pixels,
        pixels.transpose(2, 0, 1),
        torch.from_numpy(pixels),
        torch.from_numpy(pixels.transpose(2, 0, 1) / 255),
        (pixels / 255).astype(np.float32),
        Image.fromarray(pixels),
    ]
    data = ic.dataset([*forms, grey, grey[None] / 255, Image.fromarray(grey)], ["a"] * 9)
    for number in range(6):
        np.testing.assert_array_equal(data.read_image(number), pixels)
    for number in range(6, 9):
        np.testing.assert_array_equal(data.read_image(number), np.stack([grey] * 3, -1))


def test_a_torch_data_set_with_the_names_of_its_classes():
    data, again = ic.dataset(Pairs(), name="own"), ic.dataset(Pairs(), name="other")
    assert (data.name, again.name) == ("own", "other")
    assert data.digest == again.digest
    assert read_classes(data).by_image() == {i: ("dark", "light")[i % 2] for i in range(6)}
    assert ic.dataset(Pairs(), classes=["day", "night"]).digest != data.digest
    told = []
    ic.dataset(Pairs(), name="third", tell=lambda *one: told.append(one))
    assert told[0] == ("read", 1, 6)
    assert told[-1] == ("import", 6, 6)


def test_a_data_set_that_changes_as_it_is_read_is_refused():
    random = torch.Generator().manual_seed(0)
    with pytest.raises(DatasetError, match=r"Item 0 is another one each time .* random augmentation"):
        ic.dataset(Pairs(lambda _number: random))


def test_masks_overlap_and_labels_come_in_several():
    one, other = np.zeros((8, 8), bool), np.zeros((8, 8), bool)
    one[:5], other[4:] = True, True
    data = ic.dataset([BLACK], [({"top": one, "bottom": other}, "sky")])
    table = data.concepts()
    planes = data.read_annotation(0, table)
    for at, name in enumerate(table.names, 1):
        np.testing.assert_array_equal((planes == at).any(0), {"top": one, "bottom": other}[name])
    rows = ic.dataset([BLACK] * 3, torch.eye(3, dtype=torch.int64), classes=["a", "b", "c"])
    lists = ic.dataset([BLACK] * 3, [["a"], ["b"], ["c"]])
    assert rows.digest == lists.digest
    assert "labels" in lists.classes_table.splitlines()[0]


def test_arrays_that_are_used_again_for_the_next_item_are_copied():
    class Reused:
        picture, mask = BLACK.copy(), np.zeros((8, 8), bool)

        def __len__(self):
            return 12

        def __getitem__(self, number):
            self.picture[:] = number
            self.mask[:] = False
            self.mask[: number % 8 + 1] = True
            return self.picture, {"top": self.mask}

    data = ic.dataset(Reused())
    table = data.concepts()
    for number in range(12):
        assert (data.read_image(number) == number).all()
        assert int((data.read_annotation(number, table) == 1).sum()) == 8 * (number % 8 + 1)


def test_numbers_of_a_map_mean_what_is_said_and_void_is_nothing():
    given = np.array([[0, 1], [2, 255]]).repeat(4, 0).repeat(4, 1)
    data = ic.dataset([BLACK], [given], {0: "ground", 1: ("red", "color"), 2: "dog", 255: None})
    table = data.concepts()
    planes = data.read_annotation(0, table)
    found = {name: (planes == at).any(0) for at, name in enumerate(table.names, 1)}
    for name, number in (("ground", 0), ("red", 1), ("dog", 2)):
        np.testing.assert_array_equal(found[name], given == number)
    assert not (planes[:, given == 255]).any()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pictures": [BLACK[..., :2]], "labels": ["a"]}, r"Item 0 is a picture of \(8, 8, 2\)"),
        ({"pictures": [BLACK.astype(int)], "labels": ["a"]}, r"of int64, expected uint8"),
        ({"pictures": [BLACK - 1.5], "labels": ["a"]}, r"from -1.5 to -1.5.*before it is normalised"),
        ({"pictures": [BLACK * np.nan], "labels": ["a"]}, r"is no number"),
        ({"pictures": [np.zeros((3, 8, 3))], "labels": ["a"]}, r"either side"),
        ({"pictures": [Image.new("RGBA", (4, 4))], "labels": ["a"]}, r"mode RGBA"),
        ({"pictures": ["1.png"], "labels": ["a"]}, r"Item 0 is str, expected a picture"),
        ({"pictures": [BLACK], "labels": [MAP[:7]]}, r"7×8 pixels and the picture 8×8"),
        ({"pictures": [BLACK], "labels": [MAP]}, r"number 1 \(64 pixels\).*name it"),
        ({"pictures": [BLACK], "labels": [MAP / 2]}, r"of float64, expected whole numbers"),
        ({"pictures": [BLACK], "labels": [{"a": MAP}]}, r"mask of 'a' is of int64"),
        ({"pictures": [BLACK], "labels": [3]}, r"number 3, and no class has a name"),
        ({"pictures": [BLACK], "labels": [3], "classes": "ab"}, r"classes is 'ab'"),
        ({"pictures": [BLACK], "labels": [3], "classes": ["a", "b"]}, r"number 3, expected one of 0, 1"),
        ({"pictures": [BLACK], "labels": [3], "classes": ["a", "a"]}, r"names 'a' twice"),
        ({"pictures": [BLACK], "labels": [True]}, r"its label is True"),
        ({"pictures": [BLACK], "labels": [None]}, r"No item has a label"),
        ({"pictures": [BLACK]}, r"Item 0 is ndarray, expected \(picture, label\)"),
        ({"pictures": [BLACK, BLACK], "labels": ["a"]}, r"2 pictures and 1 labels"),
        ({"pictures": [BLACK, BLACK], "labels": ["a", ["b"]]}, r"the same of all"),
        ({"pictures": [BLACK, BLACK], "labels": ["a b", "A_b"]}, r"one spelling"),
        ({"pictures": []}, r"There is no picture"),
        ({"pictures": iter([BLACK])}, r"no length"),
        ({"pictures": [BLACK], "labels": [MAP], "concepts": ["a"]}, r"expected number -> name"),
        ({"pictures": [BLACK], "labels": ["a"], "name": "a/b"}, r"cannot stand in every address"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(given, words):
    with pytest.raises((DatasetError, ParameterError), match=words) as told:
        ic.dataset(**given)
    assert "\n" not in str(told.value)
