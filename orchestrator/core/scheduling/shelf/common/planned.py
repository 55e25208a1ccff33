"""Static plans: made when the graph or the fleet changes, and then followed to the letter.

Each device takes its tasks in the planned order; nothing moves because something took longer.
What cannot be planned is bound late (`earliest_finish`): too much of it, durations that nobody
declared, tasks that need something warm, and whatever is left after twice the planned time.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Final, TypeAlias

from orchestrator.core.scheduling import Placement, earliest_finish
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Machine
from orchestrator.core.scheduling.kept import Basis
from orchestrator.core.scheduling.listing import per_byte
from orchestrator.core.scheduling.outlook import Outlook, Schedule
from orchestrator.core.scheduling.survey import (
    UNSTARTED,
    basis_of,
    runs_in_turn,
    survey,
    unstarted,
)

PATIENCE: Final = 2.0  # times the plan: what it waits for then may never come

Make: TypeAlias = Callable[[Outlook, Sequence[int]], Schedule]
"""Plan all tasks of an outlook; the second argument is the place of each one's run in turn."""


def follow(board: Board, now: float, make: Make) -> Iterator[Placement]:
    """Yield what the plan starts now: O(devices), and a plan where its basis has changed."""
    plan = board.plan
    basis = basis_of(board)
    if basis is None or basis != plan.basis:
        _renew(board, basis, now, make)
    if plan.possible:
        asked = list(board.changed.values())
        board.changed.clear()
        for device in list(plan.queues):
            machine = board.machines[device]
            while machine.free > 0 and (placement := _next(board, machine)) is not None:
                yield placement
        left = [demand for demand in asked if demand.waiting]
        if plan.end > now and not board.deadlocked:
            for demand in left:
                board.leave(demand, plan.end)
            return
        board.changed |= {demand.key: demand for demand in left}
    yield from earliest_finish.place(board, now)


def _renew(board: Board, basis: Basis | None, now: float, make: Make) -> None:
    plan = board.plan
    plan.clear()
    plan.basis, plan.possible = basis, False
    runs = runs_in_turn(board) if basis is not None else ()
    tasks = [task for run in runs for task in unstarted(run)]
    unknown = any(task.spec.estimate_s is None or task.spec.needs.resources for task in tasks)
    if unknown or not tasks:
        return
    seen = survey(board, tasks, now)
    if not seen.outlook.cost:
        return
    turn = {run.submitted.run: number for number, run in enumerate(runs)}
    found = make(seen.outlook, [turn[task.run] for task in seen.tasks])
    plan.possible, plan.end = True, now + PATIENCE * found.end
    plan.queues = {machine.card.device: deque() for machine in seen.machines}
    for number in found.order:
        task, device = seen.tasks[number], seen.machines[found.device[number]].card.device
        plan.queues[device].append((0.0, 0.0, task))
        plan.intended[task.run, task.spec.id] = device


def _next(board: Board, machine: Machine) -> Placement | None:
    """Take the first task of a device out of its queue, if it is ready."""
    plan, queue = board.plan, board.plan.queues[machine.card.device]
    while queue:
        task = queue[0][2]
        name = (task.run, task.spec.id)
        if task.state in UNSTARTED and name in plan.intended:
            demand = task.demand
            if demand is None:
                return None
            queue.popleft()
            del plan.intended[name]
            estimate_s = board.seconds(demand, machine) * board.scale(demand, task)
            return Placement(task, machine, estimate_s)
        queue.popleft()  # it was skipped, cancelled or placed elsewhere
        plan.intended.pop(name, None)
    return None


def by_priority(outlook: Outlook, turns: Sequence[int], priority: Sequence[float]) -> list[int]:
    """Return the tasks as a list of ready tasks gives them: run by run, the highest first.

    Ties as they come. O(n log n).
    """
    waits = [len(links) for links in outlook.predecessors]
    after: list[list[int]] = [[] for _ in outlook.tasks]
    for task, links in enumerate(outlook.predecessors):
        for source, _ in links:
            after[source].append(task)
    ready = [(turns[task], -priority[task], task) for task in outlook.tasks if not waits[task]]
    heapq.heapify(ready)
    order = []
    while ready:
        task = heapq.heappop(ready)[2]
        order.append(task)
        for successor in after[task]:
            waits[successor] -= 1
            if not waits[successor]:
                heapq.heappush(ready, (turns[successor], -priority[successor], successor))
    return order


def mean_costs(outlook: Outlook) -> list[float]:
    """Return the mean duration of each task on the devices that can run it."""
    known = [[cost for cost in row if cost < inf] for row in outlook.cost]
    return [sum(row) / len(row) for row in known]


def upward(outlook: Outlook) -> list[float]:
    """Return upward ranks (Topcuoglu, Hariri, Wu 2002, eq. 8)."""
    cost, rate = mean_costs(outlook), per_byte(outlook)
    rank, below = [0.0] * len(cost), [0.0] * len(cost)
    for task in reversed(outlook.tasks):
        rank[task] = cost[task] + below[task]
        for source, size in outlook.predecessors[task]:
            below[source] = max(below[source], size * rate + rank[task])
    return rank
