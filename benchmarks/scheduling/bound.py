"""A lower bound on the makespan of any schedule: critical path and capacity.

The path takes every task's least cost and no transfers. Capacity is the dual of the linear
relaxation of assignment to unrelated machines: for any weights y ≥ 0 with Σ slots·y = 1, the sum
over tasks of their least y-weighted cost bounds the makespan from below. Two choices are tried:
equal weights, and weights inverse to the device's mean cost, which for devices that differ in
speed alone gives total work by total speed.
"""

from collections.abc import Sequence
from math import inf

from benchmarks.scheduling.model import Problem


def lower_bound(problem: Problem) -> float:
    """Return the larger of both bounds; 0 where there is nothing to do."""
    if not problem.costs:
        return 0.0
    devices = problem.fleet.devices
    even = [1.0] * len(devices)
    return max(_path(problem), _capacity(problem, even), _capacity(problem, _inverse(problem)))


def _path(problem: Problem) -> float:
    finish = [0.0] * len(problem.costs)
    for task in problem.order:
        ready = max((finish[source] for source, _ in problem.predecessors[task]), default=0.0)
        release = problem.instance.tasks[task].release
        finish[task] = max(ready, release) + min(problem.costs[task])
    return max(finish)


def _inverse(problem: Problem) -> list[float]:
    weights = []
    for column in zip(*problem.costs, strict=True):
        known = [cost for cost in column if cost < inf]
        total = sum(known)
        weights.append(len(known) / total if total > 0.0 else 0.0)
    return weights


def _capacity(problem: Problem, weights: Sequence[float]) -> float:
    devices = problem.fleet.devices
    whole = sum(w * device.slots for w, device in zip(weights, devices, strict=True))
    if whole == 0.0:
        return 0.0
    return (
        sum(
            min(w * cost for w, cost in zip(weights, row, strict=True) if cost < inf)
            for row in problem.costs
        )
        / whole
    )
