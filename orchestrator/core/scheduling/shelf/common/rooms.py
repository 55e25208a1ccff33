"""Devices with room, for policies that choose among them; tasks go in the order they wait in.

That order is the board's: priority, arrival of the run, upward rank. A decision costs O(devices
that have room), whatever waits.
"""

import heapq
from collections.abc import Callable, Iterator
from typing import TypeAlias

from orchestrator.core.estimates import remaining_s
from orchestrator.core.scheduling import Board, Machine, Placement
from orchestrator.core.scheduling.demand import Busy, Demand, Entry, QueueKey, Room, Waiting

Turn: TypeAlias = tuple[float, ...]
"""Smaller goes first."""
Choose: TypeAlias = Callable[[Demand, Waiting, list[Room]], Room | float]
"""Choose among the rooms for a task, or say when to look again: it is left until then."""


def merged(
    board: Board,
    turn: Callable[[Demand], Turn | QueueKey | None],
    take: Callable[[Demand], Placement | None],
) -> Iterator[Placement]:
    """Yield placements for what changed; whose turn is smallest takes first, ties as it changed.

    A demand that takes nothing is done with until it changes again.
    """
    changed = list(board.changed.values())
    board.changed.clear()
    heads = [
        (first, number)
        for number, demand in enumerate(changed)
        if (first := turn(demand)) is not None
    ]
    heapq.heapify(heads)
    while heads:
        _, number = heads[0]
        placement = take(changed[number])
        if placement is not None:
            yield placement
        first = turn(changed[number]) if placement is not None else None
        if first is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, (first, number))


def spread(board: Board, now: float, choose: Choose) -> Iterator[Placement]:
    """Give each task that is first in turn to the device that is chosen for it."""

    def take(demand: Demand) -> Placement | None:
        found, head = rooms(board, demand, now), demand.head()
        if not found or head is None:
            return None
        chosen = choose(demand, head[2], found)
        if isinstance(chosen, float):
            board.leave(demand, chosen)
            return None
        return put(board, demand, head[2], chosen)

    return merged(board, Demand.turn, take)


def rooms(board: Board, demand: Demand, now: float) -> list[Room]:
    """Return every device with room for a demand, the one that finishes soonest first."""
    found: dict[int, Room] = {}
    while room := board.best(demand, now):
        found.setdefault(room[2], heapq.heappop(demand.room))
    for room in found.values():
        heapq.heappush(demand.room, room)
    return list(found.values())


def put(board: Board, demand: Demand, task: Waiting, room: Room) -> Placement:
    """Return the placement of one of a demand's tasks in a room."""
    return Placement(task, room[3], room[0] * board.scale(demand, task))


def firsts(demand: Demand, count: int) -> list[Entry]:
    """Return the first tasks of a demand in turn, so many at most; leaves the queue as it was."""
    found: list[Entry] = []
    while len(found) < count and demand.head() is not None:
        found.append(heapq.heappop(demand.queue))
    for entry in found:
        heapq.heappush(demand.queue, entry)
    return found


def free_in_s(machine: Machine, now: float) -> float:
    """Return how long until a busy device has a slot, as far as its attempts are known."""
    return min((_left_s(busy, now) for busy in machine.attempts.values()), default=0.0)


def _left_s(busy: Busy, now: float) -> float:
    began = busy.started_at if busy.started_at is not None else busy.offered_at
    return remaining_s(busy.estimate_s, now - began)
