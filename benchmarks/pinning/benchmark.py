"""The benchmark `pinning`: its parts and its goals. The names of the figures are a contract."""

from benchmarks.frame import Benchmark, Goal
from benchmarks.pinning import estimator, race, sustained, threshold
from benchmarks.pinning.workloads import WORKLOADS

GOALS: dict[str, Goal] = {
    "closed_form_error_max": ("<=", 0.03),
    "paired_wins_share": (">=", 0.90),
    "worst_ratio_continuum": ("<=", 1.01),
    **{f"clairvoyant_ratio.{name}": ("<=", 1.07) for name in WORKLOADS},
    "threshold_distance": ("<=", 0.1001),  # of the best threshold from 1, on a grid of 0.1
    "estimator.add_us": ("<=", 5.0),
    "estimator.query_us": ("<=", 2.0),
    "estimator.rebuild_us": ("<=", 300.0),
}

BENCHMARK = Benchmark(
    name="pinning",
    goals=GOALS,
    parts=(
        estimator.measure,
        sustained.measure,
        threshold.measure_held,
        race.measure,
        threshold.measure,
    ),
    settings={"seeds": "how many seeds, from --seed on (8)"},
)

__all__ = ["BENCHMARK", "GOALS"]
