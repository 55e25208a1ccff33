"""Shortest remaining work first, as far as it is revealed, with ageing.

Rule: the least `A * level + since` goes first, with `level` the logarithm of what is left of the
run, rounded up to a power of two, and `since` when its first task here began to wait: so a factor
of two is worth an age of A seconds. What is left is what the graph shows and no device has taken.
Source: shortest remaining processing time (Schrage, Operations Research 16(3), 1968) for work that
is revealed gradually, in classes of powers of two. Deviations: the ageing, and the plan that is
known counts, not its ready tasks alone.
Promises: a run with at most half of the work left goes first; and who comes `A * (k - j)` seconds
after a task of level k never overtakes it, at whatever level from j on: no wait is endless.
Costs: O(log n) amortised a placement; a look at all of a run each time half of it went.
Use it: where many small runs and few large ones share a fleet, and mean time counts.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from math import ceil, log2
from typing import Final

from orchestrator.core.lifecycle import FINAL
from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Waiting
from orchestrator.core.scheduling.kept import Unfinished, Unstarted
from orchestrator.core.scheduling.shelf.common.rooms import Turn
from orchestrator.core.scheduling.shelf.common.turns import Rule, by_rule
from protocol.types import RunId

AGED_S: Final = 60.0  # as a cold task ages: many tasks, and yet a small part of a queue limit
LEAST_S: Final = 2.0**-10  # 1 ms: less makes no difference
RUNS: Final = 64  # runs that have ended and are remembered


@dataclass(slots=True)
class _Work:
    """What is left of a run, seconds on a reference device."""

    mark: tuple[int, int]
    """Revision and number of tasks that it was counted at."""
    left_s: float
    look_in: int
    """Placements until it is counted again: some tasks are skipped, and some come back."""


class _Revealed(Rule):
    falls = True

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._work: dict[RunId, _Work] = {}

    def group(self, task: Waiting, now: float) -> Hashable:  # noqa: ARG002 - a run is one group
        return task.run

    def turn(self, task: Waiting, now: float) -> Turn:
        priority, *rest = self.within(task, now)
        left_s = max(self._left(self.run(task)).left_s, LEAST_S)
        return (priority, AGED_S * ceil(log2(left_s)) + task.since, *rest)

    def placed(self, task: Waiting) -> None:
        work = self._left(self.run(task))
        work.left_s -= self.board.estimates.reference(task.spec.skill, task.spec.estimate_s)
        work.look_in -= 1

    def _left(self, run: Unfinished) -> _Work:
        name, mark = run.submitted.run, (run.revision, run.created)
        work = self._work.get(name)
        if work is None or work.mark != mark or work.look_in <= 0:
            if len(self._work) > 2 * len(self.board.live) + RUNS:
                self._work = {n: w for n, w in self._work.items() if n in self.board.live}
            open_s = [self._seconds(each) for each in run.tasks.values() if _is_open(each)]
            work = self._work[name] = _Work(mark, sum(open_s), max(1, len(open_s) // 2))
        return work

    def _seconds(self, task: Unstarted) -> float:
        return self.board.estimates.reference(task.spec.skill, task.spec.estimate_s)


def _is_open(task: Unstarted) -> bool:
    """Tell whether a device is yet to take a task; a fan-out is what its parts are."""
    fans_out = task.spec.for_each is not None and task.parent is None
    return task.state not in FINAL and task.live is None and not fans_out


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    return by_rule(board, now, _Revealed)
