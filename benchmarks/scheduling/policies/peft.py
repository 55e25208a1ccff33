"""PEFT, predict earliest finish time.

Arabnejad, Barbosa: List scheduling algorithm for heterogeneous systems by an optimistic cost
table, IEEE TPDS 25(3), 2014, section 4. Ready tasks by their mean optimistic cost, each to the
device with the least finish time plus optimistic cost, earlier gaps included.

Deviation: equal priorities go to the task that comes first topologically.
"""

import heapq
from math import inf

from benchmarks.scheduling.model import Problem
from benchmarks.scheduling.plan import Plan


def schedule(plan: Plan) -> Plan:
    """Fill a plan: O(edges · devices²)."""
    table = optimistic_costs(plan.problem)
    rank = [_mean([cost for cost in row if cost < inf]) for row in table]
    place = {task: number for number, task in enumerate(plan.problem.order)}
    ready = [(-rank[task], place[task], task) for task in plan.ready()]
    heapq.heapify(ready)
    while ready:
        _, _, task = heapq.heappop(ready)
        choices = [plan.earliest(task, device) for device in plan.choices(task)]
        chosen = table[task]
        plan.take(min(choices, key=lambda choice: choice.finish + chosen[choice.device]))
        for after in plan.released(task):
            heapq.heappush(ready, (-rank[after], place[after], after))
    return plan


def optimistic_costs(problem: Problem) -> list[list[float]]:
    """Return the time from the end of each task, if on each device, to the end of all (eq. 5)."""
    table = [[0.0] * len(problem.devices) for _ in problem.costs]
    for task in reversed(problem.order):
        for successor, size in problem.successors[task]:
            transfer = problem.mean_transfer(size)
            # Either it stays here, or it goes to the best of all devices.
            totals = [
                own + cost
                for own, cost in zip(table[successor], problem.costs[successor], strict=True)
            ]
            best = min(totals) + transfer
            table[task] = [
                max(known, min(here, best))
                for known, here in zip(table[task], totals, strict=True)
            ]
    return table


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
