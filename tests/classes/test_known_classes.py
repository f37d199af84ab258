"""Which images show which class that a network knows: from classes.csv, and from the annotations alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core import networks
from interpret_core.classes.known import ClassPlan, NeedsSurvey, class_plan
from interpret_core.datasets import Dataset, open_dataset, survey
from interpret_core.errors import DatasetError, NetworkError, ParameterError
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.survey import known_survey, planned, surveyed
from interpret_core.store.store import Store
from tests.planted_classes import Picture, write_classes, write_pictures
from tests.planted_dataset import save_mask, write_tables

SPEC = networks.find("tests.analyses.networks:named_colours")  # Red, green, BLUE
SIDE = 20  # of the annotations: a twentieth is 20 pixels
LABELS = ((1, "sky", ("object",)), (4, "green", ("object",)), (7, "red", ("object",)), (8, "red", ("part",)))
Scene = dict[int, int]  # label -> pixels


def write_scenes(root: Path, scenes: Sequence[Scene], splits: Sequence[str] = ()) -> Dataset:
    """Images without classes.csv whose object mask holds so many pixels of each label."""
    rows = []
    for number, scene in enumerate(scenes):
        mask = np.zeros(SIDE * SIDE, np.uint16)
        at = 0
        for label, pixels in scene.items():
            mask[at : at + pixels] = label
            at += pixels
        save_mask(root / "images" / f"{number}_object.png", mask.reshape(SIDE, SIDE))
        Image.new("RGB", (SIDE, SIDE)).save(root / "images" / f"{number}.png")
        row = {"image": f"{number}.png", "split": splits[number] if splits else "train"}
        rows.append(row | dict.fromkeys(("ih", "iw", "sh", "sw"), SIDE) | {"object": f"{number}_object.png"})
    write_tables(root, rows, LABELS)
    return open_dataset(root)


def planned_from(dataset: Dataset, **changes: object) -> ClassPlan:
    spec = replace(SPEC, **changes)  # type: ignore[arg-type]
    return class_plan(dataset, spec, survey(dataset, dataset.concepts()), {})


def images(plan: ClassPlan) -> dict[str, list[int]]:
    return {one.name: one.images.tolist() for one in plan.classes}


def test_the_largest_known_object_decides(tmp_path: Path) -> None:
    scenes = [
        {1: 300, 7: 60, 4: 40},  # the sky is larger, but no output
        {7: 20},  # exactly a twentieth
        {7: 19, 1: 300},
        {4: 40, 7: 40},  # as large: the lower label number
        {7: 40, 4: 40},
        {4: 100, 7: 30},
        {1: 400},
        {},
    ]
    plan = planned_from(write_scenes(tmp_path / "set", scenes))
    assert images(plan) == {"green": [3, 4, 5], "red": [0, 1]}
    assert plan.source == "largest object"
    assert plan.masked
    assert plan.left_out == (("sky", "no output has this name"),)
    assert plan.how == {"green": "name", "red": "name"}
    green, red = plan.classes
    assert (green.outputs, green.output_names, green.concepts) == ((1,), ("green",), (1,))
    assert (red.outputs, red.output_names, red.concepts) == ((0,), ("Red",), (2,))


def test_against_every_mask_counted(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    scenes = []
    for _ in range(40):
        pixels = random.multinomial(400, random.dirichlet([0.4] * 4)).tolist()
        scenes.append(dict(zip((1, 4, 7), pixels[:3], strict=True)))
    dataset = write_scenes(tmp_path / "set", scenes)
    expected: dict[str, list[int]] = {"green": [], "red": []}
    for number, scene in enumerate(scenes):
        if max(scene[4], scene[7]) / (SIDE * SIDE) >= 0.05:
            expected["green" if scene[4] >= scene[7] else "red"].append(number)
    assert min(map(len, expected.values())) > 3
    assert images(planned_from(dataset)) == expected


def test_another_mapping_means_other_images(tmp_path: Path) -> None:
    dataset = write_scenes(tmp_path / "set", [{1: 300, 7: 60}, {7: 60}, {4: 50}])
    found = survey(dataset, dataset.concepts())
    plan = class_plan(dataset, SPEC, found, {"sky": ["blue"], "green": []})
    assert images(plan) == {"red": [1], "sky": [0]}
    assert plan.how["sky"] == "your table"
    assert plan.left_out == (("green", "removed under [classes] in the configuration"),)


def test_the_configuration_is_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = write_scenes(tmp_path / "set", [{1: 300, 7: 60}])
    found = survey(dataset, dataset.concepts())
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "mine.toml"))
    (tmp_path / "mine.toml").write_text(f'[classes]\nsky = ["BLUE"]\n[classes."{SPEC.name}"]\nred = []\n')
    plan = class_plan(dataset, SPEC, found)
    assert images(plan) == {"sky": [0]}
    assert "red" in dict(plan.left_out)
    other = replace(SPEC, name="another network")
    assert class_plan(dataset, other, found).how == {"sky": "your table"}
    assert ("red", "no image in which it is the largest known object and covers 5%") in (
        class_plan(dataset, other, found).left_out
    )


def test_without_a_survey_the_annotations_say_nothing(tmp_path: Path) -> None:
    dataset = write_scenes(tmp_path / "set", [{7: 60}])
    with pytest.raises(NeedsSurvey, match="profile the data set once") as caught:
        class_plan(dataset, SPEC, None)
    assert isinstance(caught.value, DatasetError)
    with pytest.raises(ValueError, match="survey of 4 concepts, but got 1"):
        class_plan(dataset, SPEC, survey(dataset, dataset.concepts(["part"])))


def test_damaged_images_show_nothing(tmp_path: Path) -> None:
    dataset = write_scenes(tmp_path / "set", [{7: 60}, {7: 60}])
    (dataset.images / "0.png").write_bytes(b"no picture")
    assert images(planned_from(dataset)) == {"red": [1]}


def test_splits_come_from_the_index_or_else_from_the_name(tmp_path: Path) -> None:
    words = ["train", "Val", "test", "val", "train", "", "", "", ""]
    scenes = [{7: 60}] * 5 + [{4: 60}] * 4
    plan = planned_from(write_scenes(tmp_path / "set", scenes, words))
    red, green = plan.find("red"), plan.find("GREEN")
    assert red.split.tolist() == ["train", "val", "test", "val", "train"]
    assert [red.of(split).tolist() for split in ("train", "val", "all")] == [[0, 4], [1, 3], [0, 1, 2, 3, 4]]
    assert sorted(green.split.tolist()) == ["train", "train", "val", "val"]
    assert sorted([*green.of("train").tolist(), *green.of("val").tolist()]) == [5, 6, 7, 8]
    with pytest.raises(ParameterError, match="Unknown split 'test'"):
        red.of("test")


def test_few_images_serve_both_halves(tmp_path: Path) -> None:
    plan = planned_from(write_scenes(tmp_path / "set", [{7: 60}] * 3 + [{4: 60}] * 4))
    red, green = plan.find("red"), plan.find("green")
    assert (red.few, green.few) == (True, False)
    assert [red.of(split).tolist() for split in ("train", "val", "all")] == [[0, 1, 2]] * 3
    assert green.of("val").tolist() == []  # the index says that all of them rank


def test_names_of_a_plan(tmp_path: Path) -> None:
    plan = planned_from(write_scenes(tmp_path / "set", [{7: 60}, {4: 60}]))
    assert plan.find(" RED").name == "red"
    assert [one.name for one in plan.chosen("all")] == ["green", "red"]
    assert [one.name for one in plan.chosen(("red", "green", "red"))] == ["green", "red"]
    assert [one.name for one in plan.chosen("red")] == ["red"]
    with pytest.raises(ParameterError, match="Unknown class 'rde': did you mean red"):
        plan.chosen(("rde",))
    with pytest.raises(ParameterError, match=r"'Sky' cannot be used: no output .* one of green, red"):
        plan.find("Sky")
    empty = planned_from(write_scenes(tmp_path / "none", [{1: 60}]))
    assert empty.classes == ()
    with pytest.raises(ParameterError, match=r"No class has an image.*sky: no output has this name"):
        empty.chosen("all")


def test_a_network_that_knows_none_of_the_objects(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="knows none of the classes of set"):
        planned_from(write_scenes(tmp_path / "set", [{7: 60}]), class_names=("zebra",))


def test_classes_csv_needs_no_survey(tmp_path: Path) -> None:
    dataset = write_scenes(tmp_path / "set", [{7: 60}, {4: 60}, {1: 60}])
    write_classes(
        dataset.root, [("2.png", "red"), ("0.png", "BLUE"), ("1.png", "red"), ("0.png", "BLUE")][:3]
    )
    dataset = open_dataset(dataset.root)
    plan = class_plan(dataset, SPEC, None)
    assert images(plan) == {"BLUE": [0], "red": [1, 2]}
    assert plan.source == "classes.csv"
    assert plan.masked
    blue, red = plan.classes
    assert blue.concepts == ()  # no object of this name: its mask is 1 everywhere
    concepts = dataset.concepts().concepts
    (own,) = red.concepts
    assert (concepts[own].category, concepts[own].number) == ("object", 7)


def test_classes_without_any_object(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "pictures", [Picture("red", "red")])
    (root / "label.csv").write_text("number,name,category\n1,red,color\n")
    index = (root / "index.csv").read_text().replace("object", "color2").replace(",1,,,,", ",,,,1,")
    (root / "index.csv").write_text(index)
    (root / "category.csv").unlink()
    plan = class_plan(open_dataset(root), SPEC, None)
    assert not plan.masked
    assert plan.find("red").concepts == ()


def test_scenes_alone_with_classes(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "pictures", [Picture("red", "red")])
    (root / "label.csv").write_text("number,name,category\n1,red,scene\n")
    plan = class_plan(open_dataset(root), SPEC, None)
    assert images(plan) == {"red": [0]}
    assert (plan.masked, plan.find("red").concepts) == (False, ())


def test_neither_classes_nor_objects(tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "pictures", [Picture("red", "red")])
    (root / "label.csv").write_text("number,name,category\n1,red,color\n")
    (root / "classes.csv").unlink()
    with pytest.raises(DatasetError, match=r"no object annotation and no classes\.csv"):
        class_plan(open_dataset(root), SPEC, None)


def test_the_survey_is_made_once_and_only_where_it_is_needed(tmp_path: Path, store: Store) -> None:
    told: list[str] = []
    reporter = Reporter(lambda stage, _done, _total: told.append(stage))
    dataset = write_scenes(tmp_path / "set", [{7: 60}])
    assert known_survey(dataset, store) is None
    assert images(planned(dataset, SPEC, store, reporter)) == {"red": [0]}
    assert told == ["reading annotations"]
    assert known_survey(dataset, store) is not None
    table, found = surveyed(dataset, store, reporter)
    assert (len(table), found.concept_images.tolist()) == (4, [0, 0, 1, 0])
    planned(dataset, SPEC, store, reporter)
    planned(open_dataset(write_pictures(tmp_path / "listed")), SPEC, store, reporter)
    assert told == ["reading annotations"]


def relabelled(root: Path, labels: Sequence[tuple[int, str, tuple[str, ...]]]) -> Dataset:
    """Three scenes whose labels 4 and 7 have these names."""
    write_scenes(root, [{7: 60, 4: 40}, {4: 100}, {7: 300}])
    table = "".join(f"{number},{name},{category}(3)\n" for number, name, (category,) in labels)
    (root / "label.csv").write_text(f"number,name,category\n{table}")
    return open_dataset(root)


def test_predicted_objects_are_classes_and_masks_of_classes(tmp_path: Path) -> None:
    dataset = relabelled(
        tmp_path, [(4, "green (predicted)", ("object",)), (7, "red (predicted)", ("object",))]
    )
    plan = planned_from(dataset)
    assert images(plan) == {"green (predicted)": [1], "red (predicted)": [0, 2]}
    assert plan.predicted
    assert plan.find("RED").name == "red (predicted)"
    with pytest.raises(ParameterError, match=r"Unknown class 'blue'"):
        plan.find("blue")
    with pytest.raises(ParameterError, match=r"Class 'green' cannot be used: no output has this name"):
        planned_from(dataset, class_names=("red",)).find("green")
    assert dataset.concepts().find("red") == plan.find("red").concepts[0]
    write_classes(tmp_path, [("0.png", "red"), ("1.png", "blue")])
    plan = planned_from(open_dataset(tmp_path))
    assert [(one.name, len(one.concepts)) for one in plan.classes] == [("blue", 0), ("red", 1)]
    assert plan.predicted


def test_a_drawn_object_comes_before_a_predicted_one(tmp_path: Path) -> None:
    labels = [(4, "red-merged", ("object",)), (7, "red (predicted)", ("object",))]
    write_classes(relabelled(tmp_path, labels).root, [("0.png", "red"), ("1.png", "blue")])
    plan = planned_from(open_dataset(tmp_path))
    assert plan.find("red").concepts == (0,)
    assert not plan.predicted
