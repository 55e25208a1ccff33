"""Earliest finish time: late binding in rank order, with waiting for a busy but better device.

Source: the processor selection of HEFT (Topcuoglu, Hariri, Wu 2002, section 4.2), applied at
dispatch and not ahead of time. Deviations: durations are learned while the run executes, so a
task is bound only when a device has room; and the insertion of earlier gaps is dropped, since
nothing is planned into the future that a gap could lie in.
"""

import heapq
from collections.abc import Iterator

from orchestrator.core.scheduling import Placement
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Busy, Demand, Entry, QueueKey

WORTH_WAITING = 0.9  # a tenth better at least: less is noise in the estimates
INSTANT_S = 1e-3  # what is quicker counts as that: a device may do any number of them
FEW = 16  # with more tasks waiting there is work for every device, however slow


def place(board: Board, now: float) -> Iterator[Placement]:
    """Yield placements for what changed: O(log n) each, plus the better devices that are busy."""
    heads: list[tuple[QueueKey, int, Demand]] = []
    for number, demand in enumerate(board.changed.values()):
        head = demand.head()
        if head is not None:
            heads.append((head[0], number, demand))
    board.changed.clear()
    heapq.heapify(heads)
    while heads:
        _, number, demand = heads[0]
        placement = _placement(board, demand, now)
        if placement is not None:
            yield placement
        head = demand.head() if placement is not None else None
        if head is None:
            heapq.heappop(heads)
        else:
            heapq.heapreplace(heads, (head[0], number, demand))


def _placement(board: Board, demand: Demand, now: float) -> Placement | None:
    """Return what the device that finishes soonest should take, if anything."""
    room, head = board.best(demand, now), demand.head()
    if room is None or head is None:
        return None
    each_s, _, _, device = room
    scale = board.scale(demand, head[2])
    few = demand.waiting <= FEW
    passed = _left_to_better(demand, each_s, scale, now) if few else 0
    entry = _nth(demand, passed)
    if entry is None:
        board.leave(demand, now + each_s * scale)  # by then it would be done here
        return None
    return Placement(entry[2], device, each_s * board.scale(demand, entry[2]))


def _left_to_better(demand: Demand, each_s: float, scale: float, now: float) -> int:
    """Count the tasks that busy devices would finish before an idle one finishes its first.

    All are taken to be as long as the first, `scale` times `each_s`.
    """
    count = 0
    for here_s, machine in demand.quickest:
        if here_s >= each_s * WORTH_WAITING:
            break
        if machine.available and machine.free <= 0 and machine.attempts:
            wait_s = min(_remaining(busy, now) for busy in machine.attempts.values())
            each = (each_s * scale - wait_s) / max(here_s * scale, INSTANT_S)
            count += max(0, int(min(each, demand.waiting))) * machine.card.slots
    return count


def _remaining(busy: Busy, now: float) -> float:
    began = busy.started_at if busy.started_at is not None else busy.offered_at
    left_s = began + busy.estimate_s - now
    return left_s if left_s >= 0.0 else -left_s  # one that is late will be as late again


def _nth(demand: Demand, n: int) -> Entry | None:
    """Return the waiting task after the first `n`, leaving the queue as it was."""
    if n == 0:
        return demand.head()
    if n >= demand.waiting:
        return None
    passed = []
    for _ in range(n):
        demand.head()  # drops what waits no longer
        passed.append(heapq.heappop(demand.queue))
    chosen = demand.head()
    for entry in passed:
        heapq.heappush(demand.queue, entry)
    return chosen
