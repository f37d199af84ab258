"""What a button costs, where a sample was measured in processes like this one; nothing is run for it."""

from __future__ import annotations

from collections.abc import Sequence

from interpret_core.analyses.estimate.plan import KnownCosts
from interpret_core.analyses.estimate.request import EstimateRequest
from interpret_core.analyses.estimate.result import AnalysisCost
from interpret_core.analyses.image_labels.request import ImageLabelsRequest
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.options import ALL, Names
from ui.session import results, stored
from ui.session.ablations import Bench
from ui.session.labels import found as labels
from ui.session.memory import once
from ui.session.relevances import Found
from ui.session.view import LayerView
from ui.shell.sidebar import Ask


@once
def profile(ask: Ask, names: Names = ALL) -> AnalysisCost | None:
    """Of what is missing of a profile; None where it was not measured."""
    keys = results.profile_keys(ask, names)
    if keys is None:
        return None
    opened, subject = results.dataset(ask.dataset), results.subject(ask.network)
    return _known(ask.network).profile(ask.request(names), keys, subject.digest, opened)


def of_profile(request: ProfileRequest) -> EstimateRequest:
    """The job that measures it."""
    return EstimateRequest(
        request.network,
        request.dataset,
        ("survey", "profile"),
        layers=request.layers,
        batch_size=request.batch_size,
        permutations=request.permutations,
    )


def image_labels(view: LayerView) -> AnalysisCost | None:
    """Of labels of whole images of a layer's units; None where it was not measured."""
    asked, keys = labels.request(view), labels.keys(view)
    if keys is None:
        return None
    opened, subject = results.dataset(view.dataset), results.subject(view.network)
    return _known(view.network).image_labels(asked, keys, subject.digest, opened)


def of_image_labels(request: ImageLabelsRequest) -> EstimateRequest:
    """The job that measures it."""
    return EstimateRequest(request.network, request.dataset, ("image-labels",), layers=request.layers)


def relevance(found: Found, names: Sequence[str]) -> AnalysisCost | None:
    """Of the relevance of some classes; None where it was not measured."""
    if found.plan is None:
        return None
    return _known(found.plan.request.network).relevance(found.plan, tuple(names))


def class_alone(bench: Bench, name: str) -> AnalysisCost | None:
    """Of the relevance of one class, which ranks on a bench; None where it was not measured."""
    return _known(bench.case.network).relevance(bench.plan.ranking, (name,))


def of_relevance(request: RelevanceRequest) -> EstimateRequest:
    """The job that measures it."""
    return EstimateRequest(
        request.network, request.dataset, ("relevance",), layers=request.layers, method=request.method
    )


def settings(bench: Bench, number: int) -> AnalysisCost | None:
    """Of so many settings on a bench's images, none of which is in the store."""
    return _known(bench.case.network).ablation(bench.case.request(), bench.plan, number)


def effects(bench: Bench) -> AnalysisCost | None:
    """Of single units on a bench's images."""
    return _known(bench.case.network).effects(bench.case.effects(), bench.plan)


def of_bench(bench: Bench, analysis: str) -> EstimateRequest:
    """The job that measures an ablation or the effects of single units."""
    return EstimateRequest(bench.case.network, bench.case.dataset, (analysis,))


def _known(network: str) -> KnownCosts:
    return KnownCosts(stored.store(), results.subject(network).device)
