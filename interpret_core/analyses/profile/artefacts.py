"""What a profile computes on its way and others can use: records with keys of their own, made and read apart.

    thresholds   threshold (U,) f32, state (U,) u8, maximum (U,) f32: of a layer, without its tallies
    largest      image (n,) i32 ascending, response (n, U) f32: the largest response of every unit in each
                 image that is ranked, at most 2,000 of the data set
    masks        threshold (U,) f32, chance_image (n,) i32, chance_length (n·U,) i32, chance_runs (M, 2)
                 u16 or u32: run lengths of every unit's mask above these thresholds in the images of the
                 chance level, at most 2,000; image after image

They follow from the profile and can be made again, so where there is no room they are done without.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from interpret_core.errors import StoreError
from interpret_core.store.keys import content_key
from interpret_core.store.records import Array, Arrays, Record
from interpret_core.store.store import Store

logger = logging.getLogger(__name__)
THRESHOLDS, LARGEST, MASKS = "thresholds", "largest", "masks"
READ_OFF = ("threshold", "state", "maximum")  # of a profile's record


def thresholds_key(profile: str) -> str:
    """Of the thresholds of the layer whose profile lies under `profile`."""
    return content_key(THRESHOLDS, {"profile": profile})


def largest_key(profile: str) -> str:
    """Of its largest responses."""
    return content_key(LARGEST, {"profile": profile})


def masks_key(profile: str, seed: int) -> str:
    """Of its masks in the images that a seed draws."""
    return content_key(MASKS, {"profile": profile, "seed": seed})


def keep_thresholds(store: Store, profile: str, arrays: Mapping[str, Array]) -> None:
    """Beside a layer's record, from its arrays."""
    _keep(store, thresholds_key(profile), {name: arrays[name] for name in READ_OFF})


def keep_largest(store: Store, profile: str, image: Array, response: Array) -> None:
    """The largest responses, in whatever order the images were seen."""
    order = np.argsort(image)
    _keep(store, largest_key(profile), {"image": image[order], "response": response[order]})


def keep_masks(store: Store, key: str, masks: Mapping[str, Array], threshold: Array) -> None:
    """chance_* of `passes.masks`, joined over shards, and the (U,) thresholds that they are above."""
    small = masks["chance_runs"].max(initial=0) <= np.iinfo(np.uint16).max
    kinds = {
        "chance_image": np.int32,
        "chance_length": np.int32,
        "chance_runs": np.uint16 if small else np.uint32,
    }
    arrays = {name: masks[name].astype(kind) for name, kind in kinds.items()}
    _keep(store, key, {**arrays, "threshold": threshold})


def find_thresholds(store: Store, profile: str) -> Record | None:
    """A layer's thresholds, from a record of their own or from the profile; None where there is neither."""
    return store.get(thresholds_key(profile)) or store.get(profile)


def find_largest(store: Store, profile: str) -> Record | None:
    """A layer's largest responses."""
    return store.get(largest_key(profile))


def find_masks(store: Store, key: str, threshold: Array) -> Arrays | None:
    """chance_* as `passes.masks` gives them, under their `masks_key`; None too where they are above others
    than these (U,) thresholds: a profile made again on another processor may differ in a last bit.
    """
    record = store.get(key)
    if record is None or not np.array_equal(record["threshold"], threshold):
        return None
    wide = {"chance_image": np.int32, "chance_length": np.int64, "chance_runs": np.int32}
    return {name: record[name].astype(kind) for name, kind in wide.items()}


def _keep(store: Store, key: str, arrays: Arrays) -> None:
    try:
        store.put(key, Record(arrays))
    except StoreError as error:
        logger.info("%s is not stored: %s", key, error)
