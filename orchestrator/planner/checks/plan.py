"""The task graph as a batch would leave it: what every check looks at."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
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
from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.model import Dependency, On, TaskSpec
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.planner.checks.outputs import Reach
from orchestrator.planner.checks.scan import Path, Scan, scan
from protocol.nearest import nearest
from protocol.types import TaskId

_SUCCESS = On.SUCCESS  # members of enumerations are slow to look up
_LOST = FINAL - {TaskState.SUCCEEDED}


@dataclass
class Plan:
    """A run's graph after a batch. Made by `of`; the checks only read it."""

    specs: dict[TaskId, TaskSpec] = field(default_factory=dict)
    edges: dict[tuple[TaskId, TaskId], Dependency] = field(default_factory=dict)
    """The dependencies that the run has or the batch states."""
    scans: dict[TaskId, Scan] = field(default_factory=dict)
    written: dict[TaskId, None] = field(default_factory=dict)
    """The tasks that the batch adds or changes."""
    drawn: dict[tuple[TaskId, TaskId], None] = field(default_factory=dict)
    """The dependencies that it states."""
    cancelled: set[TaskId] = field(default_factory=set)
    rows: Mapping[TaskId, TaskSnapshot] = field(default_factory=dict)
    """The tasks of the run as they are now."""
    refused: list[Reason] = field(default_factory=list)
    """Edits that cannot be made."""
    ancestors: dict[AbstractSet[On], tuple[Mapping[TaskId, int], Mapping[TaskId, int]]] = field(
        default_factory=dict
    )
    """Kept by `redundant`: see `_ancestors` there."""
    unreached: dict[object, Sequence[tuple[TaskSpec, TaskSpec, Path, Reach]]] = field(
        default_factory=dict
    )
    """Kept by `solvable`, by fleet: see `_reached` there."""

    @classmethod
    def of(cls, batch: EditBatch, snapshot: RunSnapshot | None = None) -> "Plan":
        """Apply a batch to a run; to nothing, where it is a first plan."""
        rows = {task.spec.id: task for task in snapshot.tasks} if snapshot else {}
        plan = cls(
            {name: row.spec for name, row in rows.items()},
            {(e.predecessor, e.successor): e for row in rows.values() for e in row.dependencies},
            {name: scan(row.spec) for name, row in rows.items()},
            rows=rows,
        )
        for edit in batch.edits:
            if type(edit) is AddTask and edit.task.id not in plan.specs:  # most are
                plan._write(edit.task)
            else:
                plan._apply(edit)
        return plan

    @cached_property
    def news(self) -> Sequence[TaskSpec]:
        """The tasks that the batch adds or changes, and does not remove again."""
        return [self.specs[task] for task in self.written if task in self.specs]

    @cached_property
    def references(self) -> Sequence[tuple[TaskSpec, TaskSpec, Path]]:
        """What is read of outputs that are not there yet: by whom, whose and where."""
        return [
            (spec, self.specs[task], path)
            for spec in self.news
            for task, path in self.scans[spec.id].paths
            if path and task in self.specs and not self.done(task)
        ]

    @cached_property
    def conditions(self) -> Sequence[tuple[TaskSpec, TaskSpec, Path]]:
        """What is looked at of outputs that are not there yet, as `references`.

        By a task at its own (`expect`: that of the join, of a task that runs for each of many
        items), and by a dependency with a predicate.
        """
        specs, written = self.specs, self.written
        own = [(spec, spec, spec.expect.path) for spec in self.news if spec.expect]
        waits = [
            (specs[after], specs[before], edge.when.path)
            for (before, after), edge in self.edges.items()
            if edge.when
            and ((before, after) in self.drawn or before in written or after in written)
            and before in specs
            and after in specs
            and not self.done(before)
        ]
        return [each for each in (*own, *waits) if each[2]]

    @cached_property
    def incoming(self) -> Mapping[TaskId, Mapping[TaskId, On]]:
        """What each task waits for, by dependencies and references; unknown tasks left out."""
        known = self.specs
        found = {
            task: {source: _SUCCESS for source in self.scans[task].sources if source in known}
            for task in known
        }
        for (before, after), edge in self.edges.items():
            if before in known and after in known:
                found[after][before] = edge.on
        return found

    @cached_property
    def followed(self) -> set[TaskId]:
        """The tasks that something waits for; the output of the others is the run's."""
        return {before for waits in self.incoming.values() for before in waits}

    @cached_property
    def order(self) -> Sequence[TaskId]:
        """The tasks, each after what it waits for (Kahn 1962); those in a cycle are left out."""
        open_ = {task: len(waits) for task, waits in self.incoming.items()}
        after: dict[TaskId, list[TaskId]] = {task: [] for task in open_}
        for task, waits in self.incoming.items():
            for before in waits:
                after[before].append(task)
        order = [task for task, count in open_.items() if not count]
        for task in order:  # grows while it is walked
            for successor in after[task]:
                open_[successor] -= 1
                if not open_[successor]:
                    order.append(successor)
        return order

    @property
    def cyclic(self) -> bool:
        """Whether tasks wait for each other."""
        return len(self.order) < len(self.specs)

    def lost(self, task: TaskId) -> bool:
        """Tell whether a task is cancelled or has come to nothing."""
        if not self.rows:
            return task in self.cancelled
        row = self.rows.get(task)
        gone = row is not None and row.state in _LOST and task not in self.written
        return gone or task in self.cancelled

    def done(self, task: TaskId) -> bool:
        """Tell whether a task has succeeded."""
        row = self.rows.get(task)
        return row is not None and row.state == TaskState.SUCCEEDED

    def _apply(self, edit: Edit) -> None:
        match edit:
            case AddTask(task=spec):
                if spec.id in self.specs:
                    self._refuse("duplicate_task", spec.id, "is there already: choose another id")
                self._write(spec)
            case AddDependency(dependency=each):
                self.edges[each.predecessor, each.successor] = each
                self.drawn[each.predecessor, each.successor] = None
            case RemoveDependency(predecessor=before, successor=after):
                if self.edges.pop((before, after), None) is None:
                    self._refuse("dependency", after, f"does not depend on {before!r}")
            case _:
                self._change(edit)

    def _change(self, edit: ReplaceTask | SetArgs | RemoveTask | CancelTask) -> None:
        task = edit.task.id if isinstance(edit, ReplaceTask) else edit.task
        if task not in self.specs:
            self._refuse("unknown_task", task, f"is not in the plan{nearest(task, self.specs)}")
            return
        match edit:
            case ReplaceTask(task=spec):
                self._write(spec)
            case SetArgs(args=args):
                self._write(replace(self.specs[task], args=args))
            case RemoveTask():
                del self.specs[task], self.scans[task]
                self.edges = {key: each for key, each in self.edges.items() if task not in key}
            case CancelTask():
                self.cancelled.add(task)
            case _:
                assert_never(edit)

    def _write(self, spec: TaskSpec) -> None:
        self.specs[spec.id] = spec
        self.scans[spec.id] = scan(spec)
        self.written[spec.id] = None

    def _refuse(self, rule: str, task: TaskId, detail: str) -> None:
        self.refused.append(Reason(rule, task, f"task {task!r} {detail}"))
