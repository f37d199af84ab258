"""What the commands show, and how quickly they start."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING
from pathlib import Path

import pytest
from rich.console import Console

from interpret_core import __version__, files
from interpret_core.analyses.base import Entry
from interpret_core.analyses.registry import entries
from interpret_core.cli import commands
from interpret_core.cli import fetch as fetching
from interpret_core.cli.stop import Stop
from interpret_core.cli.terminal import Progress
from interpret_core.datasets import open_dataset
from interpret_core.datasets.fetch import broden
from interpret_core.options import fields_of
from tests.cli.conftest import ROOT, Command
from tests.datasets.http_server import Site, serving
from tests.datasets.test_broden import packed
from tests.planted_dataset import Planted
from tests.slow import thorough_beyond


def test_version_and_help(command: Command) -> None:
    assert command("--version").out == f"unitscope {__version__}\n"
    for arguments in ((), ("--help",), ("fetch",), ("bench",)):
        done = command(*arguments)
        assert (done.status, done.err) == (0, "")
        assert "Commands:" in done.out
    for name in ("networks", "datasets", "profile", "evaluate"):
        assert "Usage: python -m interpret_core" in command(name, "--help").out


def test_the_module_is_the_command() -> None:
    run = [sys.executable, "-m", "interpret_core", "--version"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"unitscope {__version__}\n", "")


@thorough_beyond(2)
@pytest.mark.parametrize(
    "arguments", [["--help"], ["profile", "--help"], ["evaluate", "--help"], ["datasets"], ["nonsense"]]
)
def test_light_commands_load_no_heavy_library(environment: Path, arguments: list[str]) -> None:
    code = (
        "import sys; from interpret_core.cli import main; main(sys.argv[1:]); "
        "print({'torch', 'numba', 'pandas', 'streamlit'} & set(sys.modules))"
    )
    run = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(run, cwd=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("entry", entries().values(), ids=entries())
def test_a_command_asks_with_the_defaults_of_its_request(entry: Entry) -> None:
    """Or results that were shipped would not be found by whoever leaves the options out."""
    options = inspect.signature(commands.command(entry)).parameters
    given = {
        one.name: options[one.name].default for one in fields_of(entry.request) if one.default is not MISSING
    }
    required = {one.name: "name" for one in fields_of(entry.request) if one.default is MISSING}
    assert entry.request(**required, **given) == entry.request(**required)
    assert {one.option.help[-1] for one in fields_of(entry.request)} == {"."}


def test_the_address_of_broden_is_one() -> None:
    assert fetching.ADDRESS == broden.BASE_URL


def test_networks(command: Command, environment: Path) -> None:
    (environment / "unitscope.toml").write_text(
        '[networks]\nmine = "tests.cli.networks:half"\nlost = "tests.cli.networks:failing"\n'
    )
    done = command("networks")
    assert done.status == 0
    lines = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "random weights, made by the factory" in lines["mine"]
    assert "problem: tests.cli.networks:failing failed with RuntimeError" in lines["lost"]
    assert "trained, in the installed package" in lines["efficientnet-lite0"]
    assert {"torchvision/alexnet", "torchvision/vgg11", "torchvision/resnet18"} <= set(lines)


@pytest.mark.parametrize("beginning", ["torchvision/", "torchvision/vgg"])
def test_networks_whose_names_begin_so(command: Command, beginning: str) -> None:
    done = command("networks", beginning)
    names = [line.split()[0] for line in done.out.splitlines() if "torchvision/" in line]
    assert {"torchvision/vgg11", "torchvision/vgg16"} <= set(names)
    assert all(name.startswith(beginning) for name in names)
    assert "efficientnet" not in command("networks", "torchvision/vgg").out
    lost = command("networks", f"{beginning}none/")
    assert (lost.status, f"Unknown network '{beginning}none/'" in lost.line) == (2, True)


@pytest.mark.thorough
def test_states_of_torchvision_weights(command: Command, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert "to download" in next(x for x in command("networks").out.splitlines() if "alexnet" in x)
    one = command("networks", "torchvision/alexnet@random")
    assert "random weights. Random weights as asked for" in one.out


@pytest.mark.thorough
def test_one_network(command: Command) -> None:
    done = command("networks", "tests.cli.networks:shifted")
    assert done.status == 0
    assert "evidence: weights as given. Weights as tests.cli.networks:shifted makes them" in done.out
    assert "input 16×16 px" in done.out
    conv1 = next(line.split() for line in done.out.splitlines() if line.startswith("conv1"))
    assert conv1 == ["conv1", "conv1", "2", "16×16", "5", "px", "1", "px"]
    lite = command("networks", "efficientnet-lite0").out
    assert "1,000 classes, digest " in lite


def test_datasets(command: Command, environment: Path, planted: Planted) -> None:
    assert "No data set is registered" in command("datasets").out
    (environment / "unitscope.toml").write_text('[datasets]\nhere = "planted"\ngone = "nowhere"\n')
    done = command("datasets")
    assert (done.status, done.err) == (0, "")
    assert "object 3, part 3, material 2, color 11, scene 2" in done.out
    assert str(planted.root) in done.out
    gone = done.out[done.out.index("gone") :]
    assert "problem: Data set folder" in gone
    one = command("datasets", "here")
    assert "here: 12 images, annotations 16×16" in one.out
    part = next(line for line in one.out.splitlines() if line.startswith("part"))
    assert part.split() == ["part", "3", "9", "panel", "(part),", "left", "half,", "top", "half"]
    assert command("datasets", planted.root).status == 0


@pytest.fixture
def site(planted: Planted, monkeypatch: pytest.MonkeyPatch, command: Command) -> Iterator[Site]:
    monkeypatch.setattr(files, "FIRST_WAIT", 0.001)
    monkeypatch.setenv("INTERPRET_OFFLINE", "0")
    with serving(Site({"/broden1_224.zip": packed(planted.root)})) as running:
        yield running


def test_fetch_resumes_and_says_how_to_register(site: Site, command: Command, tmp_path: Path) -> None:
    site.break_after = [5000, 7000]
    done = command("fetch", "broden", "--to", tmp_path / "data", "--url", site.url)
    assert (done.status, done.err) == (0, "")
    assert [asked for _, asked in site.requests] == ["", "bytes=5000-", "bytes=12000-"]
    folder = tmp_path / "data" / "broden1_224"
    assert len(open_dataset(folder)) == 12
    assert "download " in done.out
    assert f"Ready: {folder}" in done.out
    toml = done.out[done.out.index("[datasets]") :]
    (tmp_path / "unitscope.toml").write_text(toml)
    assert open_dataset("broden1_224").root == folder
    again = command("fetch", "broden", "--to", tmp_path / "data", "--url", site.url)
    assert "It is registered as broden1_224" in again.out
    assert len(site.requests) == 3


def test_fetch_from_nowhere(command: Command, tmp_path: Path) -> None:
    done = command("fetch", "broden", "--to", tmp_path / "data", "--url", "http://127.0.0.1:9")
    assert done.status == 2
    assert "INTERPRET_OFFLINE forbids downloads" in done.line


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_progress_is_at_most_a_line_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress(Console(width=80), clock=clock) as progress:
        for done in range(100):
            progress.tell("counting", done, 100)
            clock.now += 0.25
    expected = [f"counting {done}/100" for done in range(0, 100, 4)]
    assert [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()] == expected


@pytest.mark.parametrize("bounded", [False, True])
def test_plain_progress_says_what_is_left_once_a_pace_has_held(
    capsys: pytest.CaptureFixture[str], bounded: bool
) -> None:
    clock = Clock()
    with Progress(Console(width=80), clock=clock, bounded=bounded) as progress:
        for done in range(0, 600, 4):
            progress.tell("counting", done, 600)
            clock.now += 2.0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "counting 0/600"
    found = [line.partition(", about ")[2] for line in told if ", about " in line]
    if bounded:
        assert not found
    else:  # 300 seconds in all; nothing before the pace has held for five
        assert (found[0], found[-1]) == ("5 min left", "4 s left")
        assert len(told) - len(found) == 2


def test_the_end_has_no_time_left_and_steps_are_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress(Console(width=80), clock=clock) as progress:
        for done in range(0, 601, 4):
            progress.tell("counting", done, 600)
            clock.now += 2.0
        progress.tell("chance", 700, 800)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "counting 600/600",
        "chance 700/800 steps",
    ]


def test_slow_progress_is_heard_of_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress(Console(width=80), clock=clock) as progress:
        for done in range(100):
            progress.tell("counting", done, 1_000_000)
            clock.now += 1.0
        progress.tell("next", 0, None)
        progress.tell("next", 0, 5)
    assert capsys.readouterr().out.splitlines() == [
        "counting 0/1,000,000",
        *(f"counting {done}/1,000,000, about 277.8 h left" for done in (30, 60, 90)),
        "next",
    ]


def test_a_terminal_gets_a_bar() -> None:
    screen = Console(force_terminal=True, width=80, record=True)
    with Progress(screen) as progress:
        progress.tell("counting", 3, 4)
    assert "counting" in screen.export_text()


def test_a_signal_waits_only_where_results_are_kept() -> None:
    with Stop() as stop, pytest.raises(KeyboardInterrupt):
        stop._note(2, None)
    with Stop() as stop, stop.patiently():
        stop._note(2, None)
        assert stop.asked()
        with pytest.raises(KeyboardInterrupt):
            stop._note(2, None)
