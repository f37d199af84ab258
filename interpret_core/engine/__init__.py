"""Runs requests: in this process, shard by shard, with progress, cancellation and resumption."""

from interpret_core.engine.evaluating import Evaluated, EvaluationRequest, run_evaluation
from interpret_core.engine.profiling import Execution, Outcome, run_profile, run_profile_job

__all__ = [
    "Evaluated",
    "EvaluationRequest",
    "Execution",
    "Outcome",
    "run_evaluation",
    "run_profile",
    "run_profile_job",
]
