"""What the paper and Network Dissection state, as far as our documents say it, with the place of each number.

The one place for such numbers is `statements.toml`. What is not in it is shown as "not stated".
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

NOT_STATED = "not stated"
FILE = Path(__file__).with_suffix(".toml")
PROVIDER = "torchvision/"  # the networks that published numbers are of, with ImageNet's weights


@dataclass(frozen=True)
class Statement:
    """One published number, or label.

    Attributes:
        value: as printed.
        place: where it is printed: a table or a figure of the paper, or another publication.
        section: anchor of docs/method.md that says how ours is computed.
        note: what has to be known to compare it; may be empty.
        layer, unit: what a label is of.
    """

    value: float | int | str
    place: str
    section: str
    note: str = ""
    layer: str = ""
    unit: int = -1


@dataclass(frozen=True)
class Statements:
    """All that is published.

    Attributes:
        paper: "Islam & Tushar 2021, …" with its title.
        authors: the short form.
        ablated: classes whose units the paper silences.
        classes: the house's choice of ten, since the paper's names are not known here.
        titles: torchvision's name of a network -> the paper's.
    """

    paper: str
    authors: str
    ablated: tuple[str, ...]
    classes: tuple[str, ...]
    titles: Mapping[str, str]
    _numbers: Mapping[tuple[str, str], Statement]
    _labels: Mapping[str, Statement]

    def number(self, quantity: str, network: str = "") -> Statement | None:
        """A number of a network (its title in the paper), or of none; None where nothing is stated."""
        return self._numbers.get((quantity, network))

    def label(self, network: str) -> Statement | None:
        """The label that the paper gives to a unit of a network."""
        return self._labels.get(network)

    def title(self, network: str) -> str:
        """What the paper calls a network; empty for one that its numbers are not of.

        A network with weights of the user's own is another one, whatever its architecture.
        """
        base, _, member = network.partition("@")
        own = "." in member or "/" in member
        known = base.removeprefix(PROVIDER) if base.startswith(PROVIDER) and not own else ""
        return self.titles.get(known, "")


@cache
def statements() -> Statements:
    """Read once per process."""
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    paper = read["paper"]
    authors = f"{paper['authors']} {paper['year']}"
    return Statements(
        f"{authors}, “{paper['title']}”",
        authors,
        tuple(paper["ablated"]),
        tuple(read["house"]["classes"]),
        dict(paper["networks"]),
        {(one["quantity"], one.get("network", "")): _statement(one) for one in read["number"]},
        {one["network"]: _statement(one) for one in read["label"]},
    )


def _statement(entry: Mapping[str, Any]) -> Statement:
    names = ("value", "place", "section", "note", "layer", "unit")
    return Statement(**{name: entry[name] for name in names if name in entry})
