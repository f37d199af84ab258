"""Parsers whose messages give the value, and the options that say how to run and what to write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer


def number(text: str | float) -> float:
    """A number, for an option's parser."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number, expected one such as 0.005") from None


def whole(text: str | int) -> int:
    """A whole number, for an option's parser."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number, expected one such as 10") from None


def duration(text: str | float) -> float:
    """Seconds, for an option's parser: 90, 90s, 5m or 1h."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([smh]?)\s*", str(text))
    if found is None or not float(found[1]):
        raise typer.BadParameter(f"{text!r} is no time, expected one such as 60s, 5m or 1h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")]
Shards = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="COUNT", help="Parts per pass, each kept when it is finished."),
]
Time = Annotated[
    float | None,
    typer.Option(
        parser=duration,
        metavar="TIME",
        help="The best that can be had in so long (60s, 5m, 1h): the classes with most images first, then "
        "finer paths; residuals tell how fine.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="COUNT", help="Processes that share images and cores."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Dask cluster in place of this machine: tcp://HOST:8786."),
]
Part = Annotated[
    str | None,
    typer.Option(
        metavar="K/N",
        help="The K-th of N runs that share the images, each with a cache of its own; see merge.",
    ),
]
Merged = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="With --part: what merge has joined, only read."),
]
ShardOrder = Annotated[str | None, typer.Option(hidden=True)]
Cache = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of results, instead of INTERPRET_CACHE.")
]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table to FILE.csv or FILE.json.")]
NoPictures = Annotated[
    bool,
    typer.Option(
        "--no-pictures",
        help="Leave names of pictures out of what is written: numbers stand for them.",
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Name every skipped image and concept.")]
