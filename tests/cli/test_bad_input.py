"""A user's mistake: one clear line on stderr, exit status 2, and nothing half done."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.cli.conftest import Command, Ran, ended, started
from tests.planted_classes import write_classes, write_photos, write_pictures
from tests.planted_dataset import Planted, save_mask
from tests.slow import thorough_beyond
from tests.store.mounts import namespace

SMALL = "tests.cli.networks:small"


def profile(*options: object) -> tuple[object, ...]:
    return ("profile", "--network", SMALL, "--permutations", 0, "--min-images", 1, *options)


def wrong(done: Ran, *parts: str) -> None:
    assert done.status == 2, (done.out, done.err)
    assert done.line.startswith("Error: ")
    assert "Traceback" not in done.err
    for part in parts:
        assert part in done.line


@thorough_beyond(3)
@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--dataset", "nowhere"), ["Unknown data set 'nowhere'"]),
        (("--dataset", "/nowhere/at/all"), ["/nowhere/at/all", "does not exist"]),
        (("--dataset", "{empty}"), ["index.csv"]),
        (
            ("--dataset", "{planted}", "--network", "torchvision/alexnett"),
            ["alexnett", "torchvision/alexnet"],
        ),
        (("--dataset", "{planted}", "--network", "tests.cli.networks:failing"), ["no such weights here"]),
        (("--dataset", "{planted}", "--network", "no.module:here"), ["no.module"]),
        (("--dataset", "{planted}", "--layers", "conv3"), ["conv3", "conv1"]),
        (("--dataset", "{planted}", "--layers", ","), ["No layer is named"]),
        (("--dataset", "{planted}", "--quantile", "0"), ["quantile is 0.0", "between 0 and 1"]),
        (("--dataset", "{planted}", "--quantile", "1"), ["quantile is 1.0"]),
        (("--dataset", "{planted}", "--quantile", "nan"), ["quantile is nan"]),
        (("--dataset", "{planted}", "--quantile", "text"), ["--quantile", "'text' is not a number"]),
        (("--dataset", "{planted}", "--seed", "1.5"), ["--seed", "'1.5' is not a whole number"]),
        (("--dataset", "{planted}", "--min-images", "0"), ["min_images is 0"]),
        (("--dataset", "{planted}", "--batch-size", "0"), ["batch_size is 0"]),
        (("--dataset", "{planted}", "--permutations", "-1"), ["permutations is -1"]),
        (("--dataset", "{planted}", "--cutoff", "1"), ["cutoff is 1.0"]),
        (("--dataset", "{planted}", "--categories", "objects"), ["objects", "did you mean object"]),
        (("--dataset", "{planted}", "--device", "abacus"), ["abacus", "expected auto, cpu, cuda or mps"]),
        (("--dataset", "{planted}", "--shards", "0"), ["--shards is 0"]),
        (("--dataset", "{planted}", "--shards", "3", "--shard-order", "0,1"), ["--shard-order", "0,1"]),
        (("--dataset", "{planted}", "--cache", "{file}/cache"), ["lies in) a file"]),
        (("--dataset", "{planted}", "--cache", "/proc/cache"), ["/proc/cache"]),
        (("--dataset", "{planted}", "--out", "{empty}/no/p.csv"), ["cannot be written", "No such file"]),
        (("--dataset", "{planted}", "--out", "/proc/p.csv"), ["/proc/p.csv cannot be written"]),
        (("--dataset", "{planted}", "--out", "{empty}"), [".csv or .json"]),
        (("--dataset", "{planted}", "--out", "{empty}/p.xlsx"), ["p.xlsx", ".csv or .json"]),
        (("--dataset", "{planted}", "--nonsense"), ["--nonsense", "profile --help"]),
    ],
)
def test_one_line_and_exit_2(command: Command, planted: Planted, tmp_path: Path, options, parts) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    places = {"empty": tmp_path / "empty", "planted": planted.root, "file": tmp_path / "file"}
    wrong(command(*profile(*(option.format(**places) for option in options))), *parts)
    assert not list((tmp_path / "empty").iterdir())


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("profiles",), ["No such command 'profiles'"]),
        (("profile",), ["--network"]),
        (("networks", "nope"), ["Unknown network 'nope'"]),
        (("datasets", "nope"), ["Unknown data set 'nope'"]),
        (("fetch", "imagenet"), ["No such command 'imagenet'"]),
        (("fetch", "broden", "--resolution", "225"), ["225", "224, 227, 384"]),
        (("bench", "profile"), ["No data set to time", "--dataset"]),
        (("bench", "profile", "--json", "/nowhere/x.json"), ["/nowhere/x.json"]),
    ],
)
def test_other_commands(command: Command, arguments, parts) -> None:
    wrong(command(*arguments), *parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--dataset", "{pictures}", "--split", "test"), ["Unknown split 'test'", "train, val, all"]),
        (("--dataset", "{pictures}", "--batch-size", "0"), ["batch_size is 0"]),
        (("--dataset", "{pictures}", "--out", "{pictures}/e.xlsx"), ["e.xlsx", ".csv or .json"]),
        (("--dataset", "{pictures}", "--device", "abacus"), ["abacus", "expected auto, cpu, cuda or mps"]),
        (("--dataset", "{pictures}", "--network", SMALL), ["does not name its outputs"]),
        (("--dataset", "{pictures}", "--network", "demo/alexnet"), ["demo/alexnet", "unset INTERPRET_DEMO"]),
        (("--dataset", "{pictures}", "--network", "efficientnet-lite0"), ["knows none of the classes"]),
        (("--dataset", "{planted}"), ["knows none of the classes of planted", "[classes]"]),
        (("--dataset", "{bare}"), ["no object annotation and no classes.csv", "image,class"]),
        (("--dataset", "{empty}"), ["neither index.csv", "nor classes.csv"]),
        (("--dataset", "{photos}"), ["classes.csv line 3", "'b.png' is not in"]),
        (("--dataset", "nowhere"), ["Unknown data set 'nowhere'"]),
        (("--dataset", "{wrong}"), ["classes.csv line 2", "'none.png' is not in index.csv"]),
    ],
)
def test_evaluate(command: Command, planted: Planted, tmp_path: Path, options, parts) -> None:
    places = {name: write_pictures(tmp_path / name) for name in ("pictures", "wrong")}
    write_classes(places["wrong"], [("none.png", "red")])
    places |= {name: tmp_path / name for name in ("bare", "empty", "photos")}
    places["empty"].mkdir()
    write_photos(places["photos"], {"a.png": "red"})
    write_classes(places["photos"], [("a.png", "red"), ("b.png", "red")])
    write_pictures(places["bare"])
    (places["bare"] / "classes.csv").unlink()
    (places["bare"] / "label.csv").write_text("number,name,category\n1,red,color\n")
    given = [option.format(**places, planted=planted.root) for option in options]
    wrong(command("evaluate", "--network", "tests.cli.networks:named", *given), *parts)


def test_without_an_index(command: Command, planted: Planted) -> None:
    (planted.root / "index.csv").unlink()
    wrong(command(*profile("--dataset", planted.root)), "index.csv", str(planted.root))


def test_no_label_of_whole_images(command: Command, tmp_path: Path) -> None:
    root = write_photos(tmp_path / "photos", {"a.png": "red"})
    (root / "classes.csv").unlink()
    done = command("image-labels", "--network", "tests.cli.networks:named", "--dataset", root)
    wrong(done, "photos has no label of whole images", "classes.csv")


def test_a_bad_configuration(command: Command, environment: Path) -> None:
    (environment / "unitscope.toml").write_text("[datasets")
    wrong(command("datasets"), "unitscope.toml is not valid TOML")


def truncated_jpeg(planted: Planted) -> str:
    name = "planted/00001.jpg"
    index = planted.root / "index.csv"
    index.write_text(index.read_text().replace("planted/00001.png", name))
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    target = planted.root / "images" / name
    Image.fromarray(image).save(target, quality=95)
    target.write_bytes(target.read_bytes()[:-400])
    return name


def missing_image(planted: Planted) -> str:
    (planted.root / "images" / "planted/00001.png").unlink()
    return "planted/00001.png"


def mask_of_another_size(planted: Planted) -> str:
    save_mask(planted.root / "images/planted/00001_object_0.png", np.zeros((8, 8), np.uint16))
    return "planted/00001_object_0.png"


def unknown_label(planted: Planted) -> str:
    save_mask(planted.root / "images/planted/00001_color_0.png", np.full((16, 16), 999, np.uint16))
    return "planted/00001_color_0.png"


@thorough_beyond(2)
@pytest.mark.parametrize("damage", [truncated_jpeg, missing_image, mask_of_another_size, unknown_label])
def test_damage_is_skipped_and_counted_or_stops(command: Command, planted: Planted, tmp_path, damage) -> None:
    name = damage(planted)
    strict = profile("--dataset", planted.root, "--strict", "--out", tmp_path / "p.csv")
    wrong(command(*strict), name)
    assert not (tmp_path / "p.csv").exists()
    done = command(*profile("--dataset", planted.root))
    assert (done.status, done.err) == (0, "")
    assert "11 images" in done.out
    assert "1 skipped as damaged" in done.out
    assert name in done.out
    wrong(command(*strict), name)  # also where everything is in the cache


def test_many_skipped_images_are_named_on_demand(command: Command, planted: Planted) -> None:
    for index in range(5):
        (planted.root / f"images/planted/{index:05d}.png").write_bytes(b"")
    brief = command(*profile("--dataset", planted.root)).out
    assert "5 skipped as damaged" in brief
    assert "and 2 more" in brief
    assert "00004.png" not in brief
    assert "00004.png" in command(*profile("--dataset", planted.root, "--verbose")).out


def test_nothing_can_be_read(command: Command, planted: Planted) -> None:
    shutil.rmtree(planted.root / "images")
    wrong(command(*profile("--dataset", planted.root)), "None of the 12 images")


def test_weights_of_another_architecture(command: Command, planted: Planted, tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "w.safetensors")
    network = f"{SMALL}@{tmp_path / 'w.safetensors'}"
    wrong(command(*profile("--dataset", planted.root, "--network", network)), "w.safetensors", "conv1.weight")


class Planting:
    """A pickle of this makes a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_a_pickle_with_code_is_not_run(command: Command, planted: Planted, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    for name, save in (("plain.pth", lambda f: f.write_bytes(pickle.dumps(Planting(proof)))),
                       ("torch.pth", lambda f: torch.save({"w": Planting(proof)}, f))):  # fmt: skip
        save(tmp_path / name)
        network = f"{SMALL}@{tmp_path / name}"
        wrong(command(*profile("--dataset", planted.root, "--network", network)), name)
    assert not proof.exists()


def test_missing_weights(command: Command, planted: Planted, tmp_path: Path) -> None:
    network = f"{SMALL}@{tmp_path / 'none.safetensors'}"
    wrong(command(*profile("--dataset", planted.root, "--network", network)), "none.safetensors")


def test_infinite_responses_stop_with_layer_and_image(command: Command, planted_scenes: Path) -> None:
    done = command("profile", "--network", "tests.cli.networks:infinite", "--dataset", planted_scenes)
    assert done.status == 1
    assert "gives NaN or infinity on image 0.png" in done.line


@pytest.mark.thorough
def test_a_full_disk(environment: Path, planted: Planted, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = namespace(f"mount -t tmpfs -o size=600k none '{disk}'")
    arguments = profile("--dataset", planted.root, "--cache", disk / "cache", "--device", "cpu")
    wrong(ended(started(*arguments, prefix=prefix)), "is full", "Free some space")


@pytest.mark.thorough
def test_a_read_only_cache(environment: Path, planted: Planted, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = namespace(f"mount -t tmpfs -o ro none '{disk}'")
    wrong(ended(started(*profile("--dataset", planted.root, "--cache", disk), prefix=prefix)), "Read-only")


def test_out_on_a_full_disk_leaves_the_old_file(
    command: Command, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "p.csv"
    target.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("interpret_core.cli.files.os.fsync", full)
    wrong(command(*profile("--dataset", planted.root, "--out", target)), "No space left on device")
    assert target.read_text() == "old"
    assert not list(tmp_path.glob(".p.csv*"))


def test_a_bug_is_one_line_and_its_traceback_on_demand(
    command: Command, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("deep inside")

    monkeypatch.setattr("interpret_core.analyses.profile.analysis.run_profile", broken)
    done = command(*profile("--dataset", planted.root))
    assert done.status == 1
    assert "KeyError: 'deep inside'" in done.line
    assert "interpret_core --debug profile" in done.line
    again = command(*profile("--dataset", planted.root, "--debug"))
    assert again.status == 1
    assert "Traceback (most recent call last)" in again.err
