"""Earliest due date.

Rule: the task that is due first goes first; what has no deadline comes last, in the order of
arrival. The due date is the run's deadline apportioned by the longest remaining path
(`common.dues`). Source: Jackson, Scheduling a production line to minimize maximum tardiness, UCLA
1955. Deviation: several machines; each takes the first that it can serve.
Promises: on one device, of tasks that are all ready, the least possible maximum lateness.
Costs: O(log n) a placement.
Use it: when deadlines can be met; once they cannot, `mdd` loses less.
"""

from collections.abc import Iterator

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Waiting
from orchestrator.core.scheduling.shelf.common.dues import due
from orchestrator.core.scheduling.shelf.common.rooms import Turn
from orchestrator.core.scheduling.shelf.common.turns import Rule, by_rule


class _EarliestDue(Rule):
    def within(self, task: Waiting, now: float) -> Turn:
        priority, *rest = super().within(task, now)
        return (priority, due(self.board, task), *rest)


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    return by_rule(board, now, _EarliestDue)
