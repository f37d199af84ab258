"""Commands on networks and splits as other people have them: the answer, or its lack in one clear line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from interpret_core.cli.terminal import Progress
from tests.analyses.related import write_objects
from tests.cli.conftest import Command
from tests.planted_dataset import save_mask
from tests.slow import thorough_beyond

OWN = "tests.analyses.own:"
COMMANDS = {
    "profile": ("--min-images", 1, "--permutations", 0),
    "evaluate": ("--split", "all"),
    "relevance": ("--split", "all", "--images", 3),
    "agreement": ("--split", "all", "--images", 3, "--permutations", 20),
    "ablate": ("--split", "all", "--ranked-on", "all", "--images", 3, "--fractions", 0.1),
}


@pytest.fixture
def objects(tmp_path: Path) -> Path:
    return write_objects(tmp_path / "objects")


def split_as(root: Path, word: str, of: str = "") -> None:
    """Write a word into the split column of all rows, or of those whose image's name begins so."""
    lines = (root / "index.csv").read_text().splitlines()
    column = lines[0].split(",").index("split")
    changed = [lines[0]]
    for line in lines[1:]:
        cells = line.split(",")
        cells[column] = word if cells[0].startswith(of) else cells[column]
        changed.append(",".join(cells))
    (root / "index.csv").write_text("\n".join(changed) + "\n")


@thorough_beyond(5)
@pytest.mark.parametrize(
    "name", ["squeezed", "viewed", "convolutional", "one_logit", "one_probability", "tags"]
)
@pytest.mark.parametrize("verb", COMMANDS)
def test_sound_networks_work_in_every_command(command: Command, objects: Path, verb: str, name: str) -> None:
    done = command(verb, "--network", OWN + name, "--dataset", objects, *COMMANDS[verb])
    assert (done.status, done.err) == (0, ""), done.err


def test_the_screen_says_what_the_outputs_were_taken_for(command: Command, objects: Path) -> None:
    done = command("evaluate", "--network", OWN + "tags", "--dataset", objects, "--split", "all")
    assert "Its outputs are probabilities already (from 0 to 1, each class for itself)" in done.out
    assert "probabilities already" in command("networks", OWN + "tags").out


@pytest.mark.parametrize(
    ("network", "verb", "line"),
    [
        ("tests.networks.own:no_statistics", "profile", "according to the others of its batch"),
        ("tests.networks.own:patches", "profile", "no layer that can be used; first:"),
        ("tests.analyses.own:convolutional_map", "evaluate", "returns (N, 2, 2, 2), expected (N, classes)"),
        ("tests.analyses.own:convolutional_map", "relevance", "returns (N, 2, 2, 2), expected (N, classes)"),
        ("tests.analyses.own:convolutional_map", "agreement", "returns (N, 2, 2, 2), expected (N, classes)"),
        ("tests.analyses.own:convolutional_map", "ablate", "returns (N, 2, 2, 2), expected (N, classes)"),
        ("tests.analyses.own:detached", "relevance", "No gradient reaches layer first"),
        ("tests.analyses.own:frozen", "ablate", "No gradient reaches layer first"),
    ],
)
def test_what_cannot_work_says_why_in_one_line(
    command: Command, objects: Path, network: str, verb: str, line: str
) -> None:
    done = command(verb, "--network", network, "--dataset", objects, *COMMANDS[verb])
    assert done.status == 2
    assert line in done.line
    assert "Internal error" not in done.line


def test_a_layer_left_out_is_named(command: Command, objects: Path) -> None:
    done = command("networks", "tests.networks.own:mirrored")
    assert "Layer second is left out: for 3 images, its response has 6 in the batch." in done.out


# Splits ----------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_where_every_class_lies_in_one_split(command: Command, objects: Path) -> None:
    """ball is for ranking only, box for testing only: nothing can be ranked and evaluated."""
    split_as(objects, "train", "ball")
    split_as(objects, "val", "box")
    network = ("--network", OWN + "two", "--dataset", objects, "--fractions", "0.1")
    done = command("ablate", *network)
    assert done.status == 2
    assert "No class of" in done.line
    assert "ball: no image in split val; box: no image in split train" in done.line
    for options in (("--rank", "random"), ("--by", "iou", "--concept", "ball"), ("--split", "all"),
                    ("--split", "all", "--ranked-on", "all")):  # fmt: skip
        done = command("ablate", *network, *options)
        assert (done.status, done.err) == (0, ""), (options, done.err)
    done = command("ablate", *network[:4], "--by", "hand", "--units", "first:1")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize(("word", "missing"), [("train", "val"), ("val", "train")])
def test_where_all_images_lie_in_one_split(command: Command, objects: Path, word: str, missing: str) -> None:
    split_as(objects, word)
    network = ("--network", OWN + "two", "--dataset", objects)
    done = command("ablate", *network, "--fractions", "0.1")
    assert done.status == 2
    assert f"split {missing!r}" in done.line or f"split {missing}" in done.line
    by_hand = command("ablate", *network, "--by", "hand", "--units", "first:1")
    assert by_hand.status == (2 if word == "train" else 0), by_hand.err
    mean = command("ablate", *network, "--by", "hand", "--units", "first:1", "--value", "mean")
    assert mean.status == 2
    assert "Internal" not in mean.line


# Classes without a usable image ----------------------------------------------------------------------------


@pytest.mark.thorough
def test_one_class_without_an_annotated_pixel_does_not_fail_the_others(
    command: Command, objects: Path, tmp_path: Path
) -> None:
    """Balls are listed, and none is annotated: box goes on, ball is named with the reason."""
    for index in range(0, 12, 2):
        save_mask(objects / "images" / f"object-{index}.png", np.full((12, 12), 3, np.uint16))
    network = ("--network", OWN + "two", "--dataset", objects, "--split", "all")
    out = tmp_path / "out.json"
    done = command("relevance", *network, "--out", out)
    assert (done.status, done.err) == (0, "")
    assert "ball (none of its " in done.out
    assert "no pixel is annotated as ball" in done.out
    found = json.loads(out.read_text())
    assert {row["class"] for row in found["records"]} == {"box"}
    assert [name for name, _ in found["metadata"]["left_out"] if name == "ball"] == ["ball"]
    again = command("relevance", *network)
    assert "All found in the cache" in again.out  # nobody tries ball once more
    alone = command("relevance", *network, "--classes", "ball")
    assert alone.status == 2
    assert "no pixel is annotated as ball" in alone.line
    for verb in ("agreement", "ablate"):
        options = ("--ranked-on", "all", "--fractions", "0.1") if verb == "ablate" else ()
        done = command(verb, *network, *options)
        assert (done.status, done.err) == (0, ""), done.err
        assert "ball (none of its " in done.out
    named = command("ablate", *network, "--ranked-on", "all", "--class", "ball", "--fractions", "0.1")
    assert named.status == 2
    assert "ball" in named.line


@pytest.mark.thorough
def test_waiting_is_said_only_while_somebody_else_is_at_work(
    command: Command, objects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(Progress, "tell", lambda self, stage, done, total: told.append(stage))
    done = command("profile", "--network", OWN + "two", "--dataset", objects, *COMMANDS["profile"])
    assert done.status == 0
    assert told
    assert not any("waiting" in stage for stage in told)


def test_a_unit_number_beyond_the_probabilities_is_no_nan(
    command: Command, objects: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    done = command("relevance", "--network", OWN + "one_probability", "--dataset", objects, "--split", "all",
                   "--of", "logit", "--out", out)  # fmt: skip
    assert done.status == 0
    values = np.genfromtxt(out, delimiter=",", names=True, dtype=None, encoding="utf-8")["relevance"]
    assert np.isfinite(values).all()
    assert (values > 0).any()
