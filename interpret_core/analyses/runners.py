"""Runs as background jobs: a request as JSON comes in, progress goes into the job's state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from interpret_core.analyses.ablation.grid import run_ablation
from interpret_core.analyses.ablation.request import AblationRequest
from interpret_core.analyses.effects.compute import run_effects
from interpret_core.analyses.profile.compute import run_profile
from interpret_core.analyses.profile.request import ProfileRequest
from interpret_core.analyses.relevance.compute import run_relevance
from interpret_core.analyses.relevance.request import RelevanceRequest
from interpret_core.runtime.execution import Execution
from interpret_core.store.store import Store

Progress = Callable[[str, int, int], None]
Job = Callable[[Mapping[str, Any], Store, Progress, Callable[[], bool]], None]


Request = TypeVar("Request")


def _as_job(
    read: Callable[[Mapping[str, Any]], Request], run: Callable[[Request, Store, Execution], object]
) -> Job:
    """A run whose request is read from JSON; what it returns lies in the store."""

    def job(
        request: Mapping[str, Any], store: Store, progress: Progress, cancelled: Callable[[], bool]
    ) -> None:
        run(read(request), store, Execution(tell=progress, cancelled=cancelled))

    return job


run_profile_job = _as_job(ProfileRequest.from_json, run_profile)
run_relevance_job = _as_job(RelevanceRequest.from_json, run_relevance)
run_ablation_job = _as_job(AblationRequest.from_json, run_ablation)
run_effects_job = _as_job(AblationRequest.from_json, run_effects)
