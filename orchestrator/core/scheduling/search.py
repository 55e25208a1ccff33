"""Local search on a schedule: what makes it long is moved, and kept where that is no worse.

A neighbour is made as in van Laarhoven, Aarts, Lenstra (Operations Research 40(1), 1992, section
3): only moves on a critical path can shorten a schedule. A critical task goes to another place in
the order, to another device, or to where a neighbour in the graph is, so that no transfer lies
between them; its other neighbours may then come along. Deviations: no temperature, since equal
schedules are taken and the budget is small; the chance is counted, so that the same work gives the
same plan.
"""

from collections.abc import Sequence
from math import inf
from typing import Final, TypeAlias

from orchestrator.core.chance import Stream
from orchestrator.core.scheduling.outlook import Outlook, Schedule, follow

JOIN: Final = 0.5  # share of moves to where a neighbour in the graph is
MOVE: Final = 0.75  # and to any other device; the rest are moves in the order alone
EVEN: Final = 0.5  # chance that another task comes along, and that the order changes too
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
    for _ in range(max(1, tasks // count)):
        moved = _neighbour(outlook, now, path, near, chance)
        if moved is None:
            continue
        tried = follow(outlook, *moved, onward=onward, limit=now.end * (1.0 + ROUNDING))
        if tried.end > now.end:
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
        device = list(device)
        left, device[task] = device[task], where
        if joins and chance.unit() < EVEN:
            for other in near[task]:
                comes = device[other] == left and chance.unit() < EVEN
                if comes and outlook.cost[other][where] < inf:
                    device[other] = where
    if kind >= MOVE or chance.unit() < EVEN:
        order = _moved(outlook, order, task, chance.unit())
    return order, device


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
