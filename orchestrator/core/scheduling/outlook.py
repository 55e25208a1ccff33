"""What may be planned: tasks that have not started, on devices that are there, as plain arrays.

Tasks and devices are numbers. A schedule is an order of all tasks, in which each comes after its
predecessors, and a device for each; its times follow. Nothing is put into earlier gaps: the order
of a good schedule already says so. Times are seconds from `Outlook.now` on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapreplace
from math import inf
from typing import NamedTuple, TypeAlias

Link: TypeAlias = tuple[int, float]
"""A task at the other end of a dependency, and how many bytes pass between them."""


@dataclass(slots=True)
class Outlook:
    """The rest of the work. Rows are tasks, columns devices."""

    cost: list[list[float]]
    """Seconds each task takes on each device; infinite where it cannot run."""
    predecessors: list[list[Link]]
    """Of each task, those that have not started either."""
    there: list[list[float]]
    """When all that has started is done and, sent ahead, its results are on each device."""
    done: list[float]
    """When all that has started is done."""
    send: list[list[float]]
    """How long its results take to each device; all 0 if they are sent ahead."""
    per_byte: list[list[float]]
    """Seconds a byte takes from one device to another."""
    free: list[list[float]]
    """When each slot of each device is free, least first."""
    ahead: bool
    """Whether results are sent as soon as they are made, or only when a task has its slot."""

    @property
    def tasks(self) -> range:
        """Return all tasks."""
        return range(len(self.cost))

    @property
    def devices(self) -> range:
        """Return all devices."""
        return range(len(self.free))


def successors(outlook: Outlook) -> list[list[int]]:
    """Return of each task those that wait for it, once for each dependency."""
    found: list[list[int]] = [[] for _ in outlook.tasks]
    for task, before in enumerate(outlook.predecessors):
        for source, _ in before:
            found[source].append(task)
    return found


class Schedule(NamedTuple):
    """An order with devices, and when each task then ends. `end` is infinite if it cannot be."""

    end: float
    order: Sequence[int]
    device: Sequence[int]
    finish: Sequence[float]


def follow(
    outlook: Outlook,
    order: Sequence[int],
    device: Sequence[int],
    *,
    onward: Sequence[float] | None = None,
    limit: float = inf,
) -> Schedule:
    """Return the times of a schedule. O(dependencies).

    Where `onward` says how long it takes at least from each task's end to the end of all, it is
    given up, as one that cannot be, once it is bound to end after `limit`.
    """
    free = [slots.copy() for slots in outlook.free]
    finish = [0.0] * len(device)
    end = 0.0
    ahead, cost, per_byte = outlook.ahead, outlook.cost, outlook.per_byte
    there, done, send = outlook.there, outlook.done, outlook.send
    for task in order:
        here = device[task]
        slots = free[here]
        ready = there[task][here] if ahead else done[task]
        start = max(slots[0], ready)
        bring = send[task][here]
        for source, size in outlook.predecessors[task]:
            came = finish[source]
            if size:
                takes = size * per_byte[device[source]][here]
                if ahead:
                    came += takes
                elif takes > bring:
                    bring = takes
            if came > start:  # noqa: PLR1730 - twice as fast as max(), where a plan spends its time
                start = came
        finish[task] = last = start + bring + cost[task][here]
        if onward is not None and last + onward[task] > limit:
            return Schedule(inf, order, device, finish)
        heapreplace(slots, last)
        end = max(end, last)
    return Schedule(end, order, device, finish)


def soonest(outlook: Outlook, order: Sequence[int]) -> Schedule:
    """Give each task, in order, the device that finishes it first. O(dependencies · devices).

    Topcuoglu, Hariri, Wu 2002, section 4.2, without insertion.
    """
    free = [slots.copy() for slots in outlook.free]
    count = len(outlook.cost)
    finish, device = [0.0] * count, [0] * count
    devices = outlook.devices
    for task in order:
        came, bring = arrivals(outlook, task, device, finish)
        cost = outlook.cost[task]
        best, least = 0, inf
        for here in devices:
            start = free[here][0]
            start = max(start, came[here])
            done = start + bring[here] + cost[here]
            if done < least:
                best, least = here, done
        device[task], finish[task] = best, least
        heapreplace(free[best], least)
    return Schedule(max(finish, default=0.0), order, device, finish)


def arrivals(
    outlook: Outlook, task: int, device: Sequence[int], finish: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Return by device when a task may begin there, and how long it then waits for its inputs."""
    came = outlook.there[task].copy()
    bring = outlook.send[task]
    if not outlook.ahead:
        latest = max([outlook.done[task], *(finish[s] for s, _ in outlook.predecessors[task])])
        came = [latest] * len(came)
        bring = bring.copy()
    for source, size in outlook.predecessors[task]:
        rates, since = outlook.per_byte[device[source]], finish[source]
        if outlook.ahead:
            for here, rate in enumerate(rates):
                came[here] = max(came[here], since + size * rate)
        elif size:
            for here, rate in enumerate(rates):
                bring[here] = max(bring[here], size * rate)
    return came, bring


def by_start(outlook: Outlook, found: Schedule) -> Schedule:
    """Put a schedule in the order in which its tasks take their slots; ties as they were."""
    finish, device = found.finish, found.device
    start = [
        finish[v] - outlook.cost[v][device[v]] - _fetching(outlook, found, v)
        for v in outlook.tasks
    ]
    return found._replace(order=sorted(found.order, key=start.__getitem__))


def _fetching(outlook: Outlook, found: Schedule, task: int) -> float:
    """Return how long a task waits in its slot for its inputs."""
    if outlook.ahead:
        return 0.0
    here = found.device[task]
    takes = [
        size * outlook.per_byte[found.device[s]][here] for s, size in outlook.predecessors[task]
    ]
    return max([outlook.send[task][here], *takes])


class Dues(NamedTuple):
    """When what is to happen in a schedule."""

    slot: list[float]
    """By task, when it has a slot."""
    due: list[float]
    """By task, when all that it waits for is done, too, but for transfers."""
    idle: list[float]
    """By device, when it has a slot for which there is nothing more."""


def dues(outlook: Outlook, found: Schedule) -> Dues:
    """Return when tasks may start in a schedule."""
    free = [slots.copy() for slots in outlook.free]
    due, slot = outlook.done.copy(), outlook.done.copy()
    for task in found.order:
        slots = free[found.device[task]]
        slot[task] = slots[0]
        for source, _ in outlook.predecessors[task]:
            due[task] = max(due[task], found.finish[source])
        due[task] = max(due[task], slots[0])
        heapreplace(slots, found.finish[task])
    return Dues(slot, due, [slots[0] for slots in free])
