"""`networks check`: the report on a network, on the screen or as JSON."""

from __future__ import annotations

import json
from typing import Any

from interpret_core import config
from interpret_core.cli.terminal import console, table
from interpret_core.privacy import discretion
from interpret_core.provenance import MADE_WITH, made_with


def show_examination(name: str, *, as_json: bool) -> None:
    """Load a network, examine it, print the report, and keep it for the pages.

    Raises:
        NetworkError: it cannot be used at all; the line says why.
    """
    from interpret_core import networks
    from interpret_core.runtime.examinations import examined
    from interpret_core.store.store import Store

    network = networks.load(name, fetch=False)
    with Store(config.current().cache) as store:
        found = examined(network, store)
    if as_json:
        told = discretion([name]).told(found)
        print(json.dumps({**told, MADE_WITH: made_with()}, indent=2, ensure_ascii=False))
        return
    screen = console()
    for line in lines(found):
        screen.print(line, soft_wrap=True)
    numbers = ("units", "grid", "receptive field", "stride")
    listed = table("", "layer", "kind", *numbers, "read", "values", "gradient", "positions", numbers=numbers)
    for row in found["layers"]:
        listed.add_row(*_cells(row))
    screen.print(listed)
    if found["not_offered"]:
        left = table("not offered", "module", "why")
        for module, why in found["not_offered"]:
            left.add_row(module, why)
        screen.print(left)


def lines(found: dict[str, Any]) -> list[str]:
    """What stands above the table of layers."""
    from interpret_core.networks.examination.report import batches_text, outputs_text

    channels, height, width = found["input"]
    how = "run from its graph" if found["path"] == "graph" else "run on a slower path: it cannot be traced"
    return [
        f"{found['network']}: {found['title']}",
        f"evidence: {found['evidence']}. {found['note']}".rstrip(),
        f"input {channels}×{height}×{width}; {how}; digest {found['digest']}",
        f"outputs: {outputs_text(found)}",
        batches_text(found),
    ]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    values = row["values"]
    told = f"{values[0]:.3g} to {values[1]:.3g}" if values else "none finite"
    return (
        ", ".join([row["layer"], *row["also"]]),
        row["kind"],
        str(row["units"]),
        "×".join(map(str, row["grid"])),
        f"{row['receptive_field']} px" if row["receptive_field"] else "?",
        f"{row['stride']} px" if row["stride"] else "?",
        row["read"],
        told if row["finite"] else f"{told}; some not finite",
        row["gradient"] or "not asked",
        row["positions"],
    )
