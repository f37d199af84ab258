"""Keys may not change unless the numbers do: every record that the demo ships is found under its key.

Restructuring the code must pass this: a key that comes out otherwise makes everybody compute everything anew.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from interpret_core import datasets, demo, networks
from interpret_core.analyses.ablation.grid import grid_keys
from interpret_core.analyses.ablation.plan import ablation_plan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.compute import effects_key
from interpret_core.analyses.evaluation.compute import EvaluationRequest, run_evaluation
from interpret_core.analyses.profile.plan import resolved
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.plan import plan
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.subjects import Subject
from interpret_core.store.bundle.shipped import MANIFEST, Shipped
from interpret_core.store.store import Store
from ui.layers import outline_key

pytestmark = pytest.mark.skipif(not (demo.RESULTS / MANIFEST).is_file(), reason="demo/results is not made")
NAMES = [f"{demo.PREFIX}{name}" for name in demo.NETWORKS]


@pytest.fixture(autouse=True)
def shown(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERPRET_OFFLINE", "1")
    monkeypatch.delenv("INTERPRET_DEMO", raising=False)
    monkeypatch.delenv("INTERPRET_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def keys_of(name: str, store: Store) -> Iterator[str]:
    network = networks.load(name)
    digest = datasets.open_dataset(demo.NAME).digest
    request = ProfileRequest(name, demo.NAME)
    found = resolved(request, store, Subject.of(network), digest)
    yield from (found.survey, *found.profile.values(), *found.chance.values())
    yield outline_key(list(found.profile.values()), request.min_images)
    yield from plan(RelevanceRequest(name, demo.NAME), store).keys.values()
    ablation = ablation_plan(AblationRequest(name, demo.NAME), store, network)
    yield from grid_keys(ablation).values()
    yield effects_key(ablation)


def test_every_key_of_the_manifest_comes_out_of_the_plans(tmp_path):
    shipped = set(Shipped(demo.RESULTS).manifest["records"])
    with Store(tmp_path / "cache") as store:
        planned = {key for name in NAMES for key in keys_of(name, store)}
        evaluations = {key for key in shipped if key.startswith("evaluation/")}
        assert shipped - planned == evaluations
        assert {key.partition("/")[0] for key in planned - shipped} <= {
            "effects"
        }  # one network's are shipped
        for name in NAMES:
            assert not run_evaluation(EvaluationRequest(name, demo.NAME), store, Execution("cpu")).computed
        assert set(store.keys("evaluation/")) == evaluations
