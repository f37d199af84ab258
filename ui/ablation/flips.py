"""Images that the network takes for something else once units are silenced."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from interpret_core.analyses.ablation import comparison as ablation_rows
from interpret_core.analyses.ablation.comparison import Flip, Seen
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.classes.outputs import distinct
from interpret_core.privacy import number_of
from ui.components.saves import saves
from ui.components.unnamed import names_leave
from ui.session import resources
from ui.session.ablations import Bench
from ui.shell import state
from ui.shell.how import how
from ui.shell.theme import count_text

FEW, MOST = 6, 96
LOST, WON, OTHER = "✕", "✓", "≠"


def strip(bench: Bench, both: Seen, target: str) -> None:
    """Pictures, before → after with probabilities; the target's first."""
    plan = bench.plan
    flips = ablation_rows.flips(plan, both, target)
    lost, won = sum(flip.lost for flip in flips), sum(flip.won for flip in flips)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Images whose answer changed**", width="content")
        st.caption(
            f"{len(flips):,} of {count_text(len(both.rows), 'image')}: {lost} lost {LOST} · {won} won {WON}"
            + (f" · {len(flips) - lost - won} other {OTHER}" if len(flips) > lost + won else ""),
            width="content",
        )
        if flips:
            named = names_leave("flips")
            saves.saves(f"flips_{target}", lambda: rows(plan, flips, named=named), "save_flips")
        how("flips")
    if not flips:
        st.caption("Every image seen keeps its answer.")
        return
    every = state.flag("flips")
    shown = flips[: MOST if every else FEW]
    st.html(_pictures(bench, shown))
    if len(flips) > FEW:
        label = "Show fewer" if every else f"Show {min(len(flips), MOST):,}"
        st.button(label, key="more_flips", on_click=state.change, kwargs={"flips": None if every else "1"})


def _pictures(bench: Bench, flips: Sequence[Flip]) -> str:
    plan = bench.plan
    before, after = resources.photo_of(bench.case.dataset, plan.dataset.digest)
    return f'<div class="us-flips">{"".join(_picture(plan, one, before, after) for one in flips)}</div>'


def _picture(plan: AblationPlan, flip: Flip, start: str, end: str) -> str:
    first, second = (_output(plan, number) for number in (flip.before, flip.after))
    truth, file = plan.classes[flip.label].name, plan.dataset.records[flip.image].image
    mark, word = (LOST, "lost") if flip.lost else (WON, "won") if flip.won else (OTHER, "still wrong")
    numbers = f"{flip.probability_before:.2f} → {flip.probability:.2f}"
    told = (
        f"{truth} ({file}): {word}. Taken for {first} ({flip.probability_before:.3f}) by the intact network, "
    )
    told += f"for {second} ({flip.probability:.3f}) with units silenced."
    return (
        f'<figure title="{escape(told)}"><img src="{escape(f"{start}{flip.image}{end}")}" '
        f'alt="{escape(told)}" loading="lazy" width="120" height="120">'
        f"<figcaption><b>{mark} {escape(first)}</b>"
        f"<span>→ {escape(second)}</span><small>{numbers}</small></figcaption></figure>"
    )


def _output(plan: AblationPlan, number: int) -> str:
    names = distinct(plan.network.spec.class_names)
    return names[number] if number < len(names) else f"output {number}"


def rows(plan: AblationPlan, flips: Sequence[Flip], *, named: bool = True) -> list[dict[str, Any]]:
    """The images as flat records, with the names of their files or their numbers alone."""
    return [
        {
            "image": flip.image,
            "name": results_name(plan, flip.image) if named else number_of(flip.image),
            "class": plan.classes[flip.label].name,
            "before": _output(plan, flip.before),
            "probability_before": flip.probability_before,
            "after": _output(plan, flip.after),
            "probability_after": flip.probability,
            "change": "lost" if flip.lost else "won" if flip.won else "other",
        }
        for flip in flips
    ]


def results_name(plan: AblationPlan, image: int) -> str:
    """File name of an image."""
    return str(plan.dataset.records[image].image)
