"""A right plan beside a run of a wrong one, and what makes the run fit.

`benchmarks.planner.mending` knows plans without branches. Here a branch that was not taken is left
alone, an edge keeps what it waits for, and the parts of a `for_each`, which are in no plan, too.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from benchmarks.planner.judge import VERSION
from benchmarks.planner.mending import mend
from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, On, TaskSpec
from orchestrator.core.references import predecessors
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from protocol.types import TaskId

PARTS: Final = "["  # begins what the name of a part adds to that of its `for_each`


class Plan:
    """The right plan; `batch` is the answer that a planner without mistakes gives."""

    def __init__(self, batch: EditBatch) -> None:
        self._batch = batch
        self.specs: Mapping[TaskId, TaskSpec] = {
            each.task.id: each.task for each in batch.edits if isinstance(each, AddTask)
        }
        edges = [
            Dependency(before, s.id) for s in self.specs.values() for before in predecessors(s)
        ]
        edges += [each.dependency for each in batch.edits if isinstance(each, AddDependency)]
        self._edges = {(each.predecessor, each.successor): each for each in edges}

    def is_that_of(self, run: RunSnapshot) -> bool:
        """Tell whether a run has these tasks and edges and no others."""
        rows = self._whole(run)
        waits = {(e.predecessor, e.successor): e.on for row in rows for e in row.dependencies}
        return {row.spec.id: row.spec for row in rows} == self.specs and waits == {
            key: each.on for key, each in self._edges.items()
        }

    def mended(self, run: RunSnapshot, failed: TaskId) -> EditBatch:
        """Return the edits that make a run fit; `failed` is the task that waits for them."""
        rows = tuple(map(self._left_alone, self._whole(run)))
        batch = mend(replace(run, tasks=rows), failed, self._batch)
        return replace(batch, edits=tuple(map(self._exact, batch.edits)))

    def has_part(self, name: TaskId) -> bool:
        """Tell whether a task came of a `for_each`, which is what can be mended."""
        whole, *part = name.split(PARTS, 1)
        return bool(part) and _first(TaskId(whole)) in self.specs

    def _whole(self, run: RunSnapshot) -> tuple[TaskSnapshot, ...]:
        return tuple(row for row in run.tasks if not self.has_part(row.spec.id))

    def _left_alone(self, row: TaskSnapshot) -> TaskSnapshot:
        """Count a branch that was rightly not taken as done."""
        name = row.spec.id
        branch = any(
            e.on is not On.SUCCESS for (_, after), e in self._edges.items() if after == name
        )
        if branch and row.state is TaskState.SKIPPED and row.spec == self.specs.get(name):
            return replace(row, state=TaskState.SUCCEEDED)
        return row

    def _exact(self, edit: Edit) -> Edit:
        """Let an edge wait for what the plan says; ends of it may be newer versions."""
        if not isinstance(edit, AddDependency):
            return edit
        named = edit.dependency
        ends = _first(named.predecessor), _first(named.successor)
        like = self._edges.get(ends, named)
        return AddDependency(replace(named, on=like.on, when=like.when))


def _first(name: TaskId) -> TaskId:
    return TaskId(name.partition(VERSION)[0])
