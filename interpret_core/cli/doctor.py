"""`doctor`: what whoever helps needs to know of an installation, and whether it works."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from interpret_core.cli.terminal import console, drawn
from interpret_core.tables import Table


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Versions, machine and cache, and whether what Unitscope rests on works here; for a report.

    It names no network, data set, file or picture, and of variables their names alone.
    """
    from interpret_core.cli.diagnosis import diagnose

    found = diagnose()
    if as_json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        screen = console()
        for name, value in found.facts.items():
            screen.print(f"{name}: {value}", soft_wrap=True)
        screen.print("packages: " + ", ".join(f"{name} {which}" for name, which in found.packages.items()))
        screen.print("variables: " + (", ".join(found.variables) or "none"), soft_wrap=True)
        rows = [(one.name, "works" if one.works else "FAILS", one.found) for one in found.probes]
        screen.print(drawn(Table("", ("tried", "", "found"), rows)))
    if not found.sound:
        raise typer.Exit(1)
