"""Each number beside the published one: ours, theirs where it is stated, the difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interpret_core.analyses.agreement.result import EVERY
from interpret_core.analyses.profile.request import CUTOFF
from interpret_core.measures.ablation.selection import TOP
from interpret_core.reproduction.findings import LABELLED, PUBLISHED_CUTOFFS, NetworkFindings
from interpret_core.reproduction.statements import NOT_STATED, Statement, statements
from interpret_core.reproduction.study import Study
from interpret_core.tables import Row

COLUMNS = (
    "place",
    "network",
    "quantity",
    "ours",
    "published",
    "difference",
    "unit",
    "section",
    "note",
)
MEASURED = ("DATA", "FIG2", "QUALITY", "FIG4", "TABLE1", "FIG56", "LABEL", "CONV5")
DATA, FIG2, QUALITY, FIG4, TABLE1, FIG56, LABEL, CONV5 = MEASURED
PLACES = {
    FIG2: "Fig. 2",
    QUALITY: "mean top-t IoU",
    FIG4: "Fig. 4",
    TABLE1: "Table I",
    FIG56: "Figs. 5, 6",
}
PERCENT = 100


@dataclass(frozen=True)
class ComparedNumber:
    """A number of ours beside a published one.

    Attributes:
        group: one of MEASURED: where it stands on the page.
        place: in the paper, or in another publication.
        network: as it is shown; empty for one of none.
        quantity: what it is, in words.
        ours: None where there is no number.
        digits: after the point, on the page.
        unit: "%", or empty.
        section: anchor of docs/method.md.
        statement: None where nothing is stated.
    """

    group: str
    place: str
    network: str
    quantity: str
    ours: float | int | str | None
    digits: int
    unit: str
    section: str
    statement: Statement | None = None

    @property
    def difference(self) -> float | None:
        """Ours less the published number, before rounding; None where one of them is none."""
        published = None if self.statement is None else self.statement.value
        if isinstance(published, str) or published is None or isinstance(self.ours, str) or self.ours is None:
            return None
        return self.ours - published

    def row(self) -> Row:
        """Under COLUMNS."""
        return {
            "place": self.place,
            "network": self.network or None,
            "quantity": self.quantity,
            "ours": self.ours,
            "published": NOT_STATED if self.statement is None else self.statement.value,
            "difference": self.difference,
            "unit": self.unit or None,
            "section": self.section,
            "note": self.statement.note or None if self.statement else None,
        }


def compared(study: Study) -> tuple[ComparedNumber, ...]:
    """All of them, in the order of the page."""
    found = [*_dataset(study)]
    for part in (_agreement, _detectors, _quality, _relevance, _ablation, _labels, _conv5):
        found += [number for one in study.networks for number in part(one)]
    return tuple(found)


@dataclass(frozen=True)
class _Quantity:
    """What is compared: its key in the statements, its words, and how it is shown."""

    group: str
    key: str
    words: str
    section: str
    digits: int = 0
    unit: str = ""


def _dataset(study: Study) -> Iterator[ComparedNumber]:
    for quantity, ours in (("images", study.length), ("concepts", study.labels)):
        yield _number(_Quantity(DATA, quantity, quantity, "reference"), ours)


def _agreement(found: NetworkFindings) -> Iterator[ComparedNumber]:
    for key, column, words in (
        ("agreement error", "error", "error, mean over layers and classes"),
        ("agreement deviation", "error_sd", "error, deviation over layers"),
    ):
        yield _number(_Quantity(TABLE1, key, words, "agreement", 2, "%"), found.whole[column], found)


def _detectors(found: NetworkFindings) -> Iterator[ComparedNumber]:
    for cutoff, how in ((LABELLED, "any IoU, as in the paper"), (CUTOFF, f"IoU > {CUTOFF:g}")):
        row = found.counted(cutoff)
        for column, words in (("detectors", "units with a label"), ("unique", "distinct labels")):
            asked = _Quantity(FIG2, f"{column} {cutoff:g}", f"{words}, {how}", "unique")
            yield _number(asked, row[column], found)


def _quality(found: NetworkFindings) -> Iterator[ComparedNumber]:
    row = next(one for one in found.layers if one["layer"] == EVERY)
    for t in (1, 2, 3):
        words = f"mean of a unit's {t} best IoUs" if t > 1 else "mean of a unit's best IoU"
        asked = _Quantity(QUALITY, f"q{t}", f"{words}, all layers (Q{t})", "quality", 4)
        yield _number(asked, row[f"q{t}"], found)


def _relevance(found: NetworkFindings) -> Iterator[ComparedNumber]:
    """The end of Fig. 4's curves: how much of the raw sum lies in the last layer, and of the mass."""
    last = found.facts["layers"][-1]
    for column, words in (("raw_sum", "raw sum, as in the paper"), ("relevance_mass", "mass")):
        shares = [_share(found.relevance, name, last, column) for name in found.facts["classes"]]
        there = [one for one in shares if one is not None]
        ours = PERCENT * sum(there) / len(there) if there else None
        quantity = f"share of the last layer, mean over classes; {words}"
        yield _number(_Quantity(FIG4, f"last {column}", quantity, "mass", 1, "%"), ours, found)


def _share(rows: Sequence[Row], name: str, layer: str, column: str) -> float | None:
    values = {row["layer"]: row[column] for row in rows if row["class"] == name}
    whole = sum(values.values())
    return values[layer] / whole if whole > 0 else None


def _ablation(found: NetworkFindings) -> Iterator[ComparedNumber]:
    """The points of Figs. 5 and 6: the most relevant units, silenced."""
    for row in found.curves:
        if row["rank"] != TOP:
            continue
        for column, words in (("accuracy", row["ablated_class"]), ("others", "the other classes")):
            share = f"{PERCENT * row['fraction']:g} % of the units for {row['ablated_class']} silenced"
            key = f"{row['ablated_class']} {row['fraction']:g} {column}"
            ours = None if row[column] is None else PERCENT * row[column]
            asked = _Quantity(FIG56, key, f"accuracy of {words}, {share}", "figures56", 1, "%")
            yield _number(asked, ours, found)


def _labels(found: NetworkFindings) -> Iterator[ComparedNumber]:
    stated = statements().label(found.title)
    if stated is None:
        return
    label = found.labels.get((stated.layer, stated.unit))
    ours = None if label is None else f"{label[0]} (IoU {label[1]:.3f})"
    words = f"label of unit {stated.unit} of {stated.layer}"
    yield ComparedNumber(LABEL, _place(stated), found.name, words, ours, 0, "", stated.section, stated)


def _conv5(found: NetworkFindings) -> Iterator[ComparedNumber]:
    """Network Dissection's AlexNet; of other networks nothing is published that we know."""
    last: Mapping[str, Any] = found.last
    if statements().number("conv5 detectors", found.title) is None or last["layer"] != "conv5":
        return
    plain = (
        ("detectors", f"detectors of {last['units']} units, IoU > {CUTOFF:g}", 0),
        ("unique", "distinct concepts of them", 0),
        ("best", f"best IoU of a unit (ours: {last['best_label']})", 3),
        ("median", "median of the units' best IoUs", 3),
    )
    for key, words, digits in plain:
        asked = _Quantity(CONV5, f"conv5 {key}", f"conv5: {words}", "reference", digits)
        yield _number(asked, last[key], found)
    for cutoff in PUBLISHED_CUTOFFS:
        key = f"detectors at {cutoff:.2f}"
        yield _number(_Quantity(CONV5, f"conv5 {key}", f"conv5: {key}", "sensitivity"), last[key], found)


def _number(asked: _Quantity, ours: Any, found: NetworkFindings | None = None) -> ComparedNumber:
    stated = statements().number(asked.key, found.title if found else "")
    place = _place(stated) if stated else f"{statements().authors}, {PLACES[asked.group]}"
    name = found.name if found else ""
    look = (asked.digits, asked.unit, asked.section)
    return ComparedNumber(asked.group, place, name, asked.words, ours, *look, stated)


def _place(stated: Statement) -> str:
    own = stated.place.startswith("Bau")
    return stated.place if own else f"{statements().authors}, {stated.place}"
