"""The best schedule that CP-SAT finds in some time, for small instances: the extra `ortools`.

The model is that of the worker that improves plans (`orchestrator.exact`), which starts from a
schedule that is known; so what it finds is no longer than that. Devices take one task at a time.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from benchmarks.scheduling.model import Execution, Problem
from orchestrator import exact
from orchestrator.core.scheduling.outlook import Outlook, follow

TASKS: Final = exact.TASKS
"""Larger instances are not given to it."""
THREADS: Final = 8  # one of each kind of its searches, however few the cores


def installed() -> bool:
    """Tell whether there is a CP-SAT here."""
    return find_spec("ortools") is not None


def solve(
    problem: Problem, known: Sequence[Execution], *, limit_s: float, seed: int
) -> tuple[Execution, ...]:
    """Return the best schedule that is found, in an order that devices and edges agree with."""
    place = {task: number for number, task in enumerate(problem.order)}
    begun = sorted(known, key=lambda each: (each.start, each.finish, place[each.task]))
    order = [each.task for each in begun]
    device = [each.device for each in sorted(known, key=lambda each: each.task)]
    outlook = _outlook(problem)
    limits = {"max_time_in_seconds": limit_s, "num_workers": THREADS, "random_seed": seed}
    found = exact.solve(outlook, follow(outlook, order, device), limits)
    executions = []
    for task in found.order:
        where, finish = found.device[task], found.finish[task]
        executions.append(Execution(task, where, finish - problem.costs[task][where], finish))
    return tuple(executions)


def _outlook(problem: Problem) -> Outlook:
    """Return all of a problem: nothing has started, and data is sent as soon as it is made."""
    transfer, devices = problem.fleet.transfer, problem.devices
    nothing = [[0.0 for _ in devices] for _ in problem.costs]
    return Outlook(
        cost=[list(row) for row in problem.costs],
        predecessors=[list(before) for before in problem.predecessors],
        there=nothing,
        done=[0.0 for _ in problem.costs],
        send=nothing,
        per_byte=[[transfer(1.0, a, b) for b in devices] for a in devices],
        free=[[0.0] for _ in devices],
        ahead=True,
    )
