"""The tutorial as it lies in the repository; tests/cli/test_installed.py runs it, from a wheel."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import interpret_core as ic
from tests.notebook import cells

TUTORIAL = Path(__file__).resolve().parents[1] / "docs" / "tutorial.ipynb"


def test_it_holds_no_output_and_asks_for_what_there_is():
    told = json.loads(TUTORIAL.read_text(encoding="utf-8"))
    code = [cell for cell in told["cells"] if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    asked = {
        node.attr
        for text in cells(TUTORIAL)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ic"
    }
    assert asked <= set(ic.__all__)
    assert asked >= {"dataset", "watch", "wrap", "profile", "relevance", "ablate"}
