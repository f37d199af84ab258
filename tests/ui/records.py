"""Made-up but well-formed layer records, so that pages and figures are tested without running a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from interpret_core.analyses.profile.request import Settings
from interpret_core.analyses.profile.result import AssessmentResult, ChanceResult, LayerProfile
from interpret_core.analyses.profile.summary import summarise
from interpret_core.analyses.relevance.result import ClassRelevance
from ui.session.photos import Source
from ui.session.view import LayerView

CATEGORIES = ("object", "part", "material", "color")
NAMES = {
    "object": ("wheel", "person", "tree", "sky", "door"),
    "part": ("door", "head", "leg"),  # "door" is an object as well: names must be told apart
    "material": ("wood", "glass"),
    "color": ("red", "blue", "green"),
}
SIZE = (112, 112)
TOP = 30


def concepts() -> list[list[Any]]:
    """[number, name, category] of 13 concepts."""
    flat = [(name, category) for category in CATEGORIES for name in NAMES[category]]
    return [[number, name, category] for number, (name, category) in enumerate(flat, 1)]


def profile(
    units: int = 24, images: int = 40, layer: str = "conv5", index: int = 4, seed: int = 0
) -> LayerProfile:
    """A record with one dead unit (1), one tied unit (2) and one that overlaps with nothing (3)."""
    rng = np.random.default_rng(seed)
    table = concepts()
    count = len(table)
    grid, positions = (13, 13), 13 * 13 * images
    pixels = images * SIZE[0] * SIZE[1]
    concept_pixels = rng.integers(pixels // 400, pixels // 20, count)
    active = np.full((units, 4), pixels // 260) + rng.integers(0, 500, (units, 4))
    share = rng.beta(0.6, 9, (units, count))
    category = np.array([CATEGORIES.index(row[2]) for row in table])
    intersection = (share * np.minimum(active[:, category], concept_pixels)).astype(np.int64)
    state = np.zeros(units, np.uint8)
    state[1], state[2] = 1, 2
    for dead in (1, 3):
        intersection[dead] = 0
    active[1] = 0
    edges = np.stack([np.linspace(0, 5 + unit / 4, 65) for unit in range(units)]).astype(np.float32)
    histogram = (
        np.maximum(0, (positions / 4 * np.exp(-np.arange(64) / 6))).astype(np.int64)[None].repeat(units, 0)
    )
    threshold = edges[:, 40].copy()
    threshold[1] = 0
    largest = rng.uniform(0, 9, (units, images)).astype(np.float32)  # of each unit in each image
    largest[1] = 0
    ranking = np.argsort(-largest, 1, kind="stable").astype(np.int32)
    top_image = np.pad(ranking[:, :TOP], ((0, 0), (0, max(0, TOP - images))), constant_values=-1)
    top_image[1] = -1
    response = np.where(top_image < 0, 0, np.take_along_axis(largest, top_image, 1)).astype(np.float32)
    peak = rng.integers(0, grid[0] * grid[1], (units, TOP)).astype(np.int32)
    offsets, runs = _masks(top_image, peak, grid)
    arrays: dict[str, Any] = {
        "threshold": threshold,
        "state": state,
        "exceeding": np.where(state == 1, 0, round(0.005 * positions)).astype(np.int64),
        "maximum": np.where(state == 1, 0, response[:, 0]).astype(np.float32),
        "intersection": intersection,
        "active": active.astype(np.int64),
        "active_total": active.max(1).astype(np.int64),
        "concept_pixels": concept_pixels.astype(np.int64),
        "concept_images": np.array([40, 30, 20, 12, 11, 10, 15, 3, 22, 18, 40, 40, 40][:count], np.int64),
        "category_images": np.array([images] * 4, np.int64),
        "colour_sum": (active.max(1)[:, None] * rng.integers(30, 220, (units, 3))).astype(np.int64),
        "shade_intersection": rng.integers(0, 300, (units, 4)).astype(np.int64),
        "shade_pixels": np.full(4, pixels // 4, np.int64),
        "shade_rgb": np.array([[20, 20, 20], [90, 140, 200], [200, 180, 150], [60, 120, 60]], np.uint8),
        "top_image": top_image,
        "top_response": response,
        "top_peak": peak,
        "mask_offsets": offsets,
        "mask_runs": runs,
        "fires": np.packbits(largest > threshold[:, None], axis=1),
        **_bands(largest, ranking, threshold, grid),
        "histogram": histogram,
        "histogram_edges": edges,
    }
    metadata = {
        "network": {
            "name": "toy",
            "title": "Toy",
            "digest": "ab" * 20,
            "evidence": "random weights",
            "note": "Seeded.",
        },
        "dataset": {
            "name": "made-up",
            "digest": "cd" * 20,
            "images": images,
            "length": images,
            "skipped": [["a.jpg", "truncated"]],
        },
        "layer": {
            "name": layer,
            "path": f"features.{index}",
            "index": index,
            "units": units,
            "grid": list(grid),
            "receptive_field": 99,
            "stride": 16,
        },
        "quantile": 0.005,
        "categories": list(CATEGORIES),
        "concepts": table,
        "shade_names": ["black", "light blue", "beige", "dark green"],
        "batch_size": 32,
        "positions": positions,
        "wanted": round(0.005 * positions),
        "annotation_size": list(SIZE),
        "band_images": images,
    }
    return LayerProfile(arrays, metadata)


def chance(made: LayerProfile, min_images: int = 10, permutations: int = 20) -> ChanceResult:
    """A chance level that calls the better half significant."""
    units = made.units
    rng = np.random.default_rng(1)
    best = made.iou.max(1)
    p_value = np.where(made.live, np.clip(0.5 - best * 6, 1 / (1 + permutations * units), 1), np.nan)
    return ChanceResult(
        {
            "null_maximum": rng.beta(1, 40, (units, permutations)).astype(np.float32),
            "observed": best,
            "z": np.where(made.live, best * 40, np.nan),
            "p_value": p_value,
            "q_value": p_value * 1.1,
            "included": np.asarray(made.arrays["concept_images"] >= min_images),
        },
        {"min_images": min_images, "seed": 0, "permutations": permutations, "images": 40},
    )


def assessment(made: LayerProfile, min_images: int = 10) -> AssessmentResult:
    """Units that are in turn a colour, an object, both, neither, nothing much, and faintly a colour."""
    units, turn = made.units, np.arange(made.units) % 6
    base = np.full(units, 0.005)
    colour, both, faint = [0.3, 0.02, 0.3], [0.1, 0.1, 0.5], [0.06, 0.01, 0.06]
    scores = np.array([colour, [0.01, 0.2, 0.2], both, [0.005] * 3, [0.02, 0.02, 0.02], faint])[turn]
    difference = scores[:, 0] - scores[:, 1]
    together = scores[:, 2] - scores[:, :2].max(1)
    lift = np.where(turn == 4, 1.0, 20.0)
    ranked = np.argsort(-made.iou, axis=1, kind="stable")[:, :2]
    around = np.array([-0.02, 0.02])
    iou = made.iou.max(1)
    return AssessmentResult(
        {
            "label": ranked.astype(np.int32),
            "base_rate": base,
            "precision": scores,
            "difference": difference[:, None] + around / 10,
            "together": together[:, None] + around / 10,
            "lift": lift,
            "lift_interval": lift[:, None] + around,
            "iou_interval": np.clip(iou[:, None] + around, 0, 1),
            "tie": np.tile(around, (units, 1)),
            "firing": np.full(units, 30, np.int64),
            "rare": np.zeros(units, np.bool_),
            "best": np.tile(iou[:, None], (1, 200)).astype(np.float16),
            "of_concept": np.tile(ranked[:, :1], (1, 200)).astype(np.int32),
        },
        {
            "min_images": min_images,
            "seed": 0,
            "images": 40,
            "scenes": 38,
            "independent": True,
            "label_sets": 120,
        },
    )


def view(
    units: int = 24,
    layer: str = "conv5",
    index: int = 4,
    *,
    cutoff: float = 0.04,
    with_chance: bool = True,
    with_assessment: bool = False,
    seed: int = 0,
) -> LayerView:
    """A view over a made-up record."""
    made = profile(units, layer=layer, index=index, seed=seed)
    return LayerView(
        f"{index:040x}",
        summarise(
            made,
            chance(made) if with_chance else None,
            Settings(10, cutoff),
            assessment(made) if with_assessment else None,
        ),
        "toy",
        "made-up",
    )


def source(images: int = 40) -> Source:
    """A made-up data set: concept c is in every (c + 2)-th image, with most pixels in the last one."""

    def present(concept: int) -> tuple[Any, Any]:
        there = np.arange(0, images, concept + 2, dtype=np.int32)
        return there, 10 * (1 + there)

    return Source(
        lambda chosen: [f"{image}.jpg" for image in chosen],
        lambda chosen, _: [[0, 4] for _ in chosen],
        present,
    )


def _bands(largest: Any, ranking: Any, threshold: Any, grid: tuple[int, int]) -> dict[str, Any]:
    """At most six images of each tenth, from its strongest on; a silent unit has no mask."""
    units, images = largest.shape
    chosen = np.full((units, 10, 6), -1, np.int32)
    for band in range(10):
        ranks = ranking[:, band * images // 10 : (band + 1) * images // 10][:, :6]
        chosen[:, band, : ranks.shape[1]] = ranks
    flat = chosen.reshape(units, 60)
    response = np.where(flat < 0, 0, np.take_along_axis(largest, flat, 1)).astype(np.float32)
    masked = np.where(response > threshold[:, None], flat, -1)
    offsets, runs = _masks(masked, np.zeros_like(flat), grid)
    return {
        "band_image": chosen,
        "band_response": response.reshape(chosen.shape),
        "band_mask_offsets": offsets,
        "band_mask_runs": runs,
    }


def _masks(top_image: Any, peak: Any, grid: tuple[int, int]) -> tuple[Any, Any]:
    """A disc around each peak as run lengths."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    offsets, runs = [0], []
    for images, peaks in zip(top_image, peak, strict=True):
        for image, place in zip(images, peaks, strict=True):
            if image >= 0:
                row, column = divmod(int(place), grid[1])
                disc = (
                    np.hypot(y - (row + 0.5) * SIZE[0] / grid[0], x - (column + 0.5) * SIZE[1] / grid[1])
                    < 5 + image % 5
                )
                edges = np.flatnonzero(np.diff(disc.ravel().astype(np.int8), prepend=0, append=0)).reshape(
                    -1, 2
                )
                runs.append(np.stack([edges[:, 0], edges[:, 1] - edges[:, 0]], 1))
            offsets.append(sum(map(len, runs[-1:])) + offsets[-1] if image >= 0 else offsets[-1])
    return np.array(offsets, np.int64), np.concatenate(runs).astype(np.uint16)


LAYERS = (("conv4", 20, (8, 8)), ("conv5", 24, (4, 4)))


def relevance(
    name: str = "person",
    images: int = 12,
    *,
    seed: int = 0,
    layers: Any = LAYERS,
    right: int | None = None,
    flagged: int = 1,
    masked: bool = True,
) -> ClassRelevance:
    """A class's record: unit 1 is without relevance everywhere, the first images are flagged in layer 0."""
    rng = np.random.default_rng(seed)
    units = sum(count for _, count, _ in layers)
    positive_part = rng.gamma(1.0, 1.0, (images, units))
    negative_part = rng.gamma(1.0, np.where(np.arange(units) % 2, 2.0, 0.4), (images, units))
    start = 0
    for _, count, _ in layers:
        positive_part[:, start + 1] = negative_part[:, start + 1] = 0
        start += count
    each = (positive_part + negative_part).astype(np.float32)
    change = np.full((images, len(layers)), 0.5)
    gap = np.full((images, len(layers)), 0.01)
    gap[:flagged, 0] = 0.2
    right = images if right is None else right
    arrays = {
        "images": np.arange(images, dtype=np.int64) * 2,
        "relevance": each,
        "positive": positive_part.mean(0),
        "negative": -negative_part.mean(0),
        "total": each.astype(np.float64).mean(0) * 1.6,
        "mask_pixels": np.full(images, 900, np.int64),
        "score": np.linspace(0.9, 0.3, images),
        "predicted": np.where(np.arange(images) < right, 3, 5).astype(np.int64),
        "change": change,
        "gap": gap,
        "points": np.full((images, len(layers)), 32, np.int32),
    }
    metadata = {
        "network": {"name": "toy", "title": "Toy", "digest": "ab" * 20, "evidence": "trained", "note": ""},
        "dataset": {"name": "made-up", "digest": "cd" * 20, "images": 40},
        "class": name,
        "outputs": [3],
        "output_names": [name],
        "split": "train",
        "method": "layer-ig",
        "baseline": "black",
        "output": "probability",
        "tolerance": 0.05,
        "first_points": 16,
        "most_points": 256,
        "masked": masked,
        "objects": [one[:2] for one in concepts() if one[1:] == [name, "object"] and masked],
        "objects_apart": True,
        "annotation_size": list(SIZE),
        "layers": [[layer, count, list(grid)] for layer, count, grid in layers],
        "image_names": [f"{2 * image:05d}.png" for image in range(images)],
        "candidates": images + 3,
        "of_class": images + 9,
        "left_out": [],
    }
    return ClassRelevance(arrays, metadata)
