"""`agreement` on a network whose units' IoU and relevance are known beforehand."""

from __future__ import annotations

import csv
import json
import shutil
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from interpret_core.analyses.agreement import analysis as analysed
from interpret_core.analyses.agreement.result import COLUMNS
from interpret_core.networks import NetworkParts
from interpret_core.provenance import MADE_WITH
from tests.cli.conftest import Command, Ran
from tests.cli.networks import PLAIN
from tests.planted_classes import write_classes

MIXED, AGREEING = "tests.cli.test_agreement:mixed", "tests.cli.test_agreement:agreeing"
# Images of `scenes`: red in all of them, green in the even, blue in every third.
CLASSES = {0: "blue", 1: "red", 2: "green", 3: "blue", 4: "red", 5: "white", 6: "red", 7: "red"}


def mixed() -> NetworkParts:
    """conv1: red, green, blue, any colour. conv2: red, green, and red or green. Red rests on the vague ones.

    The logit of red is 5 · (red or green) + 0.1 · red, of green 20 · green, of blue 0. By IoU the best unit
    for red is conv1's and conv2's unit 0, by relevance the last one; for green it is unit 1 by both. Nothing
    of a blue square comes through conv2: there no unit overlaps it, and no unit of conv1 has relevance.
    """
    return _network(torch.tensor([[0.1, 0, 5], [0, 20, 0], [0, 0, 0]]))


def agreeing() -> NetworkParts:
    """The same units, but red rests on the red one."""
    return _network(torch.tensor([[20, 0, 0.1], [0, 20, 0], [0, 0, 0]]))


def _network(head: torch.Tensor) -> NetworkParts:
    first = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]])
    second = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -4, 1]])
    layers = OrderedDict(
        conv1=nn.Conv2d(3, 4, 1, bias=False),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(4, 3, 1, bias=False),
        relu2=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
        head=nn.Linear(3, 3, bias=False),
    )
    with torch.no_grad():
        for name, weight in (("conv1", first), ("conv2", second), ("head", head)):
            layers[name].weight.copy_(weight.reshape(layers[name].weight.shape))
    return NetworkParts(nn.Sequential(layers).eval(), PLAIN, ("red", "green", "blue"))


@pytest.fixture
def root(planted_scenes: Path, tmp_path: Path) -> Path:
    folder = shutil.copytree(planted_scenes, tmp_path / "scenes")
    write_classes(folder, [(f"{image}.png", name) for image, name in CLASSES.items()])
    return folder


def agreed(command: Command, root: Path, *options: object, network: str = MIXED) -> Ran:
    done = command("agreement", "--network", network, "--dataset", root, "--device", "cpu", *options)
    assert (done.status, done.err) == (0, "")
    return done


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def row(out: str, title: str, name: str) -> list[str]:
    """Cells of a row of the table below a title."""
    lines = out[out.index(title) :].splitlines()
    return next(line.split()[1:] for line in lines if line.split()[:1] == [name])


def test_the_table(command: Command, root: Path, tmp_path: Path) -> None:
    agreed(command, root, "--out", tmp_path / "t.csv")
    found = {(one["layer"], one["class"]): one for one in read(tmp_path / "t.csv")}
    cells = [("conv1", "green"), ("conv1", "red"), ("conv2", "green"), ("conv2", "red")]
    assert list(found) == [*cells, ("*", "*")]
    assert tuple(found["*", "*"]) == (*COLUMNS, MADE_WITH)
    errors = [float(found[cell]["error"]) for cell in cells]
    assert errors == pytest.approx([0, 100 * 2 / 4, 0, 100 * 2 / 3])
    assert [float(found[cell]["p_value"]) for cell in cells] == pytest.approx([1 / 4, 1, 1 / 3, 1])
    assert [float(found[cell]["overlap"]) for cell in cells] == [1, 0, 1, 0]
    assert {(found[cell]["k"], found[cell]["error_sd"]) for cell in cells} == {("1", "")}
    whole = found["*", "*"]
    assert float(whole["error"]) == pytest.approx(sum(errors) / 4)
    assert float(whole["error_sd"]) == pytest.approx(100 * (1 / 3 - 1 / 4) / 2)  # layer means 1/4 and 1/3
    assert float(whole["chance"]) == pytest.approx(100 * (2 * 3 / 16 + 2 * 2 / 9) / 2)
    assert whole["k"] == ""
    # Of all permutations 11/36 do as well: both marks of conv2 met, or one of them and one or two of conv1.
    assert float(whole["p_value"]) == pytest.approx(11 / 36, abs=0.03)


def test_the_report(command: Command, root: Path) -> None:
    out = agreed(command, root, "--verbose").out
    assert "3 classes, relevance from n = 1 to 4 images each" in out
    assert "fewer than 10 images: blue (2); green (1); red (4)" in out
    assert "2 cells left out: conv1 blue (fewer than k units have any relevance); " in out
    assert "conv2 blue (fewer than k units overlap the concept)" in out
    assert "1 classes left out: white (no output has this name)" in out
    assert row(out, "by layer", "conv2") == ["3", "1", "2", "33.33", "44.44", "0.500", row_end(out)]
    assert row(out, "Disagreement", MIXED)[:4] == ["4", "29.17", "4.17", "40.97"]


def row_end(out: str) -> str:
    """Spearman's ρ of conv2: of green 1 (IoU 1, some, 0; relevance alike), of red less."""
    value = row(out, "by layer", "conv2")[-1]
    assert 0 < float(value) < 1
    return value


@pytest.mark.thorough
def test_the_second_time_nothing_is_computed(command: Command, root: Path, tmp_path: Path) -> None:
    for name in ("relevance", "profile"):  # what these commands keep is what `agreement` wants
        done = command(
            name, "--network", MIXED, "--dataset", root, "--device", "cpu", "--cache", tmp_path / "a"
        )
        assert done.status == 0
    first = agreed(command, root, "--out", tmp_path / "b.csv").out
    again = agreed(command, root, "--cache", tmp_path / "a", "--out", tmp_path / "a.csv").out
    assert progress(first)
    assert not progress(again)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def progress(out: str) -> list[str]:
    """Lines that say how far a computation is; what is read first is read each time."""
    facts = out[: out.index(f"{MIXED} on ")].splitlines()
    return [line for line in facts if not line.startswith("reading the data set's digest")]


@pytest.mark.thorough
def test_several_networks_are_one_table(command: Command, root: Path, tmp_path: Path) -> None:
    out = agreed(command, root, "--out", tmp_path / "t.csv", network=f"{MIXED},{AGREEING}").out
    assert row(out, "Disagreement", MIXED)[1] == "29.17"
    assert row(out, "Disagreement", AGREEING)[1:3] == ["0.00", "0.00"]
    found = read(tmp_path / "t.csv")
    assert tuple(found[0]) == ("network", *COLUMNS, MADE_WITH)
    assert [(one["network"], one["layer"]) for one in found if one["class"] in ("red", "*")] == [
        *((MIXED, layer) for layer in ("conv1", "conv2", "*")),
        *((AGREEING, layer) for layer in ("conv1", "conv2", "*")),
    ]
    agreed(command, root, "--network", AGREEING, "--out", tmp_path / "again.csv")
    assert read(tmp_path / "again.csv") == found


@pytest.fixture
def controlled(monkeypatch: pytest.MonkeyPatch) -> None:
    """AGREEING plays the untrained control of MIXED."""
    monkeypatch.setattr(analysed, "untrained_control", {MIXED: AGREEING}.get)


@pytest.mark.thorough
@pytest.mark.usefixtures("controlled")
def test_an_untrained_control_stands_below_its_network_once_it_is_stored(
    command: Command, root: Path, tmp_path: Path
) -> None:
    out = agreed(command, root, "--out", tmp_path / "alone.csv").out
    assert f"{MIXED}: its untrained control {AGREEING} is not computed; --untrained does that" in out
    assert f"{AGREEING} " not in out[out.index("Disagreement") : out.index("its untrained control")]

    both = agreed(command, root, "--untrained", "--out", tmp_path / "both.csv").out
    again = agreed(command, root, "--out", tmp_path / "again.csv").out
    named = agreed(command, root, "--out", tmp_path / "named.csv", network=f"{MIXED},{AGREEING}").out
    for told in (both, again, named):
        table = told[told.index("Disagreement") :]
        assert table.index(MIXED) < table.index(AGREEING)
        assert row(told, "Disagreement", MIXED)[1] == "29.17"
        assert row(told, "Disagreement", AGREEING)[1:3] == ["0.00", "0.00"]
        assert "its untrained control" not in told
    assert not progress(again), "what is stored is read, nothing is computed"
    # A file holds what was asked for, whatever else is stored.
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "alone.csv").read_bytes()
    assert (tmp_path / "both.csv").read_bytes() == (tmp_path / "named.csv").read_bytes()


@pytest.mark.thorough
@pytest.mark.usefixtures("controlled")
@pytest.mark.parametrize("kind", ["profile", "relevance"])
def test_half_a_control_is_none(command: Command, root: Path, kind: str) -> None:
    done = command(kind, "--network", AGREEING, "--dataset", root, "--device", "cpu")
    assert done.status == 0
    assert "its untrained control" in agreed(command, root).out


@pytest.mark.thorough
def test_json_holds_the_same_rows_and_what_is_left_out(command: Command, root: Path, tmp_path: Path) -> None:
    for name in ("t.csv", "t.json"):
        agreed(command, root, "--top", "0.5", "--seed", "3", "--out", tmp_path / name)
    content = json.loads((tmp_path / "t.json").read_text())
    as_text = [
        {name: "" if one is None else str(one) for name, one in row.items()} for row in content["records"]
    ]
    assert as_text == read(tmp_path / "t.csv")
    metadata = content["metadata"]
    assert metadata["dataset"]["name"] == root.name, "no folder leaves"
    assert metadata["parameters"]["top"] == 0.5
    (network,) = metadata["networks"]
    assert network["classes"] == {"blue": "blue", "green": "green", "red": "red"}
    assert network["images"] == {"blue": 2, "green": 1, "red": 4}
    assert ["conv2", "blue", "fewer than k units overlap the concept"] in network["left_out_cells"]
    assert network["left_out_classes"] == [["white", "no output has this name"]]


def test_some_classes_and_layers(command: Command, root: Path, tmp_path: Path) -> None:
    agreed(
        command,
        root,
        "--classes",
        "red",
        "--layers",
        "conv2",
        "--permutations",
        0,
        "--out",
        tmp_path / "t.csv",
    )
    first, whole = read(tmp_path / "t.csv")
    assert (first["layer"], first["class"]) == ("conv2", "red")
    assert (float(whole["error"]), whole["p_value"]) == (pytest.approx(200 / 3), "")


def test_no_cell_is_no_number(command: Command, root: Path) -> None:
    out = agreed(command, root, "--classes", "blue").out
    assert "2 cells left out" in out
    assert row(out, "Disagreement", MIXED) == ["0", *6 * ["–"]]
    assert row(out, "by layer", "conv1")[:5] == ["4", "1", "0", "–", "37.50"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--top", "0"), "top is 0.0, but expected a share above 0"),
        (("--top", "half"), "'half' is not a number"),
        (("--classes", "reed"), "Unknown class 'reed': did you mean red"),
        (("--classes", "white"), "Class 'white' cannot be used: no output has this name"),
        (("--layers", "conv3"), "Unknown layer 'conv3'"),
        (("--network", "alexnut"), "Unknown network 'alexnut'"),
        (("--method", "saliency"), "Unknown method 'saliency'"),
        (("--permutations", "-1"), "permutations is -1"),
        (("--out", "t.txt"), "ends in .csv or .json"),
    ],
)
def test_a_mistake_is_one_line(command: Command, root: Path, options: tuple[str, ...], words: str) -> None:
    done = command("agreement", "--network", MIXED, "--dataset", root, *options)
    assert done.status == 2
    assert words in done.line


def test_no_network_is_named(command: Command, root: Path) -> None:
    done = command("agreement", "--network", ",", "--dataset", root)
    assert done.status == 2
    assert "No network is named" in done.line
