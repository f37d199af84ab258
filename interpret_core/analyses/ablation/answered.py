"""Answers under any settings: found in the store, or computed by whoever computes for the run, and kept."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence

from interpret_core.analyses.ablation.ablator import Resolved, resolved, stored_answers
from interpret_core.analyses.ablation.means import mean_responses
from interpret_core.analyses.ablation.plan import AblationPlan
from interpret_core.errors import StoreError
from interpret_core.measures.ablation.answers import Answers
from interpret_core.measures.ablation.settings import Setting
from interpret_core.options import Value
from interpret_core.runtime.execution import Execution
from interpret_core.runtime.parts import Parts, forget, run_of
from interpret_core.runtime.reporter import Reporter
from interpret_core.runtime.rounds import Postponed
from interpret_core.runtime.shards import sweep
from interpret_core.runtime.silenced import silenced_answers
from interpret_core.store.records import Record

logger = logging.getLogger(__name__)


def answered(
    plan: AblationPlan, settings: Sequence[Setting], execution: Execution, reporter: Reporter
) -> Mapping[Setting, Answers]:
    """The answers to all of the plan's images under some settings, which are kept.

    Args:
        plan: network, images, rankings.
        settings: what to silence.
        execution: who computes what is missing.
        reporter: told of every image under every setting, also of those that were found.

    Raises:
        NotRanked, ParameterError, LayerError: as `AblationPlan.parts`.
        NonFiniteError: NaN or infinity in an output.
        Cancelled: the user stopped it; finished parts are kept.
    """
    found: dict[Setting, Answers] = {}
    postponed = Postponed()
    for group in _alike([resolved(plan, setting) for setting in settings]):
        with postponed:
            found |= _answered(plan, group, execution, reporter)
    postponed.end()
    return found


def _answered(
    plan: AblationPlan, group: Sequence[Resolved], execution: Execution, reporter: Reporter
) -> dict[Setting, Answers]:
    """Those of settings that can be computed in one pass."""
    there = _stored(plan, group)
    if len(there) == len(group):
        reporter.advance(_stage(group[0].setting), len(there) * len(plan.images))
        return there
    keys = [one.key for one in group]
    run = run_of(f"answers/{hashlib.sha256(' '.join(keys).encode()).hexdigest()}")
    with plan.store.lock(run, reporter.cancelled):
        sweep(plan.store, run)
        there = _stored(plan, group)  # somebody else may have computed them
        missing = [one for one in group if one.setting not in there]
        reporter.advance(_stage(group[0].setting), len(there) * len(plan.images))
        if missing:
            there |= _computed(plan, missing, Parts(plan.store, run, execution, reporter, keys))
        forget(plan.store, run)
    return there


def _stored(plan: AblationPlan, group: Sequence[Resolved]) -> dict[Setting, Answers]:
    found = {one.setting: stored_answers(plan, one) for one in group}
    return {setting: answers for setting, answers in found.items() if answers is not None}


def _alike(settings: Sequence[Resolved]) -> Iterator[list[Resolved]]:
    """Settings that can be computed in one pass: of one class, with the images divided alike."""
    groups: dict[tuple[str, str, tuple[bytes, ...]], list[Resolved]] = {}
    for one in settings:
        divided = tuple(part.rows.tobytes() for part in one.parts)
        groups.setdefault((_stage(one.setting), one.setting.value, divided), []).append(one)
    yield from groups.values()


def _computed(plan: AblationPlan, group: Sequence[Resolved], parts: Parts) -> dict[Setting, Answers]:
    layers = {layer for one in group for part in one.parts for layer in part.selection}
    mean = group[0].setting.value == Value.MEAN and layers
    means = mean_responses(plan, layers, parts) if mean else {}
    stage = _stage(group[0].setting)
    answers = silenced_answers(parts, plan, [one.parts for one in group], stage, means)
    for one, each in zip(group, answers, strict=True):
        try:
            plan.store.put(one.key, Record(each.to_arrays()))
        except StoreError as error:  # whoever asked still gets the numbers
            logger.warning("An ablation could not be kept: %s", error)
    return {one.setting: each for one, each in zip(group, answers, strict=True)}


def _stage(setting: Setting) -> str:
    return "intact" if setting.intact else setting.of or setting.by
