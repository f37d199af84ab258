"""Requests of every analysis that passes over images, and what they leave in a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from interpret_core.analyses import registry
from interpret_core.analyses.ablation.request import AblateRequest, AblationRequest
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.evaluation.request import EvaluationRequest
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.options import Request
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.executors.base import HERE, Executor
from interpret_core.runtime.reporter import Tell
from interpret_core.store.store import Store
from tests.analyses.ablated import NETWORK

SPLITS = {"ball": (6, 14), "box": (3, 12)}  # class -> images that rank, images that are held back


def requests(root: Path) -> dict[str, Request]:
    """By name. The grid needs relevance; images that rank and are evaluated get a ranking of their own."""
    asked = {"network": NETWORK, "dataset": str(root)}
    return {
        "relevance": RelevanceRequest(**asked),
        "grid": AblationRequest(**asked, split="all", value="mean"),
        "ablate": AblateRequest(**asked, fractions="0.1,0.3"),
        "effects": EffectsRequest(**asked),
        "evaluation": EvaluationRequest(**asked, split="all", batch_size=3),
    }


def spread(
    asked: Sequence[Request], folder: Path, executor: Executor = HERE, tell: Tell = lambda *_: None
) -> dict[str, str]:
    """Compute some requests; key -> digest of every record, none of which is a part that was left."""
    with Store(folder) as store:
        for request in asked:
            registry.compute(request, store, Execution("cpu", executor, tell=tell))
        found = {key: store.get(key) for key in store.keys("")}
        assert not [key for key in found if key.startswith("partial/")]
        return {key: record.digest() for key, record in found.items() if record is not None}
