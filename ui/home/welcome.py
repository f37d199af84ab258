"""The home page on the demo: what one sees, three things to try, and the way to one's own data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from interpret_core import demo
from interpret_core.errors import UnitscopeError
from interpret_core.measures.assessment.contest import BEATS
from ui.access.told import told
from ui.components.markup import pictures
from ui.components.misnomer import Misnomer, misnomer
from ui.session import precedence, results
from ui.session.layers import Layers
from ui.session.view import LayerView
from ui.shell import links, lists
from ui.shell.plain import plain
from ui.shell.sidebar import Ask

NETWORKS = tuple(f"{demo.PREFIX}{name}" for name in demo.NETWORKS)
UNIT = ("conv1", 41)  # the unit of the paper's introduction, in its first layer here
PICTURES = 4


class Step(NamedTuple):
    """One card: what to try, whose pictures look out of it, and where it leads."""

    title: str
    text: str
    view: LayerView
    units: Sequence[int]
    label: str
    page: str
    parameters: dict[str, str | int]


def shown(ask: Ask | None) -> bool:
    """Whether the home page is about the demo, and there is something to see."""
    if ask is None or ask.dataset != demo.NAME or ask.network not in NETWORKS or not demo.shown():
        return False
    try:
        return results.ready(ask._replace(network=NETWORKS[0]))
    except UnitscopeError:
        return False


def welcome(ask: Ask) -> None:
    """What is seen here, and what to try first."""
    opened = ask._replace(network=NETWORKS[0])
    chosen = ask if precedence.ready(ask) else opened
    try:
        images = len(results.dataset(ask.dataset))
        layers, own = results.layers(opened), results.layers(chosen)
        first = _misleading(chosen, own) if own else None
    except UnitscopeError as error:
        st.error(plain(told(error)))
        return
    if not layers:
        return
    steps = (first or _one_unit(layers), *_steps(layers))
    classes = len(results.class_names(opened.network))
    st.markdown(
        f"**You are looking at the demo:** {images:,} rendered scenes, annotated to the pixel, and three "
        f"small networks that learned {classes} classes from thousands of others like them. What the pages "
        "say of them was computed, not made up; being rendered, it is for learning the tool and for "
        "teaching, not for conclusions about photographs."
    )
    st.subheader("Three things to try")
    for column, (number, step) in zip(st.columns(3, gap="medium"), enumerate(steps, 1), strict=True):
        with column.container(border=True, height="stretch", key=f"step_{number}"):
            st.markdown(f"**{number} · {step.title}**")
            st.html(pictures(step.view, step.units, PICTURES))
            st.markdown(step.text)
            links.link(step.label, step.page, **step.parameters)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("And then: what does a network make of what its units see?", width="content")
        here: dict[str, str | int] = {"network": opened.network, "dataset": demo.NAME}
        links.link("Relevance →", links.RELEVANCE, **here)
        links.link("Agreement →", links.AGREEMENT, **here)
        links.link("Shared units →", links.SHARED, **here)


def _misleading(ask: Ask, layers: Layers) -> Step | None:
    """The unit of the chosen network that shows best why a label is no finding; None where none does."""
    found = misnomer(layers)
    if found is None:
        return None
    view, unit, layer = layers[found.layer], found.unit, found.layer
    return Step(
        "See a label mislead",
        f"Labelled “{plain(found.label)}”, yet it responds to a shade of {plain(found.shade)}: "
        f"{plain(layer)} unit {unit}. Colour alone tells where it is active (average precision "
        f"{found.colour:.2f}), the annotation {_beside(found, view)} ({found.annotation:.2f}). "
        "Arrow keys lead to the next.",
        view,
        [unit, *(other for other in _strongest(view) if other != unit)],
        f"Open unit {unit} →",
        links.UNITS,
        {"network": ask.network, "dataset": demo.NAME, "layer": layer, "unit": unit},
    )


def _beside(found: Misnomer, view: LayerView) -> str:
    """How the annotation tells: hardly only where it is as good as guessing blindly."""
    assessment = view.summary.assessment
    blind = float(assessment.arrays["base_rate"][found.unit]) if assessment else 0.0
    return "hardly" if found.annotation < BEATS * blind else "less well"


def _one_unit(layers: Layers) -> Step:
    """The unit of the paper's introduction, where nothing says which label misleads."""
    first = layers.get(UNIT[0]) or layers[next(iter(layers))]
    unit = min(UNIT[1], first.layer.units - 1)
    return Step(
        "Meet one unit",
        f"Unit {unit} of {plain(first.layer.name)}: its strongest scenes with its mask, the concept "
        "it overlaps best with, and what chance alone would give. Arrow keys lead to the next.",
        first,
        [unit, *(other for other in _strongest(first) if other != unit)],
        f"Open unit {unit} →",
        links.UNITS,
        {"network": NETWORKS[0], "dataset": demo.NAME, "layer": first.layer.name, "unit": unit},
    )


def _steps(layers: Layers) -> tuple[Step, ...]:
    counts = layers.counts
    last = layers[list(layers)[-1]]
    rich = layers[max(counts, key=lambda name: counts[name].concepts)]
    best = [one[0] for one in rich.concept_counts().values()]
    here = {"network": NETWORKS[0], "dataset": demo.NAME}
    return (
        Step(
            "Go deeper",
            f"The last layer, {plain(last.layer.name)}, sees larger pieces of a scene. Type a concept into "
            "the search, or sort by z against chance, and compare with the first layer.",
            last,
            _strongest(last),
            f"Browse {plain(last.layer.name)} →",
            links.UNITS,
            {**here, "layer": last.layer.name},
        ),
        Step(
            "Compare three networks",
            "Which concepts AlexNet, VGG11 and ResNet18 came upon, layer by layer; drag the cut-off, click a "
            "bar, and see the same concept in all three.",
            rich,
            best or _strongest(rich),
            "Compare concepts →",
            links.CONCEPTS,
            {**here, "compare": lists.joined(NETWORKS[1:])},
        ),
    )


def _strongest(view: LayerView) -> list[int]:
    return [int(unit) for unit in np.argsort(-view.iou, kind="stable")]
