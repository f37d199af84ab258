"""Everything the pages ask of the core about relevance; names only, never paths.

A class's record is one entry of the store; what is kept in memory is keyed by digests, as in `results`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from interpret_core.analyses.relevance.maps import ImageMap, image_map
from interpret_core.analyses.relevance.plan import RelevancePlan, plan_from
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.analyses.relevance.result import ClassRelevance, LayerRelevance
from interpret_core.classes.known import OBJECT, ClassPlan, KnownClass, NeedsSurvey, class_plan
from interpret_core.classes.outputs import distinct
from interpret_core.datasets import DEFAULT_CATEGORIES, Dataset
from interpret_core.errors import NetworkError, UnitscopeError, UserError
from interpret_core.figures.relevance import LayerTotals, totals_of
from interpret_core.networks import Network
from interpret_core.networks.graph.cuts import INPUT
from interpret_core.options import ALL, field_of
from interpret_core.runtime import subjects as identities
from interpret_core.runtime.names import NamesNow
from interpret_core.runtime.subjects import Subject
from interpret_core.runtime.survey import survey_key
from ui.session import results, stored
from ui.session.memory import at_hand, held, kept, once, using
from ui.session.view import LayerView
from ui.session.work import ended

_networks = held()  # networks that somebody uses: no second one is built beside them


class Wanted(NamedTuple):
    """Whose relevance is wanted, by which method."""

    network: str
    dataset: str
    method: str = field_of(RelevanceRequest, "method").default
    baseline: str = field_of(RelevanceRequest, "baseline").default
    output: str = field_of(RelevanceRequest, "output").default
    split: str = field_of(RelevanceRequest, "split").default

    def request(self) -> RelevanceRequest:
        """The request the command line would make with the same choices."""
        return _request(self)

    @property
    def words(self) -> str:
        """The settings as a phrase."""
        method = "layer integrated gradients" if self.method == "layer-ig" else "conductance"
        split = "all images" if self.split == "all" else f"{self.split} images"
        return f"{method}, {self.baseline} baseline, {self.output}, {split}"


@lru_cache(maxsize=256)
def _request(wanted: Wanted) -> RelevanceRequest:
    return RelevanceRequest(
        wanted.network,
        wanted.dataset,
        ALL,
        method=wanted.method,
        baseline=wanted.baseline,
        output=wanted.output,
        split=wanted.split,
    )


class Found(NamedTuple):
    """What is known of a network's relevance on a data set.

    Attributes:
        plan: which classes there are, on which images; None while the annotations have not been read.
        records: of the classes that are in the store, in the plan's order.
        missing: the other classes that can be computed.
        left_out: (class, why) of those that cannot.
    """

    plan: RelevancePlan | None
    records: Mapping[str, ClassRelevance]
    missing: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes asked for, computed or not."""
        return tuple(one.name for one in self.plan.classes) if self.plan else ()

    @property
    def class_plan(self) -> ClassPlan | None:
        """The data set's classes as this network knows them."""
        return self.plan.class_plan if self.plan else None


@once
def find(wanted: Wanted) -> Found:
    """What the store holds of it; computes nothing.

    Raises:
        UserError: a network or data set that cannot be opened, or no class in common; one clear line.
    """
    try:
        plan = planned(wanted)
    except NeedsSurvey:
        return Found(None, {}, ())
    records = {name: record for name in plan.keys if (record := _record(plan, name)) is not None}
    left_out = plan.left_out(stored.store())
    missing = [name for name in plan.keys if name not in {*records, *dict(left_out)}]
    return Found(plan, records, tuple(missing), left_out)


@once
def planned(wanted: Wanted) -> RelevancePlan:
    """Classes, images and keys of a request.

    Raises:
        NeedsSurvey: which image shows what has to be read from the annotations first.
        UserError: as `find`.
    """
    since = ended(wanted.request())
    network, opened = results.subject(wanted.network, since), results.dataset(wanted.dataset, since)
    return _plan(wanted, network.digest, opened.digest, network, opened)


# For a minute only: the table of classes in the configuration is in no digest.
@kept(64, seconds=60, kind="")
def _plan(wanted: Wanted, network: str, dataset: str, _subject: Subject, _opened: Dataset) -> RelevancePlan:
    spec = _subject.spec
    try:
        known = class_plan(_opened, spec, None)
    except NeedsSurvey:
        survey = results.survey_of(survey_key(dataset, DEFAULT_CATEGORIES))
        if survey is None:
            raise
        known = class_plan(_opened, spec, survey)
    found = plan_from(wanted.request(), _opened, _subject, known)
    found.require()
    return found


def _record(plan: RelevancePlan, name: str) -> ClassRelevance | None:
    try:
        return _kept(plan.keys[name], plan.names(stored.store()))
    except stored.Missing:
        return None


@kept(256, kind="relevance")
def _kept(key: str, names: NamesNow) -> ClassRelevance:
    found = stored.record(key)
    return ClassRelevance(found.arrays, names.told(found.metadata))


def totals(found: Found) -> dict[str, LayerTotals]:
    """The layers' numbers of every class that is there."""
    return {name: _totals(digest_of(found, name), record) for name, record in found.records.items()}


@kept(512, kind="relevance")
def _totals(key: str, _record: ClassRelevance) -> LayerTotals:
    return totals_of(_record)


def known_class(found: Found, name: str) -> KnownClass:
    """A class of the plan.

    Raises:
        UserError: not among its classes.
    """
    if found.plan is None:
        raise UserError(f"Class {name!r} is not known before the annotations have been read.")
    return found.plan.class_plan.find(name)


def outlines(found: Found, one: KnownClass, images: Sequence[int]) -> list[list[int] | None]:
    """Run lengths of the class's objects in some images; None without a mask."""
    if not one.concepts or found.plan is None:
        return [None] * len(images)
    concepts = found.plan.dataset.concepts().concepts
    numbers = tuple(concepts[at].number for at in one.concepts)
    plan = found.plan
    return results.annotations_of(plan.request.dataset, plan.dataset.digest, images, OBJECT, numbers)


def output_name(network: str, number: int) -> str:
    """Name of a network's output."""
    names = _output_names(network)
    return names[number] if 0 <= number < len(names) else f"output {number}"


@once
def _output_names(network: str) -> Sequence[str]:
    return distinct(results.class_names(network))


def computed(wanted: Wanted) -> tuple[int, int] | None:
    """How many classes are there, of how many; None where nobody can say, without reading any of them."""
    try:
        plan = planned(wanted)
    except UnitscopeError:
        return None
    missing, unusable = plan.missing(stored.store()), dict(plan.left_out(stored.store()))
    possible = sum(name not in unusable for name in plan.keys)
    return possible - len(missing), possible


class Spot(NamedTuple):
    """One map: of a class, in one of its images, of a layer; of the pixels without one."""

    wanted: Wanted
    name: str
    image: int
    layer: str = INPUT


def keyed(wanted: Wanted, name: str) -> tuple[str, ClassRelevance]:
    """Digest of a class's relevance, part of every map's address, and the relevance.

    Raises:
        UserError: no such class, or its relevance is not there.
    """
    found = find(wanted)
    if name not in found.records or found.plan is None:
        raise UserError(f"The relevance for class {name[:60]!r} of {wanted.network} has not been computed.")
    return digest_of(found, name), found.records[name]


def digest_of(found: Found, name: str) -> str:
    """Digest of a class's relevance."""
    return found.plan.keys[name].rpartition("/")[2] if found.plan else ""


def map_of(spot: Spot, key: str) -> ImageMap:
    """G of a layer or of the pixels in one image, computed when it is first asked for.

    Takes all cores for a moment: in a turn of the live queue (`session.live`).

    Args:
        spot: whose.
        key: of its class's relevance; checked by whoever calls.

    Raises:
        UserError: the network cannot be run, or the image cannot be read.
        NonFiniteError: NaN or infinity.
    """
    with using():
        return _map(spot, key)


def map_at_hand(spot: Spot, key: str) -> ImageMap | None:
    """The same where it has been computed a while ago."""
    found: ImageMap | None = at_hand(_map, spot, key)
    return found


@kept(256, kind="relevance maps")  # VGG11's first layer takes 13 MB
def _map(spot: Spot, key: str) -> ImageMap:
    plan = planned(spot.wanted)
    network = loaded(spot.wanted.network, plan.network_digest)
    return results.reading(
        spot.wanted.dataset,
        plan.dataset.digest,
        lambda _: image_map(plan, network, spot.name, spot.image, spot.layer),
    )


@kept(16, kind="networks")
def loaded(name: str, digest: str) -> Network:
    """A network, built once for all sessions; in a turn of the live queue (`session.live`).

    Args:
        name: a registered name.
        digest: of what its results are shown, or nothing that can be known before it is loaded.

    Raises:
        NetworkError: it has become another one since.
    """
    known: Network | None = _networks.get((name, digest))
    if known is not None:
        return known
    found = identities.loaded(results.subject(name), stored.store(), fetch=False)
    if not digest.startswith(identities.UNKNOWN) and found.digest != digest:
        raise NetworkError(
            f"{name} is another network than a moment ago (its weights or its code changed): reload the page."
        )
    _networks[name, digest] = found.required
    return found.required


def classes_of(view: LayerView) -> Mapping[str, ClassRelevance]:
    """Classes whose relevance is computed by the default method, for this layer; none where it cannot be."""
    try:
        found = find(Wanted(view.network, view.dataset))
    except UnitscopeError:
        return {}
    return {
        name: record
        for name, record in found.records.items()
        if (view.layer.name, view.layer.units) in {(shape.name, shape.units) for shape in record.layers}
    }


def part_of(view: LayerView, name: str) -> LayerRelevance | None:
    """The layer under a class, None where its relevance is not computed."""
    record = classes_of(view).get(name)
    return record.layer(view.layer.name) if record else None
