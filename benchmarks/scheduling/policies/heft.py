"""HEFT, heterogeneous earliest finish time.

Topcuoglu, Hariri, Wu: Performance-effective and low-complexity task scheduling for heterogeneous
computing, IEEE TPDS 13(3), 2002, section 4.2. Tasks in the order of their upward ranks (eq. 8),
each to the device that finishes it first, earlier gaps included.

Deviation: equal ranks go in topological order, where the paper draws lots; tasks that take no
time would otherwise come before their predecessors.
"""

from benchmarks.scheduling.model import Problem
from benchmarks.scheduling.plan import Plan


def schedule(plan: Plan) -> Plan:
    """Fill a plan: O(edges · devices), and a look at the gaps."""
    for task in plan.left(order(plan.problem)):
        plan.take(plan.soonest(task))
    return plan


def order(problem: Problem) -> list[int]:
    """Return the tasks by falling upward rank."""
    rank = upward_ranks(problem)
    return sorted(problem.order, key=lambda task: -rank[task])


def upward_ranks(problem: Problem) -> list[float]:
    """Return the longest path from each task to the end, with mean costs (eq. 8)."""
    rank = [0.0] * len(problem.costs)
    for task in reversed(problem.order):
        onwards = (problem.mean_transfer(size) + rank[s] for s, size in problem.successors[task])
        rank[task] = problem.mean_costs[task] + max(onwards, default=0.0)
    return rank
