"""Packages as pip installs them: a folder on the path with a module and what its metadata announces."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interpret_core.analyses.registry import entries
from interpret_core.datasets.registry import layouts
from interpret_core.importers.registry import importers
from interpret_core.networks.registry import providers

ROOT = Path(__file__).resolve().parents[2]
Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a distribution that has one entry point: a group, a name, "package.module:object"."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(ROOT)]))
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTERPRET_DEMO", "0")
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")

    def installed(group: str, name: str, target: str) -> None:
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
        _forget()

    yield installed
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for found in (entries, importers, layouts, providers):
        found.cache_clear()
