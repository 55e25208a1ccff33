"""A model's answer as edits: pure.

A batch is atomic, and judged as it is at the end of it; still, what removes a reference goes
before what needs it to be gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    Edit,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.model import (
    DEFAULT_LIMITS,
    Dependency,
    ForEach,
    Limits,
    Needs,
    On,
    Predicate,
    TaskSpec,
)
from orchestrator.core.references import FROM, predecessors
from orchestrator.planner.llm.schema import (
    ArgumentPart,
    ConditionPart,
    ForEachPart,
    LimitsPart,
    ProposalPart,
    ReferencePart,
    RevisionPart,
    TaskPart,
    WhenPart,
)
from protocol.types import DeviceId, Json, TaskId


def proposal(part: ProposalPart) -> EditBatch:
    """Return a first plan."""
    return EditBatch(0, tuple(_added(part.tasks)))


def revision(
    part: RevisionPart,
    base_revision: int,
    reads: Sequence[TaskId],
    specs: Mapping[TaskId, TaskSpec],
) -> EditBatch:
    """Return the change of a plan of `specs`, of which `reads` were shown."""
    edits: tuple[Edit, ...] = (
        *(SetArgs(TaskId(each.task), _arguments(each.args)) for each in part.set_args),
        *(ReplaceTask(_instead(_spec(task), specs)) for task in part.replace_tasks),
        *_added(part.add_tasks),
        *_edges(part.replace_tasks),
        *(
            AddDependency(_dependency(each.predecessor, each.successor, each))
            for each in part.add_dependencies
        ),
        *(
            RemoveDependency(TaskId(each.predecessor), TaskId(each.successor))
            for each in part.remove_dependencies
        ),
        *(RemoveTask(TaskId(task)) for task in part.remove_tasks),
        *(CancelTask(TaskId(task)) for task in part.cancel_tasks),
    )
    return EditBatch(base_revision, edits, tuple(reads))


def _added(tasks: Sequence[TaskPart]) -> Iterator[Edit]:
    yield from (AddTask(_spec(task)) for task in tasks)
    yield from _edges(tasks)


def _edges(tasks: Sequence[TaskPart]) -> Iterator[AddDependency]:
    for task in tasks:
        used = predecessors(_spec(task))
        for each in task.after or ():
            edge = _dependency(each.task, task.id, each)
            if edge.on is not On.SUCCESS or edge.predecessor not in used:
                yield AddDependency(edge)


def _spec(task: TaskPart) -> TaskSpec:
    return TaskSpec(
        id=TaskId(task.id),
        skill=task.skill,
        args=_arguments(task.args),
        needs=Needs(DeviceId(task.device) if task.device else None, _labels(task.labels)),
        limits=_limits(task.limits),
        for_each=_for_each(task.for_each),
        expect=_predicate(task.expect) if task.expect else None,
    )


def _instead(spec: TaskSpec, specs: Mapping[TaskId, TaskSpec]) -> TaskSpec:
    """Keep what a model does not say of a task that it has the same skill do otherwise."""
    old = specs.get(spec.id)
    if old is None or old.skill != spec.skill:
        return spec
    return replace(
        spec,
        title=old.title,
        needs=replace(spec.needs, resources=old.needs.resources),
        limits=old.limits if spec.limits == DEFAULT_LIMITS else spec.limits,
        effect=old.effect,
        estimate_s=old.estimate_s,
        expect=spec.expect or old.expect,
    )


def _labels(labels: Sequence[str] | None) -> Mapping[str, str]:
    return dict(each.split("=", 1) for each in labels or ())


def _limits(part: LimitsPart | None) -> Limits:
    default = DEFAULT_LIMITS
    if part is None:
        return default
    return Limits(
        queue_s=part.queue_s or default.queue_s,
        run_s=part.run_s or default.run_s,
        attempts=part.attempts or default.attempts,
    )


def _for_each(part: ForEachPart | None) -> ForEach | None:
    if part is None:
        return None
    return ForEach(_reference(part.items), _labels(part.labels), part.min_success)


def _reference(part: ReferencePart | None) -> Json:
    return None if part is None else {FROM: part.task, "path": list(part.path)}


def _dependency(before: str, after: str, condition: ConditionPart) -> Dependency:
    when = condition.when
    if when is None:
        return Dependency(TaskId(before), TaskId(after), On(condition.on))
    return Dependency(TaskId(before), TaskId(after), On.WHEN, _predicate(when))


def _predicate(part: WhenPart) -> Predicate:
    return Predicate(tuple(part.path), part.op, part.value)


def _arguments(parts: Sequence[ArgumentPart]) -> Mapping[str, Json]:
    return {part.name: part.value for part in parts}
