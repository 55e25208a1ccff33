"""The plans that a search starts from: list schedules, each in milliseconds.

HEFT by two ranks, PEFT and HEFT with its optimistic cost table, dynamic levels, and look-ahead in
the orders of HEFT and of PEFT. Which of them is best depends on how long transfers take beside
tasks, and on how wide the graph is. The costly ones are left out where they would take too long.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.core.scheduling.dynamic_level import by_dynamic_level
from orchestrator.core.scheduling.listing import (
    by_optimistic_cost,
    by_rank,
    inserted,
    optimistic_costs,
    per_byte,
    ranked,
)
from orchestrator.core.scheduling.lookahead import looking_ahead
from orchestrator.core.scheduling.outlook import Outlook, Schedule

QUICK: Final = 65_536  # looks, some 10 ms: nothing waits longer for a plan
MOST: Final = 4_000_000  # half a second


def looks(outlook: Outlook) -> int:
    """Return how much looking ahead costs: once for each dependency and pair of devices."""
    return _links(outlook) * len(outlook.free) ** 2


def portfolio(outlook: Outlook, order: Sequence[int], most: int = QUICK) -> Iterator[Schedule]:
    """Yield schedules.

    Args:
        outlook: what may be planned.
        order: each task after its predecessors; breaks ties.
        most: looks that one of them may take.
    """
    ranks = by_rank(outlook, order)
    yield inserted(outlook, ranks)
    yield inserted(outlook, ranked(outlook, order, [min(row) for row in outlook.cost], 0.0))
    if (len(outlook.cost) + _links(outlook)) * len(outlook.free) > most:
        return
    yield by_dynamic_level(outlook, order)
    table = optimistic_costs(outlook, order, per_byte(outlook))
    foresighted = by_optimistic_cost(outlook, order, table)
    yield inserted(outlook, ranks, table)
    yield inserted(outlook, foresighted, table)
    if looks(outlook) <= most:
        yield looking_ahead(outlook, ranks)
        yield looking_ahead(outlook, foresighted)


def _links(outlook: Outlook) -> int:
    return sum(map(len, outlook.predecessors))
