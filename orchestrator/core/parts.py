"""Large plans in parts: a step takes 40 µs and more for each edit, and nothing else happens then.

A plan that only adds is judged whole, then split so that every task comes after what it waits for.
Tasks of the first parts may run before the last part is there. Where a plan is deep, each part
changes the upward ranks of all ancestors, 0.5 µs each; so the number of its parts is bounded, and
a part of a very large one is larger.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.errors import EditRefusedError
from orchestrator.core.graph import judge
from orchestrator.core.state import Run
from protocol.types import TaskId

PART_EDITS: Final = 256  # measured: 10 ms
PARTS: Final = 50  # of a plan with more layers than that


def parts(run: Run, plan: EditBatch) -> tuple[EditBatch, ...]:
    """Return batches to be applied one after the other to a run without tasks; one if it is small.

    O(edits): for a thread, where they are many.

    Raises:
        EditRefusedError: the plan as a whole cannot be accepted.
    """
    if len(plan.edits) <= PART_EDITS:
        return (plan,)
    judged = judge(run, plan)
    if judged.reasons:
        raise EditRefusedError(judged.reasons)
    added: dict[TaskId, AddTask] = {}
    edges: dict[TaskId, list[AddDependency]] = defaultdict(list)
    for edit in plan.edits:
        match edit:
            case AddTask(spec):
                added[spec.id] = edit
            case AddDependency(edge):
                edges[edge.successor].append(edit)
            case _:
                return (plan,)
    order, layers = _ordered(judged.incoming)
    size = max(PART_EDITS, -(-len(plan.edits) // PARTS)) if layers > PARTS else PART_EDITS
    batches: list[list[Edit]] = [[]]
    for name in order:
        if len(batches[-1]) >= size:
            batches.append([])
        batches[-1] += [added[name], *edges[name]]
    base = plan.base_revision
    return tuple(EditBatch(base + n, tuple(edits)) for n, edits in enumerate(batches))


def _ordered(before: Mapping[TaskId, Collection[TaskId]]) -> tuple[list[TaskId], int]:
    """Sort tasks so that each follows its predecessors (Kahn 1962), and count the layers."""
    after: dict[TaskId, list[TaskId]] = defaultdict(list)
    for name, wanted in before.items():
        for predecessor in wanted:
            after[predecessor].append(name)
    unmet = {name: len(wanted) for name, wanted in before.items()}
    order = [name for name, count in unmet.items() if not count]
    layer = dict.fromkeys(order, 1)
    for name in order:
        for successor in after[name]:
            unmet[successor] -= 1
            if not unmet[successor]:  # this predecessor is the last, so in the deepest layer
                order.append(successor)
                layer[successor] = layer[name] + 1
    return order, max(layer.values())
