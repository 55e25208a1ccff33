"""The benchmark `limits`: its parts and its goals."""

from benchmarks.frame import Benchmark, Goal
from benchmarks.limits import compaction, fleet, large_run

GOALS: dict[str, Goal] = {
    "limits.devices": (">=", 1_000),
    "limits.running": (">=", 10_000),
    "limits.tasks": (">=", 100_000),
    "limits.bytes_per_task": ("<=", 4_096),
    "limits.journal_growth": ("<=", 1.25),
}

BENCHMARK = Benchmark(
    name="limits", goals=GOALS, parts=(fleet.measure, large_run.measure, compaction.measure)
)

__all__ = ["BENCHMARK", "GOALS"]
