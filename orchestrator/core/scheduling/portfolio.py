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

QUICK: Final = 65_536  # looks that one of them may take on the loop: some 10 ms
MOST: Final = 4_000_000  # and beside the run: half a second
GAPS: Final = 16  # looks that an insertion takes for each task and device, where a graph is wide


def cost(outlook: Outlook, most: int) -> int:
    """Return how many looks all lists take, at the most, that `most` leaves in."""
    return 2 * sum(looks for looks in _costs(outlook) if looks <= most)


def _costs(outlook: Outlook) -> tuple[int, int]:
    """Return the looks of a list with the table, and of one that looks ahead."""
    tasks, devices = len(outlook.cost), len(outlook.free)
    return GAPS * tasks * devices, sum(map(len, outlook.predecessors)) * devices**2


def portfolio(outlook: Outlook, order: Sequence[int], *, most: int = QUICK) -> Iterator[Schedule]:
    """Yield schedules.

    Args:
        outlook: what may be planned.
        order: each task after its predecessors; breaks ties.
        most: looks that one of them may take.
    """
    with_table, ahead = _costs(outlook)
    ranks = by_rank(outlook, order)
    yield inserted(outlook, ranks)
    yield inserted(outlook, ranked(outlook, order, [min(row) for row in outlook.cost], 0.0))
    yield by_dynamic_level(outlook, order)
    foresighted: Sequence[int] = ranks
    if with_table <= most:
        table = optimistic_costs(outlook, order, per_byte(outlook))
        foresighted = by_optimistic_cost(outlook, order, table)
        yield inserted(outlook, ranks, table)
        yield inserted(outlook, foresighted, table)
    if ahead <= most:
        yield looking_ahead(outlook, ranks)
        if foresighted is not ranks:
            yield looking_ahead(outlook, foresighted)
