"""The Ablation page's upper half: facts, what each class loses, images whose answer changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from interpret_core.analyses.ablation import comparison as ablation_rows
from interpret_core.analyses.ablation.ablator import Estimate
from interpret_core.analyses.ablation.comparison import ACCURACY, METRICS, ClassChange, Seen
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.figures.colours import badge_of
from interpret_core.measures.ablation.evaluation import Evaluation, tally
from interpret_core.measures.ablation.settings import HAND, RANDOM, Setting
from ui.ablation import flips, sliders
from ui.ablation.sliders import STEPS, Choice
from ui.ablation.steps import Runs, Task, runs
from ui.components.bars.bars import MOST, class_bars, drawn
from ui.components.control.control import buttons
from ui.components.saves import saves
from ui.session import ablations
from ui.session.ablations import Bench
from ui.session.live.queue import Busy
from ui.session.memory import kept
from ui.shell import state
from ui.shell.component import Written, written
from ui.shell.how import how
from ui.shell.plain import plain
from ui.shell.theme import count_text

PARAMETERS = ("metric", "part", "span", "flips", "total", "keep", "compare")
Selection = Mapping[str, tuple[int, ...]]


class Found(NamedTuple):
    """What is known of one setting so far.

    Attributes:
        choice, setting, selection: what is silenced.
        runs: the intact network, the setting, the random controls.
        both: images that intact and silenced network have answered.
        rows: what each class loses, the target first.
        controls: of the complete random controls.
    """

    choice: Choice
    setting: Setting
    selection: Selection
    runs: Runs
    both: Seen
    rows: list[ClassChange]
    controls: list[Evaluation]

    @property
    def complete(self) -> bool:
        """Whether all images have been evaluated."""
        return len(self.both.rows) == (self.runs[1].total if self.runs[1] else 0)


def found(bench: Bench, choice: Choice) -> Found:
    """Take one step and say what is known.

    Raises:
        NotRanked: nothing ranks the units yet.
        Busy: others come first, and nothing is known yet.
        UserError: a setting that cannot be followed.
    """
    setting = choice.setting()
    selection, settings = _settings(bench.plan, setting)
    tasks = [Task(bench, one) for one in settings]
    going = runs("main", bench.identity, tasks, lambda task: bench.known(task.setting))
    going.step()
    if going.waits and None in (going[0], going[1]):
        raise Busy(going.waits)
    return _found(bench, choice, selection, going)


def stored(bench: Bench, choice: Choice) -> Found | None:
    """The same where the grid in the store knows all of it, else None; computes nothing."""
    selection, settings = _settings(bench.plan, choice.setting())
    known = [bench.known(one) for one in settings]
    if any(one is None for one in known):
        return None
    return _found(bench, choice, selection, Runs([Task(bench, one) for one in settings], known))


def _settings(plan: AblationPlan, setting: Setting) -> tuple[Selection, list[Setting]]:
    """Units of a setting; the intact network, the setting, its random controls."""
    selection = plan.selection(setting)
    return selection, [Setting(), setting, *ablation_rows.random_controls(plan, setting, selection)]


def _found(bench: Bench, choice: Choice, selection: Selection, going: Runs) -> Found:
    plan, setting = bench.plan, choice.setting()
    intact, silenced = going[0], going[1]
    if intact is None or silenced is None:
        raise RuntimeError("A step was taken, so both are known.")
    controls = [_evaluation(plan, going[2 + seed]) for seed in range(len(going.tasks) - 2)]
    done = [one for one in controls if one is not None]
    both = ablation_rows.seen(intact, silenced)
    if going.complete:  # the same for whoever looks at it, until the next setting
        rows = _rows((bench.identity, setting, choice.name, _weight(both), len(done)), plan, both, done)
    else:
        rows = ablation_rows.class_rows(plan, both, done, choice.name)
    return Found(choice, setting, selection, going, both, rows, done)


@kept(256)
def _rows(
    what: tuple[Any, ...], _plan: AblationPlan, _both: Seen, _controls: Sequence[Evaluation]
) -> list[ClassChange]:
    return ablation_rows.class_rows(_plan, _both, _controls, what[2])


def _weight(both: Seen) -> tuple[float, float]:
    """Tells apart answers of another computation: its numbers may differ in the last digit."""
    return float(both.before.probability.sum()), float(both.after.probability.sum())


def _evaluation(plan: AblationPlan, estimate: Estimate | None) -> Evaluation | None:
    if estimate is None or not estimate.complete:
        return None
    return tally(estimate.answers, plan.labels, plan.outputs)


def heading(bench: Bench, now: Found) -> None:
    """The sentence of facts, and where the numbers come from."""
    title, _ = ablations.title(bench)
    st.markdown(f"**{plain(title)}** on **{plain(bench.case.dataset)}**: {sentence(now)}")
    every = {layer.name: layer.units for layer in bench.plan.layers}
    if {name: len(units) for name, units in now.selection.items()} == every:
        st.caption(
            "All units of every layer are silenced: no response tells one image from another any more, so "
            "that all get the same answer."
        )


def sentence(now: Found) -> str:
    """What the setting costs the class that is watched, beside random units."""
    if not now.selection:
        return f"nothing is silenced. {_intact(now)}"
    target = next((row for row in now.rows if row.target), None)
    layers = sliders.counted(dict(now.selection))
    subject = f"silencing {sliders.what(now.choice)} ({layers})"
    if now.setting.by == "relevance":
        subject += f" for **{plain(now.choice.name)}**"
    if target is None or not target.images:
        return f"{subject}. No evaluated image shows {plain(now.choice.name)}; below is what the others lose."
    cost, images = target.before - target.right, target.images
    verb = f"costs {plain(target.name)} **{cost} of {images}**" if cost > 0 else _spared(target, cost)
    far = "" if images == target.population else f" seen so far (of {target.population})"
    parts = [
        f"{subject} {verb} {'image' if images == 1 else 'images'}{far}: {target.before} → {target.right} "
        f"right, mean probability {target.probability_before:.2f} → {target.probability:.2f}{_others(now)}"
    ]
    if target.random and target.images == target.population:
        lost = [target.before - target.population * share for share in (target.random[0],)]
        deviation = target.population * target.random[1]
        spread = "" if deviation != deviation else f" ± {deviation:.1f}"
        parts.append(f"as many random units cost {lost[0]:.1f}{spread}")
    return "; ".join(parts) + "."


def _others(now: Found) -> str:
    """The same of the other classes, every class counting alike."""
    rows = [row for row in now.rows if not row.target and row.images]
    if not rows:
        return ""
    before, after = (
        sum(getattr(row, name) for row in rows) / len(rows) for name in ("probability_before", "probability")
    )
    return f" (the others {before:.2f} → {after:.2f})"


def _spared(target: ClassChange, cost: int) -> str:
    if cost < 0:
        return f"gains {plain(target.name)} **{-cost} of {target.images}**"
    return f"costs {plain(target.name)} **none of {target.images}**"


def _intact(now: Found) -> str:
    right, images = sum(row.before for row in now.rows), sum(row.images for row in now.rows)
    return f"The intact network recognises **{right:,} of {images:,}** images."


def progress(now: Found) -> None:
    """How many images the numbers rest on, and how many controls."""
    seen, total = len(now.both.rows), now.runs.tasks[1].ablator.plan.images.size
    controls, wanted = len(now.controls), len(now.runs.tasks) - 2
    if not now.complete:
        st.progress(
            seen / max(1, total),
            text=f"Estimated on {seen:,} of {total:,} images; the intervals shrink until all are done",
        )
        if now.runs.waits:
            st.caption(now.runs.waits)
        return
    parts = [f"All {count_text(total, 'image')}"]
    if wanted and controls < wanted:
        parts.append(f"random control: {controls} of {wanted} seeds done")
    few = sum(row.few for row in now.rows)
    if few:
        parts.append(f"hollow: fewer than 10 images, with 95 % intervals ({few} of {len(now.rows)} classes)")
    if len(now.rows) > MOST:
        parts.append(f"the first {MOST} of {len(now.rows):,} classes; all are in the table")
    st.caption(" · ".join(parts))


def costs(bench: Bench, now: Found, *, steps: bool) -> str:
    """The chart, its table, and the images whose answer changed.

    Args:
        bench: whose, and what is known of the setting.
        now: whose, and what is known of the setting.
        steps: whether the slider's steps are in the store: then the browser draws them by itself.

    Returns:
        The metric shown.
    """
    metric = metric_box()
    progress(now)
    which = bench.identity, title_of(bench)  # one network may be looked at under two names
    ahead = _ahead(which, now.choice._replace(percent=0.0), metric, bench) if steps else None
    class_bars(
        drawn(now.rows, metric, _whose(bench, now)),
        "class_bars",
        lambda name: state.change(**{"class": name}),
        at=sliders.percent_text(now.choice.percent) or f"{sliders.DEFAULT_PERCENT:g}",
        ahead=ahead,
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        saves.saves(
            f"ablation_{bench.case.network}_{now.choice.name}",
            partial(ablation_rows.table, now.rows, about(bench, now)),
            "save_costs",
        )
        st.caption("A press on a bar silences for its class.", width="content")
        how("ablation", "control", "estimate")
    flips.strip(bench, now.both, now.choice.name)
    return metric


@kept(32)
def _ahead(which: tuple[object, ...], choice: Choice, metric: str, _bench: Bench) -> Written:
    """The chart of each step of the slider: it follows the thumb, and the rest of the page follows it."""
    made = {}
    for percent in STEPS:
        now = stored(_bench, choice._replace(percent=percent))
        if now is not None:
            made[f"{percent:g}"] = drawn(now.rows, metric, _whose(_bench, now))
    return written({"steps": made})


def _whose(bench: Bench, now: Found) -> str:
    return f"{title_of(bench)} · {_brief(now)}"


def metric_box() -> str:
    """Accuracy or probability."""
    return buttons("Bars show", "metric", METRICS, ACCURACY)


def title_of(bench: Bench) -> str:
    """What a figure is about and what the evidence is worth."""
    name, evidence = ablations.title(bench)
    return badge_of(f"{name} on {bench.case.dataset}", evidence)


def _brief(now: Found) -> str:
    what = sliders.what(now.choice, str)
    target = f" for {now.choice.name}" if now.setting.by == "relevance" else ""
    seen = "" if now.complete else f", {len(now.both.rows):,} images so far"
    return f"silenced: {what}{target}{seen}"


def about(bench: Bench, now: Found) -> dict[str, Any]:
    """In every row of an export: whose, and what was silenced."""
    setting = now.setting
    network = bench.plan.network
    return {
        "network": bench.case.network,
        "evidence": network.evidence,
        "dataset": bench.case.dataset,
        "split": bench.case.split,
        "by": setting.by,
        "ranked_for": setting.of or None,
        "direction": setting.direction if setting.of else None,
        "fraction": setting.fraction if setting.by != HAND else None,
        "seed": setting.seed if setting.by == RANDOM else None,
        "value": setting.value,
        "silenced": sum(map(len, now.selection.values())),
        "units": " ".join(f"{layer}:{unit}" for layer, units in now.selection.items() for unit in units),
    }


def names_of(views: Mapping[str, Any]) -> Sequence[str]:
    """Concepts that can rank by IoU: those of the profile."""
    if not views:
        return ()
    names: Sequence[str] = next(iter(views.values())).summary.profile.concept_names
    return names
