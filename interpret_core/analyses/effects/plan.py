"""What single units' effects amount to: images and key."""

from __future__ import annotations

from interpret_core import datasets
from interpret_core.analyses.base import Cost
from interpret_core.analyses.effects.request import EffectsRequest
from interpret_core.analyses.effects.result import Effects
from interpret_core.classes.known import class_plan
from interpret_core.networks import Network
from interpret_core.runtime.evaluated import EvaluatedImages, evaluated_images
from interpret_core.runtime.names import NamesNow
from interpret_core.runtime.survey import known_survey
from interpret_core.store.keys import content_key
from interpret_core.store.records import Record
from interpret_core.store.store import Store

STRONGEST = 50  # units that are silenced one by one


def planned_images(request: EffectsRequest, store: Store, network: Network) -> EvaluatedImages:
    """The images that a request evaluates.

    Raises:
        NeedsSurvey: what the images show has to be counted first.
        UserError: unknown names, or no class that has an image.
    """
    network.require_classes()
    dataset = datasets.open_dataset(request.dataset)
    known = class_plan(dataset, network.spec, known_survey(dataset, store))
    return evaluated_images(network, dataset, store, known, request.split)


def effects_key(images: EvaluatedImages) -> str:
    """Where the effects on some images are kept."""
    return content_key("effects", images.content() | {"strongest": STRONGEST})


def find_effects(images: EvaluatedImages) -> Effects | None:
    """The effects, if they are in the store."""
    record = images.store.get(effects_key(images))
    return None if record is None else effects_of(images, record)


def effects_of(images: EvaluatedImages, record: Record) -> Effects:
    """A record under today's names: the same content may have borne others."""
    network = images.network
    asked = network.name, images.dataset.name
    names = NamesNow.of(asked, network.spec, network.digest, images.store)
    return Effects(record.arrays, names.told(record.metadata))


def cost(images: EvaluatedImages) -> Cost:
    """Of one estimate of all units and of silencing the strongest, one by one."""
    return Cost(
        f"estimates the effect of all units from one gradient per image, then silences the {STRONGEST} "
        f"strongest one by one, on {len(images.images):,} images"
    )
