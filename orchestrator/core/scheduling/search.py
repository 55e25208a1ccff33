"""Local search on a schedule: what makes it long is moved, and kept where that is no worse.

A neighbour is made as in van Laarhoven, Aarts, Lenstra (Operations Research 40(1), 1992, section
3): only moves on a critical path can shorten a schedule. A critical task goes to another device,
to another place in the order, or both. Deviations: no temperature, since equal neighbours are
taken and the budget is small; the chance is counted, so that the same work gives the same plan.
"""

from collections.abc import Sequence
from math import inf
from typing import Final

from orchestrator.core.chance import unit
from orchestrator.core.scheduling.outlook import Outlook, Schedule, follow

MOVE_DEVICE: Final = 0.5  # share of moves to another device; half of these move in the order too
MOVE_BOTH: Final = 0.25
DIGITS: Final = 7919.0  # of a chance that are used up by one choice: more than there are devices
ROUNDING: Final = 1e-12  # sums of the same numbers in another order differ by less


def improve(outlook: Outlook, found: Schedule, *, tasks: int, seed: int = 0) -> Schedule:
    """Return the best schedule met while timing so many tasks: `tasks` by their number each."""
    count = len(found.device)
    if count < 2 or found.end == inf:  # noqa: PLR2004 - one task has its best device already
        return found
    best = now = found
    path, onward = _critical(outlook, now), _onward(outlook, now.order)
    for n in range(max(1, tasks // count)):
        moved = _neighbour(outlook, now, path, unit(seed, "move", n))
        if moved is None:
            continue
        tried = follow(outlook, *moved, onward=onward, limit=now.end * (1.0 + ROUNDING))
        if tried.end > now.end:
            continue
        now, path = tried, _critical(outlook, tried)
        if now.end < best.end:
            best = now
    return best


def _onward(outlook: Outlook, order: Sequence[int]) -> list[float]:
    """Return how long it takes at least from each task's end to the end of all."""
    onward = [0.0] * len(order)
    for task in reversed(order):
        from_start = onward[task] + min(outlook.cost[task])
        for source, _ in outlook.predecessors[task]:
            onward[source] = max(onward[source], from_start)
    return onward


def _neighbour(
    outlook: Outlook, now: Schedule, path: Sequence[int], chance: float
) -> tuple[Sequence[int], Sequence[int]] | None:
    """Move one critical task; None if it cannot go where chance, in [0, 1), would have it.

    Its first digits say which task, the next ones what and where.
    """
    task = path[int(chance * len(path))]
    kind = chance * len(path) % 1.0
    where = kind * DIGITS % 1.0
    device, order = now.device, now.order
    if kind < MOVE_DEVICE:
        others = [d for d in outlook.devices if d != device[task] and outlook.cost[task][d] < inf]
        if not others:
            return None
        device = list(device)
        device[task] = others[int(where * len(others))]
    if kind < MOVE_BOTH or kind >= MOVE_DEVICE:
        order = _moved(outlook, order, task, where * DIGITS % 1.0)
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
