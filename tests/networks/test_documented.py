"""What docs/networks.md tells people to write works as it stands there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from interpret_core.networks import load, torchvision_ops
from tests.networks.test_own_architectures import trained
from tests.planted_dataset import make_planted

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
MODELS = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, classes):
        super().__init__(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(8, classes))
"""
CLASSES = ("crane", "owl", "wren")


def block(language: str, word: str) -> str:
    """The one example of a language that has a word in it."""
    found = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if word in text]
    assert len(found) == 1, (language, word, len(found))
    text: str = found[0]
    return text


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that somebody starts the dashboard from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INTERPRET_CONFIG", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("mynet", "mypackage", "mypackage.models"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_file_for_the_page_is_written_by_the_line_that_is_shown(here: Path) -> None:
    model = torchvision_ops.classifiers().get_model("squeezenet1_1", weights=None, num_classes=3)
    exec(block("python", "save_file"), {"model": model})
    found = load_file(here / "birds.safetensors")
    assert all(torch.equal(one, found[name]) for name, one in model.state_dict().items())


@pytest.mark.slow
def test_the_table_of_a_known_architecture(here: Path) -> None:
    (here / "unitscope.toml").write_text(block("toml", "[networks.birds]"), encoding="utf-8")
    trained(here / "birds.safetensors", classes=3)
    network = load("birds")
    network.require_classes()
    assert network.class_names == CLASSES
    assert network.preprocessing.size == (224, 224)


def test_a_module_of_ones_own(here: Path) -> None:
    package = here / "mypackage"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").write_text(MODELS)
    (here / "mynet.py").write_text(block("python", "def birds"))
    models: dict[str, type[nn.Module]] = {}
    exec(MODELS, models)
    torch.manual_seed(2)
    state = models["Net"](classes=3).state_dict()  # type: ignore[call-arg]
    torch.save(state, here / "birds.pth")
    network = load("mynet:birds")
    network.require_classes()
    assert (network.class_names, network.evidence) == (CLASSES, "trained")
    (here / "unitscope.toml").write_text('[networks]\nbirds = "mynet:birds"\n')
    assert load("birds").digest == network.digest


def test_a_live_module_of_a_notebook(here: Path) -> None:
    """The example's own lines, with a module and photographs that are at hand."""
    make_planted(here / "photographs", images=6, size=48, annotation=24)
    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv2d(3, 3, 9, stride=8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    said: dict[str, Any] = {"model": model.train()}
    exec(block("python", "ic.wrap").replace("layer4.1.conv2", "conv1"), said)
    assert said["net"].class_names == ("crane", "owl", "wren")
    assert sorted(said["profile"].to_frame()["unit"].unique()) == [0, 1, 2]
    assert model.training  # one may go on training it
