"""A schedule in the making, as list schedulers fill it: one task at a time on every device.

A task starts when the data of its predecessors is there and the device has a gap that is long
enough: between two executions (the insertion policy of Topcuoglu et al. 2002, section 4.2) or,
without insertion, after the last one. Taking and taking back are O(successors · devices), so that
looking ahead needs no copies. Release times and windows of devices are not modelled here.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from math import inf

from benchmarks.scheduling.model import Execution, Problem


class Plan:
    """Executions planned so far; nothing is put before `not_before`, or on `closed` devices.

    Data that was made before then is on its way to where its reader was `meant` to be, by task; to
    other devices it is sent then.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        not_before: float = 0.0,
        closed: frozenset[int] = frozenset(),
        meant: Mapping[int, int] | None = None,
    ) -> None:
        self.problem = problem
        self.not_before = not_before
        self.meant = meant or {}
        self.open = tuple(d for d in problem.devices if d not in closed)
        self.placed: dict[int, Execution] = {}
        self._busy: list[list[tuple[float, float, int]]] = [[] for _ in problem.devices]
        """By device: start, finish and task of what takes time there, in order."""
        self._unmet = [len(before) for before in problem.predecessors]
        self._arrival = [(not_before,) * len(problem.devices)] * len(self._unmet)
        """By task and device: when the data of its predecessors placed so far is there."""
        self._undo: list[list[tuple[int, tuple[float, ...]]]] = []

    def choices(self, task: int) -> list[int]:
        """Return the open devices that can do a task."""
        return [d for d in self.open if self.problem.costs[task][d] < inf]

    def data_ready(self, task: int, device: int) -> float:
        """Return when the data of those predecessors that are placed is on a device."""
        return self._arrival[task][device]

    def available(self, device: int) -> float:
        """Return when a device has done all that is planned there."""
        busy = self._busy[device]
        return max(self.not_before, busy[-1][1]) if busy else self.not_before

    def earliest(self, task: int, device: int, *, insertion: bool = True) -> Execution:
        """Return the earliest execution of a task on a device, without taking it."""
        ready, cost = self.data_ready(task, device), self.problem.costs[task][device]
        if not insertion:
            start = max(ready, self.available(device))
            return Execution(task, device, start, start + cost)
        busy, start = self._busy[device], ready
        # What has finished by then is out of the way: executions do not overlap.
        for began, finished, _ in busy[bisect_right(busy, ready, key=lambda each: each[1]) :]:
            if start + cost <= began:
                break
            start = max(start, finished)
        return Execution(task, device, start, start + cost)

    def soonest(self, task: int, *, insertion: bool = True) -> Execution:
        """Return the execution that finishes first; ties go to the first device."""
        return min(
            (self.earliest(task, d, insertion=insertion) for d in self.choices(task)),
            key=lambda each: each.finish,
        )

    def take(self, execution: Execution) -> None:
        """Plan an execution."""
        self.placed[execution.task] = execution
        insort(self._busy[execution.device], _entry(execution))
        before = []
        transfer, devices = self.problem.fleet.transfer, self.problem.devices
        for successor, size in self.problem.successors[execution.task]:
            self._unmet[successor] -= 1
            known = self._arrival[successor]
            before.append((successor, known))
            self._arrival[successor] = tuple(
                max(
                    known[d],
                    self.sent(execution, successor, d) + transfer(size, execution.device, d),
                )
                for d in devices
            )
        self._undo.append(before)

    def sent(self, execution: Execution, reader: int, device: int) -> float:
        """Return when data of an execution is sent to a device for the task that reads it."""
        if self.meant.get(reader) == device:
            return execution.finish
        return max(execution.finish, self.not_before)

    def take_back(self, execution: Execution) -> None:
        """Undo the last `take`, which was of this execution."""
        del self.placed[execution.task]
        self._busy[execution.device].remove(_entry(execution))
        for successor, known in reversed(self._undo.pop()):
            self._unmet[successor] += 1
            self._arrival[successor] = known

    def is_ready(self, task: int) -> bool:
        """Tell whether all predecessors of a task are placed, and it is not."""
        return self._unmet[task] == 0 and task not in self.placed

    def left(self, order: Iterable[int]) -> Iterator[int]:
        """Yield what is not placed yet of `order`."""
        return (task for task in order if task not in self.placed)

    def ready(self) -> list[int]:
        """Return every task that is ready, in topological order."""
        return [task for task in self.problem.order if self.is_ready(task)]

    def released(self, task: int) -> list[int]:
        """Return the successors of a task that are ready, in order."""
        after = dict.fromkeys(successor for successor, _ in self.problem.successors[task])
        return list(filter(self.is_ready, after))

    def executions(self) -> tuple[Execution, ...]:
        """Return what is planned, in an order that every device and every edge agrees with."""
        place = {task: number for number, task in enumerate(self.problem.order)}
        return tuple(
            sorted(self.placed.values(), key=lambda e: (e.start, e.finish, place[e.task]))
        )


def _entry(execution: Execution) -> tuple[float, float, int]:
    return execution.start, execution.finish, execution.task
