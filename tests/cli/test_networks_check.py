"""`networks check`: what an examination finds, on the screen and as JSON."""

from __future__ import annotations

import json

import pytest

from interpret_core import config
from interpret_core.networks import load
from interpret_core.runtime.examinations import kept
from interpret_core.store.store import Store
from tests.cli.conftest import Command


def test_the_report_lists_every_layer_and_what_is_left_out(command: Command) -> None:
    done = command("networks", "check", "torchvision/mobilenet_v3_small@random")
    assert (done.status, done.err) == (0, "")
    for words in (
        "input 3×224×224; run from its graph",
        "1,000 outputs, 1,000 names, read as logits",
        "Batches of 1, 2 and 3 images, in other orders: each image gets its own answer",
        "features.3 ",
        "not offered",
        "its grid is 1×1",
    ):
        assert words in done.out


@pytest.mark.thorough
def test_the_report_as_json(command: Command) -> None:
    done = command("networks", "check", "torchvision/resnet18@random", "--json")
    assert (done.status, done.err) == (0, "")
    found = json.loads(done.out)
    layers = {row["layer"]: row for row in found["layers"]}
    assert layers["layer4.1"]["also"] == ["layer4"]
    assert layers["layer4.1"]["kind"] == "sum"
    assert layers["conv1"]["gradient"] == layers["fc"]["gradient"] == "yes"
    assert "no positions" in layers["fc"]["masks"]
    assert found["outputs"] == {"count": 1000, "problem": "", "names": 1000, "head": "logits", "why": ""}
    assert found["not_offered"] == []
    assert "Unitscope" in found["made_with"]
    network = load("torchvision/resnet18@random")
    with Store(config.current().cache) as store:  # for the page, which need not load the network again
        assert kept(network.digest, network.spec, store) == {
            name: one for name, one in found.items() if name != "made_with"
        }


def test_names_that_belong_to_nothing_are_refused(command: Command) -> None:
    for words in (("networks", "--json"), ("networks", "torchvision/alexnet", "more")):
        done = command(*words)
        assert (done.status, done.out) == (2, "")
        assert "networks check" in done.err


@pytest.mark.thorough
def test_a_block_by_its_published_name(command: Command) -> None:
    listed = command("networks", "torchvision/resnet18@random")
    assert "further layers, by name" in listed.out
    assert "layer4.1 (sum)" in listed.out
