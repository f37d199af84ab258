"""Runs requests: in this process, shard by shard, with progress, cancellation and resumption."""

from interpret_core.engine.evaluating import Evaluated, EvaluationRequest, run_evaluation
from interpret_core.engine.mapping import ImageMap, image_map
from interpret_core.engine.planning import RelevancePlan, plan
from interpret_core.engine.profiling import Execution, Outcome, run_profile, run_profile_job
from interpret_core.engine.relating import Related, run_relevance, run_relevance_job

__all__ = [
    "Evaluated",
    "EvaluationRequest",
    "Execution",
    "ImageMap",
    "Outcome",
    "Related",
    "RelevancePlan",
    "image_map",
    "plan",
    "run_evaluation",
    "run_profile",
    "run_profile_job",
    "run_relevance",
    "run_relevance_job",
]
