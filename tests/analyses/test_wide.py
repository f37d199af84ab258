"""Wide layers and long data sets: groups of layers, IoUs by row, and what a pass holds, counted in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret_core import networks
from interpret_core.analyses.profile import material, tallies
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest, Settings
from interpret_core.analyses.profile.summary import alike, summarise
from interpret_core.datasets import open_dataset, survey
from interpret_core.measures.dissection import sums
from interpret_core.measures.dissection.brackets import listed_room
from interpret_core.measures.dissection.counts import Counts
from interpret_core.measures.dissection.iou_table import IouTable
from interpret_core.measures.dissection.sums import (
    counted_bytes,
    grouped,
    listed_bytes,
    table_bytes,
    tallied_bytes,
    temporary_bytes,
)
from interpret_core.measures.dissection.tally import Tally
from interpret_core.numbers import share
from interpret_core.store.store import Store
from tests.planted_dataset import Planted

SMALL = "tests.cli.networks:small"


def test_layers_are_grouped_in_order_and_none_is_divided() -> None:
    sizes = {"a": 3, "b": 4, "c": 9, "d": 1, "e": 2}
    assert grouped(sizes, 7) == [("a", "b"), ("c",), ("d", "e")]
    assert grouped(sizes, 100) == [tuple(sizes)]
    assert grouped({}, 7) == []


@pytest.mark.parametrize("units", [6, 64, 512, 2048, 7392])
def test_what_a_layer_is_said_to_take_is_what_it_takes(units: int) -> None:
    assert counted_bytes(units) == Counts.empty(units).histogram.nbytes
    tally = Tally.empty(units, 1260, 6)
    assert table_bytes(units, 1260) == tally.intersection.nbytes + units * 64 * 8
    listed = units * listed_room(units) * 40
    assert listed_bytes(units) == listed
    assert tallied_bytes(units, 1260, 64) == table_bytes(units, 1260) + listed // 64
    assert (
        temporary_bytes([units], 1260, 64) == 64 * (counted_bytes(units) + table_bytes(units, 1260)) + listed
    )


@pytest.mark.parametrize("layers", [[64] * 3 + [512] * 40, [3840] * 96, [128, 7392, 7392]])
def test_no_pass_holds_more_than_its_bound(layers: list[int]) -> None:
    for size in (counted_bytes, lambda units: tallied_bytes(units, 1 + 1197 + 64, 64)):
        sizes = {str(at): size(units) for at, units in enumerate(layers)}
        groups = grouped(sizes)
        assert [name for group in groups for name in group] == list(sizes)
        assert all(sum(sizes[name] for name in group) <= sums.MOST for group in groups)


@pytest.mark.thorough
def test_groups_change_no_number(planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ProfileRequest(SMALL, str(planted.root), permutations=5, min_images=1, batch_size=4)
    digests, computed = [], []
    for most in (sums.MOST, 1):
        torch.manual_seed(7)
        monkeypatch.setattr(tallies, "grouped", lambda sizes, most=most: grouped(sizes, most))
        with Store(tmp_path / str(most)) as store:
            outcome = run_profile(request, store)
            computed.append(outcome.computed)
            found = find_profiles(outcome.keys, store)
            records = [store.get(key) for key in outcome.keys.profile.values()]
            digests.append([record.digest() for record in records if record is not None])
        assert len(found) == 2
    assert digests[0] == digests[1]
    assert len(digests[0]) == 2
    assert computed[1] > computed[0], "each layer was counted in passes of its own"


def test_a_layer_is_looked_at_without_its_table(planted: Planted, tmp_path: Path) -> None:
    request = ProfileRequest(SMALL, str(planted.root), ("conv1",), permutations=0, min_images=1)
    with Store(tmp_path) as store:
        found = find_profiles(run_profile(request, store).keys, store)["conv1"]
    summary = summarise(found.profile, None, Settings(1), found.assessment)
    for unit in range(found.profile.units):
        alike(summary, unit, 3)
    assert summary.top_iou.any()
    assert "iou" not in vars(found.profile), "that would be two numbers for every unit and concept"


@pytest.mark.parametrize("most", [4, 1000])
def test_pictures_of_a_long_list_are_not_kept(
    planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(material, "KEPT_IMAGES", most)
    dataset = open_dataset(planted.root)
    table = dataset.concepts()
    made = material.Material(networks.load(SMALL), dataset, table, survey(dataset, table), 4)
    assert sum(len(batch.indices) for batch in made.loader.batches(made.batches)) == len(dataset) > 4
    kept = vars(made.loader)["_kept"]
    assert (len(vars(kept)["_arrays"]) > 0) == (most == 1000)


@dataclass
class Seen:
    """Notes which entries of a table are read."""

    entries: int = 0
    rows: set[int] = field(default_factory=set)


class Watched(np.ndarray):
    """A table that counts what is taken of it."""

    seen: Seen

    def __getitem__(self, place):  # type: ignore[no-untyped-def]
        found = np.asarray(self)[place]
        self.seen.entries += int(np.size(found))
        return found


@pytest.fixture
def table() -> IouTable:
    rng = np.random.default_rng(3)
    units, categories, concepts = 70, 3, 41
    category_of = rng.integers(0, categories, concepts)
    pixels = rng.integers(0, 60, concepts)
    intersection = rng.integers(0, 4, (units, concepts)) * (pixels > 30)
    active = rng.integers(60, 200, (units, categories))
    active[3], intersection[3] = 0, 0
    return IouTable(intersection, active, pixels, category_of)


def test_ious_are_those_of_the_whole_table(table: IouTable) -> None:
    both = table.intersection.astype(np.float64)
    active = table.active[:, table.category_of].astype(np.float64)
    iou = share(both, active + table.concept_pixels - both, 0.0)
    ceiling = share(np.minimum(active, table.concept_pixels), np.maximum(active, table.concept_pixels), 0.0)
    assert np.array_equal(table.rows(slice(None)), iou)
    assert np.array_equal(np.concatenate([table.rows(block) for block in table.blocks()]), iou)
    assert np.array_equal(table.largest, iou.max(0))
    for unit, concept in ((0, 0), (3, 7), (69, 40)):
        assert table.at(unit, concept) == iou[unit, concept]
        assert table.ceiling(unit, concept) == ceiling[unit, concept]
    assert np.array_equal(table.column(5), iou[:, 5])


@pytest.mark.parametrize("number", [1, 3, 60])
def test_the_best_are_those_of_a_stable_sort(table: IouTable, number: int) -> None:
    among = np.arange(41) % 5 != 2
    iou = np.where(among, table.rows(slice(None)), 0.0)
    assert len(np.unique(iou)) < iou.size / 2, "ties are what is tried"
    order = np.argsort(-iou, axis=1, kind="stable")[:, :number]
    value = np.take_along_axis(iou, order, 1)
    missing = ((0, 0), (0, number - order.shape[1]))
    order, value = np.pad(order, missing, constant_values=-1), np.pad(value, missing)
    ranked = table.ranked(among, number)
    concept, best = ranked.overall()
    assert np.array_equal(best[:, : value.shape[1]], value)
    assert np.array_equal(concept, np.where(value > 0, order, -1))
    for category in range(3):
        own = np.where(table.category_of == category, iou, 0.0)
        first = np.where(own.max(1) > 0, own.argmax(1), -1)
        assert np.array_equal(ranked.concept[:, category, 0], first)
        assert np.array_equal(ranked.iou[:, category, 0], own.max(1))


def test_a_few_ious_touch_a_few_entries(table: IouTable) -> None:
    watched = table.intersection.view(Watched)
    watched.seen = Seen()
    seen = IouTable(watched, table.active, table.concept_pixels, table.category_of)
    seen.at(4, 9)
    assert watched.seen.entries == 1
    seen.rows(slice(4, 5))
    assert watched.seen.entries <= 1 + 41 * 4
