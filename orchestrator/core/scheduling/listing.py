"""List schedules: the plans that a search starts from, each in milliseconds.

The portfolio is HEFT (Topcuoglu, Hariri, Wu 2002, section 4.2) by three ranks, and the optimistic
cost table of PEFT (Arabnejad, Barbosa 2014, section 4). Deviations: no insertion into earlier
gaps; ties go to the task that comes first; tasks that have started are fixed, and only the rest is
planned. Ranks of tasks that take no time agree with the order too, since ties do.
"""

from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

from orchestrator.core.scheduling.outlook import Outlook, Schedule, soonest

SMALL: Final = 4096  # tasks times devices up to which the table, tasks · devices², is worth it


def portfolio(outlook: Outlook, order: Sequence[int]) -> Iterator[Schedule]:
    """Yield schedules; `order` has each task after its predecessors, and breaks ties."""
    mean = [_mean(row) for row in outlook.cost]
    fastest = [min(row) for row in outlook.cost]
    rates = [rate for row in outlook.per_byte for rate in row if rate > 0.0]
    usual = sum(rates) / max(1, len(outlook.free) * (len(outlook.free) - 1))
    ranked = _ranked(outlook, order, mean, usual)
    yield soonest(outlook, ranked)
    yield soonest(outlook, _ranked(outlook, order, fastest, 0.0))
    if len(outlook.cost) * len(outlook.free) <= SMALL:
        table = optimistic_costs(outlook, order, usual)
        yield soonest(outlook, ranked, table)
        means = [_mean(row) for row in table]
        by_table = _ranked(outlook, order, fastest, usual)
        yield soonest(outlook, by_table)
        del means


def _ranked(
    outlook: Outlook, order: Sequence[int], cost: Sequence[float], per_byte: float
) -> list[int]:
    """Return the tasks by falling upward rank (Topcuoglu et al. 2002, eq. 8)."""
    below = [0.0] * len(cost)
    rank = [0.0] * len(cost)
    for task in reversed(order):
        rank[task] = own = cost[task] + below[task]
        for source, size in outlook.predecessors[task]:
            if size * per_byte + own > below[source]:
                below[source] = size * per_byte + own
    return sorted(order, key=lambda task: -rank[task])


def optimistic_costs(
    outlook: Outlook, order: Sequence[int], per_byte: float
) -> list[list[float]]:
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


def _mean(row: Sequence[float]) -> float:
    known = [cost for cost in row if cost < inf]
    return sum(known) / len(known)
