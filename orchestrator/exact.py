"""CP-SAT on what is left of a plan, after annealing and from its answer: the extra `ortools`.

The model is that of a flexible job shop with transfers, in optional intervals (Laborie, Rogerie,
Shaw, Vilim: IBM ILOG CP optimizer for scheduling, Constraints 23(2), 2018, section 2): one for
each task and each device that can do it, of which exactly one is taken; no more of them overlap
on a device than it has slots; a task waits for what it needs and for its transfer.

CP-SAT counts in whole numbers: the known schedule is `RESOLUTION` long, and all is rounded down,
so that the known schedule is one of the model's. What is found is an order and devices, and it
counts if, timed by `outlook.follow`, it ends sooner.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from math import floor, inf
from typing import Any, Final

from orchestrator.core.scheduling.improvement import TIMED_PER_S, Answer, Problem
from orchestrator.core.scheduling.improvement import solve as anneal
from orchestrator.core.scheduling.outlook import Outlook, Schedule, follow

TASKS: Final = 100
"""Problems of more are not given to it."""
TERMS: Final = 200_000  # of a model: to write them down takes a fifth of a second
INTERVAL: Final = 10  # terms, in time
LEAST_S: Final = 1.0  # of search: with less, annealing finds more in all of the time
ANNEAL: Final = 0.25  # of a search goes to annealing: by then it has most of what it will find
WORK_PER_S: Final = 0.12  # deterministic time: of a second a search takes 1.0 s, 2.6 at most
WORKER: Final[Mapping[str, int]] = {
    "num_workers": 1,  # more take turns as the machine has it, and give another answer each time
    "linearization_level": 0,  # relaxations, probing, symmetry: without, more is found in time
    "cp_model_probing_level": 0,
    "symmetry_level": 0,
}
RESOLUTION: Final = 100_000
BEYOND: Final = 2 * RESOLUTION  # what takes so long is in no schedule as good as the known one
ROUNDING: Final = 1e-6  # a whole number that was summed in another order is not one less


def search(problem: Problem) -> Answer:
    """Return the best plan found, from the one that there is: the same one wherever CP-SAT is."""
    outlook = problem.outlook
    budget_s = problem.timed / TIMED_PER_S
    if budget_s < LEAST_S or not fits(outlook) or not available():
        return anneal(problem)
    first = anneal(replace(problem, timed=int(ANNEAL * problem.timed)))
    work = (1.0 - ANNEAL) * budget_s * WORK_PER_S
    parameters = {**WORKER, "random_seed": problem.number, "max_deterministic_time": work}
    found = solve(outlook, follow(outlook, *first), parameters)
    return Answer(tuple(found.order), tuple(found.device))


def fits(outlook: Outlook) -> bool:
    """Tell whether a problem is small enough."""
    links = sum(size > 0.0 for before in outlook.predecessors for _, size in before)
    tasks, devices = len(outlook.cost), len(outlook.free)
    return tasks <= TASKS and (links * devices + INTERVAL * tasks) * devices <= TERMS


def available() -> bool:
    """Tell whether CP-SAT is here, and works; it is loaded then, 70 MB and half a second."""
    try:
        import_module("ortools.sat.python.cp_model")
    except ImportError:
        return False
    return True


def solve(outlook: Outlook, known: Schedule, parameters: Mapping[str, float]) -> Schedule:
    """Return the best schedule that CP-SAT finds, or the known one. It must be `available`.

    Args:
        outlook: of any size.
        known: a schedule of it.
        parameters: of CP-SAT, among them how long it searches.
    """
    if not 0.0 < known.end < inf:
        return known
    cp: Any = import_module("ortools.sat.python.cp_model")
    model = _Model(cp, outlook, known)
    solver = cp.CpSolver()
    for name, value in parameters.items():
        setattr(solver.parameters, name, value)
    if solver.solve(model.model) not in (cp.OPTIMAL, cp.FEASIBLE):
        return known
    found = follow(outlook, *model.found(solver))
    return found if found.end < known.end else known


class _Model:
    """What may be done, with what is known to be possible as a hint."""

    def __init__(self, cp: Any, outlook: Outlook, known: Schedule) -> None:  # noqa: ANN401 - an extra
        self.model: Any = cp.CpModel()
        self._sum = cp.LinearExpr.weighted_sum
        self._outlook = outlook
        self._known = known
        self._scale = RESOLUTION / known.end
        self._on: dict[int, dict[int, Any]] = {}
        self._start: dict[int, Any] = {}
        self._end: dict[int, Any] = {}
        self._held: list[list[Any]] = [[] for _ in outlook.devices]
        for task in known.order:
            self._add(task)
        for device in outlook.devices:
            self._share(device)
        last = self._time(RESOLUTION)
        for end in self._end.values():
            self.model.add(last >= end)
        self.model.minimize(last)

    def _add(self, task: int) -> None:
        """Let a task hold a slot of one device, from its start until, inputs there, it is done."""
        outlook, known, model = self._outlook, self._known, self.model
        cost, where = outlook.cost[task], known.device[task]
        on = self._on[task] = {d: model.new_bool_var("") for d, c in enumerate(cost) if c < inf}
        model.add_exactly_one(on.values())
        for device, taken in on.items():
            model.add_hint(taken, device == where)
        fetching = self._fetching(task)
        began = self._whole(max(known.finish[task] - cost[where] - fetching, 0.0))
        brought = self._whole(fetching)
        start = self._start[task] = self._time(began)
        end = self._end[task] = self._time(began + brought + self._whole(cost[where]))
        bring = 0 if outlook.ahead else self._time(brought)
        for device, taken in on.items():
            takes = bring + self._whole(cost[device])
            held = model.new_optional_interval_var(start, takes, end, taken, "")
            self._held[device].append(held)
        if outlook.ahead:
            self._wait(task, start, outlook.there[task])
        else:
            model.add(start >= self._whole(outlook.done[task]))
            self._wait(task, bring, outlook.send[task])

    def _wait(self, task: int, arrived: Any, started: Sequence[float]) -> None:  # noqa: ANN401
        """Let inputs arrive, those of what has started and then the others."""
        outlook, model, on = self._outlook, self.model, self._on[task]
        model.add(arrived >= self._at(on, started))
        for source, size in outlook.predecessors[task]:
            model.add(self._start[task] >= self._end[source])
            since = self._end[source] if outlook.ahead else 0
            for device, taken in on.items() if size else ():
                takes = [size * rates[device] for rates in outlook.per_byte]
                later = model.add(arrived >= since + self._at(self._on[source], takes))
                later.only_enforce_if(taken)

    def _share(self, device: int) -> None:
        """Let a device do no more at a time than it has slots, of which some are not yet free."""
        slots, held = self._outlook.free[device], self._held[device]
        for until in map(self._whole, slots):
            if until:
                held.append(self.model.new_fixed_size_interval_var(0, until, ""))
        if len(slots) == 1:
            self.model.add_no_overlap(held)
        else:
            self.model.add_cumulative(held, [1] * len(held), len(slots))

    def _at(self, on: Mapping[int, Any], times: Sequence[float]) -> Any:  # noqa: ANN401
        """Return the time by device that is that of the device taken."""
        return self._sum(list(on.values()), [self._whole(times[device]) for device in on])

    def _fetching(self, task: int) -> float:
        """Return how long a task waits for inputs in its slot, in the known schedule."""
        outlook, device = self._outlook, self._known.device
        if outlook.ahead:
            return 0.0
        rates = [row[device[task]] for row in outlook.per_byte]
        takes = [size * rates[device[s]] for s, size in outlook.predecessors[task] if size]
        return max([outlook.send[task][device[task]], *takes])

    def _time(self, known: int) -> Any:  # noqa: ANN401
        """Return a time to be found, that is known in one schedule."""
        time = self.model.new_int_var(0, RESOLUTION, "")
        self.model.add_hint(time, known)
        return time

    def _whole(self, time: float) -> int:
        return floor(min(time * self._scale + ROUNDING, BEYOND))

    def found(self, solver: Any) -> tuple[list[int], list[int]]:  # noqa: ANN401
        """Read an order and devices."""
        place = {task: number for number, task in enumerate(self._known.order)}
        start = {task: solver.value(time) for task, time in self._start.items()}
        end = {task: solver.value(time) for task, time in self._end.items()}
        order = sorted(place, key=lambda task: (start[task], end[task], place[task]))
        taken = [self._on[task] for task in self._outlook.tasks]
        return order, [
            next(d for d, on in each.items() if solver.boolean_value(on)) for each in taken
        ]
