"""Everything the pages ask of the core, in one place; names only, never paths.

What is kept in memory is keyed by digests, so it never needs to be thrown away because something changed;
only a data set's own digest has to be looked up again (`ui.session.opened`).
Routes use the same functions outside a script run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from interpret_core import config, datasets, networks
from interpret_core.analyses.profile.plan import LayerKeys, resolve_layers
from interpret_core.datasets import ConceptTable, Dataset, Survey, held
from interpret_core.datasets.pictures import shrink
from interpret_core.datasets.shades import Shades
from interpret_core.errors import DamagedFileError, UnitscopeError, UserError
from interpret_core.measures.dissection.masks import runs_of
from interpret_core.networks.registry import featured
from interpret_core.options import ALL, Names
from interpret_core.runtime import subjects as identities
from interpret_core.runtime.known_layers import FurtherLayer, KnownLayers
from interpret_core.runtime.subjects import Subject
from ui.session.layers import Layers
from ui.session.memory import again, kept, once
from ui.session.opened import Place, Shelf, reading_of
from ui.session.photos import Source
from ui.session.profiles.sketch import Sketch
from ui.session.profiles.stored_layers import StoredLayers
from ui.session.stored import Missing, record, store
from ui.session.view import LayerView
from ui.session.work import ended, listing
from ui.shell.sidebar import Ask, Card

_T = TypeVar("_T")


@once
def network_names() -> tuple[str, ...]:
    """Names that may appear in a URL; one of spaces alone cannot."""
    return tuple(name for name in networks.known() if name.strip())


@once
def dataset_names() -> tuple[str, ...]:
    """Names that may appear in a URL; one of spaces alone cannot."""
    return tuple(name for name in datasets.known() if name.strip())


@once
def nameless() -> bool:
    """Whether the configuration has an entry that no URL can name."""
    return not all(name.strip() for name in (*networks.known(), *datasets.known()))


@once
def shown_networks(selected: str | None) -> tuple[str, ...]:
    """The few worth a line on the home page: configured, featured, the selected one, and those with a job."""
    jobbed = (str(job.request.get("network")) for job in listing())
    wanted = (*config.current().networks, *featured(), *([selected] if selected else []), *jobbed)
    return tuple(name for name in dict.fromkeys(wanted) if name in network_names())


@once
def own(ask: Ask) -> bool:
    """Whether network or data set is one that the user has named in the configuration."""
    now = config.current()
    return ask.network in now.networks or ask.dataset in now.datasets


@once
def any_computed() -> bool:
    """Whether the store holds a profile that did not come with the program."""
    shipped = {key for one in store().shipped for key in one.manifest.get("records", {})}
    return any(key not in shipped for key in store().keys("profile/"))


@once
def title(name: str) -> str:
    """A network's name for people, without building it."""
    return networks.find(name, recent=True).title or name


@once
def class_names(name: str) -> tuple[str, ...]:
    """Names of a network's outputs, without building it."""
    return networks.find(name, recent=True).class_names


@once
def subject(name: str, since: float = 0.0) -> Subject:
    """Which network a name means now: its digest, as a run noted it, without building it.

    Args:
        name: a registered name.
        since: seconds since the epoch; what changed before then is taken into account for sure.

    Raises:
        UserError: unknown name, a factory that fails, code that changed under this server.
    """
    return identities.identify(name, store(), recent=True, since=since)


@once
def card(name: str) -> Card:
    """Title, evidence, note, and what a run found out, without building the network."""
    found = subject(name)
    weights, findings = found.spec.weights(fetch=False), identities.findings_of(found, store())
    return Card(name, found.spec.title, weights.evidence, weights.note, found.spec.description, findings)


@once
def dataset(name: str, since: float = 0.0) -> Dataset:
    """A registered data set, opened once and kept up to date (`ui.session.opened`).

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
    again()


def _place(name: str) -> Place:
    opener = partial(datasets.open_dataset, name, registered_only=True)
    return Place(name, datasets.known().get(name), opener)


@kept(1, kind="")
def _shelf() -> Shelf:
    return Shelf()


def reading(name: str, digest: str, read: Callable[[Dataset], _T]) -> _T:
    """What the files of a registered data set of this digest hold (`opened.reading_of`)."""
    return reading_of(name, partial(dataset, name), digest, read)


@kept(64, kind="annotations")
def _annotation_table(digest: str, category: str, _opened: Dataset) -> ConceptTable:
    return _opened.concepts((category,))


@kept(4096, kind="annotations")
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


def annotation_runs(view: LayerView, images: Sequence[int], drawn: int) -> list[list[int] | None]:
    """Run-length masks of a concept or a shade in some images; only maps of its category are read."""
    wanted, shade, facts = view.drawn[drawn], view.shade_of(drawn), view.facts
    if shade is None:
        return annotations_of(facts.dataset, facts.dataset_digest, images, wanted.category, (wanted.number,))
    survey = survey_of(view.survey)
    if survey is None:
        return [None] * len(images)
    return reading(
        facts.dataset,
        facts.dataset_digest,
        lambda opened: [
            _shade(facts.dataset_digest, int(image), shade, opened, survey.shades) for image in images
        ],
    )


@kept(4096, kind="annotations")
def _shade(digest: str, image: int, shade: int, _opened: Dataset, _shades: Shades) -> list[int] | None:
    """Run lengths of a shade in an image; None where it cannot be read."""
    try:
        with held():
            colours = shrink(_opened.read_image(image), _opened.annotation_size)
    except DamagedFileError:
        return None
    return runs_of(_shades.of(colours) == shade).ravel().tolist()


def annotations_of(
    name: str, digest: str, images: Sequence[int], category: str, numbers: tuple[int, ...]
) -> list[list[int] | None]:
    """Run-length masks of the union of the concepts with these numbers in some images of a data set."""
    return reading(
        name,
        digest,
        lambda opened: [_annotation(digest, int(image), category, numbers, opened) for image in images],
    )


def image_names(view: LayerView, images: Sequence[int]) -> list[str]:
    """File names of images, for people."""
    facts = view.facts
    return reading(
        facts.dataset,
        facts.dataset_digest,
        lambda opened: [str(opened.records[image].image) for image in images],
    )


def source(view: LayerView) -> Source:
    """What the data set behind a layer tells about its images."""
    return Source(
        lambda images: image_names(view, images),
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


@once
def further(network: str) -> tuple[FurtherLayer, ...]:
    """A network's layers beside its convolutions that have masks; none where no run has listed them."""
    known = known_layers(network)
    return tuple(one for one in known.further if not one.without_masks) if known else ()


@once
def known_layers(network: str) -> KnownLayers | None:
    """Names of all a network's layers, without building it; None where no run has listed them."""
    return identities.layers_of(subject(network), store())


@once
def layers(ask: Ask, names: Names = ALL) -> Layers | None:
    """Layers of the network, each loaded on use, or None while the profile of any is missing.

    Args:
        ask: whose.
        names: of further layers; every convolution by default.

    Raises:
        UserError: a network or data set that cannot be opened; one clear line.
    """
    keys = profile_keys(ask, names, ended(ask.request(names)))
    if keys is None or not keys.layers or keys.without_profile(store()):
        return None
    return Layers(
        keys.layers,
        StoredLayers(keys, ask),
        ask.cutoff,
        chance=not keys.without_chance(store()),
        assessed=not keys.without_assessment(store()),
    )


def sketches(ask: Ask) -> Iterator[tuple[str, Sketch]]:
    """By name, of every layer with a stored profile, convolutions first; no layer is kept in memory for it.

    Raises:
        UserError: a network or data set that cannot be opened; one clear line.
    """
    names = tuple(one.name for one in further(ask.network))
    for some in (ALL, names) if names else (ALL,):
        keys = profile_keys(ask, some)
        if keys is None:
            continue
        stored, missing = StoredLayers(keys, ask), keys.without_profile(store())
        for name in (name for name in keys.layers if name not in missing):
            found = None
            with suppress(UnitscopeError):  # its page says what is wrong with it
                found = stored.sketch(name)
            if found is not None:
                yield name, found


@once
def ready(ask: Ask) -> bool:
    """Whether every layer's profile is there, without reading any."""
    there, missing = profiled(ask)
    return bool(there) and not missing


@once
def profiled(ask: Ask, names: Names = ALL) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Layers whose profile is there, and those whose is not; none of either where nobody has listed them."""
    keys = profile_keys(ask, names, since=ended(ask.request(names)))
    if keys is None:
        return (), ()
    missing = keys.without_profile(store())
    return tuple(name for name in keys.layers if name not in missing), missing


def layer(ask: Ask, name: str) -> LayerView | None:
    """One layer, or None."""
    names = (name,) if name in {one.name for one in further(ask.network)} else ALL
    keys = profile_keys(ask, names)
    return StoredLayers(keys, ask).layer(name) if keys is not None and name in keys.layers else None


@once
def profile_keys(ask: Ask, names: Names = ALL, since: float = 0.0) -> LayerKeys | None:
    """Where the results would lie; None for a network whose layers nobody has listed yet."""
    opened = dataset(ask.dataset, since)
    return resolve_layers(ask.request(names), store(), subject(ask.network, since), opened.digest)


@kept(16, kind="surveys")
def _survey(key: str) -> Survey:
    found = record(key)
    return Survey.from_record(found.arrays, found.metadata)
