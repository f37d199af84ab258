"""Whatever somebody can say to the program is written down: options, settings, variables, targets, names."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

import interpret_core as ic
from interpret_core import config, network_tables
from interpret_core.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference.md"
SOURCES = ("interpret_core", "ui", "pages", "hosting", "demo", "app.py", "serve.py")
ANYBODY_S = {"--help"}  # every command has it
# Of Python, or set by the program for its own processes; nobody sets them for us.
NOT_OURS = ("PYTHONPATH", "INTERPRET_JOB_TOKEN")
TESTS_OWN = ("INTERPRET_REAL_DATA",)
TABLES = (  # modules of interpret_core.analyses that say the columns of a file
    "ablation.specialised",
    "ablation.table",
    "agreement.result",
    "effects.result",
    "estimate.result",
    "evaluation.result",
    "image_labels.result",
    "profile.table",
    "relevance.table",
    "survey.analysis",
)


@cache
def documents() -> str:
    """All that users read, as one text."""
    every = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("demo/*.md")])
    return "\n".join(path.read_text(encoding="utf-8") for path in every if path.name != "CHANGELOG.md")


def options(group: object, before: str = "") -> Iterator[tuple[str, str]]:
    """(command, long option) of all commands; hidden ones aside."""
    for name, one in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(one, "commands"):
            yield from options(one, f"{before}{name} ")
            continue
        for parameter in one.params:
            if parameter.param_type_name == "option" and not parameter.hidden:
                flags = [flag for flag in parameter.opts if flag.startswith("--")]
                yield from ((f"{before}{name}", flag) for flag in flags if flag not in ANYBODY_S)


def variables(path: Path) -> Iterator[str]:
    """Names of environment variables in a module: whole texts that look like ours, and what is read."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and re.fullmatch(r"INTERPRET_[A-Z_]*[A-Z]", str(node.value)):
            yield str(node.value)
        read = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            read = node.slice
        if isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called.endswith(("environ.get", "environ.pop", "environ.setdefault", "getenv")):
                read = node.args[0]
        if isinstance(read, ast.Constant) and isinstance(read.value, str):
            yield read.value


def modules() -> list[Path]:
    places = [ROOT / name for name in SOURCES]
    return [path for one in places for path in ([one] if one.is_file() else sorted(one.rglob("*.py")))]


def stated(name: str, text: str) -> bool:
    """Whether a text names something, and not only something longer."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def test_every_option_of_every_command_is_written_down() -> None:
    found = set(options(typer.main.get_command(app)))
    assert len(found) > 100
    assert sorted((command, one) for command, one in found if not stated(one, documents())) == []


def test_every_variable_is_in_the_reference_s_table() -> None:
    rows = "\n".join(re.findall(r"^\| (`.+?) \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE))
    read = {name for path in modules() for name in variables(path)} - set(NOT_OURS)
    assert {"INTERPRET_CACHE", "INTERPRET_PICTURES", "XDG_CACHE_HOME"} <= read
    assert sorted(name for name in read if not stated(name, rows)) == []
    assert set(re.findall(r"INTERPRET_\w+", rows)) <= read | set(TESTS_OWN), "nobody reads these any more"


def columns_of(module: str) -> tuple[str, ...]:
    found: tuple[str, ...] = importlib.import_module(f"interpret_core.analyses.{module}").COLUMNS
    return found


@pytest.mark.parametrize("module", TABLES)
def test_every_column_of_a_file_is_in_the_reference(module: str) -> None:
    section = REFERENCE.read_text(encoding="utf-8").partition("## Columns of files")[2].partition("\n## ")[0]
    names, rest = columns_of(module), section.partition("### Other commands")[2]
    text = section.replace(rest, "") if module.startswith("profile") else rest
    assert len(names) > 4
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_file_of_an_analysis_is_among_them() -> None:
    there = {path.parts[-2] for path in ROOT.glob("interpret_core/analyses/*/analysis.py")}
    assert there == {module.partition(".")[0] for module in TABLES}


@pytest.mark.parametrize("key", network_tables.KEYS)
def test_every_key_of_a_network_s_table_is_written_down(key: str) -> None:
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    assert re.search(rf"`{key}( = [^`]*)?`|^{key} = ", text, re.MULTILINE)


def test_every_table_of_the_configuration_is_written_down() -> None:
    assert [name for name in config.TABLES if f"[{name}]" not in documents()] == []


def test_every_target_of_make_is_written_down() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(targets) > 10
    assert [name for name in targets if not stated(f"make {name}", documents())] == []


def test_every_public_name_is_written_down() -> None:
    """Beside its docstring, which tests/api/test_examples.py asks for."""
    names = [name for name in ic.__all__ if not name.startswith("__")]
    assert [
        name for name in names if not re.search(rf"\bic\.{name}\b|\b{name}\(|`{name}`", documents())
    ] == []


def test_every_entry_point_is_written_down() -> None:
    groups = {
        ast.literal_eval(node.value)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "GROUP"
    }
    assert {"unitscope.analyses", "unitscope.networks", "unitscope.datasets", "unitscope.importers"} <= groups
    assert sorted(group for group in groups if f"`{group}`" not in documents()) == []


def test_something_that_nobody_has_written_down_is_told(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        'NAME = "INTERPRET_NEW_ONE"\nos.environ["OTHER_ONE"]\nos.getenv("A_THIRD")\n"not INTERPRET_ME"\n'
    )
    found = sorted(variables(module))
    assert found == ["A_THIRD", "INTERPRET_NEW_ONE", "OTHER_ONE"]
    assert not any(stated(one, documents()) for one in found)
    assert stated("--out", "`--out FILE`")
    assert not stated("--out", "--output, --with-out")
