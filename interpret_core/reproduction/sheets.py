"""The study's files: each of the paper's tables and figures as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from interpret_core.analyses.ablation.table import COLUMNS as ABLATION_COLUMNS
from interpret_core.analyses.agreement.result import COLUMNS as AGREEMENT_COLUMNS
from interpret_core.reproduction.comparison import COLUMNS as COMPARED_COLUMNS
from interpret_core.reproduction.comparison import compared
from interpret_core.reproduction.study import Study
from interpret_core.tables import Row

PAGE, FACTS = "index.html", "study.json"
DETECTORS = ("network", "layer", "category", "cutoff", "units", "detectors", "unique")
LAYERS = (
    "network",
    "layer",
    "units",
    "live",
    "dead",
    "tied",
    "detectors",
    "unique",
    "expected_by_chance",
    "significant",
    "colours",
    "objects",
    "q1",
    "q2",
    "q3",
)
RELEVANCE = (
    "network",
    "layer",
    "class",
    "units",
    "raw_sum",
    "relevance_mass",
    "share_within_class",
    "images",
    "flagged",
)
CURVES = (
    "network",
    "ablated_class",
    "rank",
    "fraction",
    "units",
    "seeds",
    "accuracy",
    "accuracy_sd",
    "others",
    "others_sd",
    "all_others",
    "all_others_sd",
    "probability",
    "probability_sd",
    "images",
    "other_classes",
)


@dataclass(frozen=True)
class Sheet:
    """One file of the study.

    Attributes:
        name: of the file.
        about: what it holds, a short sentence.
        columns, rows: its content.
    """

    name: str
    about: str
    columns: Sequence[str]
    rows: Sequence[Row]


def sheets(study: Study) -> Iterator[Sheet]:
    """All of them; of networks, in the order asked for."""
    every = study.networks
    numbers = [one.row() for one in compared(study)]
    yield Sheet("comparison.csv", "every number beside the published one", COMPARED_COLUMNS, numbers)
    for name, about, columns, rows in (
        (
            "fig2_detectors.csv",
            "labelled units by layer and category",
            DETECTORS,
            [one.detectors for one in every],
        ),
        ("layers.csv", "counts and mean top-t IoU by layer", LAYERS, [one.layers for one in every]),
        ("fig4_relevance.csv", "relevance of layers by class", RELEVANCE, [one.relevance for one in every]),
        (
            "table1_agreement.csv",
            "agreement of IoU and relevance, cell by cell",
            ("network", *AGREEMENT_COLUMNS),
            [one.agreement for one in every],
        ),
        ("fig56_curves.csv", "accuracy over units silenced", CURVES, [one.curves for one in every]),
        ("fig56_ablation.csv", "the same, class by class", ABLATION_COLUMNS, [one.ablation for one in every]),
    ):
        yield Sheet(name, about, columns, [row for some in rows for row in some])
