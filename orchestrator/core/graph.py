"""The task graph under edits: drafts, reasons to refuse, and upward ranks.

A `Draft` is an overlay on a run: edits are tried on it, and either it is committed whole or every
reason against it is returned and nothing was touched (I7). Costs follow what is edited
and its ancestors, not the graph.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final, assert_never

from orchestrator.core.change import Change
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
from orchestrator.core.facts import Awaiting
from orchestrator.core.lifecycle import FINAL, NOT_STARTED, TaskState
from orchestrator.core.model import Dependency, On, TaskSpec
from orchestrator.core.predicates import holds
from orchestrator.core.references import predecessors
from orchestrator.core.retention.needs import unusable
from orchestrator.core.state import Run, Task
from protocol.types import TaskId

WHOLE_FROM: Final = 8
"""An n-th of a run's tasks from which on all are ranked: measured, 0.5 µs each instead of 5 µs."""


class Draft(Change):
    """What a run's graph would be after some edits, and what speaks against them."""

    def __init__(self, run: Run, edits: Iterable[Edit]) -> None:
        super().__init__(edits)
        self.run = run
        self.reasons: list[Reason] = []
        for edit in edits:
            self.apply(edit)

    def exists(self, task: TaskId) -> bool:
        """Tell whether the task is there after the edits."""
        return self.specs[task] is not None if task in self.specs else task in self.run.tasks

    def spec(self, task: TaskId) -> TaskSpec | None:
        """Return the task as it is after the edits."""
        if task in self.specs:
            return self.specs[task]
        row = self.run.tasks.get(task)
        return row.spec if row else None

    def edges(self, task: TaskId) -> dict[TaskId, Dependency]:
        """Return the dependencies of a task, as a dictionary that may be changed."""
        found = self.incoming.get(task)
        if found is None:
            row = self.run.tasks.get(task)
            found = {edge.predecessor: edge for edge in row.incoming} if row else {}
            self.incoming[task] = found
        return found

    def apply(self, edit: Edit) -> None:
        """Try one edit."""
        match edit:
            case AddTask(spec):
                self._add(spec)
            case CancelTask(task):
                self._cancel(task)
            case AddDependency(edge):
                if self._editable(edge.successor):
                    self.edges(edge.successor)[edge.predecessor] = edge
            case RemoveDependency(predecessor, successor):
                if self._editable(successor):
                    self._unlink(predecessor, successor)
            case _:
                self._rewrite(edit)

    def finish(self) -> None:
        """Check what only the whole batch can tell."""
        for task, edges in self.incoming.items():
            for predecessor in edges:
                row = self.run.tasks.get(predecessor)
                if not self.exists(predecessor):
                    self.refuse(
                        "unknown_task", task, f"task {task!r} depends on unknown {predecessor!r}"
                    )
                elif row is not None and row.parent is not None:
                    detail = f"{predecessor!r} is one item: let {task!r} depend on {row.parent!r}"
                    self.refuse("dependency", task, detail)
        if not self.reasons:
            cycle = self._cycle()
            if cycle:
                path = " → ".join(cycle)
                self.refuse("cycle", cycle[0], f"the dependencies form a cycle: {path}")

    def refuse(self, rule: str, task: TaskId | None, detail: str) -> None:
        """Note a reason."""
        self.reasons.append(Reason(rule, task, detail))

    def _add(self, spec: TaskSpec) -> None:
        if self.exists(spec.id):
            self.refuse("duplicate_task", spec.id, f"there is a task {spec.id!r} already")
        else:
            self._put(spec)

    def _rewrite(self, edit: ReplaceTask | SetArgs | RemoveTask) -> None:
        name = edit.task.id if isinstance(edit, ReplaceTask) else edit.task
        old = self.spec(name)
        if old is None or not self._editable(name):
            if old is None:
                self.refuse("unknown_task", name, f"there is no task {name!r}")
            return
        match edit:
            case ReplaceTask(spec):
                self._put(spec)
            case SetArgs(_, args):
                self._put(replace(old, args=args))
            case RemoveTask():
                self._remove(name)
            case _:
                assert_never(edit)

    def _put(self, spec: TaskSpec) -> None:
        if spec.id in self.run.tasks or spec.id in self.specs:
            self.fresh.add(spec.id)
        self.specs[spec.id] = spec
        if spec.needs.resources and (wrong := unusable(spec.needs.resources)):
            self.refuse("resource", spec.id, f"task {spec.id!r}: {wrong}")
        edges = self.edges(spec.id)
        for predecessor in predecessors(spec):
            edges.setdefault(predecessor, Dependency(predecessor, spec.id))

    def _remove(self, task: TaskId) -> None:
        self.specs[task] = None
        self.incoming[task] = {}
        row = self.run.tasks.get(task)
        drafted = [other for other, edges in self.incoming.items() if task in edges]
        for successor in dict.fromkeys((*(row.outgoing if row else ()), *drafted)):
            if self.exists(successor):
                self._unlink(task, successor)

    def _unlink(self, predecessor: TaskId, successor: TaskId) -> None:
        edges = self.edges(successor)
        if predecessor not in edges:
            self.refuse(
                "dependency", successor, f"{successor!r} does not depend on {predecessor!r}"
            )
            return
        spec = self.spec(successor)
        if spec is not None and predecessor in predecessors(spec):
            self.refuse(
                "reference",
                successor,
                f"the arguments of {successor!r} refer to {predecessor!r}: set them first",
            )
            return
        del edges[predecessor]

    def _cancel(self, task: TaskId) -> None:
        row = self.run.tasks.get(task)
        if row is None or not self.exists(task):
            self.refuse("unknown_task", task, f"there is no task {task!r}")
        elif row.state in FINAL:
            self.refuse("final", task, f"task {task!r} is {row.state} already")

    def _editable(self, task: TaskId) -> bool:
        if not self.exists(task):
            self.refuse("unknown_task", task, f"there is no task {task!r}")
            return False
        row = self.run.tasks.get(task)
        if row is not None and (row.state not in NOT_STARTED or row.parent is not None):
            self.refuse("started", task, f"task {task!r} is {row.state}: it may only be cancelled")
            return False
        if row is not None and row.awaiting is Awaiting.REVIEW_ONCE:
            detail = "took effect, and is not done again: change what follows, or add another task"
            self.refuse("once", task, f"task {task!r} {detail}")
            return False
        return True

    def _cycle(self) -> list[TaskId]:
        """Return one cycle, if the edits made any: it must go through a drafted dependency."""
        if not any(task in self.run.tasks for task in self.incoming):
            done: set[TaskId] = set(self.run.tasks)  # from what is old no way leads to what is new
        else:
            done = set()
        for start in self.incoming:
            path: list[TaskId] = []
            on_path: set[TaskId] = set()
            stack: list[tuple[TaskId, Iterator[TaskId]]] = []
            if start not in done:
                stack.append((start, self._predecessors(start)))
                path.append(start)
                on_path.add(start)
            while stack:
                task, rest = stack[-1]
                following = next(rest, None)
                if following is None:
                    stack.pop()
                    path.pop()
                    on_path.discard(task)
                    done.add(task)
                elif following in on_path:
                    return [*reversed(path[path.index(following) :]), path[-1]]
                elif following not in done:
                    stack.append((following, self._predecessors(following)))
                    path.append(following)
                    on_path.add(following)
        return []

    def _predecessors(self, task: TaskId) -> Iterator[TaskId]:
        if task in self.incoming:
            return iter(self.incoming[task])
        row = self.run.tasks.get(task)
        return (edge.predecessor for edge in row.incoming) if row else iter(())


def judge(run: Run, batch: EditBatch) -> Draft:
    """Try a batch on a run; it can be accepted now if no `reasons` speak against it."""
    tried = Draft(run, batch.edits)
    if not batch.edits:
        tried.refuse("empty", None, "the batch has no edits")
    if run.cancelling is not None:
        tried.refuse("final", None, f"the run is being cancelled: {run.cancelling.why}")
    if batch.base_revision > run.revision:
        tried.refuse(
            "future",
            None,
            f"the batch was made from revision {batch.base_revision}, and the run is only at "
            f"{run.revision}: read the run again",
        )
    elif batch.base_revision != run.revision:
        for task in {**dict.fromkeys(batch.reads), **tried.specs, **tried.incoming}:
            row = run.tasks.get(task)
            if row is not None and row.revision > batch.base_revision:
                tried.refuse(
                    "stale",
                    task,
                    f"task {task!r} was edited in revision {row.revision}, after the batch's "
                    f"base {batch.base_revision}: read the run again",
                )
    tried.finish()
    return tried


def rerank(run: Run, edited: Iterable[TaskId]) -> list[Task]:
    """Recompute the upward ranks of edited tasks and their ancestors; return those that changed.

    Equal to ranks from scratch (Topcuoglu et al. 2002, eq. 3, without communication): nothing
    else can have changed. Where a good part of the run is concerned all of it is ranked, which
    takes a tenth of the time a task: still O(ancestors).
    """
    tasks = run.tasks
    affected = {task for task in edited if task in tasks}
    queue = deque(affected)
    while queue:
        if len(affected) * WHOLE_FROM > len(tasks):
            return rank_whole(run)
        for edge in tasks[queue.popleft()].incoming:
            if edge.predecessor not in affected:
                affected.add(edge.predecessor)
                queue.append(edge.predecessor)
    return _rank_upwards(run, affected)


def rank_whole(run: Run) -> list[Task]:
    """Recompute the upward ranks of all tasks; return those that changed.

    The youngest first: that is an order in which ranks can be computed, unless an edit made a
    task wait for a younger one.
    """
    tasks = run.tasks
    changed: list[Task] = []
    for task in reversed(tasks.values()):
        sequence, below = task.sequence, 0.0
        for name in task.outgoing:
            successor = tasks[name]
            if successor.sequence < sequence:
                return [*changed, *_rank_upwards(run, tasks)]
            if successor.rank > below:  # noqa: PLR1730 - `max` would double the time of it all
                below = successor.rank
        rank = task.cost_s + below
        if rank != task.rank:
            task.rank = rank
            changed.append(task)
    return changed


def _rank_upwards(run: Run, affected: Collection[TaskId]) -> list[Task]:
    """Recompute the ranks of these, from the sinks (Kahn 1962): other successors keep theirs."""
    tasks = run.tasks
    open_successors = {
        name: sum(1 for successor in tasks[name].outgoing if successor in affected)
        for name in affected
    }
    sinks = deque(name for name, count in open_successors.items() if not count)
    changed: list[Task] = []
    while sinks:
        task = tasks[sinks.popleft()]
        rank = task.cost_s + max((tasks[name].rank for name in task.outgoing), default=0.0)
        if rank != task.rank:
            task.rank = rank
            changed.append(task)
        for edge in task.incoming:
            open_successors[edge.predecessor] -= 1
            if not open_successors[edge.predecessor]:
                sinks.append(edge.predecessor)
    return changed


def verdict(run: Run, task: Task) -> tuple[bool, str, bool]:
    """Judge a task whose predecessors are all final: (may run, why not, is that a failure)."""
    for edge in task.incoming:
        predecessor = run.tasks[edge.predecessor]
        if not _holds(edge, predecessor):
            return False, _why_not(edge, predecessor), _is_failure(edge, predecessor)
    return True, "", False


def _holds(edge: Dependency, predecessor: Task) -> bool:
    state = predecessor.state
    match edge.on:
        case On.COMPLETION:
            return True
        case On.SUCCESS:
            return state is TaskState.SUCCEEDED
        case On.FAILURE:
            return state is TaskState.FAILED
        case On.WHEN:
            return (
                state is TaskState.SUCCEEDED
                and edge.when is not None
                and holds(edge.when, predecessor.output)
            )
        case _:
            assert_never(edge.on)


def _is_failure(edge: Dependency, predecessor: Task) -> bool:
    """A branch not taken is no failure; a success that did not come is one, unless it was one."""
    if edge.on is On.FAILURE:
        return False
    return predecessor.state in {TaskState.FAILED, TaskState.CANCELLED} or (
        predecessor.state is TaskState.SKIPPED and predecessor.failed_upstream
    )


def _why_not(edge: Dependency, predecessor: Task) -> str:
    if edge.on is On.WHEN and predecessor.state is TaskState.SUCCEEDED:
        return f"the condition on {edge.predecessor!r} does not hold"
    return f"{edge.predecessor!r} is {predecessor.state}"
