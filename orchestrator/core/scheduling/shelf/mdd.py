"""Modified due date.

Rule: the least `max(now + p, d)` goes first, with p the task's duration and d its due date
(`common.dues`): by due date as long as that can be met, and the shortest first among those that
are late. Source: Baker, Bertrand, A dynamic priority rule for scheduling against due-dates,
Journal of Operations Management 3(1), 1982. Deviation: several machines, as in `edd`.
Promises: on one device, of two tasks next to each other no exchange makes their total tardiness
less; with due dates that can all be met, or none, that is the optimum.
Costs: O(log n) amortised a placement: a task turns late once.
Use it: where some deadlines will be missed, and how late counts.
"""

from collections.abc import Iterator

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Waiting
from orchestrator.core.scheduling.shelf.common.dues import due, left
from orchestrator.core.scheduling.shelf.common.rooms import Turn
from orchestrator.core.scheduling.shelf.common.turns import Rule, by_rule


class _ModifiedDue(Rule):
    """Groups: those in time by due date, and those that are late by duration, by priority.

    Who is late but not the first by due date may stay there: `max(now + p, d)` is more than d.
    """

    def group(self, task: Waiting, now: float) -> tuple[int, bool]:
        late = now + left(self.board, task).own_s > due(self.board, task)
        return self.run(task).submitted.priority, late

    def within(self, task: Waiting, now: float) -> Turn:
        priority, *rest = super().within(task, now)
        own_s, end = left(self.board, task).own_s, due(self.board, task)
        return (priority, own_s if now + own_s > end else end, *rest)

    def turn(self, task: Waiting, now: float) -> Turn:
        priority, *rest = super().within(task, now)
        return (priority, max(now + left(self.board, task).own_s, due(self.board, task)), *rest)


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    return by_rule(board, now, _ModifiedDue)
