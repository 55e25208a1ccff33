"""The plans that a search starts from: list schedules, each in milliseconds.

HEFT by two ranks, HEFT with the optimistic cost table of PEFT, and HEFT with look-ahead: which of
them is best depends on how long transfers take beside tasks. The costly ones are left out where
they would take too long.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.core.scheduling.listing import (
    by_rank,
    inserted,
    optimistic_costs,
    per_byte,
    ranked,
)
from orchestrator.core.scheduling.lookahead import looking_ahead
from orchestrator.core.scheduling.outlook import Outlook, Schedule

CELLS: Final = 4096  # tasks times devices up to which the table, tasks · devices², is worth it
LOOKS: Final = 65_536  # dependencies times devices² up to which looking ahead is: some 10 ms


def looks(outlook: Outlook) -> int:
    """Return how much looking ahead costs: once for each dependency and pair of devices."""
    return sum(map(len, outlook.predecessors)) * len(outlook.free) ** 2


def portfolio(outlook: Outlook, order: Sequence[int]) -> Iterator[Schedule]:
    """Yield schedules; `order` has each task after its predecessors, and breaks ties."""
    ranks = by_rank(outlook, order)
    yield inserted(outlook, ranks)
    yield inserted(outlook, ranked(outlook, order, [min(row) for row in outlook.cost], 0.0))
    if len(outlook.cost) * len(outlook.free) <= CELLS:
        yield inserted(outlook, ranks, optimistic_costs(outlook, order, per_byte(outlook)))
    if looks(outlook) <= LOOKS:
        yield looking_ahead(outlook, ranks)
