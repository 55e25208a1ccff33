"""When what a task reads is on a device: late binding and plans ask the same.

A result stays where it was made, and is sent from there to whoever reads it: as soon as it is
known where that is, if devices fetch ahead, or else when the task is offered.
"""

from collections.abc import Iterable, Iterator

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


def made_at(plan: Plan, task: Unstarted, now: float) -> float:
    """Return when the result of a task that is done may have been there: it was planned, ≤ now."""
    offered = plan.offered.get((task.run, task.spec.id))
    return min(offered[1], now) if offered is not None else now


def inputs(board: Board, task: Placeable) -> Iterator[tuple[DeviceId, float]]:
    """Yield where a ready task's inputs are, and their sizes: those that have to be sent."""
    for _, where, size in _sources(board, task):
        yield where, size


def _sources(board: Board, task: Placeable) -> Iterator[tuple[Unstarted, DeviceId, float]]:
    """Yield what made the inputs, too."""
    run = board.runs[task.run]
    for edge in run.tasks[task.spec.id].incoming:
        before = run.tasks[edge.predecessor]
        if before.where is not None and (size := size_bytes(board.plan, edge, before)):
            yield before, before.where, size


def meant_for(board: Board, task: Unstarted) -> Iterator[tuple[DeviceId, float]]:
    """Yield where a task's result is meant to be read, and the size of it, as far as is known."""
    tasks, intended = board.runs[task.run].tasks, board.plan.intended
    for reader in task.outgoing if intended else ():
        device = intended.get((task.run, reader))
        if device is not None:
            for edge in tasks[reader].incoming:
                if edge.predecessor == task.spec.id and edge.size_bytes:
                    yield device, edge.size_bytes


def detour_s(
    board: Board, readers: Iterable[tuple[DeviceId, float]], old: DeviceId, new: DeviceId
) -> float:
    """Return by how much later a result reaches its readers if it is made elsewhere, ≥ 0."""
    rate = board.estimates.links.per_byte
    later = (size * (rate(new, where) - rate(old, where)) for where, size in readers)
    return max((0.0, *later))


def arrival(board: Board, task: Placeable, device: DeviceId, now: float) -> float:
    """Return when a ready task's inputs are on a device, if it is placed there now, ≥ `now`.

    O(inputs). What was meant for the device before may be on its way since, or since it was made.
    """
    plan, links = board.plan, board.estimates.links
    latest = now
    if links:
        meant = plan.since.get((task.run, task.spec.id)) if plan.ahead else None
        sent = meant.get(device, now) if meant else now
        for before, source, size in _sources(board, task):
            since = max(sent, made_at(plan, before, now))
            latest = max(latest, since + size * links.per_byte(source, device))
    return latest
