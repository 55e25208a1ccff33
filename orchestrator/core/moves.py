"""Moving a task along its table, with everything that follows by itself."""

from orchestrator.core.lifecycle import FINAL, TaskCause, next_task_state
from orchestrator.core.state import Run, State, Task
from protocol.types import RunId, TaskId


def move(state: State, run: Run, task: Task, cause: TaskCause) -> None:
    """Move a task by a row of its table; note what has to be looked at next (I6, I8)."""
    task.state = next_task_state(task.state, cause, task.spec.id)
    state.board.remove(task)
    if task.doubt is not None:
        del state.doubts[task.doubt.attempt]
        task.doubt = None
    if task.state in FINAL:
        _close(state, run, task)


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
