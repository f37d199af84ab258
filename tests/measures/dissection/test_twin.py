"""The kernels of torch count what the compiled ones count, integer by integer, of the same responses."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret_core.errors import ParameterError
from interpret_core.measures.dissection.brackets import Brackets, first_windows
from interpret_core.measures.dissection.counts import Counts, Windows
from interpret_core.measures.dissection.histogram import display_edges
from interpret_core.measures.dissection.listed import Annotated, ListedResponses
from interpret_core.measures.dissection.tally import ROOM, Tally
from interpret_core.measures.dissection.thresholds import wanted_positions
from interpret_core.measures.dissection.twin import places
from interpret_core.measures.dissection.twin.choice import AUTO, NUMBA, TORCH, kernels_for
from interpret_core.measures.dissection.twin.compiled import CompiledKernels
from interpret_core.measures.dissection.twin.kernels import Kernels
from interpret_core.measures.dissection.twin.tensors import TensorKernels
from interpret_core.networks.devices import find_device
from interpret_core.positions import GridLine, GridLines
from tests.measures.dissection.kernels import Case, run
from tests.measures.dissection.test_against_reference import KINDS, make_case

CPU = torch.device("cpu")
# On a card where there is one.
BOTH: tuple[Kernels[Any, Any], ...] = (CompiledKernels(), TensorKernels(find_device("auto")))
SHAPES = [((9, 9), (14, 14)), ((16, 12), (8, 7)), ((5, 7), (31, 11)), ((1, 1), (6, 5)), ((1, 6), (13, 1))]
ROOMS = [((9, 9), (14, 14), 400), *((grid, size, places.ROOM) for grid, size in SHAPES)]
ANCHORED = GridLines(GridLine(11.3, -1.7), GridLine(4.9, 2.3))  # part of the grid lies outside the picture


@pytest.fixture
def room(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """However little there is room for at a time, the numbers are the same."""
    monkeypatch.setattr(places, "ROOM", request.param)
    return int(request.param)


def equal(one: Any, other: Any) -> None:
    """Two records of arrays, to the bit."""
    assert type(one) is type(other)
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        assert np.asarray(mine).dtype == np.asarray(theirs).dtype, field.name
        np.testing.assert_array_equal(mine, theirs, err_msg=field.name)


def in_order(listed: ListedResponses) -> ListedResponses:
    """The same in an order of its own: nothing depends on it."""
    values = np.lexsort((listed.value.view(np.int32), listed.unit))
    keys = [*listed.pixel_labels.T, *listed.pixel_colours.T, *listed.pixel_member.T]
    pixels = np.lexsort((*keys, listed.pixel_value.view(np.int32), listed.pixel_unit))
    ordered = {name: getattr(listed, name)[values] for name in ("unit", "value")}
    names = [name for name in listed.__dataclass_fields__ if name.startswith("pixel")]
    return ListedResponses(**ordered, **{name: getattr(listed, name)[pixels] for name in names})


def given_to(kernels: Kernels[Any, Any], case: Case) -> Any:
    """A case's responses as a network would hand them over: channels_last."""
    response = torch.from_numpy(case.responses).to(memory_format=torch.channels_last)
    return kernels.responses(response)


def counted(kernels: Kernels[Any, Any], case: Case, windows: Windows | None = None) -> Counts:
    responses = given_to(kernels, case)
    low, high = kernels.extremes(responses)
    np.testing.assert_array_equal(high, kernels.maxima(responses))
    assert not np.signbit(high[high == 0]).any()
    valid = case.valid
    total = kernels.counts(windows or Windows.whole(low[valid].min(0)))
    for _ in range(2):  # batches add up
        total.see(low[valid], high[valid])
        total.add(responses, valid)
    return total.total()


def tallied(
    kernels: Kernels[Any, Any], case: Case, brackets: Brackets, lines: GridLines, batch: Annotated
) -> tuple[Tally, ListedResponses]:
    responses = given_to(kernels, case)
    total = kernels.tally(brackets, (1 + len(case.category_of), case.categories), lines)
    high, ready = kernels.maxima(responses), kernels.annotated(batch)
    parts = [total.add(responses, high, ready) for _ in range(2)]
    return total.total(), in_order(ListedResponses.joined(parts))


def brackets_of(case: Case, rng: np.random.Generator) -> Brackets:
    """Brackets between two of a unit's values, some of them wide enough for hundreds of entries."""
    values = np.sort(case.responses.transpose(1, 0, 2, 3).reshape(case.responses.shape[1], -1), axis=1)
    ends = np.sort(rng.integers(0, values.shape[1], (len(values), 2)), axis=1)
    low, high = np.take_along_axis(values, ends, 1).T.copy()
    high = np.where(high > low, high, np.nextafter(high, np.float32(np.inf)))
    listed_from = np.where(rng.random(len(low)) < 0.7, low, np.nextafter(low, np.float32(np.inf)))
    known = np.zeros(len(low), bool)
    return Brackets(low, high, listed_from, known, np.full(len(low), np.nan, np.float32))


@pytest.mark.parametrize(("grid", "size", "room"), ROOMS, indirect=["room"])
def test_counts_and_histograms_are_the_same(grid: tuple[int, int], size: tuple[int, int], room: int) -> None:
    case = make_case(sum(grid), 9, grid, size)
    compiled, tensors = (counted(kernels, case) for kernels in BOTH)
    equal(compiled, tensors)
    assert compiled.histogram.sum() > 0
    for quantile in (0.005, 0.3):
        windows = first_windows(compiled, Windows.whole(compiled.minimum), quantile)
        narrow = replace(windows, shift=np.maximum(windows.shift - 6, 0))  # many values lie above these
        for one in (windows, narrow):
            equal(*(counted(kernels, case, one) for kernels in BOTH))
        assert counted(BOTH[1], case, narrow).above.any()
    edges = display_edges(compiled.minimum, compiled.maximum)
    edges[0] = np.linspace(0, 1e-3, edges.shape[1], dtype=np.float32)  # values beyond the last edge
    found = []
    for kernels in BOTH:
        bins = kernels.histogram(edges)
        bins.add(given_to(kernels, case), case.valid)
        bins.add(given_to(kernels, case), case.valid)
        found.append(bins.total())
    np.testing.assert_array_equal(*found)
    assert (found[1].sum(1) == 2 * case.valid.sum() * grid[0] * grid[1]).all()


def test_values_at_the_edges_of_bins_are_counted_alike() -> None:
    """Edges themselves and their neighbours, where the product that finds a bin rounds to either side."""
    rng = np.random.default_rng(7)
    low = rng.standard_normal(40).astype(np.float32) * np.float32(10) ** rng.integers(-3, 3, 40).astype("f4")
    edges = display_edges(low, low + rng.random(40).astype(np.float32))
    near = np.concatenate([edges, *(np.nextafter(edges, np.float32(end)) for end in (np.inf, -np.inf))], 1)
    response = torch.from_numpy(near.clip(low[:, None], edges[:, -1:]))[None, :, :, None]
    found = []
    for kernels in BOTH:
        bins = kernels.histogram(edges)
        bins.add(kernels.responses(response), np.ones(1, bool))
        found.append(bins.total())
    np.testing.assert_array_equal(*found)
    values = response[0, :, :, 0].numpy()
    slots = np.stack([np.searchsorted(e[1:-1], v, "right") for e, v in zip(edges, values, strict=True)])
    expected = np.stack([np.bincount(slot, minlength=64) for slot in slots])
    spread = (np.diff(edges, axis=1) > 0).all(1)  # where no two edges are one number
    np.testing.assert_array_equal(found[1][spread], expected[spread])
    assert spread.any()


def test_labels_have_all_their_sixteen_bits() -> None:
    case = make_case(2, 4, (6, 6), (9, 9))
    category_of = np.zeros(0xFFFF, np.int64)
    case = replace(case, category_of=category_of)
    batch, rng = case.annotated(np.arange(4)), np.random.default_rng(0)
    many = replace(batch, labels=rng.integers(0, 1 << 16, batch.labels.shape).astype(np.uint16))
    brackets = brackets_of(case, rng)
    found = [tallied(kernels, case, brackets, GridLines.evenly((6, 6)), many) for kernels in BOTH]
    for compiled, tensors in zip(*found, strict=True):
        equal(compiled, tensors)
    assert found[1][0].intersection[:, 1 << 15 :].any()


@pytest.mark.parametrize("lines", [None, ANCHORED], ids=["stretched", "anchored"])
@pytest.mark.parametrize(("grid", "size", "room"), ROOMS, indirect=["room"])
def test_tallies_are_the_same(
    grid: tuple[int, int], size: tuple[int, int], lines: GridLines | None, room: int
) -> None:
    case, rng = make_case(sum(size), 9, grid, size), np.random.default_rng(size[0])
    placed, batch = lines or GridLines.evenly(grid), case.annotated(np.arange(9))
    for turn in range(2):
        brackets = brackets_of(case, rng)
        full = batch if turn else replace(batch, colours=batch.colours[:, :0])
        found = [tallied(kernels, case, brackets, placed, full) for kernels in BOTH]
        for compiled, tensors in zip(*found, strict=True):
            equal(compiled, tensors)
        assert found[1][0].intersection.any()
        assert len(found[1][1].unit)


def test_more_than_there_is_room_for_is_listed() -> None:
    """The compiled kernel lists such units in a second run of their own."""
    case = make_case(3, 9, (12, 12), (20, 20))
    lowest, highest = case.responses.min((0, 2, 3)), case.responses.max((0, 2, 3))
    brackets = Brackets(lowest, highest, lowest, np.zeros(len(KINDS), bool), lowest)
    placed, batch = GridLines.evenly((12, 12)), case.annotated(np.arange(9))
    compiled, tensors = (tallied(kernels, case, brackets, placed, batch) for kernels in BOTH)
    equal(compiled[0], tensors[0])
    equal(compiled[1], tensors[1])
    assert np.bincount(tensors[1].pixel_unit).max() > 2 * ROOM


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    quantile=st.sampled_from([0.005, 0.02, 0.2, 0.5]),
    steps=st.floats(0.5, 20),
    offset=st.floats(-8, 8),
)
def test_tallies_within_their_own_brackets_are_the_same(
    seed: int, quantile: float, steps: float, offset: float
) -> None:
    case = make_case(seed, 6, (7, 5), (9, 13))
    whole = Windows.whole(counted(BOTH[0], case).minimum)
    result = run(case, quantile, [list(range(6))], pilot=[0])
    threshold, wanted = result.thresholds.value, wanted_positions(quantile, result.counted.counts.positions)
    assert (result.tally.exceeding[result.thresholds.state == 0] == wanted).all()
    above = np.nextafter(threshold, np.float32(np.inf))
    known = np.ones(len(threshold), bool)
    brackets = Brackets(threshold, above, above, known, threshold)
    lines = GridLines(GridLine(steps, offset), GridLine(steps / 2, -offset))
    batch = case.annotated(np.arange(6))
    (one, nothing), (other, none) = (tallied(kernels, case, brackets, lines, batch) for kernels in BOTH)
    equal(one, other)
    equal(nothing, none)
    np.testing.assert_array_equal(other.exceeding, 2 * result.tally.exceeding)
    equal(*(counted(kernels, case, whole) for kernels in BOTH))


@pytest.mark.parametrize("lines", [None, ANCHORED], ids=["stretched", "anchored"])
@pytest.mark.parametrize(("grid", "size", "room"), ROOMS, indirect=["room"])
def test_masks_are_the_same(
    grid: tuple[int, int], size: tuple[int, int], lines: GridLines | None, room: int
) -> None:
    case, rng = make_case(sum(size), 9, grid, size), np.random.default_rng(size[0])
    placed = lines or GridLines.evenly(grid)
    wanted = rng.random((9, len(KINDS))) < 0.6
    for quantile in (0.3, 0.9, 1.0):
        threshold = np.quantile(case.responses, quantile, axis=(0, 2, 3), method="lower").astype(np.float32)
        for asked in (wanted, np.zeros_like(wanted)):
            found = [
                kernels.masks(given_to(kernels, case), threshold, asked, size, placed) for kernels in BOTH
            ]
            equal(*found)
    threshold[:] = -10  # whole masks: a run ends with its map
    runs = BOTH[1].masks(given_to(BOTH[1], case), threshold, wanted, size, placed)
    np.testing.assert_array_equal(np.diff(runs.offsets).reshape(wanted.shape), wanted)
    assert (runs.runs == [0, size[0] * size[1]]).all()


def test_values_that_overflow_are_treated_alike() -> None:
    """Differences of corners leave single precision; what then is no number counts as above."""
    case = make_case(1, 4, (5, 5), (9, 9))
    huge = np.where(case.responses > 0.5, np.float32(3e38), np.float32(-3e38))
    case = replace(case, responses=huge.astype(np.float32))
    low = np.full(len(KINDS), -1, np.float32)
    brackets = Brackets(low, low + 2, low, np.zeros(len(KINDS), bool), low)
    batch = case.annotated(np.arange(4))
    compiled, tensors = (
        tallied(kernels, case, brackets, GridLines.evenly((5, 5)), batch) for kernels in BOTH
    )
    equal(compiled[0], tensors[0])
    equal(compiled[1], tensors[1])


def test_what_is_no_number_is_seen() -> None:
    case = make_case(1, 4, (5, 5), (9, 9))
    case.responses[2, 3, 1, 1] = np.nan
    for kernels in BOTH:
        low, high = kernels.extremes(given_to(kernels, case))
        assert np.isnan(low[2, 3])
        assert np.isnan(high[2, 3])
        assert np.isnan(low).sum() == 1


def test_which_kernels_a_device_has() -> None:
    assert isinstance(kernels_for(CPU), CompiledKernels)
    assert isinstance(kernels_for(CPU, TORCH), TensorKernels)
    assert isinstance(kernels_for(torch.device("cuda"), AUTO), TensorKernels)
    assert isinstance(kernels_for(torch.device("mps")), TensorKernels)
    assert isinstance(kernels_for(torch.device("cuda"), NUMBA), CompiledKernels)
    with pytest.raises(ParameterError, match="tally is 'jax', expected auto, torch or numba"):
        kernels_for(CPU, "jax")


def test_a_device_without_float64_counts_on_the_processor() -> None:
    assert places.counting_device(torch.device("mps")) == CPU
    assert places.counting_device(torch.device("cuda", 1)) == torch.device("cuda", 1)


def test_pieces_are_as_large_as_a_card_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch keeps to itself without using it counts as free."""
    free = [0, 0, 0]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free[0], 1 << 40))
    names = ("reserved_bytes", "allocated_bytes")
    monkeypatch.setattr(
        torch.cuda,
        "memory_stats_as_nested_dict",
        lambda _: {name: {"all": {"current": held}} for name, held in zip(names, free[1:], strict=True)},
    )
    card = torch.device("cuda")
    assert places.room(card) == places.ROOM
    free[:] = [1 << 30, 3 << 30, 2 << 30]
    assert places.room(card) == (1 << 30) // places.ENTRY
    free[:] = [1 << 40, 0, 0]
    assert places.room(card) == places.MOST_ROOM
