"""Checks of a plan before it is committed: pure functions from a batch to reasons against it.

`check` finds what makes a batch wrong; `advise` what may be wrong, or may change while the run
goes on. Structure is judged after all edits of the batch. Arguments are judged one by one against
the JSON Schema on the device cards; one that holds a reference counts as given, its value is known
only when the run gets there. Rules beyond those of `Reason`: `arguments`, `no_device`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import assert_never

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    Edit,
    EditBatch,
    Reason,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.model import Dependency, On, TaskSpec
from orchestrator.core.references import FROM, ITEM, predecessors
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner.arguments import Contract, contract
from orchestrator.planner.nearest import nearest
from protocol.types import DeviceCard, Json, TaskId


def check(
    batch: EditBatch, cards: Iterable[DeviceCard], *, snapshot: RunSnapshot | None = None
) -> tuple[Reason, ...]:
    """Return why the batch must not be committed; nothing where it may.

    `snapshot` is the run it edits, None for a first plan. About 10 µs a task.
    """
    if not batch.edits:
        return (Reason("empty", None, "the plan is empty: it needs at least one task"),)
    draft = _Draft.of(snapshot)
    for edit in batch.edits:
        draft.apply(edit)
    fleet = _Fleet(cards)
    written = [draft.specs[task] for task in draft.written if task in draft.specs]
    return (
        *draft.reasons,
        *(reason for spec in written for reason in _references(spec, draft)),
        *_dependencies(draft),
        *_cycles(draft),
        *(reason for spec in written for reason in fleet.arguments(spec)),
    )


def advise(batch: EditBatch, cards: Iterable[DeviceCard]) -> tuple[Reason, ...]:
    """Return which tasks no known device could run now; one may yet join."""
    fleet = _Fleet(cards)
    specs = [edit.task for edit in batch.edits if isinstance(edit, AddTask | ReplaceTask)]
    return tuple(
        Reason("no_device", spec.id, fleet.lack(spec)) for spec in specs if not fleet.capable(spec)
    )


@dataclass
class _Draft:
    """The graph as it would be."""

    specs: dict[TaskId, TaskSpec] = field(default_factory=dict)
    edges: dict[tuple[TaskId, TaskId], Dependency] = field(default_factory=dict)
    uses: dict[TaskId, Sequence[TaskId]] = field(default_factory=dict)
    """The tasks that a task's arguments refer to."""
    written: dict[TaskId, None] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)

    @classmethod
    def of(cls, snapshot: RunSnapshot | None) -> "_Draft":
        tasks = snapshot.tasks if snapshot else ()
        edges = [dependency for task in tasks for dependency in task.dependencies]
        return cls(
            {task.spec.id: task.spec for task in tasks},
            {(each.predecessor, each.successor): each for each in edges},
            {task.spec.id: predecessors(task.spec) for task in tasks},
        )

    def apply(self, edit: Edit) -> None:
        match edit:
            case AddTask(task=spec):
                if spec.id in self.specs:
                    self.refuse("duplicate_task", spec.id, "is there already: choose another id")
                self.write(spec)
            case AddDependency(dependency=each):
                self.edges[each.predecessor, each.successor] = each
            case RemoveDependency(predecessor=before, successor=after):
                if self.edges.pop((before, after), None) is None:
                    self.refuse("dependency", after, f"does not depend on {before!r}")
            case _:
                self.change(edit)

    def change(self, edit: ReplaceTask | SetArgs | RemoveTask | CancelTask) -> None:
        task = edit.task.id if isinstance(edit, ReplaceTask) else edit.task
        if task not in self.specs:
            self.refuse("unknown_task", task, f"is not in the plan{nearest(task, self.specs)}")
            return
        match edit:
            case ReplaceTask(task=spec):
                self.write(spec)
            case SetArgs(args=args):
                self.write(replace(self.specs[task], args=args))
            case RemoveTask():
                del self.specs[task], self.uses[task]
                self.edges = {key: each for key, each in self.edges.items() if task not in key}
            case CancelTask():
                pass
            case _:
                assert_never(edit)

    def write(self, spec: TaskSpec) -> None:
        self.specs[spec.id] = spec
        self.uses[spec.id] = predecessors(spec)
        self.written[spec.id] = None

    def refuse(self, rule: str, task: TaskId, detail: str) -> None:
        self.reasons.append(Reason(rule, task, f"task {task!r} {detail}"))


def _references(spec: TaskSpec, draft: _Draft) -> Iterator[Reason]:
    for task in draft.uses[spec.id]:
        if task not in draft.specs:
            detail = f"task {spec.id!r} refers to {task!r}, which is not in the plan"
            yield Reason("reference", spec.id, detail + nearest(task, draft.specs))
    source = spec.for_each.source if spec.for_each else None
    for value, items in ((spec.args, spec.for_each is not None), (source, False)):
        for wrong in _malformed(value, items=items):
            detail = f"task {spec.id!r}: {wrong} is no reference that can be followed"
            yield Reason("reference", spec.id, detail)


def _malformed(value: Json, *, items: bool) -> Iterator[str]:
    """Yield what looks like a reference and is none; `items` allows ``$item``."""
    match value:
        case {"$from": str(), **rest} if rest.keys() <= {"path"} and _is_path(
            rest.get("path", ())
        ):
            pass
        case {"$item": path, **rest} if items and not rest and _is_path(path):
            pass
        case Mapping() if FROM in value or ITEM in value:
            yield json.dumps(value)
        case Mapping() | list() | tuple():
            for part in value.values() if isinstance(value, Mapping) else value:
                if not isinstance(part, _SCALAR):  # most are; telling a Mapping costs more
                    yield from _malformed(part, items=items)
        case _:
            pass


_SCALAR = (str, int, float, type(None))


def _is_path(path: object) -> bool:
    return isinstance(path, list | tuple) and all(
        isinstance(step, str | int) and not isinstance(step, bool) for step in path
    )


def _dependencies(draft: _Draft) -> Iterator[Reason]:
    for (before, after), each in draft.edges.items():
        for task in (before, after):
            if task not in draft.specs:
                detail = f"{before!r} → {after!r}: there is no task {task!r}"
                yield Reason("unknown_task", task, detail + nearest(task, draft.specs))
        if (each.on is On.WHEN) != (each.when is not None):
            detail = f"{before!r} → {after!r}: a predicate is given exactly with on: when"
            yield Reason("dependency", after, detail)
        if each.on in _WITHOUT_OUTPUT and before in draft.uses.get(after, ()):
            detail = f"task {after!r} uses the output of {before!r}, which takes its success"
            yield Reason("dependency", after, detail)


_WITHOUT_OUTPUT = (On.FAILURE, On.COMPLETION)


def _cycles(draft: _Draft) -> Iterator[Reason]:
    waits = {task: [*used] for task, used in draft.uses.items()}
    for before, after in draft.edges:
        waits.setdefault(after, []).append(before)
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        cycle = error.args[1]
        detail = f"these tasks wait for each other: {' → '.join(cycle)}"
        yield Reason("cycle", cycle[0], detail)


class _Fleet:
    """Which skills are offered where; answers are kept, plans ask the same again and again."""

    def __init__(self, cards: Iterable[DeviceCard]) -> None:
        self.cards = tuple(cards)
        self.found: dict[object, Sequence[Contract]] = {}

    def capable(self, spec: TaskSpec) -> Sequence[Contract]:
        """Return what the skill takes on the devices that may run the task, each form once."""
        device, labels = spec.needs.device, _labels(spec)
        key = (spec.skill, device, frozenset(labels.items()))
        if key not in self.found:
            schemas: list[Mapping[str, Json] | None] = []
            for card in self.cards:
                if device in (None, card.device) and labels.items() <= card.labels.items():
                    for skill in card.skills:
                        if skill.name == spec.skill and skill.input_schema not in schemas:
                            schemas.append(skill.input_schema)
            self.found[key] = [contract(schema) for schema in schemas]
        return self.found[key]

    def arguments(self, spec: TaskSpec) -> Iterator[Reason]:
        """Judge the arguments; they are right if they are on any device that may run the task."""
        verdicts = (tuple(each.faults(spec.args)) for each in self.capable(spec))
        first = next(verdicts, ())
        if first and all(verdicts):
            for fault in first:
                detail = f"task {spec.id!r}, skill {spec.skill!r}: {fault}"
                yield Reason("arguments", spec.id, detail)

    def lack(self, spec: TaskSpec) -> str:
        """Say what is missing where no device is capable."""
        device, labels = spec.needs.device, _labels(spec)
        known = {skill.name for card in self.cards for skill in card.skills}
        where = [f"is {device!r}"] if device else []
        where += [f"has {key}={value}" for key, value in labels.items()]
        which = " that " + " and ".join(where) if where else ""
        hint = nearest(spec.skill, known) if spec.skill not in known else ""
        return f"task {spec.id!r}: no known device{which} offers the skill {spec.skill!r}{hint}"


def _labels(spec: TaskSpec) -> Mapping[str, str]:
    each = spec.for_each
    return {**spec.needs.labels, **(each.labels if each and each.source is None else {})}
