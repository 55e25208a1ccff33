"""First in, first out: the baseline. Runs go as they came, their tasks by rank.

Rule: the task that is first in turn takes the room where it finishes soonest. Promises: no task of
an earlier run waits for one of a later run where both could go. Cost: O(log n) a placement. Use:
to compare with. Differs from `earliest_finish` in one thing: no task is left to a busy device that
is better.
"""

from collections.abc import Iterator

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand
from orchestrator.core.scheduling.shelf.common.rooms import merged, put


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""

    def take(demand: Demand) -> Placement | None:
        head, room = demand.head(), board.best(demand, now)
        return put(board, demand, head[2], room) if head and room else None

    return merged(board, Demand.turn, take)
