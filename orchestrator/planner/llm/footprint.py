"""The part of a run that a failure concerns: what the task builds on, and what waits for it.

Nearest first, in order of creation where that is equal. O(the run).
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.references import sources
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.planner import PlanningError
from protocol.types import Json, TaskId


@dataclass(frozen=True, slots=True)
class Footprint:
    """A failed task and what it has to do with."""

    task: TaskSnapshot
    ancestors: tuple[TaskSnapshot, ...]
    """Its predecessors and theirs; of a for_each, also the items that failed."""
    descendants: tuple[TaskSnapshot, ...]
    """What is not over yet and waits for it, or for what waits for it."""
    others: Mapping[TaskState, int]
    """How many tasks are beside these, by state."""
    handed_on: Mapping[TaskId, Sequence[tuple[Json, ...]]]
    """The places in a task's output that the failed task and its descendants refer to."""

    @property
    def tasks(self) -> tuple[TaskId, ...]:
        """The ids of all in it."""
        return tuple(each.spec.id for each in (self.task, *self.ancestors, *self.descendants))


def footprint(snapshot: RunSnapshot, task: TaskId) -> Footprint:
    """Return what a failure of `task` concerns.

    Raises:
        PlanningError: the run has no such task.
    """
    rows = {row.spec.id: row for row in snapshot.tasks}
    if task not in rows:
        raise PlanningError(f"run {snapshot.run!r} has no task {task!r}: ask about one it has")
    before: dict[TaskId, list[TaskId]] = {name: [] for name in rows}
    after: dict[TaskId, list[TaskId]] = {name: [] for name in rows}
    for name, row in rows.items():
        for edge in row.dependencies:
            before[name].append(edge.predecessor)
            after[edge.predecessor].append(name)
        if row.parent is not None:
            after[name].append(row.parent)
            before[name] += [edge.predecessor for edge in rows[row.parent].dependencies]
            if row.state is TaskState.FAILED:
                before[row.parent].append(name)
    ancestors = [rows[name] for name in _reached(task, before)]
    descendants = [rows[name] for name in _reached(task, after) if rows[name].state not in FINAL]
    seen = {task, *(each.spec.id for each in (*ancestors, *descendants))}
    others = Counter(row.state for name, row in rows.items() if name not in seen)
    uses: dict[TaskId, dict[tuple[Json, ...], None]] = {}
    for row in (rows[task], *descendants):
        for used, path in _references(row):
            uses.setdefault(used, {})[path] = None
    handed_on = {name: tuple(path for path in paths if path) for name, paths in uses.items()}
    return Footprint(rows[task], tuple(ancestors), tuple(descendants), others, handed_on)


def _reached(start: TaskId, edges: Mapping[TaskId, Sequence[TaskId]]) -> Iterator[TaskId]:
    seen, queue = {start}, deque([start])
    while queue:
        for name in edges[queue.popleft()]:
            if name not in seen:
                seen.add(name)
                queue.append(name)
                yield name


def _references(row: TaskSnapshot) -> Iterator[tuple[TaskId, tuple[Json, ...]]]:
    each = row.spec.for_each
    for part in (row.spec.args, each.source if each else None):
        yield from ((task, tuple(path)) for task, path in sources(part))
