"""CPOP, critical path on a processor: a static plan that keeps the longest path together.

Rule: ready tasks by the sum of upward and downward rank. Those on the critical path go to the one
device that does all of it in the least time, the others to the device that finishes them first.
Source: Topcuoglu, Hariri, Wu, IEEE TPDS 13(3), 2002, section 4.3. Deviations: as in `heft`; and
where no device can run the whole path, its tasks go like the others.
Promises: the critical path stays on one device, which does it in the least time.
Costs: O(devices) a decision; a plan is O(tasks * (devices + gaps)) and made once a change.
Use it: where results are large and one path is most of the work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.listing import inserted, per_byte
from orchestrator.core.scheduling.outlook import Outlook, Schedule
from orchestrator.core.scheduling.shelf.common.planned import (
    by_priority,
    follow,
    mean_costs,
    upward,
)


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield what the plan starts now."""
    return follow(board, now, schedule)


def schedule(outlook: Outlook, turns: Sequence[int]) -> Schedule:
    """Plan all of it."""
    priority = _through(outlook)
    path = critical(outlook, priority)
    there = [sum(outlook.cost[task][device] for task in path) for device in outlook.devices]
    best = min(outlook.devices, key=there.__getitem__)
    cost = [list(row) for row in outlook.cost]
    if there[best] < inf:
        for task in path:
            cost[task] = [each if d == best else inf for d, each in enumerate(cost[task])]
    return inserted(replace(outlook, cost=cost), by_priority(outlook, turns, priority))


def _through(outlook: Outlook) -> list[float]:
    """Return the longest path through each task: upward plus downward rank (eqs. 8 and 10)."""
    cost, rate = mean_costs(outlook), per_byte(outlook)
    down = [0.0] * len(cost)
    for task in outlook.tasks:
        for source, size in outlook.predecessors[task]:
            down[task] = max(down[task], down[source] + cost[source] + size * rate)
    return [a + b for a, b in zip(upward(outlook), down, strict=True)]


def critical(outlook: Outlook, priority: Sequence[float]) -> list[int]:
    """Return a path of tasks of the highest priority, from its end to its start."""
    inner = {source for links in outlook.predecessors for source, _ in links}
    ends = [task for task in outlook.tasks if task not in inner]
    path = [max(ends, key=priority.__getitem__)]
    while before := [source for source, _ in outlook.predecessors[path[-1]]]:
        path.append(max(before, key=priority.__getitem__))
    return path
