"""Which file torchvision's compiled operators are in."""

from __future__ import annotations

import importlib.machinery
from pathlib import Path

import pytest

from interpret_core.networks import torchvision_ops

ENDING = importlib.machinery.EXTENSION_SUFFIXES[-1]


@pytest.mark.parametrize("name", ["_C", "_C_stable"])
def test_operators_are_looked_for_under_the_names_of_all_versions(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Declared beside operators that load, they end the process: no test could tell."""
    file = tmp_path / f"{name}{ENDING}"
    file.touch()
    loaded: list[str] = []
    monkeypatch.setattr(torchvision_ops.torch.ops, "load_library", loaded.append)
    assert [Path(one) for one in torchvision_ops._libraries(tmp_path)] == [file]
    assert torchvision_ops._loads(str(file))
    assert loaded == [str(file)]


def test_a_library_that_does_not_load_is_none(tmp_path: Path) -> None:
    file = tmp_path / f"_C_stable{ENDING}"
    file.write_bytes(b"no library")
    assert not torchvision_ops._loads(str(file))
    assert torchvision_ops._libraries(tmp_path / "nowhere") == []
