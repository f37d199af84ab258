"""What was chosen where the paper leaves something open, and what it says itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from interpret_core.analyses.ablation.request import AblateRequest
from interpret_core.analyses.agreement.request import AgreementRequest
from interpret_core.analyses.profile.request import CUTOFF
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.concepts import DEFAULT_CATEGORIES
from interpret_core.measures.ablation.selection import SEEDS
from interpret_core.reproduction.statements import NOT_STATED, statements
from interpret_core.reproduction.study import Study

PERCENT = 100


class StatedSetting(NamedTuple):
    """A setting: what it is called, ours, the paper's as our documents have it, and the method's section."""

    name: str
    ours: str
    paper: str
    section: str


def settings(study: Study) -> Iterator[StatedSetting]:
    """All that decides a number, in the order of the study."""
    request = study.request
    name = study.networks[0].name
    profile, relevance = request.profile(name), request.relevance(name, ("x",))
    yield StatedSetting("networks", ", ".join(one.name for one in study.networks), _names(), "evidence")
    yield StatedSetting(
        "layers", "all convolutions, projections of shortcuts left out", NOT_STATED, "response"
    )
    yield StatedSetting("quantile of the threshold", f"{profile.quantile:g}", "0.005", "threshold")
    usual = ", ".join(DEFAULT_CATEGORIES)
    yield StatedSetting("categories", ", ".join(profile.categories), usual, "unique")
    cutoffs = f"0, and {CUTOFF:g} beside it"
    yield StatedSetting("cut-off of a label's IoU", cutoffs, "0: every unit has its label", "unique")
    least = f"concepts in at least {profile.min_images:,} images"
    yield StatedSetting("rare concepts", least, NOT_STATED, "unique")
    yield StatedSetting("positions", str(profile.positions), NOT_STATED, "positions")
    permutations = f"{profile.permutations:,} permutations" if profile.permutations else "not computed"
    yield StatedSetting("chance level of labels", permutations, "our addition", "unique")
    yield StatedSetting("images per forward pass", f"{profile.batch_size:,}", NOT_STATED, "response")
    yield StatedSetting("classes", _classes(study), "ten that Broden and ImageNet share", "classes")
    yield from _of_relevance(relevance)
    yield from _of_agreement(request.agreement(name, ("x",)))
    yield from _of_ablation(study, request.ablate(name, ("x",)))


def _names() -> str:
    return ", ".join(statements().titles.values())


def _classes(study: Study) -> str:
    used = dict.fromkeys(name for one in study.networks for name in one.facts["classes"])
    return ", ".join(used)


def _of_relevance(relevance: RelevanceRequest) -> Iterator[StatedSetting]:
    how = f"{relevance.method} of the {relevance.output} from a {relevance.baseline} baseline"
    yield StatedSetting("relevance", how, "integrated gradients (Eq. 3)", "mass")
    path = (
        f"{relevance.points} to {relevance.most_points} points, until the residual is "
        f"{PERCENT * relevance.tolerance:g} %"
    )
    yield StatedSetting("path", path, NOT_STATED, "completeness")
    images = f"at most {relevance.images:,} a class, of split {relevance.split}"
    yield StatedSetting("images that rank", images, NOT_STATED, "heldout")


def _of_agreement(agreement: AgreementRequest) -> Iterator[StatedSetting]:
    marks = f"the top {PERCENT * agreement.top:g} % of a layer's units"
    yield StatedSetting("marks of Table I", marks, NOT_STATED, "agreement")


def _of_ablation(study: Study, ablate: AblateRequest) -> Iterator[StatedSetting]:
    done = dict.fromkeys(row["ablated_class"] for one in study.networks for row in one.curves)
    yield StatedSetting(
        "units silenced for", ", ".join(done) or "none", ", ".join(statements().ablated), "figures56"
    )
    fractions = sorted({row["fraction"] for one in study.networks for row in one.curves})
    ours = ", ".join(f"{PERCENT * one:g}" for one in fractions) + " %" if fractions else "none"
    yield StatedSetting("share of a layer's units", ours, "1, 2, 3 %", "figures56")
    yield StatedSetting("layers spared", "the first and the last", "the first and the last", "figures56")
    yield StatedSetting("silenced to", ablate.value, NOT_STATED, "figures56")
    yield StatedSetting("images that are evaluated", f"split {ablate.split}", NOT_STATED, "heldout")
    yield StatedSetting("random control", f"{SEEDS} seeds", "our addition", "control")
