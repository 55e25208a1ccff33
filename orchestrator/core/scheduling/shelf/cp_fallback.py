"""A heuristic, and where it leaves a task without a device, the best packing instead.

Rule: the tasks in turn each go to the quickest device that has room. If one of them then has none,
a solver looks at all of them at once: for each priority, the highest first, as many as possible
are placed, and of such answers it takes one that moves the fewest from where the heuristic had
them.
Source: Christensen, Giallorenzo, Mauro, Priority Matters: Optimising Kubernetes Clusters Usage
with Constraint-Based Pod Packing, arXiv 2511.08373, 2025. Deviations: nothing that runs is moved;
and the window is counted in steps of the search, not in seconds, so that decisions are
deterministic. The solver is a port (`common.packing.Solver`).
Promises: of the first 32 tasks in turn it places whatever can be placed, where the search ends in
its window; the answer says whether it did.
Costs: O(devices with room) a placement; 0.1 s more where the search takes its whole window.
Use it: where tasks need much memory of few devices, and what is left over waits long.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from orchestrator.core.retention.warm_set import PinState
from orchestrator.core.scheduling import Board, Machine, Placement
from orchestrator.core.scheduling.demand import Demand, Entry, Room
from orchestrator.core.scheduling.shelf import fifo
from orchestrator.core.scheduling.shelf.common.packing import (
    NOWHERE,
    Packing,
    Solver,
    first_fit,
    solve,
)
from orchestrator.core.scheduling.shelf.common.rooms import firsts, put, rooms
from protocol.types import Resource

MOST: Final = 32  # tasks packed at once
STAYS: Final = frozenset({PinState.LOADING, PinState.IN_USE, PinState.PROTECTED})

Bidder = tuple[Entry, Demand, list[Room]]


def place(board: Board, now: float, solver: Solver = solve) -> Iterator[Placement]:
    """Yield placements for what changed."""
    asked = list(board.changed.values())
    board.changed.clear()
    packed = True
    while packed:
        packed = False
        waiting = _waiting(board, asked, now)
        machines = {room[2]: room[3] for _, _, found in waiting for room in found}
        packing = _packing(waiting, [machines[order] for order in sorted(machines)], now)
        device = first_fit(packing)
        if NOWHERE in device:
            device = list(solver(packing, device).device)
        for where, (entry, demand, _) in zip(device, waiting, strict=True):
            order = sorted(machines)[where] if where != NOWHERE else NOWHERE
            for room in rooms(board, demand, now):
                if room[2] == order:
                    packed = True
                    yield put(board, demand, entry[2], room)
                    break
    # The board may give more memory than what was packed: where nothing else runs, for one.
    board.changed |= {demand.key: demand for demand in asked if demand.waiting}
    yield from fifo.place(board, now)


def _waiting(board: Board, asked: Sequence[Demand], now: float) -> list[Bidder]:
    """Return the first tasks in turn that there is room for, and where."""
    found = []
    for demand in asked:
        there = rooms(board, demand, now) if demand.waiting else []
        if there:
            found += [(entry, demand, there) for entry in firsts(demand, MOST)]
    return sorted(found, key=lambda each: each[0][:2])[:MOST]


def _packing(waiting: Sequence[Bidder], machines: Sequence[Machine], now: float) -> Packing:
    number = {machine.order: n for n, machine in enumerate(machines)}
    priorities = sorted({entry[0][0] for entry, _, _ in waiting})
    stays = [{name for name in m.warm.warm if m.warm.state(name, now) in STAYS} for m in machines]
    return Packing(
        [priorities.index(entry[0][0]) for entry, _, _ in waiting],
        [[number[room[2]] for room in found] for _, _, found in waiting],
        [
            [_loads(demand, stays[number[room[2]]]) for room in found]
            for _, demand, found in waiting
        ],
        [machine.free for machine in machines],
        [_left(machine, held) for machine, held in zip(machines, stays, strict=True)],
    )


def _loads(demand: Demand, stays: set[Resource]) -> Mapping[Resource, float]:
    return {name: amount for name, amount in demand.needs.items() if name not in stays}


def _left(machine: Machine, stays: set[Resource]) -> Mapping[str, float]:
    """Return by kind what is not taken by what stays."""
    left = dict(machine.card.capacity)
    for name in sorted(stays):
        left[name.kind] = left.get(name.kind, 0.0) - machine.warm.warm[name].amount
    return left
