"""Names reach the screen as they are: no markup, no order to the terminal, in any encoding."""

from __future__ import annotations

import io
import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from interpret_core.cli.terminal import Literal, Progress, draw, printable, table
from interpret_core.tables import Table, added
from tests.cli.conftest import Command
from tests.planted_classes import Picture, write_pictures

NAMES = [
    "[b]x[/b]",
    "[/b]",
    "[red]x",
    "[link=https://outside.invalid]x[/link]",
    ":smile: conv2:9999",
    "[@click=x]",
    "\\[b]",
    "a_b *c* `d` $e$ <i> | ~~f~~ # %s {x} 🙂 日本",
]


def shown(width: int = 300, terminal: bool = False) -> tuple[Literal, io.StringIO]:
    file = io.StringIO()
    return Literal(width=width, file=file, force_terminal=terminal, color_system=None), file


@pytest.mark.parametrize("name", NAMES)
def test_lines_and_tables(name: str) -> None:
    screen, file = shown()
    made = table(name, name, "other")
    made.add_row(name, name)
    screen.print(made)
    screen.print(f"of {name}:", soft_wrap=True)
    text = file.getvalue()
    assert text.count(name) == 5
    assert f"of {name}:" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_bar_of_a_terminal(name: str) -> None:
    screen, file = shown(terminal=True)
    with Progress(screen, amount=lambda number: f"[b]{number}[/b]") as progress:
        progress.tell(name, 1, 2)
    assert name in file.getvalue()
    assert "[b]1[/b]" in file.getvalue()


@settings(deadline=None)
@given(some.text(max_size=30))
def test_nothing_is_an_order_to_the_terminal(text: str) -> None:
    made = printable(text)
    assert all(character.isprintable() or ord(character) >= 0xA0 for character in made)
    assert len(made.splitlines()) <= 1
    made.encode("utf-8")
    if text.isprintable():
        assert made == text


def test_orders_are_written_out() -> None:
    assert printable("a\x1b[2Jb\rc\u202ed\x07") == r"a\x1b[2Jb\rc\u202ed\x07"
    assert printable("a\nb\u2028c\u2029d") == r"a\nb\u2028c\u2029d"
    assert printable("👩\u200d🔬 à\u00a0b") == "👩\u200d🔬 à\u00a0b"
    screen, file = shown()
    screen.print("x\x1b[31my")
    assert file.getvalue() == "x\\x1b[31my\n"


@pytest.mark.parametrize("name", ["[b]x[/b] :smile: conv2:9999", "$a$ *b* _c_ `d`", "x\x1b[31my"])
def test_the_line_of_an_error(command: Command, name: str) -> None:
    for arguments in (
        ("networks", name),
        ("datasets", name),
        ("evaluate", "--network", "x", "--dataset", name),
    ):
        done = command(*arguments)
        assert done.status == 2
        assert "\x1b" not in done.err
    line = command("datasets", name).line.replace("\\\\", "\\")  # quoted, as Python quotes
    assert name.replace("\x1b", "\\x1b") in line


def dataset(folder: Path, name: str) -> Path:
    pictures = [Picture("red", name)] * 3 + [Picture("blue", "blue")] * 3
    return write_pictures(folder / "pictures", pictures)


@pytest.mark.thorough
def test_a_terminal_shows_a_class_by_its_name(environment: Path) -> None:
    name = "[/b] [red]x :smile:9999"
    folder = dataset(environment, name)
    (environment / "unitscope.toml").write_text(f'[classes]\n"{name}" = ["red"]\n')
    asked = ["--network", "tests.cli.networks:named", "--dataset", str(folder), "--split", "all"]
    for kind in ("evaluate", "relevance"):
        status, text = in_terminal([sys.executable, "-m", "interpret_core", kind, *asked], environment)
        assert status == 0, text
        assert name in text


def in_terminal(command: list[str], folder: Path) -> tuple[int, str]:
    """A command's status and what it writes to a terminal of its own, 200 columns wide."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "200", "TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.STDOUT
    )
    os.close(theirs)
    written = bytearray()
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    return process.wait(), written.decode()


@pytest.mark.slow
def test_an_encoding_that_lacks_a_sign(environment: Path) -> None:
    (environment / "unitscope.toml").write_text('[networks]\n"é🙂" = "tests.cli.networks:named"\n', "utf-8")
    variables = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "interpret_core", "networks"],
        cwd=environment,
        env=variables,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\xe9\U0001f642" in done.stdout


def test_what_to_type_again_can_be_typed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from interpret_core.cli import app

    given = ["networks", "a b $x 'y'"]
    status, line = app._explained(RuntimeError("oh"), given, app.PROGRAM)
    assert status == 1
    assert shlex.split(line.partition("Traceback: ")[2])[-2:] == given


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_no_number_is_cut_off(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Columns that a screen has no room for come in a further table; each has the names of the rows."""
    columns = ("layer", *(f"class {number}" for number in range(30)))
    cells = [(f"layer {row}", *(row * 1000 + number / 7 for number in range(30))) for row in range(4)]
    draw(Literal(width=width), Table("Mass", columns, cells, columns[1:], "All of them."))
    told = capsys.readouterr().out
    shown = [line.split() for line in told.splitlines() if line.startswith("layer ")]
    for row in range(4):
        found = [number for line in shown if line[:2] == ["layer", str(row)] for number in line[2:]]
        assert found == [f"{row * 1000 + number / 7:.3f}" for number in range(30)]
    assert all(len(line) <= width for line in told.splitlines())
    assert told.count("All of them.") == 1
    assert told.count("class 29") == 1


def test_a_class_of_many_outputs_is_told_in_a_few() -> None:
    outputs = [f"breed {number}" for number in range(118)]
    assert added(outputs, every=False) == "breed 0 + breed 1 + breed 2 + 115 more"
    assert added(outputs[:4], every=False) == "breed 0 + breed 1 + breed 2 + breed 3"
    assert added(outputs, every=True).count(" + ") == 117
