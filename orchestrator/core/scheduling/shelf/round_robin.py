"""Round robin: each task goes to the next device, in the order in which devices joined.

Rule: of the devices with room, the one that follows the last one chosen; after the last comes the
first. Source: none; it is the baseline that every comparison has.
Promises: equal devices that all have room get task counts that differ by one at most.
Costs: O(devices with room) a placement.
Use it: as a baseline, or where devices are alike and nothing is known of durations.
"""

from collections.abc import Iterator

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand, Room, Waiting
from orchestrator.core.scheduling.kept import Plan
from orchestrator.core.scheduling.shelf.common.rooms import spread


class _Ring(Plan):
    """Who was chosen last; a device is known by its order of arrival."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        super().__init__()
        self.last = -1


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    ring = board.plan
    if not isinstance(ring, _Ring):
        board.plan = ring = _Ring()

    def following(_demand: Demand, _task: Waiting, rooms: list[Room]) -> Room:
        chosen = min(rooms, key=lambda room: (room[2] <= ring.last, room[2]))
        ring.last = chosen[2]
        return chosen

    return spread(board, now, following)
