"""MinMin, MaxMin and MCT: whatever is ready, to where it is done first.

Maheswaran, Ali, Siegel, Hensgen, Freund: Dynamic mapping of a class of independent tasks onto
heterogeneous computing systems, JPDC 59(2), 1999, sections 3 and 4, after Ibarra and Kim (1977).
MinMin takes the ready task that can be done first of all; MaxMin the one that is done last, even
so; MCT (minimum completion time) takes them as they come. Nothing is put in earlier gaps.

Deviation: the papers' tasks are independent; here the set to choose from is what is ready, and
completion includes transfers. Ties go to the task that comes first topologically.
"""

from collections.abc import Callable, Iterable

from benchmarks.scheduling.model import Execution
from benchmarks.scheduling.plan import Plan


def minmin(plan: Plan) -> Plan:
    """Fill a plan: O(tasks · ready · devices)."""
    return _fill(plan, lambda soonest: min(soonest, key=lambda each: each.finish))


def maxmin(plan: Plan) -> Plan:
    """Fill a plan: O(tasks · ready · devices)."""
    return _fill(plan, lambda soonest: max(soonest, key=lambda each: each.finish))


def mct(plan: Plan) -> Plan:
    """Fill a plan, in topological order: O(edges · devices)."""
    for task in plan.left(plan.problem.order):
        plan.take(plan.soonest(task, insertion=False))
    return plan


def _fill(plan: Plan, choose: Callable[[Iterable[Execution]], Execution]) -> Plan:
    place = {task: number for number, task in enumerate(plan.problem.order)}
    ready = plan.ready()
    while ready:
        chosen = choose(plan.soonest(task, insertion=False) for task in ready)
        plan.take(chosen)
        ready.remove(chosen.task)
        ready = sorted([*ready, *plan.released(chosen.task)], key=place.__getitem__)
    return plan
