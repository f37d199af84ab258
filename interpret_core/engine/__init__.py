"""Runs requests: in this process, shard by shard, with progress, cancellation and resumption."""

from interpret_core.engine.ablating import Ablator, Estimate
from interpret_core.engine.effects import Effects, find_effects, run_effects
from interpret_core.engine.evaluating import Evaluated, EvaluationRequest, run_evaluation
from interpret_core.engine.gridding import Grid, find_grid, run_ablation
from interpret_core.engine.mapping import ImageMap, image_map
from interpret_core.engine.planning import RelevancePlan, plan
from interpret_core.engine.profiling import Execution, Outcome, run_profile
from interpret_core.engine.relating import Related, run_relevance
from interpret_core.engine.runners import (
    run_ablation_job,
    run_effects_job,
    run_profile_job,
    run_relevance_job,
)
from interpret_core.engine.scoring import NotRanked
from interpret_core.engine.silencing import AblationPlan, ablation_plan

__all__ = [
    "AblationPlan",
    "Ablator",
    "Effects",
    "Estimate",
    "Evaluated",
    "EvaluationRequest",
    "Execution",
    "Grid",
    "ImageMap",
    "NotRanked",
    "Outcome",
    "Related",
    "RelevancePlan",
    "ablation_plan",
    "find_effects",
    "find_grid",
    "image_map",
    "plan",
    "run_ablation",
    "run_ablation_job",
    "run_effects",
    "run_effects_job",
    "run_evaluation",
    "run_profile",
    "run_profile_job",
    "run_relevance",
    "run_relevance_job",
]
