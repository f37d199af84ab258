"""Functions can be compiled wherever they are installed, and what is run is in nobody else's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from interpret_core.measures import compiled_code
from tests.hosting.instance import confined
from tests.ui.browser import ROOT

ASKED = "import os; import interpret_core.measures.dissection.masks; print(os.environ.get('NUMBA_CACHE_DIR'))"


def asked(*prefix: str, **environment: str) -> str:
    """Where a process that imports what is compiled keeps it, as it says."""
    command = [*prefix, sys.executable, "-B", "-c", ASKED]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.thorough
def test_an_installation_that_cannot_be_written_to_works(tmp_path: Path) -> None:
    prefix = confined(tmp_path)
    if not prefix or tmp_path.resolve().parents[-2] == ROOT.resolve().parents[-2]:
        pytest.skip("needs a root that can be made read-only, and temporary folders beside the sources")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    found = asked(*prefix, HOME="/nonexistent", TMPDIR=str(temporary))
    assert Path(found) == temporary / f"unitscope-compiled-{os.getuid()}"
    assert asked(*prefix, HOME=str(tmp_path)) == "None"
    assert asked(*prefix, HOME="/nonexistent", NUMBA_CACHE_DIR=str(tmp_path / "named")) == str(
        tmp_path / "named"
    )


def test_nothing_is_named_where_the_sources_can_be_written_beside() -> None:
    environment: dict[str, str] = {}
    compiled_code.keep(environment)
    assert not environment


def test_a_folder_that_others_can_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(compiled_code, "_can_be_made", lambda folder: False)
    name = tmp_path / f"unitscope-compiled-{os.getuid()}"
    name.mkdir()
    name.chmod(0o777)
    environment: dict[str, str] = {}
    compiled_code.keep(environment)
    found = Path(environment[compiled_code.VARIABLE])
    assert found != name
    assert found.parent == tmp_path
    assert not found.stat().st_mode & 0o077
    name.chmod(0o700)
    environment = {}
    compiled_code.keep(environment)
    assert environment[compiled_code.VARIABLE] == str(name)
    name.rmdir()
    name.symlink_to(tmp_path)
    environment = {}
    compiled_code.keep(environment)
    assert environment[compiled_code.VARIABLE] != str(name)
