"""Offering attempts to devices, again where an answer is missing, and taking offers back."""

from collections.abc import Iterable, Mapping

from orchestrator.core import facts as f
from orchestrator.core.chance import identifier
from orchestrator.core.commands import Offer, QueryAttempt, RefuseAttempts
from orchestrator.core.decisions.outcomes import hurry
from orchestrator.core.decisions.pins import pins_of
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import TaskSpec
from orchestrator.core.references import resolve
from orchestrator.core.scheduling import Machine
from orchestrator.core.state import Attempt, Device, Run, Task
from orchestrator.core.step import Step
from protocol.types import AttemptId, Json, TaskId


def place(
    step: Step, task: Task, device: Machine, estimate_s: float, *, args: Mapping[str, Json]
) -> None:
    """Make an attempt of a ready task, with its arguments filled, and offer it to a device."""
    run = step.state.runs[task.run]
    token = step.state.token + 1
    name = AttemptId(identifier(run.submitted.seed, f"{run.id}/attempt", token))
    card, spec = device.card, task.spec
    effect = spec.effect if spec.effect is not None else device.skills[spec.skill].effect
    due = step.at + min(step.tuning.repeat_offer_s, spec.limits.start_s)
    step.emit(
        f.TaskPlaced(
            run.id,
            spec.id,
            name,
            task.attempts + 1,
            card.device,
            token,
            effect,
            estimate_s,
            step.at,
            due,
        )
    )
    _order(step, step.state.attempts[name], run, spec, args=args)


def offer_again(step: Step, attempt: Attempt) -> None:
    """Repeat an offer: the device takes it once."""
    run = step.state.runs[attempt.run]
    task = run.tasks[attempt.task]
    _order(step, attempt, run, task.spec, args=arguments(run, task))


def _order(
    step: Step, attempt: Attempt, run: Run, spec: TaskSpec, *, args: Mapping[str, Json]
) -> None:
    step.order(
        Offer(
            attempt.device,
            attempt.id,
            run.id,
            spec.id,
            attempt.number,
            run.epoch,
            attempt.token,
            step.tuning.lease_s,
            spec.skill,
            args,
            attempt.effect,
            spec.limits.run_s,
            step.state.devices[attempt.device].incarnation,
            pins_of(step, attempt) if attempt.needs else (),
        )
    )


def refuse(step: Step, attempt: Attempt) -> None:
    """Have the device write a tombstone, so that the attempt cannot start later."""
    run = step.state.runs[attempt.run]
    step.order(RefuseAttempts(attempt.device, {attempt.id: run.id}, {run.id: run.epoch}))


def query_plain(step: Step, device: Device) -> None:
    """Ask an agent without our extension about all it is charged with: no hello tells it."""
    if not device.card.extension:
        for name in device.attempts:
            step.order(QueryAttempt(device.card.device, name))


def query_doubts(step: Step, device: Device) -> None:
    """Ask a device about outcomes that are unknown, where it is the same life of it."""
    for name in sorted(step.state.doubts):  # one order, however the state was put together
        query_doubt(step, step.state.doubts[name], device)


def query_doubt(step: Step, task: Task, device: Device | None) -> None:
    """Ask a device about an unknown outcome, if it is there and is the one that can tell."""
    doubt = task.doubt
    if device is None or doubt is None or not device.online:
        return
    if (device.card.device, device.incarnation) == (doubt.device, doubt.incarnation):
        step.order(QueryAttempt(doubt.device, doubt.attempt))


def shorten_hopeless(step: Step, run: Run, tasks: Iterable[TaskId]) -> None:
    """Do not let a task that no known device can take wait for its whole queue limit."""
    board = step.state.board
    for name in tasks:
        task = run.tasks[name]
        demand = task.demand
        if task.state is TaskState.READY and task.spec.for_each is not None:
            step.emit(f.DeadlineMoved(task.key, step.at + step.tuning.settle_s))
        elif demand is not None and not demand.machines and not board.servable(task):
            hurry(step, task)


def arguments(run: Run, task: Task) -> Mapping[str, Json]:
    """Return a task's arguments with references, to its predecessors all, replaced.

    Raises:
        MissingError: a reference points at nothing.
    """
    args = task.spec.args
    if not task.incoming and task.parent is None:
        return args  # it refers to nobody: every reference is a dependency
    return {key: filled(run, value) for key, value in args.items()}


def filled(run: Run, value: Json) -> Json:
    """Return a value with references to finished tasks replaced.

    Raises:
        MissingError: a reference points at nothing.
    """
    return resolve(value, lambda name: run.tasks[name].output)
