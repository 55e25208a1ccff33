"""What the estimator does to the rule, without a device: leases from samples, judged exactly.

A gap that is kept for up to τ costs `H(τ) + (1 - F(τ))·R` seconds of memory, reload included. The
workloads' gaps are log-normal, so that this is known in closed form, and a sweep of the threshold
is free of noise: with `F` known the best is 1, as the theory has it. A window of samples moves it,
because a lease that is too short by chance costs more than one that is too long.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from statistics import geometric_mean
from typing import Final, NamedTuple

from benchmarks.frame import Figures, Item, Options, Progress, Row
from benchmarks.pinning import closed_form
from benchmarks.pinning.workloads import WORKLOADS, Wait
from benchmarks.workers import spread
from orchestrator.core.retention.curve import Curve, product_limit

GRID: Final = tuple(tenths / 10 for tenths in range(5, 17))
WINDOWS: Final = (20, 128, 512)  # from when a key speaks; as it is; as it might be
DRAWN: Final = 400
QUICK_DRAWN: Final = 100
EXACT: Final = 4_000  # quantiles that stand for the distribution itself


class Case(NamedTuple):
    """Samples of every wait of a workload, drawn so many times; 0 samples: `F` is known."""

    workload: str
    samples: int
    seed: int
    drawn: int


def measure(options: Options) -> Iterator[Item]:
    """Sweep the threshold for each window; costs are over that of the best leases there are."""
    drawn = QUICK_DRAWN if options.quick else DRAWN
    cases = [
        Case(name, samples, options.seed, drawn) for samples in (0, *WINDOWS) for name in WORKLOADS
    ]
    costs: dict[tuple[int, str], list[float]] = {}
    for case, found in spread(options, costs_s, cases):
        costs[case.samples, case.workload] = found
        yield Progress(len(costs) / len(cases), f"leases from {case.samples or 'all'} gaps")
    for samples in (0, *WINDOWS):
        name = f"window_{samples}" if samples else "exact"
        means = [_over_best(costs, samples, n) for n in range(len(GRID))]
        at_1, least = means[GRID.index(1.0)], min(means)
        for threshold, cost in zip(GRID, means, strict=True):
            yield Row({"part": "estimation", "gaps": name, "threshold": threshold, "cost": cost})
        yield Figures(
            {
                f"threshold_argmin.{name}": GRID[means.index(least)],
                f"threshold_loss.{name}": at_1 / least - 1.0,
                f"estimation_loss.{name}": at_1 - 1.0,
            }
        )


def _over_best(
    costs: Mapping[tuple[int, str], Sequence[float]], samples: int, place: int
) -> float:
    """Return the cost at a place of the grid over that of the best leases: workloads together."""
    ratios = (costs[samples, name][place] / min(costs[0, name]) for name in WORKLOADS)
    return geometric_mean(ratios)


def costs_s(case: Case) -> list[float]:
    """Return the mean seconds of memory for a gap, at each threshold."""
    workload = WORKLOADS[case.workload]
    costs = [0.0] * len(GRID)
    for wait in workload.waits:
        for curve in _curves(wait, case):
            for n, threshold in enumerate(GRID):
                lease_s = curve.lease_s(workload.reload_s / threshold)
                missed = 1.0 - wait.returned(lease_s)
                cost_s = wait.held_s(lease_s) + missed * workload.reload_s
                costs[n] += wait.share * cost_s / (case.drawn if case.samples else 1)
    return costs


def _curves(wait: Wait, case: Case) -> Iterator[Curve]:
    if not case.samples:
        yield closed_form.known(wait, EXACT)
        return
    chance = random.Random(f"{case.seed}|{wait}|{case.samples}")
    for _ in range(case.drawn):
        gaps_s = (wait.gap_s(chance.gauss(0.0, 1.0)) for _ in range(case.samples))
        yield product_limit(sorted((gap_s, False) for gap_s in gaps_s))
