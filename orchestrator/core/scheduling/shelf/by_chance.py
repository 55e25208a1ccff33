"""Random: each task goes to any device with room, all equally likely.

Rule: a hash of the run's seed, the task and its turn chooses (`core.chance`): the same events give
the same choices. Source: none; it is the baseline that shows what a rule is worth.
Promises: every device with room is chosen equally often.
Costs: O(devices with room) a placement.
Use it: as a baseline.
"""

from collections.abc import Iterator

from orchestrator.core.chance import unit
from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand, Room, Waiting
from orchestrator.core.scheduling.shelf.common.rooms import spread


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""

    def any_of(_demand: Demand, task: Waiting, rooms: list[Room]) -> Room:
        seed = board.runs[task.run].submitted.seed
        drawn = unit(seed, f"place/{task.run}/{task.spec.id}", task.ticket)
        return sorted(rooms, key=_order)[int(drawn * len(rooms))]

    return spread(board, now, any_of)


def _order(room: Room) -> int:
    return room[2]
