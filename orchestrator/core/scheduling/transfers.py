"""When what a task reads is on a device: late binding and plans ask the same.

A result stays where it was made, and is sent from there to whoever reads it: as soon as it is
known where that is, if devices fetch ahead, or else when the task is offered.
"""

from collections.abc import Iterator

from orchestrator.core.estimates import artifact_bytes
from orchestrator.core.model import Dependency
from orchestrator.core.scheduling.board import Board
from orchestrator.core.scheduling.demand import Placeable
from orchestrator.core.scheduling.kept import Plan, Unstarted
from protocol.types import DeviceId


def size_bytes(plan: Plan, edge: Dependency, before: Unstarted) -> float:
    """Return how much a dependency carries: as declared, or what its result refers to, once made.

    A result is walked through once, however many read it.
    """
    if edge.size_bytes is not None:
        return edge.size_bytes
    if before.output is None:
        return 0.0
    name = before.run, before.spec.id
    known = plan.sizes.get(name)
    if known is None or known[0] is not before.output:
        known = plan.sizes[name] = before.output, artifact_bytes(before.output)
    return known[1]


def inputs(board: Board, task: Placeable) -> Iterator[tuple[DeviceId, float]]:
    """Yield where a ready task's inputs are, and their sizes: those that have to be sent."""
    run = board.runs[task.run]
    for edge in run.tasks[task.spec.id].incoming:
        before = run.tasks[edge.predecessor]
        if before.where is not None and (size := size_bytes(board.plan, edge, before)):
            yield before.where, size


def arrival(board: Board, task: Placeable, device: DeviceId, now: float) -> float:
    """Return when a ready task's inputs are on a device, if it is placed there now, ≥ `now`.

    O(inputs). What was meant for the device before may be on its way since.
    """
    plan, links = board.plan, board.estimates.links
    latest = now
    if links:
        sent = plan.since.get(((task.run, task.spec.id), device), now) if plan.ahead else now
        for source, size in inputs(board, task):
            latest = max(latest, sent + size * links.per_byte(source, device))
    return latest
