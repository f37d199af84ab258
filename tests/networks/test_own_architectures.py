"""A known architecture with a file of one's own, what the configuration states of it, and grey pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from interpret_core.errors import NetworkError, ParameterError, WeightsError
from interpret_core.networks import NetworkParts, Preprocessing, find, known, load, torchvision_ops
from interpret_core.networks.examination.channels import MADE_GREY
from interpret_core.networks.untrained import untrained_control
from tests.slow import slow, thorough_beyond

models = torchvision_ops.classifiers()
CLASSES = ("crane", "owl", "wren", "no bird")


def trained(file: Path, name: str = "resnet18", classes: int = len(CLASSES)) -> nn.Module:
    """What training on four classes leaves."""
    torch.manual_seed(5)
    module: nn.Module = models.get_model(name, weights=None, num_classes=classes).eval()
    save_file(module.state_dict(), file)
    return module


def configured(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    file = folder / "unitscope.toml"
    file.write_text(text)
    monkeypatch.setenv("INTERPRET_CONFIG", str(file))


@thorough_beyond(1)
@pytest.mark.parametrize(
    "name", [slow("resnet18"), "mobilenet_v3_small", "squeezenet1_1", slow("densenet121")]
)
def test_the_number_of_classes_is_read_off_the_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / "own.safetensors"
    module = trained(file, name)
    network = load(f"torchvision/{name}@{file}")
    assert network.output_count == len(CLASSES)
    assert network.evidence == "trained"
    assert network.note == "Weights from own.safetensors."
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with network.recording([]) as record, torch.no_grad():
        assert torch.allclose(record(images).output, module(images), atol=1e-4)


@pytest.mark.slow
def test_what_no_file_tells_and_is_taken_for_granted_is_said(tmp_path: Path) -> None:
    torch.manual_seed(5)
    build = {"num_classes": 4, "init_weights": False, "aux_logits": False, "transform_input": True}
    module = models.get_model("googlenet", weights=None, **build).eval()
    save_file(module.state_dict(), tmp_path / "own.safetensors")
    network = load(f"torchvision/googlenet@{tmp_path / 'own.safetensors'}")
    (said,) = [one for one in network.findings if "transform_input" in one]
    assert said.startswith("Taken for granted: googlenet shifts its input")
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with network.recording([]) as record, torch.no_grad():
        assert torch.allclose(record(images).output, module(images), atol=1e-4)
    trained(tmp_path / "other.safetensors", "squeezenet1_1")
    assert load(f"torchvision/squeezenet1_1@{tmp_path / 'other.safetensors'}").findings == ()


@pytest.mark.slow
def test_a_training_file_with_prefixes_and_more(tmp_path: Path) -> None:
    module = trained(tmp_path / "unused.safetensors")
    state = {f"model.{name}": one for name, one in module.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "last.ckpt")
    network = load(f"torchvision/resnet18@{tmp_path / 'last.ckpt'}#state_dict.model")
    assert network.output_count == len(CLASSES)
    assert "state_dict.model" in network.note


@pytest.mark.thorough
def test_files_that_are_missing_or_of_another_architecture(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="does not exist"):
        load(f"torchvision/resnet18@{tmp_path / 'gone.safetensors'}")
    trained(tmp_path / "own.safetensors", "resnet34")
    with pytest.raises(WeightsError, match="of another architecture than torchvision/resnet18"):
        load(f"torchvision/resnet18@{tmp_path / 'own.safetensors'}")
    with pytest.raises(NetworkError, match="Unknown weights"):
        find("torchvision/resnet18@IMAGENET")


@pytest.mark.thorough
def test_new_content_under_the_same_name_is_another_network(tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    trained(file)
    first = load(f"torchvision/resnet18@{file}")
    trained(file, classes=7)
    second = load(f"torchvision/resnet18@{file}")
    assert (first.digest != second.digest, first.recipe != second.recipe) == (True, True)
    assert second.output_count == 7


TABLE = """
[networks.birds]
network = "torchvision/resnet18"
weights = "own.safetensors"
classes = "names.txt"
size = [64, 96]
mean = [127.5, 127.5, 127.5]
std = [51, 51, 51]
range = [0, 255]
interpolation = "bicubic"
head = "sigmoid"
layers = ["layer4.1.bn2"]
"""


@pytest.mark.thorough
def test_a_table_states_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(tmp_path / "own.safetensors")
    (tmp_path / "names.txt").write_text("\n".join(CLASSES) + "\n\n", encoding="utf-8")
    configured(tmp_path, monkeypatch, TABLE)
    assert known()[0] == "birds"
    network = load("birds")
    assert network.class_names == CLASSES
    assert network.preprocessing == Preprocessing((64, 96), (0.5,) * 3, (0.2,) * 3, "bicubic")
    assert network.head.kind == "sigmoid"
    assert network.layer("layer4.1.conv2").units == 512
    assert untrained_control("birds") is None
    # As it came out of training: whole numbers, minus 127.5, by 51.
    image = np.full((64, 96, 3), 200, np.uint8)
    assert network.batch([image])[0, 0, 0, 0].item() == pytest.approx((200 - 127.5) / 51)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("size = 0", "size is 0, expected pixels: write size = 224"),
        ("size = [1, 2, 3]", "expected pixels"),
        ('classes = ["a", ""]', "classes is .*expected texts"),
        ('classes = "nowhere.txt"', "names.*nowhere.txt, which cannot be read"),
        ("mean = [true]", "expected numbers"),
        ("range = [0, 255]", "range needs mean and std"),
        ("range = [1, 0]", "expected the lower number first"),
        ('head = "softmax"', "expected one of logits, probabilities, sigmoid"),
        ('layers = "layer4"', "layers is 'layer4', expected texts"),
        ('weight = "x.pth"', "has 'weight', expected only network, weights, classes"),
        ('mean = "0.5"', "expected numbers"),
    ],
)
def test_a_wrong_line_of_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, words: str
) -> None:
    configured(tmp_path, monkeypatch, f'[networks.birds]\nnetwork = "torchvision/resnet18"\n{line}\n')
    with pytest.raises(Exception, match=rf"\[networks\] birds.*{words}"):
        find("birds")


def test_weights_are_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(
        tmp_path, monkeypatch, '[networks.a]\nnetwork = "torchvision/resnet18@random"\nweights = "x.pth"\n'
    )
    with pytest.raises(Exception, match="names weights twice"):
        find("a")


def test_too_few_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(
        tmp_path, monkeypatch, '[networks.a]\nnetwork = "torchvision/resnet18@random"\nmean = [0, 0]\n'
    )
    with pytest.raises(NetworkError, match=r"\[networks\] a: mean is .*expected three finite numbers"):
        find("a")


# Grey pictures.

_MADE: dict[str, NetworkParts] = {}


def made() -> NetworkParts:
    """The factory: the network that the test wants."""
    return _MADE["now"]


class Digits(nn.Module):
    """As it is written for handwritten digits."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.fc = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 6, 3), nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.fc(torch.relu(self.b(torch.relu(self.a(x)))).mean((2, 3)))
        return found


class MakesGrey(nn.Module):
    """Takes RGB, whatever its first convolution takes."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Digits()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.inner(x.mean(1, keepdim=True))
        return found


def loaded(module: nn.Module, preprocessing: Preprocessing) -> object:
    torch.manual_seed(0)
    _MADE["now"] = NetworkParts(module.eval(), preprocessing)
    return load(f"{__name__}:made")


def test_one_mean_and_one_std_make_pictures_grey() -> None:
    module = Digits()
    network = loaded(module, Preprocessing((28, 28), (0.1307,), (0.3081,)))
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    resized = Image.fromarray(image).resize((28, 28), Image.Resampling.BILINEAR)
    grey = np.asarray(resized.convert("L"), np.float32) / 255
    batch = network.batch([image])  # type: ignore[attr-defined]
    assert batch.shape == (1, 1, 28, 28)
    assert np.allclose(batch[0, 0].numpy(), (grey - 0.1307) / 0.3081, atol=1e-5)
    assert MADE_GREY not in network.findings  # type: ignore[attr-defined]
    with network.recording(["a"]) as record, torch.no_grad():  # type: ignore[attr-defined]
        assert torch.allclose(record(batch).responses["a"], torch.relu(module.a(batch)), atol=1e-6)


def test_three_means_for_one_channel_are_averaged_and_that_is_said() -> None:
    network = loaded(Digits(), Preprocessing((28, 28)))
    mean = 0.299 * 0.485 + 0.587 * 0.456 + 0.114 * 0.406
    assert network.preprocessing.mean == (pytest.approx(mean),)  # type: ignore[attr-defined]
    assert MADE_GREY in network.findings  # type: ignore[attr-defined]


def test_a_network_that_makes_grey_itself_is_fed_rgb() -> None:
    network = loaded(MakesGrey(), Preprocessing((28, 28)))
    assert network.preprocessing.channels == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(("channels", "way"), [(3, "one mean and one std"), (4, "wrap it in a module")])
def test_other_channels_are_refused_in_one_line(channels: int, way: str) -> None:
    module = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    preprocessing = Preprocessing((28, 28), (0.5,), (0.5,)) if channels == 3 else Preprocessing((28, 28))
    way = "three means and three stds" if channels == 3 else way
    with pytest.raises(NetworkError, match=rf"takes {channels} channels, Unitscope feeds .*{way}"):
        loaded(module, preprocessing)


def test_means_and_deviations_of_other_numbers() -> None:
    with pytest.raises(ParameterError, match="expected as many numbers"):
        Preprocessing(mean=(0.5,), std=(0.5,) * 3)
    with pytest.raises(ParameterError, match="which data sets cannot hold yet"):
        Preprocessing(mean=(0.5,) * 4, std=(0.5,) * 4)


@pytest.mark.thorough
def test_code_of_a_users_own_may_import_torchvision_by_itself(tmp_path: Path) -> None:
    """Also where its compiled operators do not load, and as the first thing that anybody asks for."""
    (tmp_path / "theirs.py").write_text(
        "import torchvision\n"
        "from interpret_core.networks.torchvision_ops import models\n\n\n"
        "def small():\n    return torchvision.models.squeezenet1_1(weights=None)\n\n\n"
        "def older():\n    return models.squeezenet1_1(weights=None)\n"
    )
    code = (
        "from interpret_core import networks as n; "
        "print(len(n.load('theirs:small').layers), n.load('theirs:older'))"
    )
    paths = os.pathsep.join([str(tmp_path), str(Path(torchvision_ops.__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("26 ")
