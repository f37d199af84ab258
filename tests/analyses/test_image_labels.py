"""Units labelled by whole images: planted units, the same bytes however computed, what is left out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import mannwhitneyu

from interpret_core import networks
from interpret_core.analyses.image_labels.compute import run_image_labels
from interpret_core.analyses.image_labels.plan import keys_by_name
from interpret_core.analyses.image_labels.report import report
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.image_labels.result import COLUMNS, UnitsByImageLabel
from interpret_core.analyses.registry import find
from interpret_core.cli.app import main
from interpret_core.datasets import open_dataset
from interpret_core.errors import Cancelled, DatasetError, LayerError, NonFiniteError
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.processes import Processes
from interpret_core.store.store import Store
from tests.planted_classes import write_classes

COLOURS = "tests.analyses.networks:colours"
MIXED = "tests.analyses.networks:mixed"
HEADED = "tests.analyses.related:network"
SHOWN = ("red", "green", "blue")
PIXELS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def picture(colour: str, seed: int, size: int = 32) -> Image.Image:
    """A noisy picture of weak colours with a square of a strong one somewhere."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 120, (8, 8, 3), np.uint8).repeat(size // 8, 0).repeat(size // 8, 1)
    top, left = rng.integers(0, size - 8, 2)
    strong = np.array(PIXELS[colour]) * rng.uniform(0.6, 1, (8, 8, 1))
    pixels[top : top + 8, left : left + 8] = strong.astype(np.uint8)
    return Image.fromarray(pixels)


def write(root: Path, images: int = 45) -> Path:
    """Pictures in a folder for each colour, their classes, and a column that says nothing of colours."""
    rows = []
    for number in range(images):
        colour = SHOWN[number % 3]
        name = f"{colour}/{number:03d}.png"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(colour, number).save(root / name)
        rows.append((name, colour, ("even", "odd")[number // 3 % 2]))
    write_classes(root, rows, ("image", "class", "parity"))
    return root


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("labelled") / "photographs")


def labelled(store: Store, root: Path, network: str = COLOURS, **changes: object) -> UnitsByImageLabel:
    return run_image_labels(ImageLabelsRequest(network, str(root), **changes), store)  # type: ignore[arg-type]


def test_planted_units_get_their_label(store: Store, photographs: Path) -> None:
    found = labelled(store, photographs)
    (layer,) = found.layers.values()
    rows = list(found.rows())
    assert [row["label"] for row in rows] == list(SHOWN)
    assert all(row["q_value"] <= 0.05 for row in rows)
    assert all((row["positive"], row["images"], row["base_rate"]) == (15, 45, 1 / 3) for row in rows)
    assert layer.labels == ("blue", "green", "red", "parity: even", "parity: odd")  # folders say the same
    assert found.first.metadata["groups"] == 45


def test_responses_are_the_networks_and_numbers_scipys(store: Store, photographs: Path) -> None:
    found = labelled(store, photographs, MIXED, layers=("conv2",), batch_size=7, permutations=3)
    dataset, network = open_dataset(photographs), networks.load(MIXED)
    with network.recording(["conv2"]) as run:
        recorded = run(network.batch([dataset.read_image(i) for i in range(len(dataset))]))
    largest = recorded.responses["conv2"].amax((2, 3)).numpy().astype(np.float64)
    shows = np.array([record.image.startswith("red/") for record in dataset.records])
    layer = found.layers["conv2"]
    red = layer.labels.index("red")
    for unit in range(layer.units):
        told = mannwhitneyu(largest[shows, unit], largest[~shows, unit], alternative="greater")
        assert layer["auc"][unit, red] == pytest.approx(told.statistic / (15 * 30), abs=1e-3)


def test_layers_without_masks_have_labels(store: Store, photographs: Path) -> None:
    assert networks.load(HEADED).layer("head").without_masks
    found = labelled(store, photographs, HEADED, layers=("head",), permutations=5)
    assert found.layers["head"]["best"].max() >= 0


def test_a_network_that_is_untrained_tells_nothing_of_shuffled_labels(
    store: Store, photographs: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    names = [record.image for record in open_dataset(photographs).records]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images").symlink_to(photographs)
    words = rng.permutation(np.arange(len(names)) % 2)
    write_classes(tmp_path / "set", [(name, f"c{word}") for name, word in zip(names, words, strict=True)])
    found = labelled(store, tmp_path / "set", MIXED, columns=("class",))
    assert sum(layer.better for layer in found.layers.values()) == 0
    lines = [line for line in report(found, False) if isinstance(line, str)]
    assert any(line.startswith("No unit of 53 tells a label better than chance") for line in lines)


@pytest.mark.thorough
def test_the_same_bytes_from_processes_shards_and_the_store(photographs: Path, tmp_path: Path) -> None:
    request = ImageLabelsRequest(MIXED, str(photographs), batch_size=5)
    found = []
    with Processes(2, threads=1) as processes:
        for number, execution in enumerate(
            [Execution(), Execution(shards=3, order=(2, 0, 1)), Execution(executor=processes)]
        ):
            store = Store(tmp_path / str(number))
            run_image_labels(request, store, execution)
            keys = keys_by_name(request, store)
            found.append([store.get(key).digest() for key in (*keys.labels.values(), *keys.maxima.values())])
            assert not list(store.keys("partial/"))
            assert not run_image_labels(request, store).computed
    assert found[0] == found[1] == found[2]


def test_other_labels_need_no_second_pass(store: Store, photographs: Path) -> None:
    labelled(store, photographs)
    told: list[str] = []
    execution = Execution(tell=lambda stage, _done, _total: told.append(stage))
    run_image_labels(ImageLabelsRequest(COLOURS, str(photographs), columns=("parity",)), store, execution)
    assert "chance" in told
    assert "largest responses" not in told


def test_further_layers_are_added_to_what_is_there(store: Store, photographs: Path) -> None:
    first = labelled(store, photographs, MIXED, layers=("conv1",))
    both = labelled(store, photographs, MIXED)
    assert np.array_equal(first.layers["conv1"]["z"], both.layers["conv1"]["z"])
    analysis = find("image-labels").load()
    plan = analysis.plan(both.request, store)
    assert plan.missing == ()
    assert list(plan.keys) == ["conv1", "conv2"]


def test_changed_labels_are_other_labels(store: Store, tmp_path: Path) -> None:
    root = write(tmp_path / "set", 30)
    before = labelled(store, root, columns=("parity",))
    rows = list(csv.reader((root / "classes.csv").read_text().splitlines()))
    write_classes(
        root, [(image, name, "odd" if name == "red" else "even") for image, name, _ in rows[1:]], rows[0]
    )
    after = labelled(store, root, columns=("parity",))
    assert before.first["auc"].tolist() != after.first["auc"].tolist()
    assert after.first.row(0, after.first.labels.index("odd"))["auc"] == 1.0


def test_damaged_images_are_told_and_left_out(store: Store, tmp_path: Path) -> None:
    root = write(tmp_path / "set", 30)
    (root / "red/000.png").write_bytes(b"no picture")
    found = labelled(store, root)
    told = found.first.metadata
    assert [image for image, _ in told["skipped"]] == ["red/000.png"]
    assert told["labelled"] == 29
    assert found.first["positive"].tolist()[:3] == [10, 10, 9]
    (line,) = (str(line) for line in report(found, False) if "skipped as damaged" in str(line))
    assert "red/000.png" in line


def test_copies_change_places_together(store: Store, tmp_path: Path) -> None:
    root = write(tmp_path / "set", 15)
    rows = list(csv.reader((root / "classes.csv").read_text().splitlines()))
    copies = []
    for image, *labels in rows[1:]:
        copy = image.replace(".png", "_copy.png")
        (root / copy).write_bytes((root / image).read_bytes())
        copies.append([copy, *labels])
    write_classes(root, [*rows[1:], *copies], rows[0])
    told = labelled(store, root).first.metadata
    assert (told["labelled"], told["groups"]) == (30, 15)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [("red/000.png", "red")],
            r"no label of whole images that tells 5 of them.*'red' has 1 image, fewer than 5",
        ),
        ([(f"{SHOWN[i % 3]}/{i:03d}.png", "all") for i in range(12)], r"'all' has all 12 images"),
    ],
)
def test_labels_that_tell_nothing(
    store: Store, tmp_path: Path, rows: list[tuple[str, str]], message: str
) -> None:
    root = write(tmp_path / "set", 12)
    write_classes(root, rows)
    with pytest.raises(DatasetError, match=message):
        labelled(store, root, columns=("class",))


def test_unknown_layers_and_poisoned_networks(store: Store, photographs: Path) -> None:
    with pytest.raises(LayerError, match=r"Unknown layer 'conv9'"):
        labelled(store, photographs, layers=("conv9",))
    with pytest.raises(
        NonFiniteError, match=r"Layer conv2 of .*poisoned gives NaN or infinity on image blue/"
    ):
        labelled(store, photographs, "tests.analyses.networks:poisoned")


def test_a_run_that_was_stopped_goes_on(photographs: Path, store: Store) -> None:
    request = ImageLabelsRequest(MIXED, str(photographs), batch_size=1)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 25

    with pytest.raises(Cancelled):
        run_image_labels(request, store, Execution(cancelled=stop, shards=9))
    assert list(store.keys("partial/"))
    told: list[int] = []
    found = run_image_labels(
        request, store, Execution(shards=9, tell=lambda _stage, done, _total: told.append(done))
    )
    assert found.computed
    assert not list(store.keys("partial/"))
    again = labelled(Store(store.folder.parent / "other"), photographs, MIXED, batch_size=1)
    assert np.array_equal(again.layers["conv2"]["z"], found.layers["conv2"]["z"])


def test_the_command_writes_its_table(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "set"
    root.mkdir()
    (root / "images").symlink_to(photographs)
    names = [record.image for record in open_dataset(photographs).records]
    write_classes(root, [(name, f"={name.split('/')[0]}") for name in names])
    out = tmp_path / "t.csv"
    asked = ["--network", COLOURS, "--dataset", str(root), "--columns", "class", "--layers", "conv1"]
    assert main(["image-labels", *asked, "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert tuple(rows[0])[: len(COLUMNS)] == COLUMNS
    assert [row["label"] for row in rows] == [f"'={name}" for name in SHOWN]  # no formula
    screen = capsys.readouterr().out
    assert "Units that tell a label best" in screen
    assert "when a unit responds, not where" in " ".join(screen.split())
    assert main(["image-labels", *asked, "--out", str(tmp_path / "t.json")]) == 0
    told = json.loads((tmp_path / "t.json").read_text())
    assert [row["label"] for row in told["records"]] == [f"={name}" for name in SHOWN]
