"""The benchmark `hostile`: its parts and its goals."""

from benchmarks.frame import Benchmark, Goal
from benchmarks.hostile import flood, fuzz

GOALS: dict[str, Goal] = {
    "fuzz.escapes": ("<=", 0),
    "fuzz.works_afterwards": (">=", 1),
    "fuzz.grown_mb": ("<=", 32),
    "flood.wrong": ("<=", 0),
    "flood.rate_after_ratio": (">=", 0.8),
    "flood.grown_mb": ("<=", 64),
}

BENCHMARK = Benchmark(name="hostile", goals=GOALS, parts=(fuzz.measure, flood.measure))
