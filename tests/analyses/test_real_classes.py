"""EfficientNet-Lite0's classes on real photographs; skipped unless INTERPRET_REAL_DATA names the folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from interpret_core import networks
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.classes.imagenet import curated
from interpret_core.classes.known import class_plan
from interpret_core.datasets import open_dataset, survey
from interpret_core.store.store import Store
from tests.planted_classes import write_classes

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.real,
    pytest.mark.skipif("INTERPRET_REAL_DATA" not in os.environ, reason="INTERPRET_REAL_DATA is not set"),
]
LITE = "efficientnet-lite0"


def real(name: str) -> Path:
    return Path(os.environ["INTERPRET_REAL_DATA"]) / name


def test_the_objects_of_photographs_against_their_masks() -> None:
    """Every mask counted again: the images of each class, and that no larger known object is in them."""
    dataset = open_dataset(real("coco_broden"))
    table = dataset.concepts()
    plan = class_plan(dataset, networks.find(LITE), survey(dataset, table), {})
    names = [concept.name if concept.category == "object" else "" for concept in table.concepts]
    mapped = {at for at, name in enumerate(names) if name and name not in dict(plan.left_out)}
    mapped |= {concept for one in plan.classes for concept in one.concepts}
    # Also those that have a name but no image: they may not be larger either.
    mapped |= {names.index(name) for name, why in plan.left_out if "largest known object" in why}
    expected: dict[str, list[int]] = {}
    for image in range(len(dataset)):
        pixels = np.bincount(dataset.read_annotation(image, table).ravel(), minlength=len(table) + 1)[1:]
        largest = max(sorted(mapped), key=lambda at: pixels[at])
        if pixels[largest] >= 0.05 * 112 * 112:
            expected.setdefault(names[largest], []).append(image)
    assert {one.name: one.images.tolist() for one in plan.classes} == expected
    assert {"dog", "pizza", "bus", "cat", "refrigerator"} <= set(expected)
    assert {"person", "sky", "kite", "giraffe"} <= {name for name, _ in plan.left_out}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """The photographs of single ImageNet classes as a plain folder of links."""
    root = tmp_path / "photographs"
    root.mkdir()
    for file in real("imagenet_photos").glob("*.jpg"):
        (root / file.name).symlink_to(file)
    return root


# Right answers of 69, by each network; what is larger is no better here.
RIGHT = {"efficientnet-lite0": 62, "efficientnet-lite1": 60, "efficientnet-lite2": 57}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == LITE else [pytest.mark.slow]) for name in RIGHT]
)
def test_photographs_by_imagenets_own_names(photographs: Path, store: Store, name: str) -> None:
    files = sorted(file.name for file in photographs.iterdir())
    write_classes(photographs, [(file, file[4:].removesuffix(".jpg")) for file in files])
    plan = class_plan(open_dataset(photographs), networks.find(name), None, {})
    assert len(plan.classes) == len(files)
    assert set(plan.how.values()) == {"name"}
    assert not plan.masked
    for one in plan.classes:
        (image,) = one.images
        assert one.outputs == (int(files[image][:3]),)
    found = run_evaluation(EvaluationRequest(name, str(photographs), "all"), store).evaluation
    assert (int(found.images.sum()), round(found.overall_accuracy * 69)) == (69, RIGHT[name])


@pytest.mark.slow
def test_photographs_by_the_words_of_other_data_sets(photographs: Path, store: Store) -> None:
    """Each photograph under the object that the curated table has for its class, and no other word."""
    word = {}
    for name, outputs in reversed(curated().groups.items()):
        word |= dict.fromkeys(outputs, name)
    names = {file.name: int(file.name[:3]) for file in photographs.iterdir()}
    listed = {file: word[output] for file, output in names.items() if output in word}
    write_classes(photographs, [*listed.items()])
    found = run_evaluation(EvaluationRequest(LITE, str(photographs), "all"), store)
    one = found.evaluation
    counts = dict(zip(found.classes, one.images.tolist(), strict=True))
    assert {name: counts[name] for name in ("cat", "bus", "bottle", "chair", "bed", "lamp", "car")} == {
        "cat": 5, "bus": 3, "bottle": 5, "chair": 3, "bed": 2, "lamp": 2, "car": 8,
    }  # fmt: skip
    assert one.overall_accuracy > 0.9
    cat = found.classes.index("cat")
    assert one.accuracy[cat] == 1.0  # by single outputs, a tabby is taken for a tiger cat
