"""Weights files: what fits is loaded, what does not is refused in one clear line, and no code runs."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from interpret_core.errors import NetworkError, WeightsError
from interpret_core.networks import find, load, torchvision_ops
from interpret_core.networks.weights import hub_file
from tests.networks import samples

models = torchvision_ops.classifiers()

TWICE = "tests.networks.samples:twice"


class Bomb:
    """Unpickling it creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


def state() -> dict[str, torch.Tensor]:
    return {"_shared.weight": torch.full((3, 3, 3, 3), 0.25), "_shared.bias": torch.zeros(3)}


@pytest.mark.parametrize("kind", ["pth", "pt", "safetensors", "nested", "parallel"])
def test_weights_are_loaded(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"weights.{'pth' if kind in ('nested', 'parallel') else kind}"
    if kind == "safetensors":
        save_file(state(), file)
    elif kind == "nested":
        torch.save({"epoch": 3, "state_dict": state()}, file)
    elif kind == "parallel":
        torch.save({f"module.{name}": tensor for name, tensor in state().items()}, file)
    else:
        torch.save(state(), file)
    network = load(f"{TWICE}@{file}")
    assert network.evidence == "trained"
    ones = torch.ones(1, 3, *network.preprocessing.size)
    with network.recording(["shared"]) as record:
        assert record(ones).responses["shared"][0, 0, 5, 5] == pytest.approx(27 * 0.25)


def missing(file: Path) -> None:
    pass


def of_another_architecture(file: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(2), "_shared.weight": torch.zeros(3, 3, 1, 1)}, file)


def with_code(file: Path) -> None:
    torch.save({"_shared.weight": Bomb(file.with_name("bomb"))}, file)


def plain_pickle_with_code(file: Path) -> None:
    file.write_bytes(pickle.dumps(Bomb(file.with_name("bomb"))))


def whole_module(file: Path) -> None:
    torch.save(samples.Twice(), file)


def truncated(file: Path) -> None:
    torch.save(state(), file)
    file.write_bytes(file.read_bytes()[:-200])


def empty(file: Path) -> None:
    file.touch()


def text(file: Path) -> None:
    file.write_text("<html>not found</html>")


def a_list(file: Path) -> None:
    torch.save([torch.zeros(3)], file)


def no_tensors(file: Path) -> None:
    torch.save({"epoch": 3}, file)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (missing, "does not exist: check the path"),
        (of_another_architecture, r"another architecture than .*twice: missing _shared.bias \(1 in all\); "
         r"unexpected features.0.weight \(1 in all\); of another shape _shared.weight \(3, 3, 1, 1\) instead "
         r"of \(3, 3, 3, 3\)"),
        (with_code, "holds code or whole objects; it was not run"),
        (plain_pickle_with_code, "holds code or whole objects; it was not run"),
        (whole_module, "holds code or whole objects; it was not run"),
        (truncated, "damaged or truncated"),
        (empty, "is empty: save or fetch it again"),
        (text, "is a web page, not the weights"),
        (a_list, "holds list, expected a state dict"),
        (no_tensors, "expected a state dict"),
    ],
)  # fmt: skip
def test_bad_weights(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    file = tmp_path / "weights.pth"
    make(file)
    with pytest.raises(WeightsError, match=message) as caught:
        load(f"{TWICE}@{file}")
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value)
    assert not file.with_name("bomb").exists()


def test_the_bomb_works(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    with_code(tmp_path / "weights.pth")
    torch.load(tmp_path / "weights.pth", weights_only=False)
    assert (tmp_path / "bomb").exists()


@pytest.mark.parametrize("content", [b"\x10\0\0\0\0\0\0\0{}", b"x" * 100])
def test_bad_safetensors(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged or truncated"):
        load(f"{TWICE}@{file}")


def test_the_torch_hub_folder_is_looked_into_first() -> None:
    model = models.squeezenet1_1(weights=None)
    file = hub_file(models.get_model_weights("squeezenet1_1").DEFAULT.url)
    assert file.name == "squeezenet1_1-b8a52dc0.pth"
    file.parent.mkdir(parents=True)
    torch.save(model.state_dict(), file)
    with pytest.raises(
        WeightsError, match=r"damaged: its SHA-256 begins with .* expected b8a52dc0"
    ) as caught:
        load("torchvision/squeezenet1_1")
    assert str(file) in str(caught.value)
    assert load("torchvision/squeezenet1_1@random").evidence == "random weights"


@pytest.mark.thorough
def test_a_file_in_the_hub_folder_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with the right name for its own content: real files are not at hand in tests."""
    torch.manual_seed(5)
    model = models.squeezenet1_1(weights=None)
    monkeypatch.setattr("interpret_core.networks.weights.expected_hash", lambda name: "")
    file = hub_file(models.get_model_weights("squeezenet1_1").DEFAULT.url)
    file.parent.mkdir(parents=True)
    torch.save(model.state_dict(), file)
    network = load("torchvision/squeezenet1_1")
    assert network.evidence == "trained"
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad(), network.ablating({}) as run:
        torch.testing.assert_close(run(x), model.eval()(x), rtol=1e-4, atol=1e-5)


def test_offline_random_weights_say_where_the_file_goes() -> None:
    weights = find("torchvision/alexnet").weights()
    assert weights.evidence == "random weights"
    assert weights.file is None
    path = Path(torch.hub.get_dir()) / "checkpoints" / "alexnet-owt-7be5be79.pth"
    assert f"Put the file at {path}" in weights.note
    assert "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth" in weights.note


def test_densenets_old_names_fit() -> None:
    from interpret_core.networks.providers.torchvision_models import _modern_name

    old = "features.denseblock1.denselayer2.norm.1.running_mean"
    assert _modern_name(old) == "features.denseblock1.denselayer2.norm1.running_mean"
    assert _modern_name("features.norm0.weight") == "features.norm0.weight"
    names = models.densenet121(weights=None).state_dict()
    assert all(_modern_name(name) == name for name in names)


def test_random_weights_are_the_same_in_every_run_and_leave_the_random_state_alone() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    spec = find("torchvision/squeezenet1_1@random")
    first, second = (spec.build(spec.weights()).state_dict() for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_factories_that_return_something_else() -> None:
    for name, message in (
        ("text", "returned str, expected a torch.nn.Module"),
        ("failing", "failed with RuntimeError: no such thing"),
        ("no_convolution", "no two-dimensional convolution"),
        ("gatde", "Unknown factory in tests.networks.samples 'gatde': did you mean gated"),
    ):
        with pytest.raises(NetworkError, match=message):
            load(f"tests.networks.samples:{name}")
