"""Fair between users, whoever submits more: fair queuing of users, and of each user's runs.

Rule: a user (a run's `owner`) who begins to wait starts at `S = max(V, F)`, with V the virtual
time and F the end of what he got last. The least `S + L` goes first, with L the duration of his
first task; it is the next F. His own runs go by arrival.
Source: the two levels of UWFQ (Balancing Fairness and Performance in Multi-User Spark Workloads
with Dynamic Scheduling, arXiv 2510.15485, 2025). Deviations: the virtual time is that of the tasks
that went, the greatest S (Goyal, Vin, Cheng, Start-time Fair Queuing, SIGCOMM 1996, section 2), so
that nothing is simulated; a user is charged by task and at its start, so what is cancelled before
costs nothing and a task is the chunk that bounds inversion. Users weigh the same; a run's priority
goes first.
Promises: who waits all the time gets his share of the work done but for one task, his longest,
for each slot; and what others have waiting does not delay a user's first task.
Costs: O(log n) amortised a placement.
Use it: where several people share a fleet.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Waiting
from orchestrator.core.scheduling.shelf.common.dues import left
from orchestrator.core.scheduling.shelf.common.rooms import Turn
from orchestrator.core.scheduling.shelf.common.turns import Rule, by_rule

USERS: Final = 1024  # beyond that, those who have nothing to be remembered for are forgotten


@dataclass(slots=True)
class _User:
    ends: float = 0.0
    """The virtual end of what he got last."""
    waiting: deque[tuple[int, Waiting]] = field(default_factory=deque)
    """His tasks by ticket, as they came; what waits no longer is dropped when it is first."""

    def waits(self) -> bool:
        while self.waiting and self.waiting[0][0] != self.waiting[0][1].ticket:
            self.waiting.popleft()
        return bool(self.waiting)


class _Fair(Rule):
    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._users: dict[str, _User] = {}
        self._time = self._last = 0.0

    def group(self, task: Waiting, now: float) -> Hashable:  # noqa: ARG002 - users stay the same
        submitted = self.run(task).submitted
        return submitted.priority, submitted.owner

    def turn(self, task: Waiting, now: float) -> Turn:
        priority, *rest = self.within(task, now)
        return (priority, self._user(task).ends + left(self.board, task).own_s, *rest)

    def came(self, task: Waiting) -> None:
        if self.board.deadlocked:
            self._time = self._last  # nothing runs: whoever was served has used nobody's share
        user = self._user(task)
        if not user.waits():
            user.ends = max(user.ends, self._time)
        user.waiting.append((task.ticket, task))

    def placed(self, task: Waiting) -> None:
        user = self._user(task)
        self._time = max(self._time, user.ends)
        user.ends += left(self.board, task).own_s
        self._last = max(self._last, user.ends)

    def _user(self, task: Waiting) -> _User:
        name = self.run(task).submitted.owner
        user = self._users.get(name)
        if user is None:
            if len(self._users) >= USERS:
                self._users = {
                    other: each
                    for other, each in self._users.items()
                    if each.waits() or each.ends > self._time
                }
            user = self._users[name] = _User()
        return user


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    return by_rule(board, now, _Fair)
