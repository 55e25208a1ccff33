"""Offering attempts to devices, again where an answer is missing, and taking offers back."""

from collections.abc import Iterable, Mapping

from orchestrator.core import facts as f
from orchestrator.core.chance import identifier
from orchestrator.core.commands import Offer, RefuseAttempts
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import TaskSpec
from orchestrator.core.references import resolve
from orchestrator.core.scheduling import Machine
from orchestrator.core.state import Attempt, Run, Task
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
        )
    )


def refuse(step: Step, attempt: Attempt) -> None:
    """Have the device write a tombstone, so that the attempt cannot start later."""
    run = step.state.runs[attempt.run]
    step.order(RefuseAttempts(attempt.device, {attempt.id: run.id}, {run.id: run.epoch}))


def shorten_hopeless(step: Step, run: Run, tasks: Iterable[TaskId]) -> None:
    """Do not let a task that no known device can take wait for its whole queue limit."""
    board = step.state.board
    for name in tasks:
        task = run.tasks[name]
        demand = task.demand
        if task.state is TaskState.READY and task.spec.for_each is not None:
            step.emit(f.DeadlineMoved(task.key, step.at + step.tuning.settle_s))
        elif demand is not None and not demand.machines and not board.servable(task):
            limit_s = min(step.tuning.unmatched_s, task.spec.limits.queue_s)
            step.emit(f.DeadlineMoved(task.key, step.at + limit_s))


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
