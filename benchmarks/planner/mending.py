"""From a whole new plan to edits of the run that is under way.

What the run has and the new plan wants alike is kept, with its results. What has not started is
replaced; what has started and must be otherwise is done again as a new version (``total~2``),
and so is all that read it. What the new plan does not want is removed, or cancelled if it runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from benchmarks.planner.judge import VERSION
from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    Edit,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
)
from orchestrator.core.lifecycle import FINAL, NOT_STARTED, TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.references import FROM, predecessors
from orchestrator.core.snapshot import RunSnapshot
from protocol.types import Json, TaskId

_LOST = FINAL - {TaskState.SUCCEEDED}


def mend(run: RunSnapshot, failed: TaskId, plan: EditBatch) -> EditBatch:
    """Return the edits that make a run what a first plan says; none if it is that already.

    Args:
        run: as it is.
        failed: the task that waits for the planner: it is tried again if anything changes.
        plan: a valid plan of `AddTask` and `AddDependency`, without loops.
    """
    mending = _Mending(run, failed, plan)
    edits = tuple(mending.edits())
    again = [edit.task for edit in edits if isinstance(edit, ReplaceTask)]
    nothing = len(edits) == len(again) == 1 and again[0] == mending.rows[failed].spec
    return EditBatch(run.revision, () if nothing else edits)


class _Mending:
    """One new plan beside one run."""

    def __init__(self, run: RunSnapshot, failed: TaskId, plan: EditBatch) -> None:
        self.rows = {row.spec.id: row for row in run.tasks}
        self._failed = failed
        self._specs = {e.task.id: e.task for e in plan.edits if isinstance(e, AddTask)}
        self._waits = {task: set(predecessors(spec)) for task, spec in self._specs.items()}
        for edit in plan.edits:
            if isinstance(edit, AddDependency):
                self._waits[edit.dependency.successor].add(edit.dependency.predecessor)
        self._names: dict[TaskId, TaskId] = {}
        """Task of the plan → its version in the run."""

    def edits(self) -> Iterator[Edit]:
        """Yield the edits, predecessors first."""
        order = TopologicalSorter({task: sorted(self._waits[task]) for task in self._specs})
        for task in order.static_order():
            yield from self._task(task)
        wanted = set(self._names.values())
        for name, row in self.rows.items():
            if name not in wanted and row.state in NOT_STARTED:
                yield RemoveTask(name)
            elif name not in wanted and row.state not in FINAL:
                yield CancelTask(name)

    def _task(self, task: TaskId) -> Iterator[Edit]:
        *there, fresh = self._versions(task)
        name = there[-1] if there else fresh
        row = self.rows.get(name)
        waits = {self._names[before] for before in self._waits[task]}
        spec = replace(
            self._specs[task],
            id=name,
            args={key: self._renamed(value) for key, value in self._specs[task].args.items()},
        )
        self._names[task] = name
        if row is None:
            yield AddTask(spec)
            yield from _edges(spec, waits, {})
            return
        before = {each.predecessor: each for each in row.dependencies}
        alike = row.spec == spec and before.keys() == waits
        if alike and row.state not in _LOST and name != self._failed:
            return
        if row.state in NOT_STARTED:
            yield ReplaceTask(spec)
            yield from _edges(spec, waits, before)
        else:
            self._names[task] = fresh
            again = replace(spec, id=fresh)
            yield AddTask(again)
            yield from _edges(again, waits, {})

    def _versions(self, task: TaskId) -> list[TaskId]:
        """Return the versions that the run has, oldest first, and the next one."""
        found = [task]
        while found[-1] in self.rows:
            found.append(TaskId(f"{task}{VERSION}{len(found) + 1}"))
        return found

    def _renamed(self, value: Json) -> Json:
        """Let references lead to the versions in the run."""
        if isinstance(value, Mapping):
            source = value.get(FROM)
            if isinstance(source, str) and source in self._names:
                return {**value, FROM: self._names[TaskId(source)]}
            return {key: self._renamed(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._renamed(each) for each in value]
        return value


def _edges(
    spec: TaskSpec, waits: set[TaskId], before: Mapping[TaskId, Dependency]
) -> Iterator[Edit]:
    """Yield what makes the task wait for these; references bring their own dependencies."""
    for name in sorted(before.keys() - waits):
        yield RemoveDependency(name, spec.id)
    for name in sorted(waits - set(predecessors(spec)) - before.keys()):
        yield AddDependency(Dependency(name, spec.id))
