"""What those who carry on find in the repository says what the project is, and calls what it has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from interpret_core import __version__

ROOT = Path(__file__).resolve().parents[1]
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_citation_names_this_version_the_paper_and_the_methods() -> None:
    found = read("CITATION.cff")
    assert (found["cff-version"], found["version"]) == ("1.2.0", __version__)
    assert {"message", "title", "authors", "license"} <= set(found)
    titles = [one["title"] for one in found["references"]]
    assert titles[0] == "Interpreting and Comparing Convolutional Neural Networks: A Quantitative Approach"
    method = (ROOT / "docs/method.md").read_text(encoding="utf-8")
    for one in found["references"]:
        first = one["authors"][0]["family-names"]
        assert first in method, f"{one['title']} is cited by no number"


def test_the_workflow_runs_what_must_pass_on_the_python_that_is_developed_on() -> None:
    found = read(".github/workflows/test.yml")["jobs"]
    commands = {name: [step.get("run", "") for step in job["steps"]] for name, job in found.items()}
    wanted = {"fast": "test", "slow": "test-slow", "coverage": "coverage"}
    assert any(".ci/run" in one for one in commands["thorough"])
    for job, target in wanted.items():
        assert any(f"make {target} " in one for one in commands[job]), job
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    developed = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert developed is not None
    assert found["thorough"]["strategy"]["matrix"]["python"][0] == developed[1]


def test_hooks_run_the_tools_of_make_lint() -> None:
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    lint = re.search(r"^LINT = (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert lint is not None
    tools = set(re.findall(r"\$\(BIN\)/(\S+)", lint[1]))
    assert {one["entry"].split()[0].removeprefix(".venv/bin/") for one in repository["hooks"]} == tools


@pytest.mark.parametrize("form", FORMS, ids=lambda one: one.stem)
def test_forms_are_whole(form: Path) -> None:
    found = yaml.safe_load(form.read_text(encoding="utf-8"))
    if form.stem == "config":
        assert found["blank_issues_enabled"] is True
        return
    assert {"name", "description", "body"} <= set(found)
    for one in found["body"]:
        assert one["type"] in ("markdown", "textarea")
        assert "value" in one["attributes"] or {"label"} <= set(one["attributes"])


def test_a_report_asks_for_the_doctor() -> None:
    asked = (ROOT / ".github/ISSUE_TEMPLATE/bug.yml").read_text(encoding="utf-8")
    assert "python -m interpret_core doctor" in asked
    assert "SECURITY.md" in asked


def test_what_security_names_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:tests|interpret_core|ui)/[\w/.]+)`", text):
        assert (ROOT / path).exists(), path
