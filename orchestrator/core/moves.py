"""Moving a task along its table, with everything that follows by itself."""

from orchestrator.core.lifecycle import FINAL, TaskCause, TaskState, next_task_state
from orchestrator.core.state import Run, State, Task
from protocol.types import RunId, TaskId

PENDING = frozenset({TaskState.WAITING, TaskState.READY, TaskState.RECOVERING})
"""Where a task is yet to use what it needs."""
FEW = 8  # one of more predecessors that starts or ends says little about when the last one will


def move(state: State, run: Run, task: Task, cause: TaskCause) -> None:
    """Move a task by a row of its table; note what has to be looked at next (I6, I8)."""
    task.state = next_task_state(task.state, cause, task.spec.id)
    state.board.remove(task)
    if task.doubt is not None:
        del state.doubts[task.doubt.attempt]
        task.doubt = None
    if run.pins:
        enter(state, run, task)
        stir(state, run, task)
    if task.state in FINAL:
        _close(state, run, task)


def enter(state: State, run: Run, task: Task) -> None:
    """Count a task as a use to come of what it needs warm as long as it is one."""
    if task.spec.needs.resources:
        run.pins = True
    if run.pins:
        present = run.tasks.get(task.spec.id) is task and task.state in PENDING
        name, needs = (run.id, task.spec.id), task.needs if present else ()
        state.warmth.touch(state.warmth.uses.set(name, needs, again=task.attempts > 0))


def stir(state: State, run: Run, task: Task) -> None:
    """Have the gaps looked at that wait for a task, where it is one of few."""
    for name in task.outgoing:
        successor = run.tasks[name]
        if successor.spec.needs.resources and successor.unmet <= FEW:
            state.warmth.touch(successor.needs)


def settled(state: State, run: RunId, name: TaskId, cause: TaskCause, reason: str) -> None:
    """Move a task and keep the reason."""
    row = state.runs[run]
    task = row.tasks[name]
    task.reason = reason
    move(state, row, task, cause)


def queue(state: State, run: Run, task: Task) -> None:
    """Let a ready task be expanded, or wait for a device, for which its rank now counts."""
    if task.spec.for_each is not None and task.parent is None:
        state.expanding.append(task)
    elif not run.paused:
        state.board.add(task, priority=run.submitted.priority, arrival=run.arrival)


def _close(state: State, run: Run, task: Task) -> None:
    state.timers.clear(task.key)
    run.unfinished -= 1
    if not run.unfinished:
        state.unended[run.id] = None
    for name in task.outgoing:
        successor = run.tasks[name]
        successor.unmet -= 1
        if not successor.unmet:
            state.touched.append(successor)
    if task.parent is not None:
        parent = run.tasks[task.parent]
        parent.open_children -= 1
        if not parent.open_children:
            state.joining.append(parent)
