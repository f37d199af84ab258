"""What `doctor` says of an installation, and what it keeps to itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interpret_core.cli import diagnosis
from interpret_core.cli.app import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of somebody with secrets in every name."""
    data, network = f'secretbirds = "{tmp_path}/secretfolder"', 'secretnet = "torchvision/alexnet"'
    (tmp_path / "unitscope.toml").write_text(f"[datasets]\n{data}\n[networks]\n{network}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("INTERPRET_CONFIG", str(tmp_path / "unitscope.toml"))
    monkeypatch.setenv("INTERPRET_CACHE", str(tmp_path / "secretcache"))
    monkeypatch.setenv("INTERPRET_DATASETS", str(tmp_path / "secretsets"))
    return tmp_path


@pytest.mark.usefixtures("home")
def test_it_tells_versions_and_what_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["packages"]["torch"].startswith("2.")
    assert {"INTERPRET_CACHE", "INTERPRET_CONFIG"} <= set(told["variables"])
    assert {one["name"] for one in told["probes"]} == set(diagnosis._PROBES)
    assert all(one["works"] for one in told["probes"]), told["probes"]
    found = {one["name"]: one["found"] for one in told["probes"]}
    assert found["configuration"].startswith("1 networks and 2 data sets")


def test_it_keeps_names_and_places_to_itself(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    said = capsys.readouterr().out
    assert "secret" not in said
    assert str(home) not in said
    assert not (home / "secretcache").exists()  # nothing is made by looking


def test_what_fails_is_told_without_places_and_ends_in_1(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INTERPRET_CONFIG", str(home / "gone.toml"))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "FAILS" in said
    assert "which is not a file" in said
    assert str(home) not in said
