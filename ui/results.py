"""Everything the pages ask of the core, in one place; names only, never paths.

What is kept in memory is keyed by digests, so it never needs to be thrown away because something changed;
only a data set's own digest has to be looked up again (`ui.opened`).
Routes use the same functions outside a script run: `st.cache_resource` works there too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from interpret_core import config, datasets, jobs, networks
from interpret_core.analyses.profile.outline import outline_key, outline_of
from interpret_core.analyses.profile.plan import LayerKeys, resolve_layers
from interpret_core.analyses.profile.request import CUTOFF, MIN_IMAGES, ProfileRequest, Settings
from interpret_core.analyses.profile.result import ChanceResult, LayerProfile
from interpret_core.analyses.profile.summary import summarise
from interpret_core.datasets import ConceptTable, Dataset, Survey
from interpret_core.errors import DamagedFileError, UnitscopeError, UserError
from interpret_core.jobs import Job
from interpret_core.measures.dissection.masks import runs_of
from interpret_core.networks.registry import featured
from interpret_core.runtime import subjects as identities
from interpret_core.runtime.subjects import Subject
from interpret_core.store.records import Record
from interpret_core.store.store import Store
from ui.layers import Layers
from ui.opened import Place, Shelf
from ui.photos import Source
from ui.view import LayerView

KIND = "profile"
_T = TypeVar("_T")


class Ask(NamedTuple):
    """Whose result is wanted."""

    network: str
    dataset: str
    min_images: int = MIN_IMAGES
    cutoff: float = CUTOFF

    def request(self) -> ProfileRequest:
        """The request the command line would make with the same choices."""
        return ProfileRequest(self.network, self.dataset, min_images=self.min_images)


class Card(NamedTuple):
    """A network as the sidebar introduces it."""

    name: str
    title: str
    evidence: str
    note: str
    description: str
    findings: tuple[str, ...] = ()


class Missing(Exception):
    """Not computed yet."""


def network_names() -> tuple[str, ...]:
    """Names that may appear in a URL; one of spaces alone cannot."""
    return tuple(name for name in networks.known() if name.strip())


def dataset_names() -> tuple[str, ...]:
    """Names that may appear in a URL; one of spaces alone cannot."""
    return tuple(name for name in datasets.known() if name.strip())


def nameless() -> bool:
    """Whether the configuration has an entry that no URL can name."""
    return not all(name.strip() for name in (*networks.known(), *datasets.known()))


def shown_networks(selected: str | None) -> tuple[str, ...]:
    """The few worth a line on the home page: configured, featured, the selected one, and those with a job."""
    jobbed = (str(job.request.get("network")) for job in jobs.listing(store()))
    wanted = (*config.current().networks, *featured(), *([selected] if selected else []), *jobbed)
    return tuple(name for name in dict.fromkeys(wanted) if name in network_names())


@st.cache_resource(show_spinner=False, max_entries=4)
def _store(folder: str) -> Store:
    return Store(folder)


def store() -> Store:
    """The result store of this installation."""
    return _store(str(config.current().cache))


def any_computed() -> bool:
    """Whether the store holds a profile that did not come with the program."""
    shipped = {key for one in store().shipped for key in one.manifest.get("records", {})}
    return any(key not in shipped for key in store().keys(f"{KIND}/"))


def class_names(name: str) -> tuple[str, ...]:
    """Names of a network's outputs, without building it."""
    return networks.find(name, recent=True).class_names


def subject(name: str, since: float = 0.0) -> Subject:
    """Which network a name means now: its digest, as a run noted it, without building it.

    Args:
        name: a registered name.
        since: seconds since the epoch; what changed before then is taken into account for sure.

    Raises:
        UserError: unknown name, a factory that fails, code that changed under this server.
    """
    return identities.identify(name, store(), recent=True, since=since)


def card(name: str) -> Card:
    """Title, evidence, note, and what a run found out, without building the network."""
    found = subject(name)
    weights, findings = found.spec.weights(fetch=False), identities.findings_of(found, store())
    return Card(name, found.spec.title, weights.evidence, weights.note, found.spec.description, findings)


def dataset(name: str, since: float = 0.0) -> Dataset:
    """A registered data set, opened once and kept up to date (`ui.opened`).

    Args:
        name: a registered name.
        since: seconds since the epoch; what changed on disk before then is taken into account for sure.

    Raises:
        DatasetError: unknown name, missing folder, wrong layout; one clear line.
    """
    return _shelf().get(_place(name), since)


def look_again(name: str) -> None:
    """Look at every file of a data set now: one of them has turned out to be another."""
    with suppress(UserError):  # whoever asks for the data set next gets the reason
        dataset(name, time.time())


def _place(name: str) -> Place:
    opener = partial(datasets.open_dataset, name, registered_only=True)
    return Place(name, datasets.known().get(name), opener)


@st.cache_resource(show_spinner=False)
def _shelf() -> Shelf:
    return Shelf()


def reading(name: str, digest: str, read: Callable[[Dataset], _T]) -> _T:
    """What the files of a registered data set of this digest hold (`Shelf.reading`)."""
    return _shelf().reading(_place(name), digest, read)


@st.cache_resource(show_spinner=False, max_entries=64)
def _annotation_table(digest: str, category: str, _opened: Dataset) -> ConceptTable:
    return _opened.concepts((category,))


@st.cache_resource(show_spinner=False, max_entries=4096)
def _annotation(
    digest: str, image: int, category: str, numbers: tuple[int, ...], _opened: Dataset
) -> list[int] | None:
    """Run lengths of some labels' union in an image; None where it has no map of the category."""
    table = _annotation_table(digest, category, _opened)
    places = [i for i, concept in enumerate(table.concepts, 1) if concept.number in numbers]
    try:
        planes = _opened.read_annotation(image, table)
    except DamagedFileError:
        return None
    return runs_of(np.asarray(np.isin(planes, places).any(0))).ravel().tolist() if len(planes) else None


def annotation_runs(view: LayerView, images: Sequence[int], concept: int) -> list[list[int] | None]:
    """Run-length masks of a concept in some images; only the maps of its category are read."""
    wanted = view.concepts[concept]
    return reading(
        view.facts.dataset,
        view.facts.dataset_digest,
        lambda opened: [annotation(opened, int(i), wanted.category, (wanted.number,)) for i in images],
    )


def annotation(opened: Dataset, image: int, category: str, numbers: tuple[int, ...]) -> list[int] | None:
    """Run-length mask of the concepts with these numbers in an image."""
    return _annotation(opened.digest, image, category, numbers, opened)


def image_name(view: LayerView, image: int) -> str:
    """File name of an image, for people."""
    facts = view.facts
    return reading(facts.dataset, facts.dataset_digest, lambda opened: str(opened.records[image].image))


def source(view: LayerView) -> Source:
    """What the data set behind a layer tells about its images."""
    return Source(
        lambda image: image_name(view, image),
        lambda images, concept: annotation_runs(view, images, concept),
        lambda concept: _present(view.survey, concept),
    )


def _present(survey: str, concept: int) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
    found = survey_of(survey)
    return found.images_with(concept) if found else None


def survey_of(key: str) -> Survey | None:
    """A data set's survey, None while it has not been made."""
    try:
        return _survey(key)
    except Missing:
        return None


def photograph(name: str, digest: str, image: int) -> NDArray[np.uint8]:
    """Pixels of one image of a registered data set of this digest.

    Raises:
        UserError: unknown data set, or another one now; index outside it, or a damaged file.
    """

    def read(opened: Dataset) -> NDArray[np.uint8]:
        if not 0 <= image < len(opened):
            raise UserError(f"Image {image} of {name}, expected 0 to {len(opened) - 1}.")
        return opened.read_image(image)

    return reading(name, digest, read)


def layers(ask: Ask) -> Layers | None:
    """Every layer of the network, each loaded on use, or None while the profile of any is missing.

    Raises:
        UserError: a network or data set that cannot be opened; one clear line.
    """
    keys = _keys(ask, _ended(ask))
    if keys is None or not keys.layers or keys.without_profile(store()):
        return None
    key = outline_key([keys.profile[name] for name in keys.layers], ask.min_images)
    return Layers(
        keys.layers,
        lambda name: _layer(keys, ask, name),
        ask.cutoff,
        lambda views: _outline(key, views),
        chance=not keys.without_chance(store()),
    )


@st.cache_resource(show_spinner=False, max_entries=64)
def _outline(key: str, _views: Layers) -> Record:
    try:
        return store().compute(key, lambda: outline_of(view.summary for view in _views.values()))
    except UnitscopeError:  # no room or no right to write: the page does without keeping it
        return outline_of(view.summary for view in _views.values())


def ready(ask: Ask) -> bool:
    """Whether every layer's profile is there, without reading any."""
    keys = _keys(ask, _ended(ask))
    return keys is not None and not keys.without_profile(store())


def layer(ask: Ask, name: str) -> LayerView | None:
    """One layer, or None."""
    keys = _keys(ask)
    return _layer(keys, ask, name) if keys is not None and name in keys.layers else None


def _ended(ask: Ask) -> float:
    """When the job that computes this ended: it saw the data set as it was then, and so must its page."""
    found = job(ask)
    return (found.finished or 0.0) if found else 0.0


def _keys(ask: Ask, since: float = 0.0) -> LayerKeys | None:
    """Where the results would lie; None for a network whose layers nobody has listed yet."""
    opened = dataset(ask.dataset, since)
    return resolve_layers(ask.request(), store(), subject(ask.network, since), opened.digest)


def _layer(keys: LayerKeys, ask: Ask, name: str) -> LayerView | None:
    for chance in (keys.chance[name], ""):
        try:
            view = _view((keys.profile[name], chance, keys.survey), ask.network, ask.dataset, ask.min_images)
        except Missing:
            continue
        return view.at(ask.cutoff)
    return None


@st.cache_resource(show_spinner=False, max_entries=128)
def _profile(key: str) -> LayerProfile:
    found = record(key)
    return LayerProfile(found.arrays, found.metadata)


@st.cache_resource(show_spinner=False, max_entries=256)
def _chance(key: str) -> ChanceResult:
    found = record(key)
    return ChanceResult(found.arrays, found.metadata)


@st.cache_resource(show_spinner=False, max_entries=16)
def _survey(key: str) -> Survey:
    found = record(key)
    return Survey.from_record(found.arrays, found.metadata)


def record(key: str) -> Record:
    """An entry of the store.

    Raises:
        Missing: not computed yet.
    """
    found = store().get(key)
    if found is None:
        raise Missing
    return found


@st.cache_resource(show_spinner=False, max_entries=256)
def _view(keys: tuple[str, str, str], network: str, dataset_name: str, min_images: int) -> LayerView:
    profile_key, chance_key, survey_key = keys
    chance = _chance(chance_key) if chance_key else None
    summary = summarise(_profile(profile_key), chance, Settings(min_images))
    key, title = profile_key.rpartition("/")[2], networks.find(network, recent=True).title
    return LayerView(key, summary, network, dataset_name, survey_key, title)


def job(ask: Ask) -> Job | None:
    """The job that computes (or computed) this, None if there never was one."""
    return jobs.find(store(), jobs.job_id(KIND, ask.request().to_json()))


def before(job: Job) -> int:
    """Jobs that a queued one waits for: those at work, and those that stand in the line before it."""
    others = [other for other in jobs.listing(store()) if other.active and other.id != job.id]
    return sum(other.state == "running" or other.number < job.number for other in others)


def start(ask: Ask) -> Job:
    """Submit the job, or find the one that already runs."""
    return jobs.submit(store(), KIND, ask.request().to_json())


def cancel(ask: Ask) -> None:
    """Ask the job to stop."""
    jobs.cancel(store(), jobs.job_id(KIND, ask.request().to_json()))
