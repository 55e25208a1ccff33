"""The best schedule that CP-SAT finds in some time, for small instances: the extra `ortools`.

The model of a flexible job shop with transfers: an interval for each task and each device that
can do it, of which exactly one is taken; intervals on a device do not overlap; a task starts
after its predecessors, and later by the transfer where they are on another device. It starts
from a schedule that is known, so that what it finds is no longer than that.

CP-SAT counts in whole numbers: the known schedule is `RESOLUTION` long, costs and transfers are
rounded. What is found is therefore a schedule to execute (`replay`), not a makespan.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from math import inf
from typing import Any, Final

from benchmarks.scheduling.model import Execution, Problem, makespan

TASKS: Final = 100
"""Larger instances are not given to it."""
RESOLUTION: Final = 100_000
THREADS: Final = 8  # one of each kind of its searches, however few the cores


def installed() -> bool:
    """Tell whether there is a CP-SAT here."""
    return find_spec("ortools") is not None


def solve(
    problem: Problem, known: Sequence[Execution], *, limit_s: float, seed: int
) -> tuple[Execution, ...]:
    """Return the best schedule that is found, in an order that devices and edges agree with.

    The times in it are those of `problem`, rounded.
    """
    length = makespan(known)
    if length == 0.0:
        return tuple(known)
    model = _Model(problem, RESOLUTION / length)
    model.hint(known)
    cp = model.cp
    solver = cp.CpSolver()
    solver.parameters.max_time_in_seconds = limit_s
    solver.parameters.num_workers = THREADS
    solver.parameters.random_seed = seed
    status = solver.solve(model.model)
    if status not in (cp.OPTIMAL, cp.FEASIBLE):
        return tuple(known)
    return model.found(solver)


class _Model:
    """Tasks as intervals; times are multiplied by `scale`."""

    def __init__(self, problem: Problem, scale: float) -> None:
        self.cp: Any = import_module("ortools.sat.python.cp_model")
        self.model = self.cp.CpModel()
        self._problem = problem
        self._scale = scale
        horizon = RESOLUTION + 2 * len(problem.costs)  # rounding adds a half to each at most
        self._start = [self.model.new_int_var(0, horizon, "") for _ in problem.costs]
        self._on = [
            {d: self.model.new_bool_var("") for d, cost in enumerate(row) if cost < inf}
            for row in problem.costs
        ]
        self._end = [
            start + sum(self._whole(problem.costs[task][d]) * on for d, on in places.items())
            for task, (start, places) in enumerate(zip(self._start, self._on, strict=True))
        ]
        self._occupy()
        for edge in problem.instance.edges:
            self._follow(edge.source, edge.target, edge.size)
        last = self.model.new_int_var(0, horizon, "")
        for end in self._end:
            self.model.add(last >= end)
        self.model.minimize(last)

    def _whole(self, time: float) -> int:
        return round(time * self._scale)

    def _occupy(self) -> None:
        """Put every task on one device, and no two at a time there."""
        by_device: list[list[Any]] = [[] for _ in self._problem.devices]
        for task, places in enumerate(self._on):
            self.model.add_exactly_one(places.values())
            for device, on in places.items():
                takes = self._whole(self._problem.costs[task][device])
                by_device[device].append(
                    self.model.new_optional_fixed_size_interval_var(
                        self._start[task], takes, on, ""
                    )
                )
        for intervals in by_device:
            self.model.add_no_overlap(intervals)

    def _follow(self, source: int, target: int, size: float) -> None:
        """Let data come before it is used."""
        self.model.add(self._start[target] >= self._end[source])
        for a, here in self._on[source].items():
            for b, there in self._on[target].items():
                takes = self._whole(self._problem.fleet.transfer(size, a, b))
                if takes:
                    later = self.model.add(self._start[target] >= self._end[source] + takes)
                    later.only_enforce_if(here, there)

    def hint(self, known: Sequence[Execution]) -> None:
        """Begin with a schedule."""
        for each in known:
            self.model.add_hint(self._start[each.task], self._whole(each.start))
            for device, on in self._on[each.task].items():
                self.model.add_hint(on, device == each.device)

    def found(self, solver: Any) -> tuple[Execution, ...]:  # noqa: ANN401 - need not be installed
        """Read a solution."""
        executions = []
        for task, start in enumerate(self._start):
            (device,) = (d for d, on in self._on[task].items() if solver.boolean_value(on))
            began, ended = solver.value(start), solver.value(self._end[task])
            executions.append(Execution(task, device, began / self._scale, ended / self._scale))
        place = {task: number for number, task in enumerate(self._problem.order)}
        executions.sort(key=lambda each: (each.start, each.finish, place[each.task]))
        return tuple(executions)
