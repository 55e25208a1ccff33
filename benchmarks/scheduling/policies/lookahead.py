"""HEFT with look-ahead over one level.

Bittencourt, Sakellariou, Madeira: DAG scheduling using a lookahead variant of the heterogeneous
earliest finish time algorithm, PDP 2010, section III. A task goes to the device from which the
last of its children finishes first, as HEFT would place these next, in the order of their ranks.

Deviations: ties, and tasks without children, go by the task's own finish time. Children are
placed by what is known of their parents so far; the paper leaves the others open.
"""

from benchmarks.scheduling.model import Execution
from benchmarks.scheduling.plan import Plan
from benchmarks.scheduling.policies import heft


def schedule(plan: Plan) -> Plan:
    """Fill a plan: O(edges · devices²), and a look at the gaps."""
    order = heft.order(plan.problem)
    place = {task: number for number, task in enumerate(order)}
    for task in plan.left(order):
        after = {successor for successor, _ in plan.problem.successors[task]}
        children = sorted(after, key=place.__getitem__)
        choices = [plan.earliest(task, device) for device in plan.choices(task)]
        plan.take(min(choices, key=lambda choice: _seen_ahead(plan, choice, children)))
    return plan


def _seen_ahead(plan: Plan, choice: Execution, children: list[int]) -> tuple[float, float]:
    """Return when the last child would finish after this choice, and when the task itself does."""
    taken = [choice]
    plan.take(choice)
    for child in children:
        taken.append(plan.soonest(child))
        plan.take(taken[-1])
    for execution in reversed(taken):
        plan.take_back(execution)
    return max((each.finish for each in taken[1:]), default=choice.finish), choice.finish
