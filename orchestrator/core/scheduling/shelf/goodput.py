"""Goodput: runs that meet their deadlines, as many as possible for the work that they take.

Rule: the greatest `min(1, D / (elapsed + b))^2 / b` goes first, with D the run's deadline,
`elapsed` since its submission and b what is left of its longest path: a run is worth the same
however many tasks it has. What would miss D by more than the guard band runs on idle capacity:
after all else.
Source: JITServe (Zhang et al., NSDI 2026), grouped margin goodput maximisation. Deviations: a run
counts one, so no lengths in tokens; its priority goes first; no batches are composed.
Promises: runs that can no longer be in time delay none that can; on one device, of one-task runs
with one deadline, as many as possible are in time.
Costs: O(log n) amortised a placement.
Use it: under overload, where a late answer is worth little.
"""

from collections.abc import Hashable, Iterator
from math import inf
from typing import Final

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Waiting
from orchestrator.core.scheduling.shelf.common.dues import deadline, left
from orchestrator.core.scheduling.shelf.common.rooms import Turn
from orchestrator.core.scheduling.shelf.common.turns import Rule, by_rule

GUARD: Final = 1.1  # of D: estimates may be too long by that before a run counts as hopeless
INSTANT_S: Final = 1e-3  # what is quicker is worth as much


class _Goodput(Rule):
    def group(self, task: Waiting, now: float) -> Hashable:  # noqa: ARG002 - a run is one group
        return task.run

    def turn(self, task: Waiting, now: float) -> Turn:
        priority, *rest = self.within(task, now)
        began, path_s = self.run(task).submitted_at, left(self.board, task).path_s
        limit_s, needed_s = (
            deadline(self.board, task) - began,
            max(now - began + path_s, INSTANT_S),
        )
        hopeless = needed_s > GUARD * limit_s
        share = min(1.0, limit_s / needed_s) if limit_s < inf else 1.0
        return (priority, hopeless, -share * share / max(path_s, INSTANT_S), *rest)


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    return by_rule(board, now, _Goodput)
