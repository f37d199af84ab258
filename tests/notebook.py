"""Run a notebook's cells in order in this process: `python notebook.py FILE`; what a cell ends with is shown.

It needs no notebook server, so that a clean environment needs nothing but what the notebook imports.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any


def cells(path: Path) -> list[str]:
    """The code of a notebook, cell by cell."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in told["cells"] if cell["cell_type"] == "code"]


def run(path: Path, replaced: dict[str, str] | None = None) -> dict[str, Any]:
    """The names that its cells leave behind; each cell's last expression is shown as a notebook does."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, code in enumerate(cells(path)):
        for before, after in (replaced or {}).items():
            code = code.replace(before, after)
        tree, place = ast.parse(code), f"{path.name}, cell {number}"
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, place, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), place, "eval"), names)
            shown = getattr(value, "_repr_html_", None)
            print(repr(value) if shown is None else f"{len(shown())} characters of HTML: {value!r}")
    return names


if __name__ == "__main__":
    run(Path(sys.argv[1]), dict(one.split("=", 1) for one in sys.argv[2:]))
