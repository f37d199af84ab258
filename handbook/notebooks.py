"""A notebook as a page: its cells are run in a fresh kernel, and what they show stands below them."""

from __future__ import annotations

import base64
import html
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from handbook.places import ROOT

TIMEOUT = 600  # seconds for a cell
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
HIDDEN = "hide"  # tag of a cell that is run and not shown


def page(file: Path, *, run: bool = True) -> str:
    """The page in Markdown.

    Args:
        file: the notebook.
        run: run its cells, whatever it holds of former runs; else that is shown.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed, with its traceback.
    """
    return "\n\n".join(_cells(executed(file) if run else nbformat.read(file, as_version=4))) + "\n"


def executed(file: Path) -> Any:
    """The notebook with what its cells give, in the order of the file.

    It is run in a folder that is there for nothing else, with results and additions of its own: what it
    writes goes, and nothing computed before answers for it.
    """
    notebook = nbformat.read(file, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        found = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        own = {
            "PYTHONPATH": os.pathsep.join(found),
            "INTERPRET_CACHE": f"{folder}/cache",
            "INTERPRET_UPLOADS": f"{folder}/uploads",
        }
        client = NotebookClient(
            notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        there = {name: value for name, value in os.environ.items() if name != "INTERPRET_CONFIG"}
        return client.execute(env=there | own)


def _cells(notebook: Any) -> Iterator[str]:
    for cell in notebook.cells:
        if HIDDEN in cell.metadata.get("tags", ()):
            continue
        if cell.cell_type == "markdown":
            yield cell.source
        elif cell.cell_type == "code" and cell.source.strip():
            yield f"```python\n{cell.source}\n```"
            yield from filter(None, map(_shown, _joined(cell.outputs)))


def _joined(outputs: list[Any]) -> Iterator[Any]:
    """Outputs, with what a stream wrote in several goes as one."""
    before = None
    for one in outputs:
        if before is not None and _stream(one) == _stream(before) != "":
            before["text"] += one.text
            continue
        if before is not None:
            yield before
        before = one
    if before is not None:
        yield before


def _stream(output: Any) -> str:
    return str(output.name) if output.output_type == "stream" else ""


def _shown(output: Any) -> str:
    """An output in Markdown: the richest of its forms that needs no script."""
    if output.output_type == "stream":
        return "" if output.name == "stderr" else _text(output.text)
    data = output.get("data", {})
    if "text/html" in data and "<script" not in data["text/html"]:
        return _block(data["text/html"])
    if "image/svg+xml" in data:
        source = base64.b64encode(data["image/svg+xml"].encode()).decode()
        return _block(f'<img alt="{_alternative(data)}" src="data:image/svg+xml;base64,{source}">')
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            source = data[kind].replace("\n", "")
            return _block(f'<img alt="{_alternative(data)}" src="data:{kind};base64,{source}">')
    if "text/markdown" in data:
        return str(data["text/markdown"])
    return _text(data.get("text/plain", ""))


def _alternative(data: Any) -> str:
    return html.escape(str(data.get("text/plain", "")), quote=True)


def _block(content: str) -> str:
    """HTML that Markdown leaves alone: an empty line in it would end it."""
    whole = re.sub(r"\n\s*\n", "\n", content)
    return f'<div class="output">{whole}</div>'


def _text(content: str) -> str:
    plain = html.escape(_COLOURS.sub("", content).rstrip()).replace("\n\n", "\n&#8203;\n")
    return f'<pre class="output"><code>{plain}</code></pre>' if plain else ""
