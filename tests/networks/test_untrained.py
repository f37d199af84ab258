"""Which network is another one's untrained control, by name alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from interpret_core import networks
from interpret_core.errors import NetworkError
from interpret_core.networks.untrained import untrained_control
from tests.slow import thorough_beyond


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "unitscope.toml"
    config.write_text('[networks]\nmine = "demo/resnet18"\nplain = "tests.ui.networks:small"\n')
    monkeypatch.setenv("INTERPRET_CONFIG", str(config))
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # no weights of torchvision's
    monkeypatch.delenv("INTERPRET_DEMO", raising=False)


@thorough_beyond(1)
@pytest.mark.parametrize(
    ("name", "control"), [("demo/alexnet", "demo/alexnet@random"), ("mine", "demo/resnet18@random")]
)
def test_a_trained_network_has_one_with_random_weights(name: str, control: str) -> None:
    assert untrained_control(name) == control
    spec = networks.find(control)
    assert spec.weights(fetch=False).evidence == "random weights"
    assert spec.class_names == networks.find(name).class_names
    assert networks.digest(control) != networks.digest(name)


@pytest.mark.parametrize(
    "name",
    [
        "demo/alexnet@random",
        "torchvision/alexnet",  # its weights are not here: it is its own control
        "torchvision/alexnet@random",
        "efficientnet-lite0",
        "plain",
        "tests.ui.networks:small",
    ],
)
def test_others_have_none(name: str) -> None:
    assert untrained_control(name) is None


def test_an_unknown_network_says_so() -> None:
    with pytest.raises(NetworkError, match="alexnut"):
        untrained_control("demo/alexnut")
