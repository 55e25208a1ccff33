"""Offering attempts to devices, again where an answer is missing, and taking offers back."""

from orchestrator.core import facts as f
from orchestrator.core.chance import identifier
from orchestrator.core.commands import Offer, RefuseAttempts
from orchestrator.core.references import MissingError, resolve
from orchestrator.core.scheduling import Machine
from orchestrator.core.state import Attempt, Run, Task
from orchestrator.core.step import Step
from protocol.types import AttemptId, Json, TaskId


def place(step: Step, task: Task, device: Machine, estimate_s: float) -> None:
    """Make an attempt of a ready task and offer it to a device."""
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
    offer(step, step.state.attempts[name])


def offer(step: Step, attempt: Attempt) -> None:
    """Send an offer, for the first time or again: the device takes it once."""
    run = step.state.runs[attempt.run]
    spec = run.tasks[attempt.task].spec
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
            arguments(run, spec.args),
            attempt.effect,
            spec.limits.run_s,
        )
    )


def refuse(step: Step, attempt: Attempt) -> None:
    """Have the device write a tombstone, so that the attempt cannot start later."""
    run = step.state.runs[attempt.run]
    step.order(RefuseAttempts(attempt.device, {attempt.id: run.id}, {run.id: run.epoch}))


def arguments(run: Run, args: object) -> dict[str, Json]:
    """Return a task's arguments with references replaced by what they stand for.

    Raises:
        MissingError: a reference points at nothing.
    """

    def output(name: TaskId) -> Json:
        task = run.tasks.get(name)
        if task is None:
            raise MissingError(f"there is no task {name!r}")
        return task.output

    return resolve(args, output) if args else {}  # type: ignore[arg-type, return-value]
