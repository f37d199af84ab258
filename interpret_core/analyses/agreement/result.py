"""Agreement of IoU and relevance in several networks, and its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from interpret_core.analyses.agreement.request import AgreementRequest, AgreementSettings
from interpret_core.measures.agreement import Cell, LayerAgreement, NetworkAgreement
from interpret_core.numbers import known
from interpret_core.tables import Row

EVERY = "*"  # layer and class of a network's summary row
COLUMNS = ("layer", "class", "k", "error", "chance", "p_value", "overlap", "spearman", "error_sd")
REASONS = {
    Cell.NO_OVERLAP: "fewer than k units overlap the concept",
    Cell.NO_RELEVANCE: "fewer than k units have any relevance",
}
PERCENT = 100


@dataclass(frozen=True, eq=False)
class Agreement:
    """A network's agreement on a data set: L layers, C classes.

    Attributes:
        layers: names, in forward order.
        classes: names, in the order given.
        concepts: (C,) the object of each class as the data set names it; of several labels, all names.
        network: the numbers; its layers are in the order of `layers`, their columns in that of `classes`.
        left_out: (class, why) of the classes that cannot be compared.
        settings: what was asked for.
        metadata: of the profiles: network and dataset (as in a profile), quantile; of the relevances: method,
            baseline, output, split; images: class -> n.
    """

    layers: tuple[str, ...]
    classes: tuple[str, ...]
    concepts: tuple[str, ...]
    network: NetworkAgreement
    left_out: tuple[tuple[str, str], ...]
    settings: AgreementSettings
    metadata: Mapping[str, Any]

    def layer(self, name: str) -> LayerAgreement:
        """One layer's cells.

        Raises:
            KeyError: a layer that is not among `layers`.
        """
        return dict(zip(self.layers, self.network.layers, strict=True))[name]


@dataclass(frozen=True)
class Answer:
    """A network's agreement under the names that were asked for.

    Attributes:
        name, dataset: as asked; stored results may bear older ones.
        without: (class, why) of classes of the data set that have no relevance.
    """

    name: str
    dataset: str
    agreement: Agreement
    without: tuple[tuple[str, str], ...]

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """(class, why) of every class that is not compared."""
        return [*self.without, *self.agreement.left_out]


UntrainedControls = Mapping[str, tuple[str, Answer | None]]


@dataclass(frozen=True)
class Agreed:
    """What was asked for.

    Attributes:
        request: as asked.
        answers: a network each, in the order asked for, each followed by its untrained control where that is
            asked for.
        controls: untrained ones that were not asked for, by network: name, and the answer if it is stored.
        seconds: wall-clock.
    """

    request: AgreementRequest
    answers: tuple[Answer, ...]
    controls: UntrainedControls
    seconds: float = 0.0


def rows(found: Agreement) -> Iterator[Row]:
    """A row of COLUMNS per kept cell, by layer and class, then one for the network.

    error, chance and error_sd are in percent, as in the paper's Table I; overlap and p are shares. Cells that
    are left out have no row: see `left_out_cells`. What is no number is None.
    """
    for name, layer in zip(found.layers, found.network.layers, strict=True):
        for at in np.flatnonzero(layer.kept):
            yield dict.fromkeys(COLUMNS) | {
                "layer": name,
                "class": found.classes[at],
                "k": layer.count,
                "error": PERCENT * float(layer.error[at]),
                "chance": PERCENT * layer.chance,
                "p_value": float(layer.p_value[at]),
                "overlap": float(layer.overlap[at]),
                "spearman": known(layer.spearman[at]),
            }
    whole = found.network
    yield dict.fromkeys(COLUMNS) | {
        "layer": EVERY,
        "class": EVERY,
        "error": known(PERCENT * whole.error),
        "chance": known(PERCENT * whole.chance),
        "p_value": known(whole.p_value),
        "overlap": known(whole.overlap),
        "spearman": known(whole.spearman),
        "error_sd": known(PERCENT * whole.error_sd),
    }


def left_out_cells(found: Agreement) -> list[tuple[str, str, str]]:
    """(layer, class, why) of every cell that does not count."""
    return [
        (name, found.classes[at], REASONS[Cell(layer.state[at])])
        for name, layer in zip(found.layers, found.network.layers, strict=True)
        for at in np.flatnonzero(~layer.kept)
    ]


def columns(answers: Sequence[Answer]) -> tuple[str, ...]:
    """Of a table of several networks, which are told apart only where there is more than one."""
    return COLUMNS if len(answers) == 1 else ("network", *COLUMNS)


def all_rows(answers: Sequence[Answer]) -> Iterator[Row]:
    """Rows of `columns`: a network's cells and its summary, network by network."""
    for answer in answers:
        name = {} if len(answers) == 1 else {"network": answer.name}
        yield from (name | row for row in rows(answer.agreement))
