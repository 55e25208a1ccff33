"""DLS, dynamic level scheduling: another plan that a search may start from.

Sih, Lee: A compile-time scheduling heuristic for interconnection-constrained heterogeneous
processor architectures, IEEE TPDS 4(2), 1993, sections 3 and 4. Of all ready tasks and devices,
the pair with the highest dynamic level goes next: static level, minus the earliest start, plus how
much faster than usual the device is for the task. Deviations: transfers do not compete for links,
and what it takes to fetch in a slot counts as work; ties go to the task that comes first.

Each device has two heaps of ready tasks, so that a step costs no look at all pairs: those that
could start at once, and those whose inputs are still to come. A level of the second heap is at
least the true one, so only what is on top need be exact.
"""

from collections.abc import Sequence
from heapq import heappop, heappush, heapreplace
from math import inf
from statistics import median
from typing import TypeAlias

from orchestrator.core.scheduling.listing import upward
from orchestrator.core.scheduling.outlook import Outlook, Schedule, arrivals, successors

_Heap: TypeAlias = list[tuple[float, int, float]]
"""Minus the level without what a device has to do before, which task, and when its inputs come."""


def by_dynamic_level(outlook: Outlook, order: Sequence[int]) -> Schedule:
    """Place all tasks; `order` has each after its predecessors. O(tasks · devices · log tasks)."""
    return _Plan(outlook, order).filled()


class _Plan:
    """Tasks that are placed so far, and those that are ready."""

    def __init__(self, outlook: Outlook, order: Sequence[int]) -> None:
        self._outlook = outlook
        count = len(outlook.cost)
        self._usual = [median([cost for cost in row if cost < inf]) for row in outlook.cost]
        self._static = upward(outlook, order, self._usual, 0.0)
        self._place = {task: number for number, task in enumerate(order)}
        self._task = list(order)
        self._free = [slots.copy() for slots in outlook.free]
        self._finish, self._device = [0.0] * count, [0] * count
        self._placed = [False] * count
        self._unmet = [len(before) for before in outlook.predecessors]
        self._successors = successors(outlook)
        self._takes: list[Sequence[float]] = [()] * count
        self._came: list[Sequence[float]] = [()] * count
        self._now: list[_Heap] = [[] for _ in outlook.free]
        self._later: list[_Heap] = [[] for _ in outlook.free]

    def filled(self) -> Schedule:
        for task in self._task:
            if not self._unmet[task]:
                self._ready(task)
        order = []
        for _ in self._task:
            tops = [(self._top(here), here) for here in self._outlook.devices]
            (_, place), here = max(tops, key=lambda top: (top[0][0], -top[0][1], -top[1]))
            task = self._task[place]
            order.append(task)
            self._take(task, here)
        return Schedule(max(self._finish), order, self._device, self._finish)

    def _ready(self, task: int) -> None:
        came, bring = arrivals(self._outlook, task, self._device, self._finish)
        place, self._came[task] = self._place[task], came
        takes = self._takes[task] = [
            wait + cost for wait, cost in zip(bring, self._outlook.cost[task], strict=True)
        ]
        best = self._static[task] + self._usual[task]
        for here, seconds in enumerate(takes):
            if seconds < inf:
                at = came[here]
                heappush(self._later[here], (at + seconds - best, place, at))

    def _top(self, here: int) -> tuple[float, int]:
        """Return the highest level on a device, and the place in the order of whose it is."""
        free, now, later = self._free[here][0], self._now[here], self._later[here]
        while later:
            level, place, at = later[0]
            if self._placed[self._task[place]]:
                heappop(later)
            elif at <= free:
                heappop(later)
                heappush(now, (level - at, place, at))
            else:
                break
        while now and self._placed[self._task[now[0][1]]]:
            heappop(now)
        found = (-inf, len(self._task))
        if now:
            found = (-now[0][0] - free, now[0][1])
        if later and (-later[0][0], -later[0][1]) > (found[0], -found[1]):
            found = (-later[0][0], later[0][1])
        return found

    def _take(self, task: int, here: int) -> None:
        start = max(self._came[task][here], self._free[here][0])
        self._placed[task], self._device[task] = True, here
        self._finish[task] = done = start + self._takes[task][here]
        heapreplace(self._free[here], done)
        for successor in self._successors[task]:
            self._unmet[successor] -= 1
            if not self._unmet[successor]:
                self._ready(successor)
