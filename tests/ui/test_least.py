"""A minimum of images that a small data set does not reach: said, and mended in one press."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.test_pages import open_page, words
from ui.components.least import Smaller, smaller


@pytest.mark.parametrize(
    ("images", "least", "found"),
    [
        ([1, 2, 3, 4, 0, 0], 10, Smaller(3, 2, 4)),
        ([4, 4, 4], 10, Smaller(4, 3, 3)),
        ([1], 2, Smaller(1, 1, 1)),
        ([12, 11, 3, 2], 10, None),  # half of them stay
        ([12, 3, 2], 10, Smaller(3, 2, 3)),
        ([0, 0], 10, None),  # nothing to keep
        ([], 10, None),
    ],
)
def test_the_largest_minimum_that_keeps_half(images: list[int], least: int, found: Smaller | None) -> None:
    assert smaller(np.array(images, np.int64), least) == found


@pytest.mark.parametrize("page", ["pages/units.py", "pages/concepts.py"])
@pytest.mark.usefixtures("full")
def test_concepts_come_back_in_one_press(page: str) -> None:
    app = open_page(page, network="small", dataset="planted", min_images="25")
    assert "are left out: a concept needs 25 images" in words(app)
    app.button(key="keep_more").click().run()
    assert not app.exception
    chosen = app.query_params["min_images"]
    least = chosen if isinstance(chosen, str) else chosen[-1]
    assert int(least) < 25
    again = open_page(page, network="small", dataset="planted", min_images=least)
    assert "are left out: a concept needs" not in words(again)
    assert f"(fewer than {least} images)" in words(again)


@pytest.mark.usefixtures("full")
def test_nothing_is_offered_where_the_rule_fits() -> None:
    app = open_page("pages/units.py", network="small", dataset="planted")
    assert not [one for one in app.button if one.key == "keep_more"]
