"""The sliders and switches of the ablation page; each writes the URL, which is the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.measures.ablation.selection import SEEDS, TOP
from interpret_core.measures.ablation.settings import HAND, IOU, RANDOM, RELEVANCE
from interpret_core.options import Value, field_of
from ui.ablation import sliders
from ui.ablation.sliders import HAND_BOX, SETTING, SPLITS, STEPS, Choice
from ui.components.control.control import buttons
from ui.components.control.control import choice as choice_in_address
from ui.components.slider.steps import step_slider
from ui.session.ablations import Bench
from ui.shell import notices, silenced, state
from ui.shell.how import how
from ui.shell.plain import plain

BY = {
    RELEVANCE: "relevance for the class",
    IOU: "IoU with a concept",
    RANDOM: "nothing: random units",
    HAND: "by hand alone",
}
DIRECTION = {"top": "top", "bottom": "bottom"}
VALUE = {"zero": "zero", "mean": "their mean"}
_PAST = "_ablation_past"
PAST = 50  # steps back
MANY = 20  # layers that have room beside the chart


def controls(bench: Bench, choice: Choice, concepts: Sequence[str], beside: DeltaGenerator) -> Choice:
    """Draw them; the answer has the percentage that is under the thumb.

    Args:
        bench: whose, and what is chosen.
        choice: whose, and what is chosen.
        concepts: that can rank by IoU.
        beside: the chart, where the slider belongs: both in view while it is dragged, also on a phone.
    """
    plan = bench.plan
    _class(plan, choice)
    choice_in_address("Ranked by", "by", BY, RELEVANCE, kind="ranking")
    if choice.by == IOU:
        _concept(choice, concepts)
    if choice.by in (RELEVANCE, IOU):
        buttons("Units", "direction", DIRECTION, TOP, labelled=True)
    if choice.by == RANDOM:
        seeds = {str(seed): f"seed {seed}" for seed in range(SEEDS)}
        buttons("Random order", "seed", seeds, "0", labelled=True)
    percent = choice.percent
    if choice.by != HAND:
        with beside:
            percent = _percent(choice, live=precomputed(bench, choice))
        _layers(plan, choice)
    _hand(plan, choice)
    buttons("Silenced responses become", "value", VALUE, Value.ZERO.value, labelled=True)
    _steps_back(plan)
    return choice._replace(percent=percent)


def split_box() -> str:
    """Which images are evaluated, in the sidebar: another choice is another plan."""
    return choice_in_address(
        "Evaluated on",
        field_of(AblationRequest, "split").query,
        SPLITS,
        field_of(AblationRequest, "split").default,
        kind="choice of images",
        box=st.sidebar.selectbox,
        help="Rankings are tested on images that they have not seen: either the test images, or every image, "
        "with a ranking from the other images of its class (leave one out; for few images).",
    )


def _class(plan: AblationPlan, choice: Choice) -> None:
    names = sliders.classes(plan)
    key = state.follow("pick_class", choice.name)
    st.selectbox(
        "Class to silence for",
        names,
        key=key,
        help="Its units are ranked and silenced; it is watched first, whatever ranks them.",
        on_change=state.writer("class", key, str),
    )
    if choice.name in plan.without_image:
        st.caption(
            f"No evaluated image shows {plain(choice.name)}: what it loses cannot be measured, what the "
            "others lose can."
        )


def _concept(choice: Choice, concepts: Sequence[str]) -> None:
    if not concepts:
        return
    key = state.follow("pick_concept_ranked", choice.concept)
    st.selectbox("Concept", concepts, key=key, on_change=state.writer("concept", key, str))


def precomputed(bench: Bench, choice: Choice) -> bool:
    """Whether the steps are in the store: then they answer while the slider is dragged."""
    grid = bench.grid(choice.value)
    if choice.units or choice.layers != "inner" or choice.by not in (RELEVANCE, RANDOM):
        return False
    return grid.controls and (choice.by == RANDOM or choice.name in grid.classes)


def _percent(choice: Choice, *, live: bool) -> float:
    def settle(value: float) -> None:
        state.change(percent=sliders.percent_text(value))

    return step_slider("Units of each layer", STEPS, choice.percent, "ablation_percent", settle, live=live)


def _layers(plan: AblationPlan, choice: Choice) -> None:
    names = [layer.name for layer in plan.layers]
    chosen = {"inner": list(plan.inner), "all": names}.get(str(choice.layers), list(choice.layers))
    key = state.follow("pick_layers", chosen)
    spared = [name for name in names if name not in plan.inner]

    def words(name: str) -> str:
        end = "first" if name == names[0] else "last"
        return f"{plain(name)} · {end}" if name in spared else plain(name)

    with _room(f"{len(chosen):,} of {len(names):,} layers", many=len(names) > MANY):
        _pills(plan, names, key, words)
    if spared and choice.layers == "inner":
        st.caption(f"Spared: {', '.join(map(plain, spared))}.")


def _room(label: str, *, many: bool) -> AbstractContextManager[object]:
    """Where the layers stand: those of a deep network would fill the page."""
    return st.popover(label, width="stretch") if many else st.container()


def _pills(plan: AblationPlan, names: list[str], key: str, words: Callable[[str], str]) -> None:
    st.pills(
        "In these layers",
        names,
        selection_mode="multi",
        key=key,
        format_func=words,
        help="The first and the last layer are spared unless they are switched on, as in Islam & Tushar "
        "2021: what they lose, every class loses.",
        on_change=state.writer("layers", key, lambda value: sliders.layers_text(sliders.normal(plan, value))),
    )


def _hand(plan: AblationPlan, choice: Choice) -> None:
    """Chips of the units picked by hand; more can be typed."""
    layers = sliders.units_of(plan)
    shown = [silenced.written([one]) for one in choice.units]
    key = state.follow("pick_units", shown)

    def write() -> None:
        found, refused = silenced.parsed(",".join(st.session_state[key]), layers)
        silenced.tell(refused, HAND_BOX)
        state.change(**{silenced.PARAMETER: silenced.written(found)})

    st.multiselect(
        "Units picked by hand",
        shown,
        key=key,
        accept_new_options=True,
        placeholder="such as " + silenced.written([silenced.example(layers)]) + ", Enter",
        help="Silenced in addition, whatever their layer. Units’ pages and the grid have a switch that "
        "collects them here.",
        on_change=write,
    )
    notices.show(HAND_BOX)


def _now() -> dict[str, str]:
    return {name: state.parameter(name) for name in (*SETTING, silenced.PARAMETER) if state.parameter(name)}


def note(identity: tuple[str, ...]) -> None:
    """Remember the setting for Undo; once per run.

    Args:
        identity: of what the page is about; another one has a past of its own.
    """
    kept = st.session_state.get(_PAST)
    if kept is None or kept[0] != identity:
        kept = (identity, [])
        st.session_state[_PAST] = kept
    past: list[dict[str, str]] = kept[1]
    now = _now()
    if not past or past[-1] != now:
        past.append(now)
        del past[:-PAST]


def _past() -> list[dict[str, str]]:
    """Settings of this page, the present one last."""
    kept: tuple[object, list[dict[str, str]]] = st.session_state.get(_PAST, ((), []))
    return kept[1]


def undo() -> None:
    """Go back to the setting before."""
    past = _past()
    if len(past) > 1:
        past.pop()
        before = past[-1]
        state.change(**{name: before.get(name) for name in (*SETTING, silenced.PARAMETER)})


def reset() -> None:
    """Every slider at its default, nothing picked by hand; the class stays."""
    state.change(**{name: None for name in (*SETTING, silenced.PARAMETER) if name not in ("class", "on")})


def _steps_back(plan: AblationPlan) -> None:
    past = _past()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("↶ Undo", key="undo", on_click=undo, disabled=len(past) < 2)
        st.button("Reset", key="reset", on_click=reset)
        how("ablation", "estimate")
