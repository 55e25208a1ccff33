"""What devices say of attempts. Whatever is stale, repeated or forged changes nothing (I12)."""

from typing import assert_never

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.commands import Acknowledge, CancelAttempt
from orchestrator.core.decisions.outcomes import give_up, lapse, lose_outcome, recover
from orchestrator.core.errors import RequestError
from orchestrator.core.lifecycle import LIVE, AttemptState, TaskState
from orchestrator.core.state import Attempt, Run, Task
from orchestrator.core.step import Step
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Json,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)


def attempt_reported(step: Step, event: e.AttemptReported) -> None:
    """Note that an attempt was accepted or started."""
    attempt = _own(step, event.device, event.attempt)
    if attempt is None:
        return
    task = step.state.task(attempt)
    limits = task.spec.limits
    if event.started and attempt.state in {AttemptState.OFFERED, AttemptState.ACCEPTED}:
        due = step.at + limits.run_s
        step.emit(f.AttemptStarted(attempt.run, attempt.task, attempt.id, step.at, due))
    elif not event.started and attempt.state is AttemptState.OFFERED:
        due = step.at + limits.start_s
        step.emit(f.AttemptAccepted(attempt.run, attempt.task, attempt.id, due))


def attempt_asked(step: Step, event: e.AttemptAsked) -> None:
    """Let a task wait for a person."""
    attempt = _own(step, event.device, event.attempt)
    if attempt is None:
        return
    task = step.state.task(attempt)
    if task.live == attempt.id and task.state is TaskState.ACTIVE:
        due = step.at + task.spec.limits.input_s
        step.emit(
            f.InputRequested(attempt.run, attempt.task, attempt.id, event.question, due),
        )


def attempt_finished(step: Step, event: e.AttemptFinished) -> None:
    """Take an outcome, and have the device forget it once that is durable."""
    known = step.state.attempts.get(event.attempt)
    if known is not None and known.device != event.device:
        return
    step.order(Acknowledge(event.device, event.attempt))
    if known is not None:
        conclude(step, known, event.outcome, run_s=event.run_s)


def conclude(step: Step, attempt: Attempt, outcome: Outcome, *, run_s: float | None) -> None:
    """End an attempt and let its task go where that leads."""
    if not step.state.wants(attempt):
        reason = "its task is final or was edited since"
        step.emit(f.AttemptLost(attempt.run, attempt.task, attempt.id, reason))
        return
    run, task = step.state.runs[attempt.run], step.state.task(attempt)
    if isinstance(outcome, Rejected) and attempt.started_at is not None:
        # It was started, so this is no promise that nothing happened (I13).
        outcome = Failed(FailureKind.TRANSIENT, f"refused after its start: {outcome.reason}")
    if isinstance(outcome, Succeeded):
        _succeed(step, task, attempt, output=outcome.output, run_s=run_s)
        return
    # A lapsed attempt still speaks for a task that waits for exactly its word.
    lost = task.state is TaskState.UNKNOWN and attempt.effect is Effect.ONCE
    speaks = lost or task.live == attempt.id
    step.emit(_ended(attempt, outcome))
    if not speaks:
        return
    match outcome:
        case Failed() | Rejected():
            recover(step, run, task, attempt, outcome)
        case Cancelled(detail):
            stopped = Failed(FailureKind.DEVICE_LOST, detail or "the device stopped it")
            recover(step, run, task, attempt, stopped)
        case Unknown(detail):
            _forgotten(step, run, task, attempt, detail=detail)
        case _:
            assert_never(outcome)


def _ended(attempt: Attempt, outcome: Failed | Rejected | Cancelled | Unknown) -> f.Fact:
    run, task, name = attempt.run, attempt.task, attempt.id
    match outcome:
        case Failed(kind, detail):
            return f.AttemptFailed(run, task, name, kind, detail)
        case Rejected(reason):
            return f.AttemptRejected(run, task, name, reason)
        case Cancelled(detail):
            return f.AttemptCancelled(run, task, name, detail)
        case Unknown(detail):
            return f.AttemptUnknown(run, task, name, detail)
        case _:
            assert_never(outcome)


def settle_unknown(step: Step, event: e.SettleUnknown) -> None:
    """Take somebody's word for what a lost `once` attempt came to."""
    run = step.run(event.run)
    task = run.tasks.get(event.task)
    if task is None or task.state is not TaskState.UNKNOWN:
        raise RequestError(f"task {event.task!r} of run {run.id!r} is not unknown")
    match event.outcome:
        case Succeeded(output):
            step.emit(f.TaskJoined(run.id, task.spec.id, output))
        case Failed(_, detail):
            give_up(step, run, task, detail)
        case _:
            raise RequestError("an unknown outcome is settled as succeeded or failed")


def _succeed(
    step: Step, task: Task, attempt: Attempt, *, output: Json, run_s: float | None
) -> None:
    if task.live is not None and task.live != attempt.id:
        # The lapsed attempt came through after all: the one that replaced it is not needed.
        other = step.state.attempts[task.live]
        lapse(step, other, "an earlier attempt succeeded")
        epoch = step.state.runs[other.run].epoch
        step.order(CancelAttempt(other.device, other.id, other.run, epoch))
    step.emit(f.AttemptSucceeded(attempt.run, attempt.task, attempt.id, output, run_s))


def _forgotten(step: Step, run: Run, task: Task, attempt: Attempt, *, detail: str) -> None:
    if attempt.effect is Effect.ONCE:
        lose_outcome(step, run, task, detail)
    else:
        recover(step, run, task, attempt, Failed(FailureKind.DEVICE_LOST, detail))


def _own(step: Step, device: DeviceId, name: AttemptId) -> Attempt | None:
    attempt = step.state.attempts.get(name)
    if attempt is None or attempt.device != device or attempt.state not in LIVE:
        return None
    return attempt
