"""Is it a plan at all: do edits, references and dependencies lead somewhere, and never round?"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from orchestrator.core.edits import Reason
from orchestrator.core.model import On
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.refusals import senseless, unconditional
from protocol.nearest import nearest

_WITHOUT_OUTPUT = (On.FAILURE, On.COMPLETION)


def structure(plan: Plan) -> Iterator[Reason]:
    """Yield what makes the graph no graph. O(tasks + dependencies)."""
    yield from plan.refused
    for spec in plan.news:
        yield from senseless(spec)
    yield from _references(plan)
    yield from _dependencies(plan)
    if plan.cyclic:
        try:
            TopologicalSorter(plan.incoming).prepare()
        except CycleError as error:
            cycle = error.args[1]
            detail = f"these tasks wait for each other: {' → '.join(cycle)}"
            yield Reason("cycle", cycle[0], f"{detail}; remove one of the dependencies")


def _references(plan: Plan) -> Iterator[Reason]:
    for spec in plan.news:
        said = plan.scans[spec.id]
        for task in said.sources:
            if task not in plan.specs:
                detail = f"task {spec.id!r} refers to {task!r}, which is not in the plan"
                yield Reason("reference", spec.id, detail + nearest(task, plan.specs))
        for wrong in said.malformed:
            detail = f"task {spec.id!r}: {wrong} is no reference that can be followed"
            yield Reason("reference", spec.id, detail)


def _dependencies(plan: Plan) -> Iterator[Reason]:
    for (before, after), each in plan.edges.items():
        for task in (before, after):
            if task not in plan.specs:
                detail = f"{before!r} → {after!r}: there is no task {task!r}"
                yield Reason("unknown_task", task, detail + nearest(task, plan.specs))
        yield from unconditional(each)
        said = plan.scans.get(after)
        if each.on in _WITHOUT_OUTPUT and said is not None and before in said.sources:
            detail = f"task {after!r} uses the output of {before!r}, which takes its success"
            yield Reason("dependency", after, detail)
