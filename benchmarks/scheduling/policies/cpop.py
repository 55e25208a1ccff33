"""CPOP, critical path on a processor.

Topcuoglu, Hariri, Wu: as `heft`, section 4.3. Ready tasks by the sum of upward and downward rank;
those on the critical path go to the one device that does all of it in the least time, the others
to the device that finishes them first, earlier gaps included.

Deviations: equal priorities go in topological order. Where no device knows all skills of the
critical path, or the one that did is closed, its tasks go to the device that finishes them first.
"""

import heapq
from math import inf, isclose

from benchmarks.scheduling.model import Problem
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import heft


def schedule(plan: Plan) -> Plan:
    """Fill a plan: O(edges · devices), and a look at the gaps."""
    problem = plan.problem
    priority = priorities(problem)
    path = set(critical_path(problem, priority))
    cost = {d: sum(problem.costs[task][d] for task in path) for d in plan.open}
    best = min(cost, key=cost.__getitem__)
    place = {task: number for number, task in enumerate(problem.order)}
    ready = [(-priority[task], place[task], task) for task in plan.ready()]
    heapq.heapify(ready)
    while ready:
        _, _, task = heapq.heappop(ready)
        on_path = task in path and cost[best] < inf
        plan.take(plan.earliest(task, best) if on_path else plan.soonest(task))
        for after in plan.released(task):
            heapq.heappush(ready, (-priority[after], place[after], after))
    return plan


def priorities(problem: Problem) -> list[float]:
    """Return the longest path through each task: upward plus downward rank (eqs. 8 and 10)."""
    down = [0.0] * len(problem.costs)
    for task in problem.order:
        for source, size in problem.predecessors[task]:
            before = down[source] + problem.mean_costs[source] + problem.mean_transfer(size)
            down[task] = max(down[task], before)
    return [a + b for a, b in zip(heft.upward_ranks(problem), down, strict=True)]


def critical_path(problem: Problem, priority: list[float]) -> list[int]:
    """Return a path of tasks that have the highest priority, from an entry to an exit."""
    longest = max(priority)
    entries = [task for task in problem.order if not problem.predecessors[task]]
    path, following = [], entries
    while following:
        task = max(following, key=priority.__getitem__)
        assert isclose(priority[task], longest, rel_tol=1e-6, abs_tol=1e-9)
        path.append(task)
        following = [successor for successor, _ in problem.successors[task]]
    return path
