"""List scheduling: ranks, and insertion in their order.

HEFT (Topcuoglu, Hariri, Wu 2002, section 4.2), and the optimistic cost table of PEFT (Arabnejad,
Barbosa 2014, section 4). Deviations: tasks that have started are fixed, and only the rest is
planned; ties go to the task that comes first, so that what takes no time does not come before its
predecessors.
"""

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from math import inf
from typing import TypeAlias

from orchestrator.core.scheduling.outlook import (
    Outlook,
    Schedule,
    arrivals,
    by_start,
    successors,
)

Lane: TypeAlias = list[tuple[float, float]]
"""From when to when one slot is busy, in order, apart from each other."""


def inserted(
    outlook: Outlook, order: Sequence[int], onward: Sequence[Sequence[float]] | None = None
) -> Schedule:
    """Give each task, in order, the slot that finishes it first, gaps between others included.

    With `onward`, what is left after a task where it runs counts too (Arabnejad, Barbosa, eq. 7).
    """
    lanes = [
        (device, [(0.0, free)]) for device, slots in enumerate(outlook.free) for free in slots
    ]
    finish, device = [0.0] * len(outlook.cost), [0] * len(outlook.cost)
    for task in order:
        came, bring = arrivals(outlook, task, device, finish)
        least, start, chosen = inf, 0.0, lanes[0]
        for lane in lanes:
            here, busy = lane
            takes = bring[here] + outlook.cost[task][here]
            at = gap(busy, came[here], takes)
            value = at + takes + (onward[task][here] if onward is not None else 0.0)
            if value < least:
                least, start, chosen = value, at, lane
        here, busy = chosen
        device[task] = here
        finish[task] = done = start + bring[here] + outlook.cost[task][here]
        occupy(busy, start, done)
    return by_start(outlook, Schedule(max(finish), order, device, finish))


def gap(busy: Lane, ready: float, takes: float) -> float:
    """Return the earliest start from `ready` on; what is busy is in order and does not overlap."""
    if ready >= busy[-1][1]:
        return ready
    start = ready
    for began, ended in busy[bisect_right(busy, ready, key=_end) :]:
        if start + takes <= began:
            break
        start = max(start, ended)
    return start


def occupy(busy: Lane, start: float, done: float) -> None:
    """Take an interval of a slot. Those that touch become one: few are looked at for a gap."""
    at = bisect_right(busy, (start, done))
    after = at < len(busy) and busy[at][0] == done
    before = at > 0 and busy[at - 1][1] == start
    whole = busy[at - 1][0] if before else start, busy[at][1] if after else done
    busy[at - before : at + after] = [whole]


def _end(interval: tuple[float, float]) -> float:
    return interval[1]


def per_byte(outlook: Outlook) -> float:
    """Return the mean over all pairs of devices of the seconds that a byte takes."""
    pairs = len(outlook.free) * (len(outlook.free) - 1)
    return sum(map(sum, outlook.per_byte)) / pairs if pairs else 0.0


def ranked(
    outlook: Outlook, order: Sequence[int], cost: Sequence[float], per_byte: float
) -> list[int]:
    """Return the tasks by falling upward rank."""
    rank = upward(outlook, order, cost, per_byte)
    return sorted(order, key=lambda task: -rank[task])


def upward(
    outlook: Outlook, order: Sequence[int], cost: Sequence[float], per_byte: float
) -> list[float]:
    """Return how long it is from each task's start to the end (Topcuoglu et al. 2002, eq. 8)."""
    below = [0.0] * len(cost)
    rank = [0.0] * len(cost)
    for task in reversed(order):
        rank[task] = own = cost[task] + below[task]
        for source, size in outlook.predecessors[task]:
            below[source] = max(below[source], size * per_byte + own)
    return rank


def by_rank(outlook: Outlook, order: Sequence[int]) -> list[int]:
    """Return the tasks as HEFT takes them: by rank, with mean costs and transfers."""
    return ranked(outlook, order, [mean(row) for row in outlook.cost], per_byte(outlook))


def optimistic_costs(outlook: Outlook, order: Sequence[int], per_byte: float) -> list[list[float]]:
    """Return the least time from each task's end, by its device, to the end of all (eq. 5)."""
    table = [[0.0] * len(outlook.free) for _ in outlook.cost]
    for task in reversed(order):
        totals = [a + b for a, b in zip(table[task], outlook.cost[task], strict=True)]
        least = min(totals)
        for source, size in outlook.predecessors[task]:
            best = least + size * per_byte
            table[source] = [
                max(known, min(here, best))
                for known, here in zip(table[source], totals, strict=True)
            ]
    return table


def by_optimistic_cost(
    outlook: Outlook, order: Sequence[int], table: Sequence[Sequence[float]]
) -> list[int]:
    """Return the tasks as PEFT takes them: of those that are ready, that of the highest mean."""
    rank = [mean(row) for row in table]
    place = {task: number for number, task in enumerate(order)}
    unmet = [len(before) for before in outlook.predecessors]
    after = successors(outlook)
    ready = [(-rank[task], place[task], task) for task in order if not unmet[task]]
    heapify(ready)
    found = []
    while ready:
        _, _, task = heappop(ready)
        found.append(task)
        for waiting in after[task]:
            unmet[waiting] -= 1
            if not unmet[waiting]:
                heappush(ready, (-rank[waiting], place[waiting], waiting))
    return found


def mean(row: Sequence[float]) -> float:
    """Return a task's mean cost over the devices that can do it."""
    known = [cost for cost in row if cost < inf]
    return sum(known) / len(known)
