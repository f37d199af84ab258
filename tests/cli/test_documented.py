"""What the program says of itself is written down where it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from interpret_core.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    "networks",
    "datasets",
    "fetch broden",
    "import coco-panoptic",
    "import coco-instances",
    "import ade20k",
    "import voc",
    "import cityscapes",
    "import camvid",
    "import masks",
    "import folder",
    "survey",
    "profile",
    "relevance",
    "agreement",
    "ablate",
    "grid",
    "specialise",
    "effects",
    "evaluate",
    "image-labels",
    "merge",
    "doctor",
    "serve",
    "estimate",
    "jobs list",
    "jobs cancel",
    "jobs retry",
    "jobs log",
    "bench profile",
    "bench relevance",
    "bench ablation",
    "bench workers",
    "reproduce paper",
    "reproduce broden-totals",
)


def anchors() -> set[str]:
    return set(re.findall(r'<a id="([^"]+)">', (ROOT / "docs/method.md").read_text()))


def test_every_note_of_the_dashboard_has_its_section():
    notes = re.findall(r"^## (\S+)$", (ROOT / "ui/shell/how.md").read_text(), re.MULTILINE)
    assert notes
    assert set(notes) <= anchors()


def test_no_section_is_named_twice():
    names = re.findall(r'<a id="([^"]+)">', (ROOT / "docs/method.md").read_text())
    assert len(names) == len(set(names))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command):
    assert f"python -m interpret_core {command}" in (ROOT / "docs/reference.md").read_text()


def test_the_list_of_commands_is_whole():
    def names(group, before=""):
        for name, one in group.commands.items():
            yield from names(one, f"{name} ") if hasattr(one, "commands") else [before + name]

    assert sorted(names(typer.main.get_command(app))) == sorted(COMMANDS)
