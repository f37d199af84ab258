"""Options whose messages give the value and what was expected."""

from __future__ import annotations

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


Network = Annotated[
    str,
    typer.Option(
        "--network", metavar="NAME", help="A known name, or package.module:factory[@weights.safetensors]."
    ),
]
Data = Annotated[
    str,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="A registered name, or a folder: in Broden's layout, or images with classes.csv (no profile).",
    ),
]
Classes = Annotated[
    str, typer.Option(metavar="NAMES", help="Classes, separated by commas, or all that the network knows.")
]
Layers = Annotated[str, typer.Option(metavar="NAMES", help="Names separated by commas, or all.")]
Quantile = Annotated[
    float,
    typer.Option(parser=number, metavar="NUMBER", help="Share of positions above a unit's threshold."),
]
MinImages = Annotated[
    int, typer.Option(parser=whole, metavar="COUNT", help="Leave out concepts in fewer images.")
]
Categories = Annotated[str, typer.Option(metavar="NAMES", help="Annotation categories, separated by commas.")]
Cutoff = Annotated[
    float,
    typer.Option(parser=number, metavar="IOU", help="A unit is a detector when its best IoU exceeds this."),
]
BatchSize = Annotated[int, typer.Option(parser=whole, metavar="COUNT", help="Images per forward pass.")]
Permutations = Annotated[
    int,
    typer.Option(parser=whole, metavar="COUNT", help="Permutations for the chance level; 0 leaves it out."),
]
Seed = Annotated[int, typer.Option(parser=whole, metavar="NUMBER", help="Of the permutations.")]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at damaged files instead of skipping them.")]
Split = Annotated[
    str, typer.Option(metavar="NAME", help="Images to evaluate: val (held back), train, or all.")
]
Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or mps.")]
Shards = Annotated[
    int | None,
    typer.Option(parser=whole, metavar="COUNT", help="Parts per pass, each kept when it is finished."),
]
ShardOrder = Annotated[str | None, typer.Option(hidden=True)]
Cache = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of results, instead of INTERPRET_CACHE.")
]
Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table to FILE.csv or FILE.json.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Name every skipped image and concept.")]
