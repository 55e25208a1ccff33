"""HEFT, heterogeneous earliest finish time: a static plan.

Rule: tasks by falling upward rank, each to the device that finishes it first, earlier gaps
included. Source: Topcuoglu, Hariri, Wu, IEEE TPDS 13(3), 2002, section 4.2. Deviations: run after
run where there are several; the plan is made again when the graph or the fleet changes
(`common.planned`). Evaluated again at every dispatch this is `earliest_finish`.
Promises: the order and the devices of the paper, whatever happens meanwhile.
Costs: O(devices) a decision; a plan is O(tasks * (devices + gaps)) and made once a change.
Use it: as the yardstick of the field, or where durations are known well.
"""

from collections.abc import Iterator, Sequence

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.listing import inserted
from orchestrator.core.scheduling.outlook import Outlook, Schedule
from orchestrator.core.scheduling.shelf.common.planned import by_priority, follow, upward


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield what the plan starts now."""
    return follow(board, now, schedule)


def schedule(outlook: Outlook, turns: Sequence[int]) -> Schedule:
    """Plan all of it."""
    return inserted(outlook, by_priority(outlook, turns, upward(outlook)))
