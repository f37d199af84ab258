from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from interpret_core import networks
from interpret_core.networks import Network


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches outside, nor sees the machine's configuration, working folder or downloaded weights."""
    for name in ("INTERPRET_CONFIG", "INTERPRET_DATASETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def loaded() -> Callable[[str], Network]:
    """Networks by name, each loaded once: they are shared between sessions in the product, too."""
    shared: dict[str, Network] = {}

    def get(name: str) -> Network:
        if name not in shared:
            shared[name] = networks.load(name)
        return shared[name]

    return get


def images(network: Network, count: int = 2, seed: int = 1) -> torch.Tensor:
    """Seeded noise in the range of real input."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, *network.preprocessing.size, generator=generator)


def responses(network: Network, batch: torch.Tensor) -> dict[str, torch.Tensor]:
    with network.recording(network.layers) as record:
        return record(batch).responses
