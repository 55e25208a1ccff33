"""First in, first out: the baseline. Every device that has room takes the task at the head.

Differs from `earliest_finish` in one thing: no task is left to a busy device that is better.
"""

from collections.abc import Iterator

from orchestrator.core.scheduling import Board, Placement


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed, demand by demand: O(log n) each."""
    changed = list(board.changed.values())
    board.changed.clear()
    for demand in changed:
        while (head := demand.head()) and (room := board.best(demand, now)):
            each_s, _, _, device = room
            yield Placement(head[2], device, each_s * board.scale(demand, head[2]))
