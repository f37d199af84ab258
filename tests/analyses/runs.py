"""What the engine's tests share: requests, their results and digests, responses as the network gives them."""

from __future__ import annotations

import numpy as np
import torch

from interpret_core import datasets, networks
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import LayerResults, find_profiles, layer_keys
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.profile.result import LayerProfile
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.planted_dataset import Planted

MIXED = "tests.analyses.networks:mixed"
COLOURS = "tests.analyses.networks:colours"


def request_for(planted: Planted, network: str = MIXED, **changes: object) -> ProfileRequest:
    values: dict[str, object] = {"min_images": 1, "permutations": 5, "batch_size": 4, "quantile": 0.02}
    return ProfileRequest(network=network, dataset=str(planted.root), **(values | changes))  # type: ignore[arg-type]


def digests(request: ProfileRequest, store: Store) -> dict[str, str]:
    keys = layer_keys(request, store)
    found = {}
    for key in (*keys.profile.values(), *keys.chance.values(), *keys.assessment.values()):
        record = store.get(key)
        assert record is not None
        found[key] = record.digest()
    return found


def profiles(
    request: ProfileRequest, store: Store, execution: Execution | None = None
) -> dict[str, LayerResults]:
    return find_profiles(run_profile(request, store, execution).keys, store)


def responses_of(request: ProfileRequest, planted: Planted) -> dict[str, np.ndarray]:
    network, dataset = networks.load(request.network), datasets.open_dataset(str(planted.root))
    images = [dataset.read_image(i) for i in range(len(dataset))]
    found: dict[str, list[np.ndarray]] = {layer.name: [] for layer in network.layers}
    with torch.inference_mode():
        for start in range(0, len(images), request.batch_size):
            batch = network.preprocessing.batch(images[start : start + request.batch_size])
            network.stream(
                batch, list(found), lambda layer, response: found[layer.name].append(response.numpy().copy())
            )
    return {name: np.concatenate(parts) for name, parts in found.items()}


def annotations_of(planted: Planted, categories: tuple[str, ...]) -> list[list[tuple[str, np.ndarray]]]:
    return [
        [(category, plane.astype(int)) for category in categories for plane in scene.get(category, [])]
        for scene in planted.scenes
    ]


def lines_of(profile: LayerProfile) -> tuple[list[float], list[float]] | None:
    """Where the record says that the grid lies, as the reference takes it; None for an even spread."""
    rows, columns = profile.metadata["layer"].get("lines") or (None, None)
    return None if rows is None else (rows, columns)
