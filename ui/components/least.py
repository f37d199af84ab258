"""A small data set under a rule made for large ones: what a smaller minimum of images keeps, in one press."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.session.view import LayerView
from ui.shell import state
from ui.shell.theme import count_text


class Smaller(NamedTuple):
    """A minimum below the chosen one.

    Attributes:
        least: images that a concept needs.
        kept, there: concepts that it keeps, of so many that are in any image.
    """

    least: int
    kept: int
    there: int


def smaller(images: NDArray[np.int64], least: int) -> Smaller | None:
    """The largest minimum that keeps half of the concepts; None where the chosen one does.

    Args:
        images: (C,), in how many images each concept is.
        least: images that a concept needs now.
    """
    there = np.sort(images[images > 0])[::-1]
    if not len(there) or 2 * int((there >= least).sum()) >= len(there):
        return None
    found = int(there[(len(there) - 1) // 2])
    return Smaller(found, int((there >= found).sum()), len(there))


def offer(view: LayerView) -> None:
    """Say that most concepts are left out, and offer a minimum that keeps half of them."""
    images, least = view.summary.profile.arrays["concept_images"], view.summary.settings.min_images
    found = smaller(np.asarray(images), least)
    if found is None:
        return
    left = int((~view.summary.included).sum())
    which = "All" if left == len(images) else f"{left:,} of"
    with st.container(key="smaller_least", horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{which} {count_text(len(images), 'concept')} are left out: a concept needs "
            f"{count_text(least, 'image')}. At least {count_text(found.least, 'image')} each would keep "
            f"{found.kept:,} of the {found.there:,} that are in any.",
            width="content",
        )
        st.button(
            f"Keep concepts in {found.least} or more" if found.least > 1 else "Keep all concepts",
            key="keep_more",
            help="Sets “Images per concept” in the menu. Labels that rest on few images are less sure: the "
            "chance level, which is computed anew for it, says how far each can be trusted.",
            on_click=state.change,
            kwargs={"min_images": found.least},
        )
