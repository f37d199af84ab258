"""Relevance from start to end: against a literal computation, resumed, and with what can be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from interpret_core import datasets, networks
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.maps import image_map
from interpret_core.analyses.relevance.plan import plan
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.classes.known import NeedsSurvey
from interpret_core.errors import Cancelled, DatasetError, NonFiniteError, ParameterError
from interpret_core.networks.graph.cuts import INPUT
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.analyses.related import NETWORK, asked, network, write_objects
from tests.reference import profile as reference


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_objects(tmp_path_factory.mktemp("objects") / "data")


def literal(root: Path, name: str, layer: str, index: int, points: int = 16) -> np.ndarray:
    """(U, H, W): every map of layer integrated gradients upsampled to the annotation grid, by hand.

    The network is written out; nothing of the engine is used.
    """
    module = network().module.double()
    dataset = datasets.open_dataset(str(root))
    preprocessing = network().preprocessing
    picture = dataset.read_image(index)
    image, black = (preprocessing.batch([p]).double() for p in (picture, np.zeros_like(picture)))
    output = {"ball": 0, "box": 1}[name]

    def behind(response: torch.Tensor) -> torch.Tensor:
        first = module.first(image).relu()
        y = module.second(response) + response if layer == "first" else response + first
        return module.head(y.relu().mean((2, 3))).softmax(1)[:, output]

    def response(x: torch.Tensor) -> torch.Tensor:
        first = module.first(x).relu()
        return first if layer == "first" else module.second(first)

    with torch.no_grad():
        end, start = response(image), response(black)
    total = torch.zeros_like(end)
    for step in range(points):
        place = (start + (step + 0.5) / points * (end - start)).detach().requires_grad_()
        total += torch.autograd.grad(behind(place).sum(), place)[0]
    attribution = (end - start) * total / points
    return attribution[0].detach().numpy()


def upsampled(maps: np.ndarray, size: tuple[int, int], layer: str) -> np.ndarray:
    """Each map drawn where the layer's positions lie."""
    lines = networks.load(NETWORK).layer(layer).lines_for("anchored")
    return np.stack([reference.bilinear(one, *size, lines) for one in maps])


def test_every_number_equals_a_literal_computation(root: Path, store: Store) -> None:
    found = run_relevance(asked(root, tolerance=0.0), store)
    assert list(found.classes) == ["ball", "box"]
    dataset = datasets.open_dataset(str(root))
    table = dataset.concepts()
    for name, one in found.classes.items():
        assert one.images.tolist() == [i for i in range(6) if i % 2 == (name == "box")]
        number = [concept.name for concept in table.concepts].index(name)
        masks = [(dataset.read_annotation(i, table) == number + 1).any(0) for i in one.images]
        for layer in ("first", "second"):
            maps = [literal(root, name, layer, int(i)) for i in one.images]
            inside = [upsampled(np.abs(g), m.shape, layer) * m for g, m in zip(maps, masks, strict=True)]
            whole = [upsampled(np.abs(g), m.shape, layer) for g, m in zip(maps, masks, strict=True)]
            part = one.layer(layer)
            per_image = np.array([values.sum((1, 2)) for values in inside])
            np.testing.assert_allclose(part.per_image, per_image, rtol=2e-4, atol=1e-7)
            np.testing.assert_allclose(part.relevance, per_image.mean(0), rtol=2e-4, atol=1e-7)
            np.testing.assert_allclose(part.positive - part.negative, part.relevance, rtol=1e-5, atol=1e-9)
            share = per_image.sum(0) / np.sum([values.sum((1, 2)) for values in whole], 0)
            np.testing.assert_allclose(part.in_mask_share, share, rtol=1e-3, atol=1e-6)
            pixels = np.array([m.sum() for m in masks])
            np.testing.assert_allclose(
                part.per_pixel_mean, (per_image / pixels[:, None]).mean(0), rtol=2e-4, atol=1e-9
            )
            # A position's pixels: what is drawn of a map that is 1 there and 0 elsewhere.
            positions = int(np.prod(part.shape.grid))
            drawn = upsampled(np.eye(positions).reshape(positions, *part.shape.grid), (12, 12), layer)
            own = [(drawn * m).sum((1, 2)) / drawn.sum((1, 2)) for m in masks]
            mass = np.mean(
                [(np.abs(g).reshape(-1, positions) * w).sum() for g, w in zip(maps, own, strict=True)]
            )
            assert one.mass(layer) == pytest.approx(mass, rel=1e-3)
            assert part.points.tolist() == [16, 16, 16]


def test_the_second_request_answers_from_disk(root: Path, store: Store) -> None:
    first = run_relevance(asked(root), store)
    again = run_relevance(asked(root, classes=("box",)), store)
    assert first.computed == ("ball", "box")
    assert again.computed == ()
    assert not store.keys("partial/")
    for name, values in again.classes["box"].arrays.items():
        np.testing.assert_array_equal(values, first.classes["box"].arrays[name])


def test_a_run_that_was_cut_off_goes_on_and_gives_the_same(tmp_path: Path, store: Store) -> None:
    root = write_objects(tmp_path / "data", per_class=12)  # six images a class for ranking: two parts
    request = asked(root, classes=("ball",))
    whole = run_relevance(request, Store(tmp_path / "other")).classes["ball"]
    told: list[int] = []

    def tell(_stage: str, done: int, _total: int) -> None:
        told.append(done)

    with pytest.raises(Cancelled):
        run_relevance(request, store, Execution(tell=tell, cancelled=lambda: bool(told) and told[-1] >= 10))
    assert len(store.keys("partial/")) == 1
    computed: list[int] = []
    found = run_relevance(request, store, Execution(tell=lambda _s, done, _t: computed.append(done)))
    assert next(filter(None, computed)) == 8  # the first part, two layers of four images, at one stroke
    for name, values in found.classes["ball"].arrays.items():
        np.testing.assert_array_equal(values, whole.arrays[name])


@pytest.mark.parametrize("method", ["layer-ig", "conductance"])
@pytest.mark.parametrize("baseline", ["black", "mean", "blur"])
def test_completeness_holds_whatever_the_path(root: Path, store: Store, method: str, baseline: str) -> None:
    request = asked(root, classes=("ball",), method=method, baseline=baseline, output="logit", tolerance=0.01)
    one = run_relevance(request, store).classes["ball"]
    checked = np.isfinite(one.residual)
    assert checked.any(0).tolist() == [True, method == "layer-ig"]  # a path goes around `second`
    assert (one.residual[checked] <= 0.01).all()
    assert not one.flagged.any()


def test_a_network_that_cannot_be_traced_gives_the_same_numbers(root: Path, store: Store) -> None:
    slower = run_relevance(asked(root, network="tests.analyses.related:untraceable"), store)
    assert "slower path" in slower.classes["ball"].metadata["network"]["note"]
    faster = run_relevance(asked(root), store)
    for name, one in faster.classes.items():
        np.testing.assert_allclose(
            slower.classes[name].arrays["relevance"], one.arrays["relevance"], rtol=1e-4, atol=1e-7
        )
    request = asked(
        root, network="tests.analyses.related:untraceable", method="conductance", classes=("box",)
    )
    other = asked(root, method="conductance", classes=("box",))
    one, two = (run_relevance(each, store).classes["box"].arrays["relevance"] for each in (request, other))
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-7)


def test_an_image_map_is_what_the_sums_are_made_of(root: Path, store: Store) -> None:
    request = asked(root, tolerance=0.0)
    planned = plan(request, store)
    loaded = networks.load(NETWORK)
    found = image_map(planned, loaded, "box", 1, "second")
    np.testing.assert_allclose(found.units, literal(root, "box", "second", 1), rtol=1e-3, atol=1e-7)
    np.testing.assert_allclose(found.absolute, np.abs(found.units).sum(0))
    pixels = image_map(planned, loaded, "box", 1, INPUT)
    assert pixels.units.shape == (3, 24, 24)
    assert pixels.points == 16


def test_a_plan_computes_nothing_and_says_what_is_missing(root: Path, store: Store, tmp_path: Path) -> None:
    planned = plan(asked(root, images=2), store)
    assert planned.missing(store) == ("ball", "box")
    assert planned.cost(store).words == "integrates gradients in every layer over 4 images of 2 classes"
    assert {name: len(images) for name, images in planned.images.items()} == {"ball": 2, "box": 2}
    run_relevance(asked(root, classes=("ball",), images=2), store)
    assert planned.missing(store) == ("box",)
    assert list(planned.find(store)) == ["ball"]
    assert planned.cost(store).words == "integrates gradients in every layer over 2 images of 1 class"
    bare = write_objects(tmp_path / "bare", classes_csv=False)
    with pytest.raises(NeedsSurvey):
        plan(asked(bare), store)
    found = run_relevance(asked(bare), store)
    assert list(found.classes) == ["ball", "box"]
    assert plan(asked(bare), store).missing(store) == ()


def test_without_masks_the_whole_image_counts(tmp_path: Path, store: Store) -> None:
    root = write_objects(tmp_path / "data")
    text = (root / "classes.csv").read_text().replace(",ball", ",moon")
    (root / "classes.csv").write_text(text)
    one = run_relevance(asked(root, classes=("moon",)), store).classes["moon"]
    assert one.metadata["masked"] is False
    assert (one.arrays["mask_pixels"] == 12 * 12).all()
    np.testing.assert_allclose(one.layer("first").in_mask_share, 1, rtol=1e-6)


def test_images_without_the_object_are_left_out_by_name(tmp_path: Path, store: Store) -> None:
    root = write_objects(tmp_path / "data")
    text = (root / "classes.csv").read_text()
    (root / "classes.csv").write_text(text.replace("ball-0.png,ball", "ball-0.png,box"))
    one = run_relevance(asked(root, classes=("box",)), store).classes["box"]
    assert 0 not in one.images
    assert one.metadata["left_out"] == [["ball-0.png", "no pixel is annotated as box"]]
    (root / "images" / "box-1.png").unlink()
    ((name, why),) = (
        run_relevance(asked(root, classes=("box",)), store).classes["box"].metadata["left_out"][1:]
    )
    assert name == "box-1.png"
    assert why.startswith("image images/box-1.png is missing: "), "whatever the place of the data set"


def test_what_is_wrong_is_said(root: Path, store: Store, tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError, match=r"ball-0\.png"):
        run_relevance(asked(root, network="tests.analyses.related:poisoned"), store)
    with pytest.raises(ParameterError, match="bell"):
        run_relevance(asked(root, classes=("bell",)), store)
    text = (root / "index.csv").read_text().replace(",train,", ",val,")
    only = write_objects(tmp_path / "data")
    (only / "index.csv").write_text(text)
    with pytest.raises(DatasetError, match="train"):
        run_relevance(asked(only), store)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "lime"),
        ("baseline", "white"),
        ("output", "loss"),
        ("split", "test"),
        ("images", 0),
        ("points", 1),
        ("most_points", 8),
        ("tolerance", -0.1),
        ("classes", " , "),
    ],
)
def test_a_wrong_parameter_names_its_value(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=str(value) if name != "classes" else "class"):
        RelevanceRequest("a", "b", **{name: value})  # type: ignore[arg-type]


def test_requests_survive_json() -> None:
    request = RelevanceRequest("a", "b", ("cat", "bus"), "conductance", images=3)
    assert RelevanceRequest.from_json(request.to_json()) == request
