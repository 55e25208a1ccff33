"""When a task is due, from the deadline of its run and the longest path that is left of it.

A stage gets a share of the time that its run has left, as its own duration is to the longest
remaining path: the budget of Hexgen-Text2SQL (Peng, Jiang, Wang, Yuan, arXiv 2505.05286, 2025),
whose urgency is `t + waited - (D - now)·t/b`, with t the task's duration and b its bottom level.
Deviation: the budget is taken once, when the task becomes ready; so it does not change while it
waits, and its end is the task's due date.

Durations are those on the quickest device that can take it, as known when the task came.
"""

from math import inf
from typing import NamedTuple

from orchestrator.core.scheduling import Board
from orchestrator.core.scheduling.demand import Waiting


class Left(NamedTuple):
    """What is left of a run from one of its ready tasks on, in seconds."""

    own_s: float
    """The task itself."""
    path_s: float
    """The longest path from it, itself included: its bottom level."""


def left(board: Board, task: Waiting) -> Left:
    """Return what is left from a ready task on. O(1)."""
    reference_s = board.estimates.reference(task.spec.skill, task.spec.estimate_s)
    demand = task.demand
    own_s = reference_s
    if demand is not None and demand.quickest:
        own_s = demand.quickest[0][0] * board.scale(demand, task)
    pace = own_s / reference_s if reference_s > 0.0 else 1.0
    return Left(own_s, max(task.rank * pace, own_s))


def deadline(board: Board, task: Waiting) -> float:
    """Return when the run of a task has to be done, in elapsed seconds; `inf` if ever."""
    submitted = board.runs[task.run].submitted
    limit_s = submitted.limits.deadline_s
    return inf if limit_s is None else submitted.at + limit_s


def due(board: Board, task: Waiting) -> float:
    """Return when a task has to be done for its run to keep its deadline; `inf` without one."""
    end = deadline(board, task)
    if end == inf:
        return inf
    own_s, path_s = left(board, task)
    return task.since + (end - task.since) * (own_s / path_s if path_s > 0.0 else 1.0)
