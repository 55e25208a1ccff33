"""DLS, dynamic level scheduling.

Sih, Lee: A compile-time scheduling heuristic for interconnection-constrained heterogeneous
processor architectures, IEEE TPDS 4(2), 1993, sections 3 and 4. Of all ready tasks and devices,
the pair with the highest dynamic level goes next: static level, minus the earliest start, plus
how much faster than usual the device is for the task. Nothing is put in earlier gaps.

Deviations: transfers do not compete for links, as for the other schedulers here; ties go to the
task that comes first topologically, then to the first device.
"""

from math import inf
from statistics import median

from benchmarks.scheduling.model import Execution, Problem
from benchmarks.scheduling.plan import Plan


def schedule(plan: Plan) -> Plan:
    """Fill a plan: O(tasks · ready · devices)."""
    usual = usual_costs(plan.problem)
    static = static_levels(plan.problem, usual)
    place = {task: number for number, task in enumerate(plan.problem.order)}
    ready = plan.ready()

    def level(choice: Execution) -> float:
        cost = choice.finish - choice.start
        return static[choice.task] - choice.start + (usual[choice.task] - cost)

    while ready:
        choices = (
            plan.earliest(task, device, insertion=False)
            for task in ready
            for device in plan.choices(task)
        )
        chosen = max(choices, key=level)
        plan.take(chosen)
        ready.remove(chosen.task)
        ready = sorted([*ready, *plan.released(chosen.task)], key=place.__getitem__)
    return plan


def usual_costs(problem: Problem) -> list[float]:
    """Return each task's median cost over the devices that can do it."""
    return [median([cost for cost in row if cost < inf]) for row in problem.costs]


def static_levels(problem: Problem, usual: list[float]) -> list[float]:
    """Return the longest path of usual costs from each task to the end, without transfers."""
    static = list(usual)
    for task in reversed(problem.order):
        onwards = (static[successor] for successor, _ in problem.successors[task])
        static[task] += max(onwards, default=0.0)
    return static
