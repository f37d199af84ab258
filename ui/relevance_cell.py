"""One cell of the heat map: a layer's units ranked for a class, and the class's images with their maps."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from interpret_core.errors import UnitscopeError
from interpret_core.relevance.record import ClassRelevance, LayerRelevance
from ui import addresses, relevance, relevance_rows, relevances, results, saves, scales, state, widgets
from ui.igpictures import AGAINST, FOR, SIZES
from ui.plain import plain
from ui.relevance import Picked
from ui.relevance_rows import ORDERS, Ranked, scaled_text
from ui.relevances import Found, Wanted
from ui.results import Ask
from ui.theme import asset, colour_of, count_text, iou_text
from ui.view import SMALL, LayerView

COUNTS = (12, 48)  # tiles at first, then; a third press shows all
AREAS = ("inside", "whole", "photo")
FLAG = "◥"

# Registered while the module is imported: registered inside a script run a component loses its first click.
_ranked = st.components.v2.component(
    "unitscope_ranked",
    html=asset("ranked.html"),
    css=asset("ranked.css"),
    js=asset("travel.js") + asset("ranked.js"),
)
_maps = st.components.v2.component(
    "unitscope_maps",
    html=asset("maps.html"),
    css=asset("maps.css"),
    js=asset("outline.js") + asset("maps.js"),
)
_reveal = st.components.v2.component("unitscope_reveal_cell", html="<i hidden></i>", js=asset("reveal.js"))


def cell(ask: Ask, wanted: Wanted, picked: Picked, found: Found) -> None:
    """Draw the section of the chosen cell."""
    wanted = wanted._replace(network=picked.network)
    record = found.records[picked.name]
    part = record.layer(picked.layer)
    token = f"{picked.network}/{picked.layer}/{picked.name}"
    _reveal(key="reveal_cell", data={"token": token, "section": ".st-key-relevance_cell"})
    view = _profile(ask, picked)
    unit = state.whole("unit", 0, part.shape.units - 1, -1) if state.parameter("unit") else -1
    with st.container(key="relevance_cell"):
        _heading(picked, record, part)
        left, right = st.columns([5, 6], gap="medium")
        with left, st.container(key="relevance_units"):
            _units(picked, part, record, view, unit)
        with right, st.container(key="relevance_maps"):
            _images(wanted, picked, found, part, unit)


def _profile(ask: Ask, picked: Picked) -> LayerView | None:
    """The layer's profile, for labels and pictures; the relevance does not need it."""
    try:
        return results.layer(ask._replace(network=picked.network), picked.layer)
    except UnitscopeError:
        return None


def _heading(picked: Picked, record: ClassRelevance, part: LayerRelevance) -> None:
    whole = sum(record.mass(shape.name) for shape in record.layers)
    share = record.mass(picked.layer) / whole if whole > 0 else 0.0
    images, right, flags = len(record.images), int(record.right.sum()), int(part.flagged.sum())
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = plain(record.metadata["network"]["title"] or picked.network)
        st.subheader(f"{plain(picked.layer)} for *{plain(picked.name)}* in {title}", width="content")
        clear: dict[str, None] = dict.fromkeys(("of", "layer", "class", *relevance.FORGET))
        st.button("✕ Clear", key="clear_cell", type="tertiary", on_click=state.change, kwargs=clear)
        widgets.how("relevance", "maps")
    few = ": few, read with care" if images < SMALL else ""
    st.caption(
        f"{count_text(part.shape.units, 'unit')} with {share:.0%} of the class's relevance mass · "
        f"n = {count_text(images, 'image')}{few}, {right} recognised · "
        f"{flags} flagged in this layer (residual above {float(record.metadata['tolerance']):.0%}) · "
        f"median residual {_residual(float(np.median(part.residual)))} after at most "
        f"{int(part.points.max())} points"
    )


def _residual(share: float) -> str:
    return "below 0.1 %" if share < 0.001 else f"{100 * share:.2g} %"


def _units(
    picked: Picked, part: LayerRelevance, record: ClassRelevance, view: LayerView | None, unit: int
) -> None:
    order = state.one_of("order", list(ORDERS), "relevance")
    key = state.follow("pick_order", order)
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.selectbox(
            "Units by",
            list(ORDERS),
            key=key,
            format_func=ORDERS.__getitem__,
            width=240,
            on_change=state.writer("order", key, lambda value: "" if value == "relevance" else value),
        )
        stem = f"relevance_{picked.network}_{picked.layer}_{picked.name}"
        rows = lambda: relevance_rows.unit_rows(record, picked.layer, view)  # noqa: E731
        saves.saves(stem, rows, "save_units")
    if view is None:
        st.caption("This network has no profile on the data set yet: units come without labels and pictures.")
    count = state.whole("units", 1, part.shape.units, min(COUNTS[0], part.shape.units), "number of units")
    ranking = relevance_rows.ranking(part, order).tolist()
    shown = ranking[:count] + ([unit] if unit >= 0 and unit not in ranking[:count] else [])
    made = relevance_rows.ranked(part, view, shown)
    ranked_units(picked, made, part, view, unit)
    more = next((each for each in COUNTS[1:] if each > count), part.shape.units)
    if count < part.shape.units:
        label = f"Show {min(more, part.shape.units):,} of {part.shape.units:,} units"
        more = min(more, part.shape.units)
        st.button(label, key="more_units", on_click=state.change, kwargs={"units": more})


def ranked_units(
    picked: Picked, units: Sequence[Ranked], part: LayerRelevance, view: LayerView | None, unit: int
) -> None:
    """Draw the tiles: each leads to its unit, its button draws the unit's maps."""
    key = "ranked"
    base, suffix = addresses.thumbnail(view) if view else ("", "")
    entry = {**state.entry(), "network": picked.network}
    link = addresses.page("units", **entry, layer=picked.layer, annotate=_object(view, picked.name))
    tiles = [_tile(one, part) for one in units]
    identity = (picked, base, suffix, link, tiles)

    def chosen() -> None:
        number = st.session_state[key].get("picked")
        if isinstance(number, int):
            state.change(unit=number if 0 <= number < part.shape.units else None)

    _ranked(
        key=key,
        data={
            "version": hashlib.sha1(repr(identity).encode(), usedforsecurity=False).hexdigest()[:16],
            "title": f"units of {picked.layer} for {picked.name}",
            "units": tiles,
            "low": float(part.negative.min(initial=0)),
            "high": float(part.positive.max(initial=0)),
            "for": scales.POSITIVE,
            "against": scales.NEGATIVE,
            "base": base,
            "suffix": suffix,
            "link": f"{link}&unit=",
            "selected": unit if unit >= 0 else None,
        },
        on_picked_change=chosen,
    )


def _object(view: LayerView | None, name: str) -> str:
    """The class's object as the unit's page calls it, empty where it has none."""
    concepts = view.concepts if view else ()
    return next((one.key for one in concepts if (one.category, one.name) == ("object", name)), "")


def _tile(one: Ranked, part: LayerRelevance) -> list[object]:
    high = float(part.relevance.max(initial=0))
    inside = "—" if math.isnan(one.share) else f"{one.share:.0%}"
    label = "dead" if one.word == "dead" else one.label
    iou = "no profile" if one.iou is None else f"IoU {iou_text(one.iou)}"
    numbers = (
        f"R {scaled_text(one.relevance, high)} · +{scaled_text(one.positive, high)} "
        f"{scaled_text(one.negative, high) if one.negative else '−0'}"
    )
    spoken = (
        f"{label or 'no concept'}, {iou}, relevance {scaled_text(one.relevance, high)}, for the class "
        f"{scaled_text(one.positive, high)}, against it {scaled_text(-one.negative, high)}, "
        f"{inside} of it inside the object"
    )
    return [
        one.unit,
        label,
        colour_of(one.category),
        int(one.iou is not None and not one.detector),
        one.word,
        one.positive,
        one.negative,
        f"{iou} · {inside} inside the object",
        numbers,
        spoken,
    ]


def _images(wanted: Wanted, picked: Picked, found: Found, part: LayerRelevance, unit: int) -> None:
    """The class's images with the layer's or one unit's map, and the pixels' beside it."""
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
        widgets.how("maps")
    shown = image_list(wanted, picked, found, part, unit)
    known = {item["image"] for item in shown}
    wish = state.parameter("image")
    if wish and wish not in map(str, known):
        state.complain(f"The image that the link asks for is not among those of “{plain(picked.name)}”.")
        state.change(image=None)
        wish = ""
    area = state.one_of("area", list(AREAS), "inside", "kind of picture")
    surest = int(record.images[int(np.argmax(record.arrays["score"]))])
    opened = int(wish) if wish else surest
    _draw(wanted, picked, record, shown, {"open": opened, "mode": area, "unit": unit})


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
    made = []
    for at, image in enumerate(record.images.tolist()):
        right, flag = bool(record.right[at]), bool(part.flagged[at])
        score = scaled_text(float(record.arrays["score"][at]), 1.0)
        top = relevance.class_outputs(wanted.network, int(record.arrays["predicted"][at]))
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
                    f"residual in this layer {_residual(float(part.residual[at]))} after "
                    f"{int(part.points[at])} points" + (f" {FLAG} flagged" if flag else ""),
                ],
                "sign": (FLAG if flag else "") + ("" if right else "✕"),
                "signText": " · ".join(
                    ["residual above the tolerance"] * flag + ["not recognised"] * (not right)
                ),
                "outline": relevances.outline(wanted.dataset, one, image),
                "map": addresses.relevance_map(image, "layer", **layer),
                "pixel": addresses.relevance_map(image, "pixel", **query),
            }
        )
    return made


def _draw(
    wanted: Wanted, picked: Picked, record: ClassRelevance, shown: list[dict[str, Any]], now: dict[str, Any]
) -> None:
    key, unit = "relevance_images", now["unit"]
    base, suffix = addresses.photo_of(wanted.dataset, record.metadata["dataset"]["digest"])
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
    _maps(
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
