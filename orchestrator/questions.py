"""The open questions of a run, by name, so that an answer reaches the one that it was meant for.

A question is named `try.number`: the try of its task, and its number within that, as devices
count (1, 2, …). A device that gives no numbers asks by words alone: there a digest of them stands
for the number, so that only an answer to the same words is taken. Pure: whoever checks, and hands
the answer to the engine without waiting in between, cannot be overtaken.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.core.errors import RequestError
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.state import Run, State, Task
from protocol.types import TaskId


@dataclass(frozen=True, slots=True)
class Question:
    """What a task asks a person now."""

    task: TaskId
    name: str
    """Such as ``1.2``; see above."""
    text: str


def open_questions(run: Run, state: State) -> Iterator[Question]:
    """Yield what the tasks of a run ask, in order of creation. O(tasks)."""
    for task in run.tasks.values():
        if (found := question_of(task, state)) is not None:
            yield found


def question_of(task: Task, state: State) -> Question | None:
    """Return what a task asks; None: nothing."""
    if task.state is not TaskState.INPUT_REQUIRED or task.live is None:
        return None
    attempt = state.attempts[task.live]
    number = str(attempt.asked or f"x{zlib.crc32(task.reason.encode()):08x}")
    return Question(task.spec.id, f"{attempt.number}.{number}", task.reason)


def check_open(named: str, run: Run, task: TaskId, state: State) -> None:
    """Make sure that a question is the one that a task asks now.

    Raises:
        RequestError: it is not, or no longer; it says what the task asks instead.
    """
    row = run.tasks.get(task)
    now = None if row is None else question_of(row, state)
    if now is not None and now.name == named:
        return
    stale = f"question {named!r} of task {task!r} is not open (any more)"
    if now is None:
        raise RequestError(f"{stale}: the task asks nothing now")
    raise RequestError(f"{stale}: it asks now, as question {now.name}, {now.text!r}: answer that")
