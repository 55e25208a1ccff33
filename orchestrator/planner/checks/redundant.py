"""Non-redundant: no work twice, none that nobody wants, no order that is there anyway (AOP, 3.3).

What would be wrong to commit is a reason; what may be meant is advice.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from orchestrator.core.edits import Reason
from orchestrator.core.model import On, TaskSpec
from orchestrator.planner.checks.fleet import Fleet
from orchestrator.planner.checks.literals import is_file
from orchestrator.planner.checks.plan import Plan
from protocol.types import Effect, TaskId

MOST_TASKS: Final = 5_000
"""Ancestors are bit sets, so memory grows with the square: 3 MB here. Larger plans get no advice
on their edges."""
MOST_WRITERS: Final = 4  # of one file that are looked at
_STRICT: Final = frozenset({On.SUCCESS, On.WHEN})
"""Ways to wait that hold only where the predecessor succeeded: whoever waits for it in such a way
has waited for all that it waited for in such a way."""
_ANY: Final = frozenset(On)
_IMPLIED: Final = frozenset({On.SUCCESS, On.COMPLETION})


def redundant(plan: Plan, fleet: Fleet, wanted: Iterable[TaskId] = ()) -> Iterator[Reason]:
    """Yield the tasks that do again what another does, or what nobody needs.

    Args:
        plan: a plan without cycles.
        fleet: tells which tasks have no effect outside.
        wanted: the tasks whose output is asked for; without any, every output is.
    """
    yield from _duplicates(plan, fleet)
    if roots := set(wanted):
        yield from _dead(plan, fleet, roots)


def needless(plan: Plan) -> Iterator[Reason]:
    """Yield the dependencies that follow from others; they cost nothing but may be a mistake."""
    if not plan.drawn or len(plan.specs) > MOST_TASKS:
        return
    place, above = _ancestors(plan, _STRICT)
    for before, after in plan.drawn:
        edge = plan.edges.get((before, after))
        if edge is None or edge.on not in _IMPLIED or not {before, after} <= place.keys():
            continue
        if before in plan.scans[after].sources:
            continue  # it stays whatever is stated
        between = (task for task, on in plan.incoming[after].items() if on in _STRICT)
        if any(above[task] & place[before] for task in between):
            detail = f"task {after!r} waits for {before!r} already, through what lies between"
            yield Reason("needless_edge", after, f"{detail}: drop the dependency")


def unordered(plan: Plan, fleet: Fleet) -> Iterator[Reason]:
    """Yield tasks that name a file which another task writes, in no order with that task.

    To write is to have an effect and to name the file; where both may run counts as one place.
    """
    if len(plan.specs) > MOST_TASKS:
        return
    first: dict[str, TaskId] = {}
    named: dict[str, dict[TaskId, None]] = {}
    for task, said in plan.scans.items():
        for text in said.texts:
            if (other := first.setdefault(text, task)) is not task:
                named.setdefault(text, {other: None})[task] = None
    shared = {text: tasks for text, tasks in named.items() if is_file(text)}
    place, above = _ancestors(plan, _ANY) if shared else ({}, {})
    for text, tasks in shared.items():
        writers = [task for task in tasks if fleet.effect(plan.specs[task]) is not Effect.PURE]
        for task in tasks:
            needs = plan.specs[task].needs
            others = (w for w in writers if w != task and plan.specs[w].needs == needs)
            near = list(islice(others, MOST_WRITERS)) if task in plan.written else []
            if near and not any(
                above[task] & place[other] or above[other] & place[task] for other in near
            ):
                detail = f"task {task!r} names {text!r}, which {near[0]!r} writes, and does not"
                detail += " wait for it: add a dependency, or use its output"
                yield Reason("missing_dependency", task, detail)


def _ancestors(
    plan: Plan, ways: AbstractSet[On]
) -> tuple[Mapping[TaskId, int], Mapping[TaskId, int]]:
    """Return each task's bit, and the bits of all that it waits for in these ways."""
    if ways is _STRICT and all(edge.on in _STRICT for edge in plan.edges.values()):
        ways = _ANY  # it makes no difference, and is asked for twice
    if ways not in plan.ancestors:
        plan.ancestors[ways] = _found(plan, ways)
    return plan.ancestors[ways]


def _found(plan: Plan, ways: AbstractSet[On]) -> tuple[Mapping[TaskId, int], Mapping[TaskId, int]]:
    place = {task: 1 << n for n, task in enumerate(plan.order)}
    above: dict[TaskId, int] = {}
    for task in plan.order:
        found = 0
        for before, on in plan.incoming[task].items():
            if on in ways:
                found |= place[before] | above[before]
        above[task] = found
    return place, above


def _duplicates(plan: Plan, fleet: Fleet) -> Iterator[Reason]:
    """Yield effect-free tasks that do the same at the same moment: they wait for the same.

    Looking twice is no mistake where something happens between.
    """
    alike: dict[object, list[TaskSpec]] = {}
    for task, spec in plan.specs.items():
        alike.setdefault((spec.skill, frozenset(plan.scans[task].texts)), []).append(spec)
    for group in alike.values():
        if len(group) > 1 and fleet.effect(group[0]) is not Effect.ONCE:
            yield from _twins(plan, group)


def _twins(plan: Plan, specs: Iterable[TaskSpec]) -> Iterator[Reason]:
    first: dict[object, list[TaskSpec]] = {}
    for spec in specs:
        row = plan.rows.get(spec.id)
        if plan.lost(spec.id) or (row is not None and row.parent is not None):
            continue  # nobody can refer to one part of a loop
        key = frozenset(plan.incoming[spec.id].items()), frozenset(plan.scans[spec.id].numbers)
        there = first.setdefault(key, [])
        twin = next((each for each in there if _same(each, spec)), None)
        if twin is None:
            there.append(spec)
            continue
        new, old = (spec, twin) if spec.id in plan.written else (twin, spec)
        if new.id in plan.written:
            detail = f"task {new.id!r} does the same work as {old.id!r}: use its output"
            yield Reason("duplicate_work", new.id, f"{detail} and remove it")


def _same(one: TaskSpec, other: TaskSpec) -> bool:
    where, elsewhere = (one.needs, one.for_each), (other.needs, other.for_each)
    return one.args == other.args and where == elsewhere and one.effect == other.effect


def _dead(plan: Plan, fleet: Fleet, wanted: set[TaskId]) -> Iterator[Reason]:
    """Yield tasks that have no effect and lead to nothing that has one or is asked for."""
    used: set[TaskId] = set()
    for task in reversed(plan.order):
        alive = task in used or task in wanted
        if alive or fleet.effect(plan.specs[task]) is not Effect.PURE:
            used.update(plan.incoming[task])
        elif task in plan.written:
            detail = f"task {task!r} changes nothing, nobody uses its output, nor was it asked for"
            yield Reason("dead_task", task, f"{detail}: remove it, or use what it finds")
