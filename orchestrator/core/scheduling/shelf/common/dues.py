"""When a task is due, from the deadline of its run and the longest path that is left of it.

A stage gets a share of the time that its run has left, as its own duration is to the longest
remaining path: the budget of Hexgen-Text2SQL (Peng, Jiang, Wang, Yuan, arXiv 2505.05286, 2025),
whose urgency is `t + waited - (D - now)·t/b`, with t the task's duration and b its bottom level.
Deviation: the budget is taken once, when the task becomes ready; so it does not change while it
waits, and its end is the task's due date.

Durations are those on the quickest device that can take it, as known when the task came.
"""

from math import inf

from orchestrator.core.scheduling import Board, urgency
from orchestrator.core.scheduling.demand import Waiting


def left(board: Board, task: Waiting) -> urgency.Left:
    """Return what is left from a ready task on. O(1)."""
    reference_s = board.estimates.reference(task.spec.skill, task.spec.estimate_s)
    demand = task.demand
    quickest_s = reference_s
    if demand is not None and demand.quickest:
        quickest_s = demand.quickest[0][0] * board.scale(demand, task)
    return urgency.left(task.rank, reference_s=reference_s, quickest_s=quickest_s)


def deadline(board: Board, task: Waiting) -> float:
    """Return when the run of a task has to be done, in elapsed seconds; `inf` if ever."""
    run = board.runs[task.run]
    limit_s = run.submitted.limits.deadline_s
    return inf if limit_s is None else run.submitted_at + limit_s


def due(board: Board, task: Waiting) -> float:
    """Return when a task has to be done for its run to keep its deadline; `inf` without one."""
    end = deadline(board, task)
    if end == inf:
        return inf
    own_s, path_s = left(board, task)
    return task.since + (end - task.since) * (own_s / path_s if path_s > 0.0 else 1.0)
