"""Evaluations of planted networks: what is right is known picture by picture."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tests.analyses.networks
from interpret_core.analyses.evaluation.compute import run_evaluation
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.evaluation.result import Evaluated
from interpret_core.datasets import Dataset
from interpret_core.errors import Cancelled, DatasetError, NetworkError, NonFiniteError, ParameterError
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.planted_classes import Picture, write_classes, write_photos, write_pictures

COLOURS = "tests.analyses.networks:named_colours"
MANY = "tests.analyses.networks:many_colours"
OWN = math.e / (math.e + 2)  # softmax of 1 among 1, 0, 0
OTHER = 1 / (math.e + 2)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


def evaluated(store: Store, root: Path, network: str = COLOURS, **changes: object) -> Evaluated:
    return run_evaluation(EvaluationRequest(network, str(root), **changes), store)  # type: ignore[arg-type]


def test_known_accuracy(store: Store, pictures: Path) -> None:
    found = evaluated(store, pictures)
    one = found.evaluation
    assert found.classes == ("blue", "green", "red")
    assert one.confusion.tolist() == [[1, 0, 0, 0], [1, 2, 0, 0], [0, 1, 3, 0]]
    assert one.accuracy.tolist() == [1.0, 2 / 3, 3 / 4]
    assert one.rejected.tolist() == [6, 4, 4]
    assert one.balanced_accuracy.tolist() == [
        (1 + 6 / 7) / 2,
        (2 / 3 + 4 / 5) / 2,
        (3 / 4 + 1) / 2,
    ]
    np.testing.assert_allclose(
        one.probability, [OWN, (2 * OWN + OTHER) / 3, (3 * OWN + OTHER) / 4], rtol=1e-6
    )
    assert one.overall_accuracy == 6 / 8
    assert one.mean_recall == math.fsum([1.0, 2 / 3, 3 / 4]) / 3
    assert one.in_top is None
    assert found.metadata["images"] == 8
    assert found.metadata["skipped"] == []
    assert found.metadata["left_out"] == [["white", "no output has this name"]]
    assert found.metadata["network"]["name"] == COLOURS
    assert found.metadata["network"]["outputs"] == 3
    assert found.metadata["source"] == "classes.csv"
    assert found.metadata["matches"] == [
        ["blue", "name", [2], ["BLUE"]],
        ["green", "name", [1], ["green"]],
        ["red", "name", [0], ["Red"]],
    ]


@pytest.mark.parametrize(
    ("split", "confusion"),
    [
        ("train", [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 2, 0]]),
        ("all", [[1, 0, 0, 0], [1, 2, 1, 0], [0, 1, 5, 0]]),
    ],
)
def test_splits(store: Store, pictures: Path, split: str, confusion: list[list[int]]) -> None:
    found = evaluated(store, pictures, split=split)
    assert found.evaluation.confusion.tolist() == confusion
    assert found.metadata["split"] == split
    assert found.metadata["few"] == ["blue"]  # one picture, for testing: it counts in either half


def test_more_outputs_than_classes(store: Store, tmp_path: Path) -> None:
    """White gives 0 everywhere: the first output is taken, and the class's own place decides the top five."""
    listed = [Picture("white", name) for name in ("red", "green", "blue")] + [Picture("green", "green")]
    root = write_pictures(tmp_path / "pictures", listed)
    one = evaluated(store, root, MANY).evaluation
    assert one.confusion.tolist() == [[0, 0, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0]]
    assert one.in_top is not None
    assert one.in_top.tolist() == [0, 1, 1]  # of 23 equal outputs blue is the twelfth, red the first
    write_classes(root, [("0.png", "green"), ("3.png", "blue")])
    one = evaluated(store, root, MANY).evaluation
    # "red" is no class now, so its output is one of the others.
    assert one.confusion.tolist() == [[0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_the_batch_size_changes_no_count(store: Store, pictures: Path, batch_size: int) -> None:
    one = evaluated(store, pictures, batch_size=batch_size).evaluation
    other = evaluated(store, pictures).evaluation
    assert one.confusion.tolist() == other.confusion.tolist()
    np.testing.assert_allclose(one.probability_sum, other.probability_sum, rtol=1e-6)


def test_the_second_time_nothing_runs(store: Store, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluated(store, pictures)
    assert first.computed

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("an image was read again")

    monkeypatch.setattr(Dataset, "read_image", refused)
    again = evaluated(store, pictures)
    assert not again.computed
    assert again.metadata == first.metadata
    assert np.array_equal(again.evaluation.confusion, first.evaluation.confusion)
    assert np.array_equal(again.evaluation.probability_sum, first.evaluation.probability_sum)
    for changes in ({"split": "all"}, {"batch_size": 2}):
        with pytest.raises(AssertionError, match="read again"):
            evaluated(store, pictures, **changes)


def test_the_same_content_under_another_name(store: Store, pictures: Path, tmp_path: Path) -> None:
    evaluated(store, pictures)
    pictures.rename(tmp_path / "elsewhere")
    found = evaluated(store, tmp_path / "elsewhere")
    assert not found.computed
    assert found.metadata["dataset"]["name"] == str(tmp_path / "elsewhere")


@pytest.mark.thorough
def test_another_listing_or_other_names_of_the_outputs_are_another_answer(
    store: Store, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert evaluated(store, pictures).computed
    parts = tests.analyses.networks.named_colours()
    with monkeypatch.context() as patch:
        turned = replace(parts, class_names=("green", "red", "blue"))
        patch.setattr(tests.analyses.networks, "named_colours", lambda: turned)
        found = evaluated(store, pictures)
    assert found.computed
    assert found.evaluation.accuracy.tolist() == [1.0, 0.0, 1 / 4]
    write_classes(pictures, [("0.png", "red")])
    assert evaluated(store, pictures).evaluation.images.tolist() == [1]


def test_damaged_images_are_named_and_counted(store: Store, pictures: Path) -> None:
    (pictures / "images/0.png").write_bytes(b"no picture")
    (pictures / "images/6.png").unlink()
    found = evaluated(store, pictures)
    assert [image for image, _ in found.metadata["skipped"]] == ["0.png", "6.png"]
    reasons = [reason for _, reason in found.metadata["skipped"]]
    assert reasons[0].startswith("image images/0.png cannot be decoded")
    assert reasons[1].startswith("image images/6.png is missing")
    assert str(pictures) not in "".join(reasons), "a copy gives the same record"
    assert found.metadata["images"] == 6
    assert found.evaluation.confusion.tolist() == [[1, 0, 0, 0], [0, 2, 0, 0], [0, 1, 2, 0]]
    for file in (pictures / "images").iterdir():
        file.unlink()
    with pytest.raises(DatasetError, match=r"None of the 8 images .* can be read"):
        evaluated(store, pictures)


def test_progress_and_cancellation(store: Store, pictures: Path) -> None:
    told: list[tuple[str, int, int]] = []
    request = EvaluationRequest(COLOURS, str(pictures), batch_size=3)
    run_evaluation(request, store, Execution("cpu", tell=lambda *step: told.append(step)))
    assert told[-3:] == [("evaluating", 3, 8), ("evaluating", 6, 8), ("evaluating", 8, 8)]
    for key in store.keys("evaluation/"):
        store.delete(key)
    asked = iter([False, True])
    stopping = Execution("cpu", tell=lambda *step: None, cancelled=lambda: next(asked, True))
    with pytest.raises(Cancelled):
        run_evaluation(request, store, stopping)
    assert store.keys("evaluation/") == []
    told.clear()
    after = Execution("cpu", tell=lambda *step: told.append(step), cancelled=lambda: len(told) > 2)
    with pytest.raises(Cancelled):
        run_evaluation(request, store, after)
    assert store.keys("partial/"), "finished batches are kept"


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        ("misnamed", NetworkError, r"names 2 classes and gives 3 outputs"),
        ("nameless", NetworkError, "does not name its outputs"),
        ("unlike", NetworkError, r"knows none of the classes of pictures \(blue, green, red, white\)"),
        ("endless", NonFiniteError, "NaN or infinite on image 0.png"),
    ],
)
def test_networks_that_do_not_fit(store: Store, pictures: Path, network: str, error, message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        evaluated(store, pictures, f"tests.analyses.networks:{network}")
    assert "\n" not in str(caught.value)
    assert store.keys("evaluation/") == []


def test_no_image_to_evaluate(store: Store, tmp_path: Path) -> None:
    root = write_pictures(tmp_path / "pictures", [Picture("red", "red"), Picture("green", "green")] * 4)
    with pytest.raises(DatasetError, match="no image in split 'train' of a class that"):
        evaluated(store, root, split="train")


def test_bad_requests() -> None:
    with pytest.raises(ParameterError, match="Unknown split 'test': known are train, val, all"):
        EvaluationRequest("a", "b", "test")
    with pytest.raises(ParameterError, match="batch_size is 0"):
        EvaluationRequest("a", "b", batch_size=0)


def test_a_group_of_outputs_is_one_class(
    store: Store, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Green and blue count as one class; the entry is part of what is asked for."""
    before = evaluated(store, pictures)
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "mine.toml"))
    (tmp_path / "mine.toml").write_text('[classes]\ngreen = ["green", "blue"]\n')
    found = evaluated(store, pictures)
    assert found.computed
    assert found.classes == ("green", "red")
    assert found.evaluation.confusion.tolist() == [[3, 0, 0], [1, 3, 0]]
    both = (2 * (OWN + OTHER) + (OTHER + OWN)) / 3
    np.testing.assert_allclose(found.evaluation.probability, [both, (3 * OWN + OTHER) / 4], rtol=1e-6)
    assert found.metadata["matches"][0] == ["green", "your table", [1, 2], ["green", "BLUE"]]
    (tmp_path / "mine.toml").write_text("")
    assert not evaluated(store, pictures).computed
    assert before.computed


def test_a_plain_folder_with_a_damaged_picture(store: Store, tmp_path: Path) -> None:
    names = {f"{colour}/{number}.png": colour for colour in ("red", "blue") for number in range(4)}
    root = write_photos(tmp_path / "photos", names | {"green/0.png": ""})
    (root / "red/1.png").write_bytes(b"no picture")
    found = evaluated(store, root, split="all")
    assert found.evaluation.confusion.tolist() == [[4, 0, 0], [0, 3, 0]]
    assert [image for image, _ in found.metadata["skipped"]] == ["red/1.png"]
    halves = [evaluated(store, root, split=split).evaluation.images.tolist() for split in ("train", "val")]
    assert np.sum(halves, 0).tolist() == [4, 3]
    assert min(map(min, halves)) >= 1
