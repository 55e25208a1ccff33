"""Earliest finish time: late binding in rank order, with waiting for a busy but better device.

Source: the processor selection of HEFT (Topcuoglu, Hariri, Wu 2002, section 4.2), applied at
dispatch and not ahead of time. Deviations: durations are learned while the run executes, so a
task is bound only when a device has room; and the insertion of earlier gaps is dropped, since
nothing is planned into the future that a gap could lie in. Where a task's inputs have to be sent,
the devices that have them are looked at, the quickest ones, and the quickest with room.
"""

import heapq
from collections.abc import Iterable, Iterator
from math import inf

from orchestrator.core.scheduling import Placement
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Busy, Demand, Entry, Machine, QueueKey
from orchestrator.core.scheduling.transfers import inputs
from protocol.types import AttemptId, DeviceId

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
    if board.estimates.links and not demand.needs and any(inputs(board, head[2])):
        return _near_inputs(board, demand, device, now)
    scale = board.scale(demand, head[2])
    few = demand.waiting <= FEW
    passed = _left_to_better(board, demand, now, each_s=each_s, scale=scale) if few else 0
    entry = _nth(demand, passed)
    if entry is None:
        board.leave(demand, now + each_s * scale)  # by then it would be done here
        return None
    return Placement(entry[2], device, each_s * board.scale(demand, entry[2]))


def _near_inputs(board: Board, demand: Demand, quickest: Machine, now: float) -> Placement | None:
    """Return the first task that finishes soonest on a device with room, inputs sent, and there.

    The first few may be left to devices that are busy, one after the other.
    """
    left: dict[DeviceId, int] = {}
    look_at = inf
    for n in range(min(demand.waiting, FEW)):
        entry = _nth(demand, n)
        assert entry is not None  # noqa: S101 - so many wait
        task = entry[2]
        scale, sources = board.scale(demand, task), list(inputs(board, task))
        best, soonest, later, last = quickest, inf, quickest, inf
        for machine in _candidates(demand, quickest, sources):
            name = machine.card.device
            takes_s = board.seconds(demand, machine) * scale + _bring_s(board, sources, name)
            if machine.free > 0 and takes_s < soonest:
                best, soonest = machine, takes_s
            elif machine.free <= 0 and machine.attempts:
                wait_s = min(_over_s(board, each, now) for each in machine.attempts)
                end_s = wait_s + takes_s * (1.0 + left.get(name, 0) / machine.card.slots)
                later, last = min((later, last), (machine, end_s), key=_end_s)
        if demand.waiting > FEW or last >= soonest * WORTH_WAITING:
            return Placement(task, best, board.seconds(demand, best) * scale)
        left[later.card.device] = left.get(later.card.device, 0) + 1
        look_at = min(look_at, now + soonest)
    board.leave(demand, look_at)
    return None


def _candidates(
    demand: Demand, quickest: Machine, sources: Iterable[tuple[DeviceId, float]]
) -> Iterator[Machine]:
    """Yield devices that may be best for a task, each once, that with room that is first."""
    near = (demand.machines.get(source) for source, _ in sources)
    found = [quickest, *(m for m in near if m is not None), *(m for _, m in demand.quickest)]
    for machine in {m.card.device: m for m in found}.values():
        if machine.available:
            yield machine


def _bring_s(board: Board, sources: Iterable[tuple[DeviceId, float]], device: DeviceId) -> float:
    per_byte = board.estimates.links.per_byte
    return max((size * per_byte(source, device) for source, size in sources), default=0.0)


def _end_s(choice: tuple[Machine, float]) -> float:
    return choice[1]


def _left_to_better(
    board: Board, demand: Demand, now: float, *, each_s: float, scale: float
) -> int:
    """Count the tasks that busy devices would finish before an idle one finishes its first.

    All are taken to be as long as the first, `scale` times `each_s`.
    """
    count = 0
    for here_s, machine in demand.quickest:
        if here_s >= each_s * WORTH_WAITING:
            break
        if machine.available and machine.free <= 0 and machine.attempts:
            wait_s = min(_over_s(board, name, now) for name in machine.attempts)
            each = (each_s * scale - wait_s) / max(here_s * scale, INSTANT_S)
            count += max(0, int(min(each, demand.waiting))) * machine.card.slots
    return count


def _over_s(board: Board, name: AttemptId, now: float) -> float:
    """Return in how long an attempt may be expected to end, or to be told to stop.

    As `survey` has it: where a hedge runs beside it, the first of both ends the other.
    """
    attempt = board.attempts[name]
    task = board.runs[attempt.run].tasks.get(attempt.task)
    both = (task.live, task.hedge) if task is not None and task.hedge is not None else ()
    if name not in both:
        return _remaining(attempt, now)
    return min(_remaining(board.attempts[one], now) for one in both if one is not None)


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
