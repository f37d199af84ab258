"""Runs requests: in this process, shard by shard, with progress, cancellation and resumption."""

from interpret_core.engine.profiling import Execution, Outcome, run_profile, run_profile_job

__all__ = ["Execution", "Outcome", "run_profile", "run_profile_job"]
