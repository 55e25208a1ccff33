"""What speaks against a planner's answer: the checks, with all that the question says."""

import asyncio
from collections.abc import Iterator
from typing import Final

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
from orchestrator.core.lifecycle import NOT_STARTED
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.planner import PlanRequest, RevisionRequest
from orchestrator.planner.checks import Goal, Times, advise, check
from orchestrator.planner.refusals import Request
from protocol.types import TaskId

BINDING: Final = frozenset({"no_device", "missing_dependency"})
"""Advice that a plan made from words must follow: its author guessed a name, and knows of no
device to come; or forgot to let one task wait for the file of another. Other advice is not worth a
question of its own."""
WASTE: Final = frozenset({"duplicate_work", "dead_task"})
"""Rules that only cost time: they bind whoever makes plans from words, and can answer otherwise.
Nobody's run fails for them."""
MARGIN_S: Final = 1.0
MARGIN: Final = 0.05
"""A plan must be done so much before the run's deadline: a second, or a twentieth of the time that
is left where that is less. Offers, reports and commits are in no estimate."""
ON_LOOP: Final = 200
"""Tasks, edits and devices that are judged on the loop, in 4 ms at most; more are in a thread."""


async def judged(request: Request, batch: EditBatch) -> tuple[Reason, ...]:
    """Return what `against` does, and let nobody else wait for it."""
    tasks = 0 if isinstance(request, PlanRequest) else len(request.snapshot.tasks)
    size = tasks + len(batch.edits) + len(request.fleet)
    if size <= ON_LOOP and request.deadline_s is None:  # times may have to be searched for
        return against(request, batch)
    return await asyncio.to_thread(against, request, batch)


def against(request: Request, batch: EditBatch, *, worded: bool = False) -> tuple[Reason, ...]:
    """Return why an answer must not be used; nothing where it may.

    Args:
        request: the question, as it was asked.
        batch: the answer.
        worded: whether it was made from words: then a first plan must carry over every literal,
            `WASTE` and advice in `BINDING` bind, and all advice goes along with what is wrong.
    """
    cards = [view.card for view in request.fleet]
    snapshot = None if isinstance(request, PlanRequest) else request.snapshot
    reasons = (
        *_started(batch, snapshot),
        *check(
            batch, cards, snapshot=snapshot, times=_times(request), goal=_goal(request, worded)
        ),
    )
    if not worded:
        return tuple(each for each in reasons if each.rule not in WASTE)
    advice = advise(batch, cards, snapshot=snapshot)
    binds = bool(reasons) or any(each.rule in BINDING for each in advice)
    return (*reasons, *advice) if binds else ()


def editable(row: TaskSnapshot) -> bool:
    """Tell whether an edit may change the task (I7)."""
    return row.state in NOT_STARTED and row.parent is None


def _goal(request: Request, worded: bool) -> Goal | None:  # noqa: FBT001 - as `against` has it
    """Return what is asked for. A revision may well say other things than the request did."""
    if isinstance(request, PlanRequest) and (worded or request.deliverables):
        return Goal(request.request, request.deliverables)
    return Goal("", request.deliverables) if request.deliverables else None


def _times(request: Request) -> Times:
    """Return the deadline, less a margin; what says nothing of how long it takes takes no time."""
    left = request.deadline_s
    ran_s = request.ran_s if isinstance(request, RevisionRequest) else {}
    if left is None or left <= 0.0:  # past it, the run is being stopped
        return Times(guess_s=0.0, ran_s=ran_s)
    return Times(deadline=left, margin_s=margin_s(left), guess_s=0.0, ran_s=ran_s)


def margin_s(left_s: float) -> float:
    """Return how much before its deadline a run should be done that has so much time left."""
    return min(MARGIN_S, MARGIN * left_s)


def _started(batch: EditBatch, snapshot: RunSnapshot | None) -> Iterator[Reason]:
    """Yield the edits of what may not be edited any more (I7); the engine has the last word."""
    fixed = {row.spec.id: row for row in snapshot.tasks if not editable(row)} if snapshot else {}
    for edit in batch.edits if fixed else ():
        task = _written(edit)
        if task in fixed:
            detail = f"task {task!r} is {fixed[task].state}: it may only be cancelled"
            yield Reason("started", task, detail)


def _written(edit: Edit) -> TaskId | None:
    match edit:
        case ReplaceTask(spec):
            return spec.id
        case AddDependency(dependency):
            return dependency.successor
        case RemoveDependency(_, successor):
            return successor
        case SetArgs(task) | RemoveTask(task):
            return task
        case AddTask() | CancelTask():
            return None
