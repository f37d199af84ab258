"""What is built for others to install holds what it needs, and what a checkout says of it is so."""

from __future__ import annotations

import email
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from interpret_core import __version__, datasets, demo, installation, networks
from interpret_core.__main__ import command
from interpret_core.cli import main
from interpret_core.errors import DatasetError, NetworkError, UserError
from interpret_core.installation import dashboard
from interpret_core.jobs import launch
from ui.server.documents import DOCUMENTS

ROOT = Path(__file__).resolve().parents[1]
WITHIN = "interpret_core/_dashboard"
MOST = 3_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.iterdir()
    return found


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


def project(name: str) -> dict:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def required(name: str) -> dict[str, Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-r")]
    return {one.name: one for one in found}


def test_the_wheel_holds_every_file_of_core_and_dashboard_and_nothing_else(wheel: Path) -> None:
    places = {"interpret_core": "interpret_core"}
    places |= {name: f"{WITHIN}/{name}" for name in ("ui", "pages", "static")}
    expected = {
        f"{place}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, place in places.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {f"{WITHIN}/{name}" for name in ("app.py", "serve.py", ".streamlit/config.toml")}
    expected |= {f"{WITHIN}/docs/{name}.md" for name in DOCUMENTS}
    found = {one for one in names(wheel) if ".dist-info/" not in one}
    assert found == expected
    assert {"interpret_core/py.typed", "interpret_core/classes/imagenet.toml"} <= found
    assert wheel.stat().st_size <= MOST


def test_the_wheel_says_what_it_is_and_how_it_is_called(wheel: Path) -> None:
    told = metadata(wheel)
    assert (told["Name"], told["Version"], told["License-Expression"]) == ("unitscope", __version__, "MIT")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith("entry_points.txt")]
        assert "unitscope = interpret_core.__main__:command" in archive.read(name).decode()


def test_whoever_installs_it_gets_at_least_what_is_tested() -> None:
    """A range begins at the pin of requirements.txt: what is older has never been tried."""
    pinned = required("requirements.txt")
    declared = [Requirement(one) for one in project("pyproject.toml")["project"]["dependencies"]]
    assert sorted(one.name for one in declared) == sorted(pinned)
    for one in declared:
        (pin,) = pinned[one.name].specifier
        (first,) = [part for part in one.specifier if part.operator in (">=", "==")]
        tested, lowest = Version(pin.version), Version(first.version)
        assert one.specifier.contains(tested), one
        assert tested.release[: len(lowest.release)] == lowest.release, f"{one}, tested with {tested}"
        assert one.marker == pinned[one.name].marker


def test_what_is_further_offered_begins_at_what_is_tested() -> None:
    extras = project("pyproject.toml")["project"]["optional-dependencies"]
    (timm,) = map(Requirement, extras["timm"])
    (pin,) = required("requirements-dev.txt")["timm"].specifier
    assert timm.specifier.contains(pin.version)
    assert f">={pin.version}" in str(timm)


def test_there_is_one_version_and_one_builder() -> None:
    extras = project("pyproject.toml")["project"]["optional-dependencies"]
    assert project("demo/pyproject.toml")["project"]["version"] == __version__
    assert extras["demo"] == [f"unitscope-demo=={__version__}"]
    builder = str(required("requirements-dev.txt")["hatchling"])
    for name in ("pyproject.toml", "demo/pyproject.toml"):
        assert project(name)["build-system"]["requires"] == [builder]


def test_no_other_copy_runs_in_the_jobs_of_an_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "interpret_core").mkdir()
    (tmp_path / "interpret_core" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    assert command() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path) in line
    assert "from another folder" in line


def test_a_hint_names_the_command_that_was_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"], "unitscope") == 2
    assert capsys.readouterr().err.rstrip().endswith("See unitscope --help")


def test_the_dashboard_starts_where_it_is_told_to() -> None:
    words = dashboard.command("0.0.0.0", 8600, "--server.baseUrlPath", "scope")
    assert words[:5] == [sys.executable, "-m", "streamlit", "run", str(ROOT / "serve.py")]
    assert "--server.address 0.0.0.0 --server.port 8600" in " ".join(words)
    assert words[-2:] == ["--server.baseUrlPath", "scope"]


def test_serve_answers_alone_only_where_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert dashboard.serve_only(["profile", "--help"], "unitscope") is None
    assert dashboard.serve_only(["serve", "--port", "many"], "unitscope") is None
    assert capsys.readouterr() == ("", "")
    assert dashboard.serve_only(["serve", "--help"], "unitscope") == 0
    alone = capsys.readouterr().out
    assert main(["serve", "--help"], "unitscope") == 0
    assert capsys.readouterr().out == alone


def test_what_the_dashboard_lacks_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamlit", None)
    with pytest.raises(UserError, match=r"needs Streamlit.*pip install unitscope"):
        dashboard.command("127.0.0.1", 8501)
    monkeypatch.setattr(installation, "HOME", tmp_path)
    with pytest.raises(UserError, match=r"serve\.py is missing.*install it anew"):
        dashboard.command("127.0.0.1", 8501)


def test_the_demo_of_a_checkout_comes_before_an_installed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / installation.DEMO
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert installation.demo_folder() == ROOT / "demo"
    monkeypatch.setattr(installation, "HOME", tmp_path)
    assert installation.demo_folder() == package.resolve()


def test_without_a_demo_its_names_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "DATASET", tmp_path / "gone")
    with pytest.raises(DatasetError, match=r"not installed here: pip install unitscope-demo"):
        datasets.open_dataset("demo")
    with pytest.raises(NetworkError, match=r"not installed here: pip install unitscope-demo"):
        networks.find("demo/alexnet")
    assert demo.remedy("demonstration") == ""


def test_jobs_find_this_code_and_python_its_own_library_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "further")
    assert launch.environment()["PYTHONPATH"].split(":") == [str(ROOT), "further"]
    monkeypatch.setattr(launch, "ROOT", Path(sysconfig.get_path("purelib")).resolve())
    assert launch.environment()["PYTHONPATH"] == "further"
