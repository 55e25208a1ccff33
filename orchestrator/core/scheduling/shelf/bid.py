"""Bid: the next tasks and the devices with room are matched at once, not one after the other.

Rule: of the first 8 tasks in turn, each has its 8 best devices, those where what it needs is warm
among them since a reload counts. They are matched so that the sum of their durations is least;
where there are fewer slots than tasks, the first in turn have them.
Source: two stages, a shortlist and a min-cost assignment (`common.matching`), as devices bid for
tasks in Bertsekas, The auction algorithm, Annals of Operations Research 14, 1988. Deviation: it is
solved at once, since it is small.
Promises: no other assignment of those tasks to those slots takes less in sum.
Costs: O(devices with room) a placement, and a matching of 8 by 64 at most for each 8.
Use it: where tasks come in batches and differ in which device suits them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.core.scheduling import Board, Placement
from orchestrator.core.scheduling.demand import Demand, Room, Waiting
from orchestrator.core.scheduling.shelf.common.matching import assign
from orchestrator.core.scheduling.shelf.common.rooms import firsts, put, rooms

TOP: Final = 8  # tasks at once, and devices for each: a matching takes 1 ms


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed."""
    asked = list(board.changed.values())
    board.changed.clear()
    placed = True
    while placed:
        placed = False
        for demand, task, room in _matched(board, _bidders(board, asked, now)):
            if not demand.needs or room[3] in [each[3] for each in rooms(board, demand, now)]:
                placed = True
                yield put(board, demand, task, room)


def _bidders(
    board: Board, asked: Sequence[Demand], now: float
) -> list[tuple[Demand, Waiting, list[Room]]]:
    """Return the first tasks in turn that there is room for, and their shortlists."""
    entries = []
    for demand in asked:
        found = rooms(board, demand, now) if demand.waiting else ()
        if found:
            entries += [(entry, demand, found[:TOP]) for entry in firsts(demand, TOP)]
    entries.sort(key=lambda each: each[0][:2])
    return [(demand, entry[2], found) for entry, demand, found in entries[:TOP]]


def _matched(
    board: Board, bidders: Sequence[tuple[Demand, Waiting, list[Room]]]
) -> Iterator[tuple[Demand, Waiting, Room]]:
    """Match tasks to slots: as many as can be, the first in turn before others, the sum least."""
    machines = {room[2]: room[3] for _, _, found in bidders for room in found}
    slots = [order for order, m in sorted(machines.items()) for _ in range(min(m.free, TOP))]
    offers = [
        {room[2]: (room[0] * board.scale(demand, task), room) for room in found}
        for demand, task, found in bidders
    ]
    most = 1.0 + sum(cost for offer in offers for cost, _ in offer.values())
    # A row is left out, in a column of its own, only for rows before it; never sent astray.
    never = most * 2.0 * (TOP + 1)
    rows = []
    for number, offer in enumerate(offers):
        out = [most * (TOP - number) if n == number else never for n in range(len(offers))]
        rows.append([offer[order][0] if order in offer else never for order in slots] + out)
    for number, column in enumerate(assign(rows)):
        if column < len(slots):
            demand, task, _ = bidders[number]
            yield demand, task, offers[number][slots[column]][1]
