"""`ablate` on real photographs; skipped unless INTERPRET_REAL_DATA names the folder."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from interpret_core import networks
from interpret_core.analyses.ablation.plan import ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.cli.conftest import Command
from tests.planted_classes import write_classes

REAL = os.environ.get("INTERPRET_REAL_DATA", "")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not REAL, reason="INTERPRET_REAL_DATA is not set"),
]
LITE = "efficientnet-lite0"
PHOTOGRAPHS = {
    "281_tabby": "cat", "283_Persian_cat": "cat", "284_Siamese_cat": "cat", "130_flamingo": "bird",
    "207_golden_retriever": "dog", "259_Pomeranian": "dog", "627_limousine": "car", "817_sports_car": "car",
}  # fmt: skip


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A plain folder of links with classes.csv: no annotation, so that the whole image is the mask."""
    root = tmp_path / "photographs"
    root.mkdir()
    for name in PHOTOGRAPHS:
        (root / f"{name}.jpg").symlink_to(Path(REAL) / "imagenet_photos" / f"{name}.jpg")
    write_classes(root, [(f"{name}.jpg", one) for name, one in PHOTOGRAPHS.items()])
    return root


@pytest.mark.slow
def test_cats_lose_more_than_others_when_cats_units_are_silenced(
    command: Command, environment: Path, photographs: Path
) -> None:
    """Ranked by four gradients an image, for speed; otherwise as the acceptance of the issue has it.

    At 3 % these few photographs lose nearly everything, a cat's 0.91 is all gone: so the paired
    difference is compared at 1 %, and what is left of the intact probability at both.
    """
    request = AblationRequest(LITE, str(photographs), split="all", ranked_on="all", method="conductance")
    coarse = RelevanceRequest(
        LITE, str(photographs), ("cat",), "conductance", split="all", points=4, most_points=4, tolerance=0
    )
    with Store(environment / "cache") as store:
        ranked = run_relevance(coarse, store, Execution(device="cpu"))
        plan = ablation_plan(request, store, networks.load(LITE))
        record = store.get(ranked.plan.keys["cat"])
        assert record is not None
        store.put(plan.ranking.keys["cat"], record)
    out = environment / "f.csv"
    ran = command(
        "ablate", "--network", LITE, "--dataset", photographs, "--class", "cat", "--fractions", "0.01,0.03",
        "--rank", "top,bottom", "--split", "all", "--ranked-on", "all", "--method", "conductance",
        "--device", "cpu", "--out", out,
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert "no object annotation" in ran.out
    assert "leave one out: images of cat" in ran.out
    rows = list(csv.DictReader(out.read_text().splitlines()))
    found = {(row["rank"], row["fraction"], row["evaluated_class"]): row for row in rows}
    cat, others = (found["top", "0.01", name] for name in ("cat", "*others"))
    assert (cat["images"], cat["evaluated"], others["evaluated"]) == ("3", "leave one out", "held out")
    assert float(cat["probability_change"]) < float(others["probability_change"]) < 0
    assert float(cat["probability_change"]) < 2 * float(found["bottom", "0.01", "cat"]["probability_change"])
    for fraction in ("0.01", "0.03"):
        left = {name: _left(found["top", fraction, name]) for name in ("cat", "*others")}
        assert left["cat"] < left["*others"]


def _left(row: dict[str, str]) -> float:
    """The share of the intact network's mean probability that is left."""
    after = float(row["probability"])
    return after / (after - float(row["probability_change"]))
