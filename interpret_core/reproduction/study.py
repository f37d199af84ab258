"""The paper's study: each network's profile, relevance, agreement and ablation, one after the other.

Everything goes through the registry of analyses, so whatever is stored is found, and what is finished when
somebody stops it stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from interpret_core import __version__, datasets, networks
from interpret_core.analyses.ablation.report import Ablated
from interpret_core.analyses.registry import compute
from interpret_core.classes.known import ClassPlan, KnownClass
from interpret_core.datasets.classes import spelling
from interpret_core.datasets.rights import rights_of
from interpret_core.errors import ChangedFileError, DatasetError, ParameterError
from interpret_core.networks.weights import RANDOM
from interpret_core.options import ALL, Request, Split
from interpret_core.provenance import made_with
from interpret_core.reproduction import findings
from interpret_core.reproduction.findings import NetworkFindings, Reasons
from interpret_core.reproduction.request import StudyRequest
from interpret_core.reproduction.statements import PROVIDER, statements
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.survey import planned
from interpret_core.store.schema import SCHEMA
from interpret_core.store.store import Store

STEPS = 4  # of each network
Say = Callable[[str], None]


@dataclass(frozen=True)
class ChosenClasses:
    """The classes of one network.

    Attributes:
        classes: whose relevance is computed.
        ablated: whose units are silenced.
        left_out: (class, why) of the house's and the paper's that cannot be.
    """

    classes: tuple[str, ...]
    ablated: tuple[str, ...]
    left_out: Reasons


@dataclass(frozen=True)
class Study:
    """What was found.

    Attributes:
        request: as asked.
        dataset: its name, which names no folder.
        digest: of its content.
        labels: of label.csv that have a category.
        length: rows of index.csv.
        networks: in the order asked for.
        made_with: versions and processor.
        licences: of the data set's pictures, a sentence each.
    """

    request: StudyRequest
    dataset: str
    digest: str
    labels: int
    length: int
    networks: tuple[NetworkFindings, ...]
    made_with: str
    licences: tuple[str, ...] = ()

    def description(self) -> dict[str, Any]:
        """What was computed on what, as JSON takes it."""
        request = self.request
        return {
            "version": __version__,
            "schema": SCHEMA,
            "made_with": self.made_with,
            "dataset": {"name": self.dataset, "digest": self.digest, "images": self.length},
            "licences": list(self.licences),
            "parameters": {
                name: getattr(request, name)
                for name in ("images", "min_images", "batch_size", "permutations")
            },
            "networks": [
                {"name": one.name, **one.facts, "left_out": [list(pair) for pair in one.left_out]}
                for one in self.networks
            ],
        }


def run_study(
    request: StudyRequest, store: Store, execution: Execution, say: Say = lambda _line: None
) -> Study:
    """Compute what is missing, and put it together.

    Args:
        request: what is asked.
        store: where results are, and finished parts.
        execution: device, progress, cancellation.
        say: told a line as each part is done.

    Raises:
        UserError: unknown names, or a class that is asked for and cannot be used; before anything is computed
            where names alone tell.
        NonFiniteError, Cancelled: as the analyses.
    """
    dataset = datasets.open_dataset(request.dataset)
    if not dataset.annotated:  # before hours go into what comes first
        raise DatasetError(
            f"Data set {dataset.name} has no annotation, expected objects in its masks: the paper's figures "
            "are of units and annotated concepts. `profile` and `image-labels` say what there is without."
        )
    request = replace(request, networks=tuple(dict.fromkeys(map(whole_name, request.networks))))
    specs = {name: networks.find(name) for name in request.networks}
    execution.tell("reading the data set's digest", 0, 0)
    digest = dataset.compute_digest(cancelled=execution.cancelled)
    chosen = {}
    for name, spec in specs.items():
        chosen[name] = _chosen(request, planned(dataset, spec, store, execution.reporter()), name)
    for name, spec in specs.items():
        weights = spec.weights(fetch=True)  # what cannot be fetched is known before hours go into the rest
        if weights.evidence == RANDOM:
            say(f"{name}: random weights, so its numbers are no reproduction. {weights.note}")
    found = [
        _network(_Steps(request, name, at, store, execution, say), chosen[name], digest)
        for at, name in enumerate(request.networks)
    ]
    labels = sum(bool(label.categories) for label in dataset.labels.values())
    licences = rights_of(dataset.root).lines()
    return Study(request, dataset.name, digest, labels, len(dataset), tuple(found), made_with(), licences)


@dataclass(frozen=True)
class _Steps:
    """One network's requests, answered one after the other, with what is told meanwhile."""

    request: StudyRequest
    name: str
    at: int
    store: Store
    execution: Execution
    say: Say

    def done(self, number: int, request: Request) -> Any:
        """The result of a request."""
        steps = STEPS * len(self.request.networks)
        title = f"{self.name}, {request.analysis} ({STEPS * self.at + number} of {steps})"

        def tell(stage: str, done: int, total: int) -> None:
            self.execution.tell(f"{title}: {stage}", done, total)

        start = time.perf_counter()
        found = compute(request, self.store, replace(self.execution, tell=tell))
        self.say(f"{title}: {time.perf_counter() - start:.1f} s")
        return found


def _network(steps: _Steps, chosen: ChosenClasses, digest: str) -> NetworkFindings:
    request, name = steps.request, steps.name
    profiled = steps.done(1, request.profile(name))
    related = steps.done(2, request.relevance(name, chosen.classes))
    (answer,) = steps.done(3, request.agreement(name, chosen.classes)).answers
    ablated = _ablated(steps, chosen, tuple(related.classes))
    told = [profiled.summaries[0].profile.metadata, answer.agreement.metadata]
    told += [one.metadata for one in related.classes.values()]
    digests = {one["dataset"]["digest"] for one in told} | (
        {ablated.plan.dataset.digest} if ablated else set()
    )
    built = {one["network"]["digest"] for one in told} | ({ablated.plan.network.digest} if ablated else set())
    if digests != {digest} or len(built) != 1:
        what = f"Data set {request.dataset}" if digests != {digest} else f"Network {name}"
        raise ChangedFileError(
            f"{what} changed while the study was computed, expected one content for all of it: run the same "
            "command again when the files are at rest."
        )
    shown, title = shown_name(name), statements().title(name)
    label = statements().label(title)
    wanted = [(label.layer, label.unit)] if label else []
    used = tuple(related.classes)
    return NetworkFindings(
        shown,
        title,
        findings.facts_of(profiled, related, answer, ablated),
        tuple(findings.detector_rows(shown, profiled.summaries)),
        tuple(findings.layer_rows(shown, profiled.summaries)),
        tuple(findings.relevance_rows(shown, related)),
        tuple(findings.table_rows(shown, answer)),
        tuple(findings.ablated_rows(shown, ablated)) if ablated else (),
        tuple(findings.curve_rows(shown, ablated, used)) if ablated else (),
        findings.last_layer(profiled.summaries),
        findings.labels_of(profiled.summaries, wanted),
        _left_out(chosen, (*related.left_out, *answer.agreement.left_out)),
    )


def _ablated(steps: _Steps, chosen: ChosenClasses, related: Sequence[str]) -> Ablated | None:
    """None where none of the paper's two can be ablated; those asked for are, or it is said why not."""
    names = chosen.ablated
    if not steps.request.ablated:
        names = tuple(name for name in names if name not in chosen.classes or name in related)
    if not names:
        return None
    found: Ablated = steps.done(4, steps.request.ablate(steps.name, names))
    return found


def _left_out(chosen: ChosenClasses, later: Sequence[tuple[str, str]]) -> Reasons:
    return tuple(dict.fromkeys((*chosen.left_out, *later)))


def _chosen(request: StudyRequest, plan: ClassPlan, network: str) -> ChosenClasses:
    """The classes of one network, by the data set's own names.

    Raises:
        ParameterError: one that is asked for is unknown, or none of the house's is there.
    """
    house, paper = statements().classes, statements().ablated
    left_out: dict[str, str] = {}
    if request.classes:
        classes = tuple(one.name for one in plan.chosen(request.classes))
    else:
        classes = _known(plan, house, left_out, _cannot_rank)
        if not classes:
            names = [one.name for one in plan.classes]
            raise ParameterError(
                f"None of the classes {', '.join(house)} can be used for {network}, expected at least one in "
                f"{request.dataset}: name others with --classes, such as {', '.join(names[:3]) or 'cat'}."
            )
    if not request.ablated:
        ablated = _known(plan, paper, left_out, _cannot_ablate)
    elif request.ablated == ALL:
        ablated = _known(plan, [one.name for one in plan.classes], left_out, _cannot_ablate)
    else:
        ablated = tuple(one.name for one in plan.chosen(request.ablated))
    return ChosenClasses(classes, ablated, tuple(left_out.items()))


def _known(
    plan: ClassPlan, names: Sequence[str], left_out: dict[str, str], problem: Callable[[KnownClass], str]
) -> tuple[str, ...]:
    """Those of some names that can be used; the others are noted with the reason."""
    by_name = {spelling(one.name): one for one in plan.classes}
    reasons = {spelling(name): why for name, why in plan.left_out}
    found = []
    for name in names:
        one = _alike(by_name, name)
        why = problem(one) if one else _alike(reasons, name) or "the data set has no class of this name"
        if one and not why:
            found.append(one.name)
        else:
            left_out.setdefault(name, why)
    return tuple(found)


def _alike(by_name: Mapping[str, Any], name: str) -> Any:
    """By the name, or by the first of several ("refrigerator, fridge")."""
    wanted = spelling(name)
    also = (one for key, one in by_name.items() if spelling(key.split(",")[0]) == wanted)
    return by_name.get(wanted) or next(also, None)


def _cannot_rank(one: KnownClass) -> str:
    return "" if len(one.of(Split.TRAIN)) else f"no image in split {Split.TRAIN}"


def _cannot_ablate(one: KnownClass) -> str:
    ranked, seen = one.of(Split.TRAIN), one.of(Split.VAL)
    if not len(ranked) or not len(seen):
        return f"no image in split {Split.VAL if len(ranked) else Split.TRAIN}, so it cannot be ablated"
    alone = len(ranked) == 1 and ranked[0] in seen
    return "its single ranking image is evaluated too, so it cannot be ablated" if alone else ""


def whole_name(network: str) -> str:
    """`torchvision/alexnet` for `alexnet`; other names are what they are."""
    base = network.partition("@")[0]
    known = networks.known() if "/" not in base and ":" not in base else ()
    short = base not in known and f"{PROVIDER}{base}" in known
    return f"{PROVIDER}{network}" if short else network


def shown_name(network: str) -> str:
    """A network's name without the folder of its weights."""
    base, at, file = network.partition("@")
    return f"{base}{at}{Path(file).name}" if "/" in file else network
