"""What a profile leaves for others: thresholds, largest responses, masks of the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from interpret_core.analyses.profile import artefacts
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import layer_keys
from interpret_core.errors import StoreError
from interpret_core.measures.dissection.masks import decode
from interpret_core.networks import Network
from interpret_core.store.store import Store
from tests.analyses.runs import digests, lines_of, profiles, request_for, responses_of
from tests.planted_dataset import Planted
from tests.reference import profile as reference


@pytest.mark.thorough
def test_they_are_what_the_network_answers(planted: Planted, store: Store) -> None:
    request = request_for(planted)
    found, responses = profiles(request, store), responses_of(request, planted)
    keys = layer_keys(request, store).profile
    for name, layer in found.items():
        profile = layer.profile
        thresholds = artefacts.find_thresholds(store, keys[name])
        assert thresholds is not None
        np.testing.assert_array_equal(thresholds["threshold"], profile.arrays["threshold"])
        np.testing.assert_array_equal(thresholds["state"], profile.arrays["state"])
        largest = artefacts.find_largest(store, keys[name])
        assert largest is not None
        np.testing.assert_array_equal(largest["image"], np.arange(len(planted.scenes)))
        np.testing.assert_array_equal(largest["response"], responses[name].max((2, 3)))
        key = artefacts.masks_key(keys[name], request.seed)
        masks = artefacts.find_masks(store, key, thresholds["threshold"])
        assert masks is not None
        moved = np.nextafter(thresholds["threshold"], np.float32(np.inf))
        assert artefacts.find_masks(store, key, moved) is None, "another processor's, by a last bit"
        expected = reference.masks(
            responses[name], thresholds["threshold"], profile.annotation_size, lines_of(profile)
        )
        ends = np.concatenate([[0], np.cumsum(masks["chance_length"])])
        maps = len(masks["chance_image"]) * profile.units
        assert len(ends) == maps + 1
        for at in range(maps):
            image, unit = masks["chance_image"][at // profile.units], at % profile.units
            runs = masks["chance_runs"][ends[at] : ends[at + 1]]
            np.testing.assert_array_equal(decode(runs, profile.annotation_size), expected[image, unit])


@pytest.mark.thorough
def test_another_rule_for_chance_needs_no_run_of_the_network(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = request_for(planted), request_for(planted, min_images=3, permutations=7)
    with Store(tmp_path / "alone") as alone:
        run_profile(other, alone)
        expected = digests(other, alone)
    with Store(tmp_path / "both") as store:
        run_profile(first, store)

        def silent(*_: object, **__: object) -> None:
            raise AssertionError("the network is run")

        monkeypatch.setattr(Network, "stream", silent)
        outcome = run_profile(other, store)
        assert outcome.computed == 0
        assert digests(other, store) == expected


@pytest.mark.slow
def test_where_they_are_lost_the_network_is_run_again(planted: Planted, store: Store) -> None:
    first, other = request_for(planted), request_for(planted, min_images=3)
    run_profile(first, store)
    for prefix in ("masks/", "thresholds/", "largest/"):
        lost = store.keys(prefix)
        assert lost
        for key in lost:
            store.delete(key)
    assert run_profile(other, store).computed > 0
    assert len(digests(other, store)) == 3 * len(layer_keys(other, store).layers)
    assert store.keys("masks/"), "and kept again"


def test_without_room_they_are_done_without(
    planted: Planted, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Store.put

    def full(self: Store, key: str, record: object) -> None:
        if key.startswith(("masks/", "thresholds/", "largest/")):
            raise StoreError("The disk is full.")
        kept(self, key, record)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "put", full)
    request = request_for(planted)
    assert len(profiles(request, store)) == 2
    assert not store.keys("masks/")
