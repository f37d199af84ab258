"""The demo's networks: names, weights in half precision, layers, and responses by a forward pass by hand."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from interpret_core import demo, networks
from interpret_core.errors import NetworkError, WeightsError
from interpret_core.networks import Preprocessing, digest, find, known, load
from interpret_core.networks.providers.demo import build_demo
from tests.demo_weights import CLASSES, make_weights
from tests.networks.conftest import images

NAMES = ("demo/alexnet", "demo/vgg11", "demo/resnet18")
State = dict[str, Tensor]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_weights(tmp_path_factory.mktemp("demo") / "weights")


@pytest.fixture
def weights(written: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The demo is shown, with a folder of weights that a test may change."""
    monkeypatch.delenv("INTERPRET_DEMO")
    folder = tmp_path / "weights"
    folder.mkdir()
    for file in written.iterdir():
        (folder / file.name).hardlink_to(file)
    monkeypatch.setattr(demo, "WEIGHTS", folder)
    return folder


def alexnet(state: State, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Krizhevsky 2014 as torchvision has it, without its three linear layers."""
    found = {}
    for number, (at, stride, padding, pool) in enumerate(
        [(0, 4, 2, True), (3, 1, 2, True), (6, 1, 1, False), (8, 1, 1, False), (10, 1, 1, True)], 1
    ):
        x = F.relu(F.conv2d(x, state[f"features.{at}.weight"], state[f"features.{at}.bias"], stride, padding))
        found[f"conv{number}"] = x
        x = F.max_pool2d(x, 3, 2) if pool else x
    return found, headed(state, x)


def vgg11(state: State, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Simonyan & Zisserman 2014, table 1, column A, without its three linear layers."""
    found = {}
    for number, (at, pool) in enumerate(
        [(0, 1), (3, 1), (6, 0), (8, 1), (11, 0), (13, 1), (16, 0), (18, 1)], 1
    ):
        x = F.relu(F.conv2d(x, state[f"features.{at}.weight"], state[f"features.{at}.bias"], padding=1))
        found[f"conv{number}"] = x
        x = F.max_pool2d(x, 2) if pool else x
    return found, headed(state, x)


def headed(state: State, x: Tensor) -> Tensor:
    return x.mean((2, 3)) @ state["classifier.weight"].T + state["classifier.bias"]


def resnet18(state: State, x: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """He et al. 2015, table 1, with projections where the shape changes."""

    def convolved(x: Tensor, conv: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{conv}.weight"]
        x = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2)
        mean, variance, scale, shift = (
            state[f"{norm}.{part}"].view(1, -1, 1, 1)
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(variance + 1e-5) * scale + shift

    found = {"conv1": F.relu(convolved(x, "conv1", "bn1", 2))}
    x = F.max_pool2d(found["conv1"], 3, 2, 1)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            first = found[f"{at}.conv1"] = F.relu(convolved(x, f"{at}.conv1", f"{at}.bn1", stride))
            second = found[f"{at}.conv2"] = convolved(first, f"{at}.conv2", f"{at}.bn2")
            beside = convolved(x, f"{at}.downsample.0", f"{at}.downsample.1", 2) if stride == 2 else x
            x = F.relu(second + beside)
    return found, x.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]


BY_HAND: dict[str, Callable[[State, Tensor], tuple[dict[str, Tensor], Tensor]]] = {
    "alexnet": alexnet, "vgg11": vgg11, "resnet18": resnet18,
}  # fmt: skip
UNITS = {
    "alexnet": [64, 192, 384, 256, 256],
    "vgg11": [64, 128, 256, 256, 512, 512, 512, 512],
    "resnet18": [64] * 5 + [128] * 4 + [256] * 4 + [512] * 4,
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "alexnet" else [pytest.mark.slow]) for name in BY_HAND]
)
def test_responses_and_output_are_those_of_a_forward_pass_by_hand(weights: Path, name: str) -> None:
    network = load(f"demo/{name}")
    state = {key: value.float() for key, value in load_file(weights / f"{name}.safetensors").items()}
    batch = images(network)
    expected, output = BY_HAND[name](state, batch)
    assert network.traced
    assert [layer.name for layer in network.layers] == list(expected)
    assert [layer.units for layer in network.layers] == UNITS[name]
    with network.recording(network.layers) as record, torch.no_grad():
        found = record(batch)
    for layer, response in expected.items():
        scale = float(response.abs().max())
        torch.testing.assert_close(found.responses[layer], response, rtol=1e-4, atol=1e-4 * scale, msg=layer)
    assert found.output.shape == (2, len(CLASSES))
    torch.testing.assert_close(found.output, output, rtol=1e-4, atol=1e-4 * float(output.abs().max()))


def test_the_file_is_in_half_precision_and_the_network_is_not(weights: Path) -> None:
    state = load_file(weights / "resnet18.safetensors")
    assert state["conv1.weight"].dtype == torch.float16
    assert state["bn1.running_var"].dtype == torch.float32
    spec = find("demo/resnet18")
    built = spec.build(spec.weights()).state_dict()
    assert set(built) == set(state)
    for key, value in built.items():
        assert value.dtype == (torch.int64 if "num_batches" in key else torch.float32), key
        assert torch.equal(value, state[key].to(value.dtype)), key


def test_what_is_known_of_them(weights: Path) -> None:
    network = load("demo/alexnet")
    assert network.class_names == CLASSES
    assert network.evidence == "demo"
    assert "rendered scenes of ten classes" in network.note
    assert "not for conclusions about photographs" in network.note
    assert network.preprocessing == Preprocessing() == find("torchvision/alexnet").preprocessing
    assert find("demo/vgg11").title == "VGG11 (demo)"


def test_they_come_first_where_they_are_there(weights: Path) -> None:
    others = ("torchvision/alexnet", "torchvision/vgg11", "torchvision/resnet18", "efficientnet-lite0")
    assert networks.featured() == (*NAMES, *others)
    assert known()[:7] == networks.featured()
    Path("unitscope.toml").write_text('[networks]\nmine = "demo/vgg11@random"\n')
    assert known()[:2] == ("mine", "demo/alexnet")
    assert find("mine").class_names == CLASSES
    (weights / "vgg11.safetensors").unlink()
    assert "demo/vgg11" not in known()
    assert "demo/resnet18" in known()


def test_hidden(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    assert not set(NAMES) & set(known())
    assert not set(NAMES) & set(networks.featured())
    with pytest.raises(NetworkError, match=r"Unknown network 'demo/alexnet'.*unset INTERPRET_DEMO"):
        find("demo/alexnet")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "alexnet" else [pytest.mark.slow]) for name in BY_HAND]
)
def test_the_untrained_control_is_the_same_in_every_run(weights: Path, name: str) -> None:
    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    spec = find(f"demo/{name}@random")
    first, second = (spec.build(spec.weights()) for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not first.training
    others = second.state_dict()
    assert all(torch.equal(value, others[key]) for key, value in first.state_dict().items())
    assert spec.class_names == CLASSES
    made = spec.weights()
    assert (made.evidence, made.file) == ("random weights", None)
    assert "before its training" in made.note
    assert digest(f"demo/{name}@random") != digest(f"demo/{name}")


def test_the_untrained_control_begins_as_a_training_does(weights: Path) -> None:
    """He et al. 2015: deviation √(2 / fan-in), no bias; torchvision's own AlexNet begins otherwise."""
    spec = find("demo/alexnet@random")
    for layer in spec.build(spec.weights()).features:
        if isinstance(layer, torch.nn.Conv2d):
            fan_in = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
            assert float(layer.weight.detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.02)
            assert not layer.bias.any()


@pytest.mark.thorough
def test_the_digest_follows_the_file_and_is_cheap_to_repeat(weights: Path) -> None:
    first = digest("demo/alexnet")
    assert first == load("demo/alexnet").digest
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr("interpret_core.networks.network.load")
        assert digest("demo/alexnet") == first  # without loading it again
    (weights / "alexnet.safetensors").unlink()
    make_weights(weights, ("alexnet",), seed=4)
    assert digest("demo/alexnet") != first


@pytest.mark.thorough
def test_nothing_is_asked_of_the_network(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.delenv("INTERPRET_OFFLINE")
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "create_connection", refused)
    assert load("demo/alexnet").evidence == "demo"
    assert load("demo/alexnet@random").evidence == "random weights"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("demo/alxnet", "Unknown network 'demo/alxnet': did you mean demo/alexnet"),
        ("demo/", "Unknown network 'demo/'"),
        ("demo/vgg11@V1", "Unknown weights 'demo/vgg11@V1': did you mean demo/vgg11"),
    ],
)
def test_unknown_names(weights: Path, name: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        find(name)


def test_build_demo_knows_its_names() -> None:
    with pytest.raises(NetworkError, match="Unknown demo network 'lenet'"):
        build_demo("lenet", 10)


def resaved(file: Path, metadata: dict[str, str] | None, **changes: Tensor) -> None:
    state = load_file(file) | changes
    file.unlink()
    save_file(state, file, metadata)


NAMED = {"classes": ",".join(CLASSES)}
DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (lambda file: file.unlink(), "of demo/alexnet is missing, expected it as part of the demo"),
    "truncated": (lambda file: rewritten(file, file.read_bytes()[:-100]), "damaged or truncated"),
    "empty": (lambda file: rewritten(file, b""), "damaged or truncated"),
    "a pointer": (lambda file: rewritten(file, b"version https://git-lfs.github.com"), "damaged or trunc"),
    "nameless": (lambda file: resaved(file, None), "names its classes '', expected different names"),
    "named twice": (lambda file: resaved(file, {"classes": "a,a"}), "names its classes 'a,a'"),
    "too few names": (
        lambda file: resaved(file, {"classes": "bed,bench"}),
        r"another architecture than demo/alexnet: of another shape classifier.weight \(10, 256\)",
    ),
    "another tensor": (
        lambda file: resaved(file, NAMED, extra=torch.zeros(2)),
        "another architecture than demo/alexnet: unexpected extra",
    ),
}


def rewritten(file: Path, content: bytes) -> None:
    file.unlink()  # it is a link to the shared one
    file.write_bytes(content)


@pytest.mark.parametrize("damage", DAMAGE)
def test_bad_files(weights: Path, damage: str) -> None:
    change, message = DAMAGE[damage]
    file = weights / "alexnet.safetensors"
    change(file)
    with pytest.raises(WeightsError, match=message) as caught:
        load("demo/alexnet")
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
