"""Where masks lie: the IoU of a planted detector is the one that geometry allows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret_core.analyses import registry
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.plan import find_profiles
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.errors import LayerError
from interpret_core.measures.dissection.masks import decode
from interpret_core.networks import load
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store
from tests.moved_networks import SIDE, SQUARE, moved_scenes
from tests.slow import thorough_beyond

IMAGES = 12
# Share of positions that see red, where the grid is not the picture's.
GRIDS = {"cropped": 24 * 26, "narrowed": 28 * 32, "padded": 34 * 36, "unpadded": 24 * 24, "dilated": 24 * 24,
         "untraceable": 24 * 32, "enlarged": 64 * 64 / 4, "upsampling": 56 * 56 / 4,
         "wrapped": 38 * 38}  # fmt: skip
EXACT = ("plain", "flipped", "upside_down", "transposed", "turned", "cropped", "narrowed", "padded",
         "stacked", "unpadded", "dilated", "untraceable", "enlarged", "upsampling",
         "mixed", "mixed_rows", "wrapped", "broadcast")  # fmt: skip


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moved_scenes(tmp_path_factory.mktemp("moved") / "scenes", IMAGES)


def request(name: str, scenes: Path, positions: str) -> ProfileRequest:
    quantile = SQUARE**2 / GRIDS.get(name, SIDE**2)
    factory = f"tests.moved_networks:{name}"
    return ProfileRequest(
        factory, str(scenes), quantile=quantile, min_images=1, permutations=0, positions=positions
    )


def iou(name: str, scenes: Path, store: Store, positions: str = "anchored") -> float:
    """Of the last layer's unit, with `red`."""
    outcome = run_profile(request(name, scenes, positions), store)
    profile = list(find_profiles(outcome.keys, store).values())[-1].profile
    return float(profile.iou[0, 0])


@thorough_beyond(2)
@pytest.mark.parametrize("name", EXACT)
def test_a_moved_detector_is_where_it_looks(name: str, scenes: Path, store: Store) -> None:
    assert iou(name, scenes, store) == 1.0


def test_stretched_over_the_picture_an_unpadded_grid_is_off(scenes: Path, store: Store) -> None:
    """Eight positions of 24 become 10⅔ pixels of 32, and the mask lies beside the square by up to a pixel."""
    assert iou("unpadded", scenes, store, "stretched") < 0.7
    assert iou("flipped", scenes, store, "stretched") == 1.0  # turned back whatever the choice


def test_stretched_and_anchored_results_are_two(scenes: Path, store: Store) -> None:
    """Neither answers for the other."""
    anchored, stretched = (iou("cropped", scenes, store, one) for one in ("anchored", "stretched"))
    assert anchored == 1.0 > stretched
    assert iou("cropped", scenes, store, "anchored") == 1.0


def test_files_and_lines_say_how_positions_were_placed(scenes: Path, store: Store) -> None:
    for positions in ("anchored", "stretched"):
        analysis = registry.entries()["profile"].load()
        found = analysis.run(request("cropped", scenes, positions), store, Execution())
        assert analysis.description(found)["parameters"]["positions"] == positions
        assert any(f"{positions} positions" in str(line) for line in analysis.report(found, False))


@pytest.mark.parametrize("name", ["rolled", "shuffled", "written"])
def test_a_layer_whose_positions_lie_nowhere_has_no_masks(name: str, scenes: Path, store: Store) -> None:
    network = load(f"tests.moved_networks:{name}")
    assert [layer.name for layer in network.layers] == []
    found = network.layer("conv")
    assert "no place in the picture" in found.without_masks
    assert any("conv has no masks" in finding for finding in network.findings)
    for layers in ("all", ("conv",)):
        asked = ProfileRequest(network.name, str(scenes), layers, permutations=0)
        with pytest.raises(LayerError, match="has no masks: its positions follow no place in the picture"):
            run_profile(asked, store)


def test_galleries_show_the_same_masks(scenes: Path, store: Store) -> None:
    outcome = run_profile(request("turned", scenes, "anchored"), store)
    (one,) = find_profiles(outcome.keys, store).values()
    record = one.profile
    for place in range(3):
        image = int(record.arrays["top_image"][0, place])
        truth = np.asarray(Image.open(scenes / "images" / f"m{image}.png"))[..., 0] == 1
        runs = record.arrays["mask_runs"][
            record.arrays["mask_offsets"][place] : record.arrays["mask_offsets"][place + 1]
        ]
        np.testing.assert_array_equal(decode(runs, record.annotation_size), truth)


@pytest.mark.parametrize("name", ["turned", "unpadded", "cropped"])
def test_relevance_lies_in_the_object_where_the_detector_looks(name: str, scenes: Path, store: Store) -> None:
    """All of |G| sits on positions that see red, and the object is exactly red."""
    with (scenes / "classes.csv").open("w") as file:
        file.write("image,class,split\n" + "".join(f"i{at}.png,red,train\n" for at in range(IMAGES)))
    config = scenes.parent / "unitscope.toml"
    config.write_text('[classes]\nred = ["a"]\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERPRET_CONFIG", str(config))
        shares = {}
        for positions in ("anchored", "stretched"):
            asked = RelevanceRequest(
                f"tests.moved_networks:{name}", str(scenes), ("red",), positions=positions, output="logit"
            )
            found = run_relevance(asked, store).classes["red"]
            part = found.layer("conv")
            shares[positions] = float(part.in_mask_share[0])
            if positions == "anchored":
                assert found.mass("conv") == pytest.approx(float(part.relevance.sum()), rel=1e-6)
    assert shares["anchored"] == pytest.approx(1.0, abs=1e-6)
    assert (shares["stretched"] < 0.95) == (name != "turned")
