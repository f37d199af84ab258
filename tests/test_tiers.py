"""What `make test` leaves to the other runs, and what of every kind stays in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.slow import left_out
from ui.shell.site import PAGES, Entry

TESTS = Path(__file__).parent
LATER = {"thorough", "slow"}
FLOWS = (  # what somebody does with a dashboard, as a browser shows it
    "ui/test_browser.py::test_profile_from_the_page_then_click_and_share",
    "ui/test_relevance_browser.py::test_views_and_settings_are_part_of_the_address",
    "ui/test_ablation_browser.py::test_typed_number_is_estimated_to_the_end",
    "ui/access/test_login_browser.py::test_a_link_survives_the_login_and_the_logout_holds",
)


class Found(NamedTuple):
    """A test: where it is, what it names, and whether `make test` leaves it out as a whole."""

    file: str
    name: str
    words: frozenset[str]
    later: bool


def marks(node: ast.AST) -> set[str]:
    """Of a decorator or of a file's `pytestmark`."""
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def words(node: ast.AST, constants: dict[str, frozenset[str]]) -> frozenset[str]:
    """Texts and names in a piece of code, with the texts of a file's constants."""
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            found.add(one.value)
        elif isinstance(one, ast.Name):
            found |= {one.id} | constants.get(one.id, frozenset())
    return frozenset(found)


def of_file(path: Path) -> Iterator[Found]:
    constants: dict[str, frozenset[str]] = {}
    all_later = False
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            constants[node.targets[0].id] = words(node.value, constants)
            all_later |= node.targets[0].id == "pytestmark" and bool(LATER & marks(node.value))
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            whole = [one for one in node.decorator_list if not isinstance(one, ast.Call)]
            later = all_later or any(LATER & marks(one) for one in whole)
            yield Found(path.relative_to(TESTS).as_posix(), node.name, words(node, constants), later)


@cache
def every() -> tuple[Found, ...]:
    return tuple(one for path in sorted(TESTS.rglob("test_*.py")) for one in of_file(path))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.script)
def test_every_page_is_opened_without_being_asked_for_more(page: Entry) -> None:
    assert [
        one for one in every() if not one.later and one.words >= {page.path} and one.words & {"open_page"}
    ], f"No test without a mark opens {page.path}."


@pytest.mark.parametrize("flow", FLOWS)
def test_main_flows_are_tried_in_a_browser_every_time(flow: str) -> None:
    assert [one.later for one in every() if f"{one.file}::{one.name}" == flow] == [False]


def test_every_folder_keeps_tests() -> None:
    folders = {path.parent.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    kept = {Path(one.file).parent.as_posix() for one in every() if not one.later}
    assert folders - kept == {"processors"}, "which needs the instruction sets of other machines, for minutes"


def test_most_tests_have_no_mark() -> None:
    assert sum(one.later for one in every()) < len(every()) / 4


class Marked:
    """A test as pytest collects it, as far as the tiers look."""

    def __init__(self, name: str, **marks: int | None) -> None:
        self.nodeid, self._marks = name, marks

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        if name not in self._marks:
            return None
        beyond = self._marks[name]
        return pytest.Mark(name, (), {} if beyond is None else {"beyond": beyond}, _ispytest=True)


@pytest.mark.parametrize(
    ("thorough", "slow", "left"),
    [(False, False, {"b", "c[3]", "d", "e[1]"}), (True, False, {"d", "e[1]"}), (False, True, set())],
)
def test_each_run_adds_to_the_one_before(thorough: bool, slow: bool, left: set[str]) -> None:
    tests = [
        Marked("a"),
        Marked("b", thorough=None),
        *(Marked(f"c[{number}]", thorough=2) for number in (1, 2, 3)),
        Marked("d", slow=None, thorough=None),
        Marked("e[1]", slow=None, thorough=1),
        Marked("e[2]", thorough=1),
    ]
    found = left_out(tests, thorough=thorough, slow=slow)  # type: ignore[arg-type]
    assert {one.nodeid for one in found} == left
