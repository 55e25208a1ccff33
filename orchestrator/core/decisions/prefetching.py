"""Hints: what devices may fetch before an offer asks for it. Nothing rests on them.

A hint leaves when a task ends whose result others are meant to read elsewhere, and when the plan
means a task for another device than before. Each artifact is hinted at once to a device: what is
lost is fetched with the offer. Nothing of it is journaled. Who fetched for a run and was offered
nothing of it hears once, when it ends, that all of that may go.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from orchestrator.core import facts as f
from orchestrator.core.commands import Prefetch, ReleaseRun
from orchestrator.core.estimates import artifact_bytes, artifacts
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.references import MissingError, look_up, sources
from orchestrator.core.scheduling.kept import Name
from orchestrator.core.scheduling.transfers import size_bytes
from orchestrator.core.state import Attempt, Run, Task
from orchestrator.core.step import Step
from protocol.types import DeviceId, Json, RunId

LEAST_BYTES: Final = 64 << 10  # what is smaller goes along with the arguments
AT_ONCE: Final = 64  # references in one hint

_Reference = Mapping[str, Json]


def hint(step: Step) -> None:
    """Have devices fetch what they are meant to read: O(1) where nothing is planned."""
    plan = step.state.board.plan
    for fact in step.facts if plan.hinted else ():
        if isinstance(fact, f.RunEnded):
            _release(step, fact.run)
    if not plan.intended:
        plan.moved.clear()
        return
    for fact in step.facts:
        if isinstance(fact, f.AttemptSucceeded | f.TaskJoined | f.TaskSettled):
            run = step.state.runs[fact.run]
            task = run.tasks[fact.task]
            if artifact_bytes(task.output) >= LEAST_BYTES:
                plan.moved |= dict.fromkeys((run.id, name) for name in task.outgoing)
    moved, plan.moved = plan.moved, {}
    for each in moved:
        _hint(step, each)


def _release(step: Step, name: RunId) -> None:
    """Have devices drop what was fetched for nothing: who worked for a run is told later."""
    plan, run = step.state.board.plan, step.state.runs[name]
    told = {device for each, device, _ in plan.hinted if each == name}
    for device in sorted(told - run.devices.keys()):
        if device in step.state.devices and not run.superseded:
            step.order(ReleaseRun(device, name))


def _hint(step: Step, name: Name) -> None:
    state, plan = step.state, step.state.board.plan
    device = state.devices.get(plan.intended.get(name, DeviceId("")))
    run = state.runs.get(name[0])
    task = run.tasks.get(name[1]) if run is not None else None
    if device is None or run is None or task is None:
        return
    card = device.card
    if not card.prefetches or not card.extension or not device.available:
        return
    wanted = []
    for sha256, reference in _read_by(step, run, task, card.device):
        if (run.id, card.device, sha256) not in plan.hinted:
            plan.hinted.add((run.id, card.device, sha256))
            wanted.append(reference)
    for first in range(0, len(wanted), AT_ONCE):
        some = tuple(wanted[first : first + AT_ONCE])
        step.order(Prefetch(card.device, run.id, run.epoch, task.spec.skill, some))


def _read_by(
    step: Step, run: Run, task: Task, device: DeviceId
) -> Iterator[tuple[str, _Reference]]:
    """Yield what a task reads of results that were made elsewhere and are large."""
    plan, made = step.state.board.plan, {}
    for edge in task.incoming:
        before = run.tasks[edge.predecessor]
        done = before.state is TaskState.SUCCEEDED and before.where != device
        if done and size_bytes(plan, edge, before) >= LEAST_BYTES:
            made[edge.predecessor] = before.output
    if not made:
        return
    for source, path in sources(task.spec.args):
        if source in made:
            try:
                value = look_up(made[source], path)
            except MissingError:
                continue  # the task will fail by that
            for size, reference in artifacts(value):
                match reference["$artifact"]:
                    case {"sha256": str(sha256)} if size >= LEAST_BYTES:
                        yield sha256, reference
                    case _:
                        pass


def note_fetch(step: Step, attempt: Attempt, size_bytes: int, seconds: float) -> None:
    """Learn how fast a link is, if all that an attempt fetched came from one device."""
    task = step.state.runs[attempt.run].tasks.get(attempt.task)
    if task is None or size_bytes < LEAST_BYTES or seconds <= 0.0:
        return
    rows = step.state.runs[attempt.run].tasks
    sources = {rows[edge.predecessor].where for edge in task.incoming} - {attempt.device, None}
    if len(sources) == 1 and (source := sources.pop()) is not None:
        step.emit(f.TransferSeen(source, attempt.device, size_bytes, seconds))
