"""The photographs of a unit's panel: its strongest or a weaker tenth, and those in which it is silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import streamlit as st

from interpret_core.errors import DatasetError
from interpret_core.measures.dissection.bands import BANDS
from ui.access.told import told
from ui.components.gallery.gallery import MODES, Choice, gallery
from ui.session import photos, results
from ui.session.photos import Source
from ui.session.view import LayerView
from ui.shell import notices, state
from ui.shell.how import how
from ui.shell.names import unlike
from ui.shell.plain import plain, shortened
from ui.shell.theme import iou_text
from ui.units import words
from ui.units.words import STRONGEST

COUNTS = (12, 24, 30)
SILENT = "silent-"  # stands before the image in a link that enlarges one of the silent row


class Shown(NamedTuple):
    """What the URL says about the photographs.

    Attributes:
        concept: what is drawn over them, an index into the view's `drawn`, -1 for nothing.
        mode: the overlay.
        photos: how many of the strongest.
        band: the tenth, STRONGEST for none.
        image: the enlarged photograph of the upper gallery; `silent`: of the silent row.
    """

    unit: int
    concept: int
    mode: str
    photos: int
    band: int
    image: int | None
    silent: int | None


def shown(view: LayerView, unit: int) -> Shown:
    """Read and check the parameters."""
    names = [*(concept.name for concept in view.drawn), nothing(view)]
    name = state.one_of("annotate", names, default(view, unit), "concept", view.meant)
    concept = index_of(view, name)
    mode = state.one_of("show", list(MODES), "both", "overlay")
    raw = state.whole("photos", COUNTS[0], COUNTS[-1], COUNTS[0], "number of photographs")
    count = min(COUNTS, key=lambda each: abs(each - raw))
    if count != raw:
        notices.complain(
            f"The link asks for {raw} photographs; shown are {' or '.join(map(str, COUNTS))}: {count}."
        )
        state.repair(photos=count)
    now = Shown(unit, concept, mode, count, _band(), None, None)
    wanted = state.parameter("image")
    if wanted.startswith(SILENT):
        found = _silence(view, now)
        images = found.silent[: photos.FEW].tolist() if found else []
        return now._replace(silent=_image(wanted, SILENT, images, unit, "photographs without a response"))
    if now.band != STRONGEST:
        images = view.summary.profile.band(unit, now.band)[0]
        return now._replace(image=_image(wanted, "", images, unit, "photographs from this tenth"))
    images = view.record["top_image"][unit]
    image = _image(wanted, "", images[images >= 0], unit, "strongest images")
    if image is None:
        return now
    slot = images.tolist().index(image)  # an enlarged photograph must be among those shown
    more = next((each for each in COUNTS if each > slot), COUNTS[-1])
    return now._replace(image=image, photos=max(count, more))


def _band() -> int:
    """The tenth that the link asks for."""
    raw = state.parameter("band")
    if not raw or raw in map(str, range(BANDS)):
        return int(raw) if raw else STRONGEST
    notices.complain(
        f"The link asks for band “{shortened(raw)}”; they are numbered 0 (top 10 %) to {BANDS - 1}. "
        "Showing the strongest photographs."
    )
    state.repair(band=None)
    return STRONGEST


def _image(raw: str, prefix: str, among: Iterable[int], unit: int, words: str) -> int | None:
    """The enlarged photograph, if it is among those shown."""
    known = {f"{prefix}{image}": int(image) for image in among}
    if raw and raw not in known:
        notices.complain(
            f"The photograph “{shortened(raw)}” that the link asks for is not among unit {unit}’s {words}."
        )
        state.repair(image=None)
    return known.get(raw)


def default(view: LayerView, unit: int) -> str:
    """What is drawn over the photographs unless the URL says otherwise."""
    best = view.told(unit)
    return view.drawn[best].name if best >= 0 else nothing(view)


def index_of(view: LayerView, name: str) -> int:
    """Index into `drawn` of a name, -1 for nothing."""
    return next((index for index, one in enumerate(view.drawn) if one.name == name), -1)


def concepts(view: LayerView, unit: int) -> list[str]:
    """The unit's best concepts, overall and per category, its nearest shade, then nothing."""
    shade = view.best_shade(unit)
    found = [*view.best_concepts(unit), *([] if shade is None else [len(view.concepts) + shade])]
    return [*(view.drawn[one].name for one in found), nothing(view)]


def nothing(view: LayerView) -> str:
    """What the choice without an annotation is called."""
    return unlike("nothing", [concept.name for concept in view.drawn])


def strongest(view: LayerView, now: Shown) -> bool:
    """Draw the upper gallery with what chooses it.

    Returns:
        Whether it could be; where the data set's files cannot be read or are others now, a line says so.
    """
    return _told(lambda: _photographs(view, now, results.source(view)))


def silent(view: LayerView, now: Shown) -> None:
    """Draw the photographs that contain the concept while the unit does not fire."""
    _told(lambda: _silent_row(view, now, results.source(view)))


def _told(draw: Callable[[], None]) -> bool:
    try:
        draw()
    except DatasetError as error:
        st.error(plain(told(error)))
        return False
    return True


def _photographs(view: LayerView, now: Shown, source: Source) -> None:
    _annotation_pills(view, now)
    if now.band == STRONGEST:
        made = photos.strongest(view, now.unit, now.concept, now.photos, source)
        st.caption(words.strongest_words(view, now.unit, made))
    else:
        made = photos.of_band(view, now.unit, now.concept, now.band, source)
        st.caption(words.band_words(view, now.unit, now.band, made))
    if made:
        gallery(
            view,
            made,
            Choice("gallery", now.unit, now.concept, now.mode, now.image),
            lambda image: state.change(image=image),
            lambda mode: state.change(show="" if mode == "both" else mode),
        )
    _more(view, now)
    _slider(now)


def _annotation_pills(view: LayerView, now: Shown) -> None:
    """Which concept's annotation is drawn over the photographs."""
    options = concepts(view, now.unit)
    current = view.drawn[now.concept].name if now.concept >= 0 else nothing(view)
    if current not in options:
        options.insert(-1, current)
    key = state.follow("pick_annotate", current)

    def words(name: str) -> str:
        number = index_of(view, name)
        if number < 0:
            return name
        return f"{plain(name)} {iou_text(view.overlap(now.unit, number).iou)}"

    st.pills(
        "Annotation shown",
        options,
        key=key,
        required=True,
        format_func=words,
        on_change=state.writer(
            "annotate", key, lambda value: "" if value == default(view, now.unit) else value
        ),
    )


def _slider(now: Shown) -> None:
    """From the strongest photographs to the weakest tenth of the images."""
    key = state.follow("pick_band", now.band)
    st.select_slider(
        "Photographs, from the strongest to the weakest tenth of the images",
        range(STRONGEST, BANDS),
        key=key,
        format_func=words.band_text,
        help="Ranked by the unit’s largest response in each image. Leftmost the strongest ones, then a few "
        "from each tenth of the ranking.",
        on_change=state.writer("band", key, lambda band: "" if band == STRONGEST else band, clear=("image",)),
    )


def _more(view: LayerView, now: Shown) -> None:
    """More of the strongest photographs, or fewer again."""
    available = int((view.record["top_image"][now.unit] >= 0).sum()) if now.band == STRONGEST else 0
    more = next((count for count in COUNTS if count > now.photos), None)
    with st.container(horizontal=True, vertical_alignment="center"):
        if more and available > now.photos:
            st.button(
                f"Show {min(more, available)} photographs",
                key="more",
                on_click=state.change,
                kwargs={"photos": more},
            )
        elif available > COUNTS[0] and now.photos > COUNTS[0]:
            st.button(
                "Show fewer", key="fewer", on_click=state.change, kwargs={"photos": None, "image": None}
            )
        how("masks", "bands")


def _silence(view: LayerView, now: Shown) -> photos.Firing | None:
    """Where the concept is and the unit fires or not; None without a concept, or where that is not known."""
    annotated = now.concept >= 0 and view.shade_of(now.concept) is None
    present = results.source(view).present(now.concept) if annotated else None
    return photos.firing(view, now.unit, present) if present is not None else None


def _silent_row(view: LayerView, now: Shown, source: Source) -> None:
    """Photographs that contain the concept while the unit does not fire."""
    if now.concept < 0 or view.shade_of(now.concept) is not None:
        return
    name = plain(view.concepts[now.concept].name)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**Contains “{name}” while unit {now.unit} is silent**", width="content")
        how("silent")
    found = _silence(view, now)
    if found is None:
        st.caption("Which images contain it is not known: that part of the result is missing from the cache.")
        return
    st.markdown(words.silence_words(view, now.unit, now.concept, found))
    made = photos.of_silence(view, now.concept, found, source)
    if made:
        mode = "photo" if now.mode == "photo" else "annotation"
        gallery(
            view,
            made,
            Choice("silent_row", now.unit, now.concept, mode, now.silent),
            lambda image: state.change(image=None if image is None else f"{SILENT}{image}"),
        )
