"""What a judge is told of an ended run: a view with bounds, however large the run is."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.snapshot import TaskSnapshot
from orchestrator.core.state import Run, Task
from protocol.types import RunId

SHOWN: Final = 40  # tasks of each kind
AT_ONCE: Final = 2_000  # tasks looked at in one turn of the loop, about 2 ms
_LOST: Final = frozenset({TaskState.FAILED, TaskState.CANCELLED, TaskState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Outline:
    """An ended run; of each list the first `SHOWN`. What a task expanded to is only counted."""

    run: RunId
    request: str
    status: RunStatus
    reason: str
    counts: Mapping[TaskState, int]
    """Of all tasks."""
    results: tuple[TaskSnapshot, ...]
    """Tasks that succeeded and that nothing follows."""
    lost: tuple[TaskSnapshot, ...]
    """Tasks that came to nothing."""
    plan: tuple[TaskSnapshot, ...]
    """Tasks in order of creation."""


async def outlined(run: Run) -> Outline:
    """Look at a run that has ended. O(its tasks), with turns for others in between."""
    tasks = tuple(run.tasks.values())  # it may be forgotten, and swept, meanwhile
    counts = Counter[TaskState]()
    results: list[Task] = []
    lost: list[Task] = []
    for start in range(0, len(tasks), AT_ONCE):
        part = tasks[start : start + AT_ONCE]
        counts.update(task.state for task in part)
        _gather(part, results, lost)
        await asyncio.sleep(0)
    return Outline(
        run.id,
        run.submitted.request,
        run.status,
        run.reason,
        dict(counts),
        _frozen(results),
        _frozen(lost),
        _frozen([task for task in tasks[: 2 * SHOWN] if task.parent is None]),
    )


def _gather(tasks: tuple[Task, ...], results: list[Task], lost: list[Task]) -> None:
    for task in tasks:
        if task.parent is not None:
            continue
        if task.state in _LOST and len(lost) < SHOWN:
            lost.append(task)
        elif task.state is TaskState.SUCCEEDED and not task.outgoing and len(results) < SHOWN:
            results.append(task)


def _frozen(tasks: list[Task]) -> tuple[TaskSnapshot, ...]:
    return tuple(
        TaskSnapshot(task.spec, task.state, task.reason, task.output, task.incoming)
        for task in tasks[:SHOWN]
    )
