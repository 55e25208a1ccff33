"""PEFT, predict earliest finish time: a static plan that looks ahead.

Rule: ready tasks by their mean optimistic cost, each to the device with the least finish time plus
optimistic cost: what is left, in the best case, once the task has run there. Source: Arabnejad,
Barbosa, IEEE TPDS 25(3), 2014, section 4. Deviations: as in `heft`.
Promises: the order and the devices of the paper, whatever happens meanwhile.
Costs: O(devices) a decision; a plan is O(dependencies * devices^2) and made once a change.
Use it: instead of `heft` where devices differ much by task and the best one now is a trap.
"""

from collections.abc import Iterator, Sequence

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.listing import inserted, optimistic_costs, per_byte
from orchestrator.core.scheduling.outlook import Outlook, Schedule
from orchestrator.core.scheduling.shelf.common.planned import by_priority, follow


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield what the plan starts now."""
    return follow(board, now, schedule)


def schedule(outlook: Outlook, turns: Sequence[int]) -> Schedule:
    """Plan all of it."""
    table = optimistic_costs(outlook, outlook.tasks, per_byte(outlook))
    rank = [sum(row) / len(row) for row in table]
    return inserted(outlook, by_priority(outlook, turns, rank), table)
