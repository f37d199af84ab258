"""The images of a class with integrated gradients laid over them, inside the object's outline."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import streamlit as st

from interpret_core.analyses.relevance.result import ClassRelevance, LayerRelevance
from interpret_core.errors import DatasetError
from interpret_core.figures.relevance import scaled_text
from interpret_core.figures.scales import AGAINST, FOR, SIZES
from ui.access.told import told
from ui.components.maps.maps import maps
from ui.relevance.heat_maps import Picked, predicted_masks
from ui.session import relevances, resources
from ui.session.memory import kept
from ui.session.relevances import Found, Wanted
from ui.session.totals import residual_text
from ui.shell import notices, state
from ui.shell.how import how
from ui.shell.plain import plain, shortened

AREAS = ("inside", "whole", "photo")
FLAG = "◥"


def class_images(wanted: Wanted, picked: Picked, found: Found, part: LayerRelevance, unit: int) -> None:
    """The class's images with the layer's or one unit's map, and the pixels' beside it.

    A line says why in their place, where the data set's files cannot be read or are others now.
    """
    try:
        _class_images(wanted, picked, found, part, unit)
    except DatasetError as error:
        st.error(plain(told(error)))


def _class_images(wanted: Wanted, picked: Picked, found: Found, part: LayerRelevance, unit: int) -> None:
    record = found.records[picked.name]
    what = f"unit {unit}" if unit >= 0 else f"all {part.shape.units} units"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Maps of {what}**", width="content")
        if unit >= 0:
            st.button(
                "Whole layer",
                key="whole_layer",
                type="tertiary",
                on_click=state.change,
                kwargs={"unit": None},
            )
        how("maps")
    of = relevances.digest_of(found, picked.name), wanted, picked, unit
    shown = _kept_list(*of, found, part)
    known = {item["image"] for item in shown}
    wish = state.parameter("image")
    if wish and wish not in map(str, known):
        notices.complain(
            f"The image “{shortened(wish)}” that the link asks for is not among those of "
            f"“{plain(picked.name)}”."
        )
        state.repair(image=None)
        wish = ""
    area = state.one_of("area", list(AREAS), "inside", "kind of picture")
    surest = int(record.images[int(np.argmax(record.arrays["score"]))])
    opened = int(wish) if wish else surest
    _draw(wanted, picked, record, shown, {"open": opened, "mode": area, "unit": unit})


@kept(64)
def _kept_list(
    digest: str, wanted: Wanted, picked: Picked, unit: int, _found: Found, _part: LayerRelevance
) -> list[dict[str, Any]]:
    return image_list(wanted, picked, _found, _part, unit)


def image_list(
    wanted: Wanted, picked: Picked, found: Found, part: LayerRelevance, unit: int
) -> list[dict[str, Any]]:
    """Each image of the class: its outline, its numbers, the addresses of its maps."""
    record = found.records[picked.name]
    one = relevances.known_class(found, picked.name)
    names = record.metadata["image_names"]
    query: dict[str, str | int] = {
        **{key: value for key, value in wanted._asdict().items() if value},
        "class": picked.name,
        "v": relevances.digest_of(found, picked.name),
    }
    layer = {**query, "layer": picked.layer, **({"unit": unit} if unit >= 0 else {})}
    before, layer_query = resources.relevance_map("layer", **layer)
    pixels, pixel_query = resources.relevance_map("pixel", **query)
    made = []
    outlines = relevances.outlines(found, one, record.images.tolist())
    for at, image in enumerate(record.images.tolist()):
        right, flag = bool(record.right[at]), bool(part.flagged[at])
        score = scaled_text(float(record.arrays["score"][at]), 1.0)
        top = relevances.output_name(wanted.network, int(record.arrays["predicted"][at]))
        what = "probability" if wanted.output == "probability" else "logit"
        relevant = part.per_image[at, unit] if unit >= 0 else part.per_image[at].sum()
        of = f"unit {unit}" if unit >= 0 else "the layer"
        made.append(
            {
                "image": image,
                "name": str(names[at]),
                "caption": f"{score}{'' if right else ' ✕'}",
                "about": f"{at + 1} of {len(names)} · {what} {score}"
                + (" · recognised" if right else f" · taken for “{top}”"),
                "lines": [
                    f"R of {of} in this image: {scaled_text(float(relevant), float(relevant))}",
                    f"residual in this layer {residual_text(float(part.residual[at]))} after "
                    f"{int(part.points[at])} points" + (f" {FLAG} flagged" if flag else ""),
                ],
                "sign": (FLAG if flag else "") + ("" if right else "✕"),
                "signText": " · ".join(
                    ["residual above the tolerance"] * flag + ["not recognised"] * (not right)
                ),
                "outline": outlines[at],
                "map": f"{before}{image}{layer_query}",
                "pixel": f"{pixels}{image}{pixel_query}",
            }
        )
    return made


def _draw(
    wanted: Wanted, picked: Picked, record: ClassRelevance, shown: list[dict[str, Any]], now: dict[str, Any]
) -> None:
    key, unit = "relevance_images", now["unit"]
    base, suffix = resources.photo_of(wanted.dataset, record.metadata["dataset"]["digest"])
    height, width = record.metadata["annotation_size"]
    masked = bool(record.metadata["masked"])

    def imaged() -> None:
        image = st.session_state[key].get("image")
        if image in {item["image"] for item in shown}:
            state.change(image=image)

    def moded() -> None:
        mode = st.session_state[key].get("mode")
        if mode in AREAS:
            state.change(area="" if mode == "inside" else mode)

    identity = (wanted, picked, unit, [(item["map"], item["caption"]) for item in shown])
    mode = now["mode"] if masked or now["mode"] != "inside" else "whole"
    maps(
        key=key,
        data={
            "version": hashlib.sha1(repr(identity).encode(), usedforsecurity=False).hexdigest()[:16],
            "images": shown,
            "height": height,
            "width": width,
            "base": base,
            "suffix": suffix,
            "concept": picked.name,
            "masked": masked,
            "predicted": predicted_masks(record),
            "signed": unit >= 0,
            "mode": mode,
            "open": now["open"],
            "mapText": f"{picked.layer}, " + (f"unit {unit}" if unit >= 0 else "|G| of all its units"),
            "pixelText": "the input's pixels",
            "ramps": {"sizes": SIZES, "signed": (*AGAINST[::-1], "rgba(128,136,150,.35)", *FOR)},
        },
        on_image_change=imaged,
        on_mode_change=moded,
    )
