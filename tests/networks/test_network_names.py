"""Names, specs and digests."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import torch

from interpret_core import networks
from interpret_core.errors import NetworkError, ParameterError
from interpret_core.networks import Preprocessing, digest, find, known, load, torchvision_ops
from interpret_core.networks.providers import torchvision_models
from tests.slow import slow

ROOT = Path(torchvision_ops.__file__).parents[2]
torchvision = torchvision_ops.torchvision()


def test_featured_networks_come_first() -> None:
    names = known()
    assert names[:4] == (
        "torchvision/alexnet", "torchvision/vgg11", "torchvision/resnet18", "efficientnet-lite0",
    )  # fmt: skip
    assert len(set(names)) == len(names) > 75
    assert "torchvision/convnext_tiny" in names
    assert not any(word in name for name in names for word in ("rcnn", "deeplab", "r3d", "quantized"))


def test_every_known_name_has_a_spec() -> None:
    for name in known():
        spec = find(name)
        assert spec.name == name
        assert len(spec.class_names) == 1000
        assert spec.preprocessing.size[0] == spec.preprocessing.size[1]
        assert spec.title


def test_specs_carry_their_preprocessing() -> None:
    assert find("torchvision/alexnet").preprocessing == Preprocessing()
    half = (0.5, 0.5, 0.5)
    lite = find("efficientnet-lite0").preprocessing
    assert (lite.size, lite.mean, lite.std) == ((224, 224), half, half)
    assert find("torchvision/inception_v3").preprocessing.size == (299, 299)
    assert find("torchvision/vit_b_16@IMAGENET1K_SWAG_E2E_V1").preprocessing.size == (384, 384)
    assert find("efficientnet-lite0").class_names[:2] == ("tench", "goldfish")


def test_configured_names(tmp_path: Path) -> None:
    Path("unitscope.toml").write_text('[networks]\nmine = "tests.networks.samples:twice"\n')
    assert known()[0] == "mine"
    network = load("mine")
    assert network.name == "mine"
    assert network.digest == digest("tests.networks.samples:twice") == digest("mine")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torchvision/alxnet", "Unknown network 'torchvision/alxnet': did you mean torchvision/alexnet"),
        ("resnet18", "did you mean torchvision/resnet18"),
        ("", "Unknown network ''"),
        ("torchvision/alexnet@V9", r"Unknown weights .*: did you mean torchvision/alexnet@"),
        ("torchvision/fasterrcnn_resnet50_fpn", "Unknown network"),
        ("nowhere.at_all:factory", r"Module 'nowhere.at_all' cannot be imported \(ModuleNotFoundError"),
        ("module:", "expected package.module:factory"),
        (":factory", "expected package.module:factory"),
        ("tests.networks.samples:twice@weights.txt", r"ends in \.safetensors, \.pth, \.pt"),
    ],
)
def test_unknown_names(name: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message) as caught:
        find(name)
    assert "\n" not in str(caught.value)


def test_devices() -> None:
    with pytest.raises(ParameterError, match="Device 'gpu' is not available"):
        load("tests.networks.samples:twice", "gpu")
    best = "cuda" if torch.cuda.is_available() else "cpu"
    assert load("tests.networks.samples:twice", "auto").device.type in {best, "mps"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    ["torchvision/squeezenet1_1", slow("efficientnet-lite0"), "tests.networks.samples:twice",
     "tests.networks.samples:plain"],
)  # fmt: skip
def test_the_digest_is_that_of_the_loaded_network_and_cheap_to_repeat(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = digest(name)
    assert first == load(name).digest
    assert len(first) == 64
    if ":" not in name:  # a factory may give another network every time
        monkeypatch.delattr("interpret_core.networks.network.load")
    assert digest(name) == first  # files are not loaded again


@pytest.mark.thorough
def test_digests_tell_apart_what_changes_the_answer(tmp_path: Path) -> None:
    factory = "tests.networks.samples:twice"
    state = networks.find(factory).source.factory.parts().module.state_dict()
    digests = [digest(factory), digest("torchvision/resnet18"), digest("torchvision/squeezenet1_1")]
    for value in (0.0, 1.0):
        file = tmp_path / f"{value}.pth"
        torch.save({name: torch.full_like(tensor, value) for name, tensor in state.items()}, file)
        digests.append(digest(f"{factory}@{file}"))
    again = tmp_path / "copy.pth"
    again.write_bytes(file.read_bytes())
    assert digest(f"{factory}@{again}") == digests[-1]  # what counts is the content
    torch.save({name: torch.full_like(tensor, 2.0) for name, tensor in state.items()}, file)
    digests.append(digest(f"{factory}@{file}"))  # the same path with new content
    assert len(set(digests)) == len(digests)


def test_the_recipe_holds_what_decides_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, cpu = find("efficientnet-lite0"), torch.device("cpu")
    weights = spec.weights()
    recipes = [
        other.recipe(weights, cpu)
        for other in (
            spec,
            replace(spec, preprocessing=Preprocessing(size=(192, 192))),
            replace(spec, class_names=("other", *spec.class_names[1:])),
            replace(spec, head="sigmoid"),
        )
    ]
    recipes += [spec.recipe(weights, torch.device("cuda")), find("torchvision/alexnet").recipe(weights, cpu)]
    drawn = find("torchvision/alexnet@random")
    recipes.append(drawn.recipe(drawn.weights(), cpu))
    with monkeypatch.context() as patched:  # random weights depend on the version that draws them
        patched.setattr(torchvision_ops, "version", lambda: "0.0")
        recipes.append(drawn.recipe(drawn.weights(), cpu))
    assert len(set(recipes)) == len(recipes)
    assert replace(spec, name="other", title="").recipe(weights, cpu) == recipes[0]


def test_another_build_of_the_same_version_has_the_same_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    # Results shipped with the program are found where torch came with CUDA.
    spec = find("efficientnet-lite0")
    recipes = []
    for version in ("2.13.0", "2.13.0+cpu", "2.13.0+cu130", "2.13.1+cpu"):
        monkeypatch.setattr(torch, "__version__", version)
        recipes.append(spec.recipe(spec.weights(), torch.device("cpu")))
    assert recipes[0] == recipes[1] == recipes[2] != recipes[3]


@pytest.mark.thorough
def test_spellings_of_the_same_weights_share_a_digest() -> None:
    names = ("torchvision/alexnet@random", "torchvision/alexnet", "torchvision/alexnet@IMAGENET1K_V1")
    assert len({digest(name) for name in names}) == 1  # offline all three are the seeded random network


def test_torchvision_is_usable_without_its_compiled_operators() -> None:
    assert torchvision.models.alexnet is not None
    assert torchvision.ops.nms is not None


def test_the_list_is_that_of_torchvision_itself() -> None:
    listed = tomllib.loads(torchvision_models.LIST.read_text())
    models = torchvision_ops.classifiers()
    assert listed["version"] == metadata.version("torchvision").partition("+")[0], (
        "pinned in requirements.txt"
    )
    assert listed["names"] == models.list_models(module=models)


def test_another_version_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_ops, "version", lambda: "0.99.0")
    torchvision_models._models.cache_clear()
    assert torchvision_models._models() == tuple(tomllib.loads(torchvision_models.LIST.read_text())["names"])
    torchvision_models._models.cache_clear()


@pytest.mark.thorough
def test_names_are_listed_without_importing_torchvision() -> None:
    program = (
        "import sys; from interpret_core.networks import registry, torchvision_ops; "
        "assert 'torchvision/alexnet' in registry.known(); assert 'torchvision' not in sys.modules; "
        "print(torchvision_ops.version(), torchvision_ops.torchvision().__version__)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    found, stated = said.stdout.split()
    assert found == stated
