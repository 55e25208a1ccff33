"""Who goes first: what has a deadline by when it is due, the others as they came; nobody starves.

A task of a run with a deadline D is due at `D - (b - t)`, with t its duration and b its bottom
level: the latest end that leaves the rest of its longest path in time. On one machine the earliest
of these first meets all deadlines if that can be done (Chetto, Silly, Bouchentouf: Dynamic
scheduling of real-time tasks under precedence constraints, Real-Time Systems 2, 1990, section 3).
Deviations: there are several machines, and due dates are not looked at again while a task waits.

A run without a deadline counts as due `PATIENCE_S` after it was submitted, and no run as due
later: what has waited so long is overtaken by nothing that is submitted from then on. A run that
will miss its deadline whatever comes first counts as one without: it is cancelled then, and all
that was done for it in the place of others is lost. (Modified due dates, `max(now + p, d)`, have
what is late go on by its length; that is for work that is wanted however late it is.)
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from orchestrator.core.scheduling.kept import Unfinished, Unstarted
from orchestrator.core.scheduling.outlook import Outlook
from protocol.types import RunId

PATIENCE_S: Final = 1800.0  # half of a task's usual queue limit; the rest is to be served in


class Left(NamedTuple):
    """What is left of a run from one of its tasks on, in seconds."""

    own_s: float
    """The task itself."""
    path_s: float
    """The longest path from it, itself included: its bottom level."""


def left(rank_s: float, *, reference_s: float, quickest_s: float) -> Left:
    """Return what is left from a task on, on its quickest device.

    Args:
        rank_s: its bottom level on devices of speed 1.
        reference_s: its duration there.
        quickest_s: its duration on the quickest device.
    """
    pace = quickest_s / reference_s if reference_s > 0.0 else 1.0
    return Left(quickest_s, max(rank_s * pace, quickest_s))


def turn(run: Unfinished, *, since: float, own_s: float, path_s: float) -> float:
    """Return when a task that may start at `since` counts as due, in elapsed seconds."""
    patience = run.submitted_at + PATIENCE_S
    limit_s = run.submitted.limits.deadline_s
    if limit_s is None or since + path_s > run.submitted_at + limit_s:
        return patience
    return min(patience, run.submitted_at + limit_s - (path_s - own_s))


def in_turn(
    outlook: Outlook,
    tasks: Sequence[Unstarted],
    runs: Mapping[RunId, Unfinished],
    *,
    order: Sequence[int],
    now: float,
) -> list[int]:
    """Return tasks by priority, turn and arrival of their runs; then as in `order`.

    Tasks are numbered, and come in `order`, each after its predecessors; so do they here.
    """
    own = [min(row) for row in outlook.cost]
    path = own.copy()
    for number in reversed(outlook.tasks):
        for source, _ in outlook.predecessors[number]:
            path[source] = max(path[source], own[source] + path[number])
    key: list[tuple[int, float, int]] = []
    for number, task in enumerate(tasks):
        run = runs[task.run]
        due = turn(run, since=now, own_s=own[number], path_s=path[number])
        for source, _ in outlook.predecessors[number]:
            due = max(due, key[source][1])  # what will be late may precede what may be in time
        key.append((-run.submitted.priority, due, run.arrival))
    return sorted(order, key=key.__getitem__)
