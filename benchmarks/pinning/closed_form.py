"""The load that a memory-bound device sustains, in closed form.

`E[x] / (E[x] + H(lease) + (1 - F(lease))·R)`: the share of the held memory that does work. A run
of n turns has n - 1 gaps and loads once more, so the expectations are taken over whole runs.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import NormalDist

from benchmarks.pinning.workloads import Run, Wait, Workload
from orchestrator.core.retention.curve import Curve, product_limit


def known(wait: Wait, points: int) -> Curve:
    """Return the curve of a wait whose distribution is known, by so many quantiles of it."""
    normal = NormalDist().inv_cdf
    gaps_s = (wait.gap_s(normal((n + 0.5) / points)) for n in range(points))
    return product_limit([(gap_s, False) for gap_s in gaps_s])


def curves(runs: Sequence[Run]) -> dict[Wait, Curve]:
    """Return the curve of each wait, from all gaps of it: those between two turns."""
    gaps = defaultdict[Wait, list[tuple[float, bool]]](list)
    for run in runs:
        for turn in run.turns[:-1]:
            gaps[turn.wait].append((turn.gap_s, False))
    return {wait: product_limit(sorted(drawn)) for wait, drawn in gaps.items()}


def leases_s(workload: Workload, runs: Sequence[Run]) -> dict[Wait, float]:
    """Return the best lease for each wait, if its gaps are those that were drawn."""
    return {wait: curve.lease_s(workload.reload_s) for wait, curve in curves(runs).items()}


def held_s(workload: Workload, runs: Sequence[Run], lease_s: Callable[[Wait], float]) -> float:
    """Return the mean seconds that a run holds memory."""
    total = 0.0
    for run in runs:
        total += workload.reload_s + sum(turn.work_s for turn in run.turns)
        for turn in run.turns[:-1]:
            lease = lease_s(turn.wait)
            total += turn.gap_s if turn.gap_s <= lease else lease + workload.reload_s
    return total / len(runs)


def work_s(runs: Sequence[Run]) -> float:
    """Return the mean seconds that a run works."""
    return sum(turn.work_s for run in runs for turn in run.turns) / len(runs)
