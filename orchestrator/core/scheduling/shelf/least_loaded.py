"""Least loaded: each task goes to the device with the smallest share of its slots in use.

Rule: of the devices with room, the least `used / slots`; ties to the earlier device. Source: none;
it is what load balancers call least connections.
Promises: while tasks wait for devices that are alike, no device uses two slots more than another.
Costs: O(devices with room) a placement.
Use it: as a baseline, or where durations are not known and slots are what matters.
"""

from collections.abc import Iterator

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand, Room, Waiting
from orchestrator.core.scheduling.shelf.common.rooms import spread


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    return spread(board, now, _emptiest)


def _emptiest(_demand: Demand, _task: Waiting, rooms: list[Room]) -> Room:
    return min(rooms, key=lambda room: (room[1] / room[3].card.slots, room[2]))
