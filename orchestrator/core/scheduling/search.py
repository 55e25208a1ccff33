"""Simulated annealing on a schedule: what makes it long is moved, at first also to its harm.

Van Laarhoven, Aarts, Lenstra (Operations Research 40(1), 1992): only moves on a critical path can
shorten a schedule (section 3), and one that lengthens it by d is taken with the chance exp(-d / T)
(section 2). Where transfers count, tasks that belong together must move together: so a critical
task goes to another device, or to where a neighbour in the graph is, alone or with those that data
ties to it on its old one, or it goes to another place in the order. Deviations: T falls in a line,
as the budget is ten thousand moves at the most; the chance of taking a move is drawn before it
is timed, as a limit that timing may give up at; and chance is counted, so that the same work gives
the same plan.
"""

from collections.abc import Sequence
from math import inf, log
from typing import Final, TypeAlias

from orchestrator.core.chance import Stream
from orchestrator.core.scheduling.outlook import Outlook, Schedule, follow

WARMTH: Final = 0.02  # T at first, of the schedule's length: from 0.01 to 0.05 is much the same
JOIN: Final = 0.5  # share of moves to where a neighbour in the graph is
MOVE: Final = 0.75  # and to any other device; the rest are moves in the order alone
EVEN: Final = 0.5  # chance that others come along, and that the order changes too
TIE: Final = 0.7  # chance that each of them does, and those that data ties to it, and so on
LEAST: Final = 1e-12  # of a chance: its logarithm is finite
ROUNDING: Final = 1e-12  # sums of the same numbers in another order differ by less

Neighbours: TypeAlias = Sequence[Sequence[int]]
"""By task, those that it has data from or for."""


def improve(outlook: Outlook, found: Schedule, *, tasks: int, seed: int = 0) -> Schedule:
    """Return the best schedule met while timing so many tasks: `tasks` by their number each."""
    count = len(found.device)
    if count < 2 or found.end == inf:  # noqa: PLR2004 - one task has its best device already
        return found
    best = now = found
    path, onward = _critical(outlook, now), _onward(outlook, now.order)
    near, chance = _neighbours(outlook), Stream(seed)
    moves = max(1, tasks // count)
    for left in range(moves, 0, -1):
        moved = _neighbour(outlook, now, path, near, chance)
        if moved is None:
            continue
        heat = WARMTH * best.end * left / moves
        limit = now.end - log(max(chance.unit(), LEAST)) * heat
        tried = follow(outlook, *moved, onward=onward, limit=limit * (1.0 + ROUNDING))
        if tried.end > limit * (1.0 + ROUNDING):
            continue
        now, path = tried, _critical(outlook, tried)
        if now.end < best.end:
            best = now
    return best


def _neighbours(outlook: Outlook) -> Neighbours:
    near: list[list[int]] = [[] for _ in outlook.tasks]
    for task, before in enumerate(outlook.predecessors):
        for source, size in before:
            if size:
                near[task].append(source)
                near[source].append(task)
    return near


def _onward(outlook: Outlook, order: Sequence[int]) -> list[float]:
    """Return how long it takes at least from each task's end to the end of all."""
    onward = [0.0] * len(order)
    for task in reversed(order):
        from_start = onward[task] + min(outlook.cost[task])
        for source, _ in outlook.predecessors[task]:
            onward[source] = max(onward[source], from_start)
    return onward


def _neighbour(
    outlook: Outlook, now: Schedule, path: Sequence[int], near: Neighbours, chance: Stream
) -> tuple[Sequence[int], Sequence[int]] | None:
    """Move one critical task; None if it cannot go where chance would have it."""
    task = path[chance.below(len(path))]
    kind, device, order = chance.unit(), now.device, now.order
    if kind < MOVE:
        beside = device[near[task][chance.below(len(near[task]))]] if near[task] else device[task]
        joins = kind < JOIN and beside != device[task]
        where = beside if joins else chance.below(len(outlook.free))
        if where == device[task] or outlook.cost[task][where] == inf:
            return None
        together = _tied(device, task, near, chance) if chance.unit() < EVEN else [task]
        device = list(device)
        for each in together:
            if outlook.cost[each][where] < inf:
                device[each] = where
    if kind >= MOVE or chance.unit() < EVEN:
        order = _moved(outlook, order, task, chance.unit())
    return order, device


def _tied(device: Sequence[int], task: int, near: Neighbours, chance: Stream) -> list[int]:
    """Return a task and others on its device that data ties to it, as chance has it."""
    found, seen = [task], {task}
    for each in found:  # which grows meanwhile
        for other in near[each]:
            if other not in seen and device[other] == device[task] and chance.unit() < TIE:
                seen.add(other)
                found.append(other)
    return found


def _moved(outlook: Outlook, order: Sequence[int], task: int, share: float) -> list[int]:
    """Put a task elsewhere between its last predecessor and its first successor."""
    place = order.index(task)
    before = {source for source, _ in outlook.predecessors[task]}
    first, last = place, place
    while first > 0 and order[first - 1] not in before:
        first -= 1
    while last + 1 < len(order) and all(
        source != task for source, _ in outlook.predecessors[order[last + 1]]
    ):
        last += 1
    rest = [*order[:place], *order[place + 1 :]]
    rest.insert(first + int(share * (last + 1 - first)), task)
    return rest


def _critical(outlook: Outlook, now: Schedule) -> list[int]:
    """Return tasks that each wait for the next, from the one that ends last: data or slot."""
    previous, last = [-1] * len(now.device), [-1] * len(outlook.free)
    for task in now.order:
        previous[task] = last[now.device[task]]
        last[now.device[task]] = task
    task = max(now.order, key=now.finish.__getitem__)
    path = [task]
    while (waited := _waited_for(outlook, now, task, previous[task])) >= 0:
        task = waited
        path.append(task)
    return path


def _waited_for(outlook: Outlook, now: Schedule, task: int, previous: int) -> int:
    here = now.device[task]
    latest, which = (now.finish[previous], previous) if previous >= 0 else (-inf, -1)
    for source, size in outlook.predecessors[task]:
        came = now.finish[source]
        if outlook.ahead:
            came += size * outlook.per_byte[now.device[source]][here]
        if came > latest:
            latest, which = came, source
    fixed = outlook.there[task][here] if outlook.ahead else outlook.done[task]
    return which if latest >= fixed else -1
