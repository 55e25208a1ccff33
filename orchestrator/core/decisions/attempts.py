"""What devices say of attempts. Whatever is stale, repeated or forged changes nothing (I12)."""

from typing import assert_never

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.commands import Acknowledge, CancelAttempt, QueryAttempt
from orchestrator.core.decisions.hedging import age_s, watch
from orchestrator.core.decisions.outcomes import (
    REVIEWED,
    give_up,
    lapse,
    lose_attempt,
    lose_outcome,
    may_ask,
    recover,
    review,
    unexpected,
)
from orchestrator.core.decisions.pins import settle_uses
from orchestrator.core.decisions.prefetching import note_fetch
from orchestrator.core.errors import RequestError
from orchestrator.core.lifecycle import FINAL, LIVE, AttemptState, TaskState
from orchestrator.core.state import Attempt, Doubt, Run, Task
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
    RunId,
    Succeeded,
    Unknown,
)


def attempt_reported(step: Step, event: e.AttemptReported) -> None:
    """Note that an attempt was accepted or started."""
    attempt = own(step, event.device, event.attempt)
    if attempt is None:
        return
    task = step.state.task(attempt)
    limits = task.spec.limits
    if event.started:
        note_start(step, attempt)
    elif attempt.state is AttemptState.OFFERED:
        # A plain agent that does not stream never says when it starts; what has to be loaded
        # first may take as long as the work itself.
        soon = step.state.devices[attempt.device].card.extension and not attempt.needs
        due = step.at + (limits.start_s if soon else limits.run_s)
        step.emit(f.AttemptAccepted(attempt.run, attempt.task, attempt.id, due))


def note_start(step: Step, attempt: Attempt) -> None:
    """Note that an attempt has started, unless that is known, or it has lapsed."""
    if attempt.state in {AttemptState.OFFERED, AttemptState.ACCEPTED}:
        due = step.at + step.state.task(attempt).spec.limits.run_s
        step.emit(f.AttemptStarted(attempt.run, attempt.task, attempt.id, step.at, due))
        watch(step, attempt)


def attempt_finished(step: Step, event: e.AttemptFinished) -> None:
    """Take an outcome, and have the device forget it once that is durable."""
    known = step.state.attempts.get(event.attempt)
    if known is None:
        _finished_late(step, event)
    elif known.device == event.device and not _another_life(step, event):
        _acknowledge(step, event, known.run)
        if event.fetched_bytes:
            note_fetch(step, known, event.fetched_bytes, event.fetch_s)
        conclude(step, known, event.outcome, run_s=event.run_s)
        if known.needs:
            ran = not isinstance(event.outcome, Rejected)
            settle_uses(step, known, event.warm, ran=ran)


def attempt_missing(step: Step, event: e.AttemptMissing) -> None:
    """Free a plain agent of what it does not know; hello tells it of our own devices.

    An offer may still be on its way: it is repeated while an answer to it may come.
    """
    attempt, device = step.state.attempts.get(event.attempt), step.device(event.device)
    if attempt is None or attempt.device != event.device or device is None:
        return
    if device.card.extension:
        return
    was_live = attempt.state in LIVE
    if attempt.state is AttemptState.OFFERED:
        limits = step.state.task(attempt).spec.limits
        if step.at < attempt.offered_at + limits.start_s:
            return
    reason = f"{event.device} does not know the attempt"
    step.emit(f.AttemptLost(attempt.run, attempt.task, attempt.id, reason))
    if was_live:
        lose_attempt(step, attempt, Failed(FailureKind.DEVICE_LOST, reason))


def attempt_unstoppable(step: Step, event: e.AttemptUnstoppable) -> None:
    """Ask for the result of an attempt that was over before it could be stopped."""
    attempt = step.state.attempts.get(event.attempt)
    if attempt is not None and attempt.device == event.device:
        step.order(QueryAttempt(attempt.device, attempt.id))


def superseded(step: Step, event: e.Superseded) -> None:
    """Let a run go that another coordinator owns: no cancel, no acknowledgement, no charge.

    Only the device that holds the attempt is believed. An epoch that is not above the run's own
    is an echo of an order from before our restart and says nothing.
    """
    attempt = step.state.attempts.get(event.attempt)
    if attempt is None or attempt.device != event.device:
        return
    run = step.state.runs[attempt.run]
    if event.epoch <= run.epoch:
        return
    reason = f"another coordinator has taken over this run (epoch {event.epoch})"
    for held in [a for a in step.state.attempts.values() if a.run == run.id]:
        step.emit(f.AttemptLost(held.run, held.task, held.id, reason))
    if run.ended_at is not None:
        return
    for task in run.tasks.values():
        if task.state not in FINAL:
            step.emit(f.TaskCancelled(run.id, task.spec.id, reason))
    step.emit(f.RunSuperseded(run.id, event.epoch, event.device))
    step.emit(f.RunEnded(run.id, f.RunStatus.FAILED, reason, step.at))


def conclude(step: Step, attempt: Attempt, outcome: Outcome, *, run_s: float | None) -> None:
    """End an attempt and let its task go where that leads."""
    if not step.state.wants(attempt):
        reason = "its task is final or was edited since"
        gone = f.AttemptCancelled if isinstance(outcome, Cancelled) else f.AttemptLost
        step.emit(gone(attempt.run, attempt.task, attempt.id, reason))
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
    speaks = lost or attempt.id in (task.live, task.hedge)
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
        raise RequestError(
            f"task {event.task!r} of run {run.id!r} cannot be settled: its outcome is not lost"
        )
    match event.outcome:
        case Succeeded(output):
            step.emit(f.TaskSettled(run.id, task.spec.id, output, event.by))
        case Failed(_, detail):
            give_up(step, run, task, detail, kind=f.Why.PERSON)
        case _:
            raise RequestError("an unknown outcome is settled as succeeded or failed")


def _another_life(step: Step, event: e.AttemptFinished) -> bool:
    """Tell whether this is the word of a life that never held what its device is charged with.

    It may not know of a start, so its refusal is no promise that nothing happened (I13).
    """
    life = step.state.devices[event.device].incarnation
    return None not in {life, event.incarnation} and life != event.incarnation


def _another_speaks(doubt: Doubt, event: e.AttemptFinished) -> bool:
    said = event.incarnation or doubt.incarnation
    return (doubt.device, doubt.incarnation) != (event.device, said)


def _acknowledge(step: Step, event: e.AttemptFinished, name: RunId | None) -> None:
    run = step.state.runs.get(name) if name is not None else None
    epoch = run.epoch if run is not None else 0
    step.order(Acknowledge(event.device, event.attempt, name if run is not None else None, epoch))


def _finished_late(step: Step, event: e.AttemptFinished) -> None:
    """Take the word of a device that was asked; else nobody here, or another, wants the result."""
    task = step.state.doubts.get(event.attempt)
    if task is None or task.doubt is None or _another_speaks(task.doubt, event):
        if step.state.owns(event.run):
            _acknowledge(step, event, event.run)
        return
    _acknowledge(step, event, task.run)
    run = step.state.runs[task.run]
    match event.outcome:
        case Unknown():
            return  # it cannot say: it is asked again
        case Succeeded(output):
            held = unexpected(task, output) and may_ask(run)
            step.emit(f.TaskSettled(run.id, task.spec.id, output, event.device, held))
            if held:
                review(step, run, task, Effect.ONCE)  # only such an outcome is asked about
        case Failed(_, detail) | Rejected(detail) | Cancelled(detail):
            give_up(step, run, task, f"{event.device}: {detail}", kind=f.Why.UNKNOWN)
        case _:
            assert_never(event.outcome)


def _succeed(
    step: Step, task: Task, attempt: Attempt, *, output: Json, run_s: float | None
) -> None:
    for name in (task.hedge, task.live):
        if name is not None and name != attempt.id:
            _stop_other(step, task, step.state.attempts[name], winner=attempt)
    if run_s is not None:  # a device that lies about its time must not spoil all estimates
        run_s = min(run_s, task.spec.limits.run_s)
    run = step.state.runs[attempt.run]
    held = unexpected(task, output) and may_ask(run) and not _stands(task)
    step.emit(f.AttemptSucceeded(run.id, attempt.task, attempt.id, output, run_s, held))
    if held:
        review(step, run, task, attempt.effect)
    if run_s is not None and run.pins:
        step.emit(f.RunTimeObserved(attempt.device, task.spec.skill, run_s))


def _stands(task: Task) -> bool:
    """Tell whether a result counts whatever it is: it is the last word, or the second one."""
    return task.state is TaskState.CANCELLING or task.awaiting in REVIEWED


def _stop_other(step: Step, task: Task, other: Attempt, *, winner: Attempt) -> None:
    """Stop an attempt that is not needed: another one was first."""
    if winner.state in LIVE:
        ran_s = age_s(step, other) if other.started_at is not None else None
        hedge = other.id == task.hedge
        step.emit(f.AttemptOutrun(other.run, other.task, other.id, hedge, ran_s))
    else:  # it had lapsed, and came through after all
        lapse(step, other, "an earlier attempt succeeded")
    epoch = step.state.runs[other.run].epoch
    step.order(CancelAttempt(other.device, other.id, other.run, epoch))


def _forgotten(step: Step, run: Run, task: Task, attempt: Attempt, *, detail: str) -> None:
    if attempt.effect is Effect.ONCE:
        lose_outcome(step, run, task, attempt, detail)
    else:
        recover(step, run, task, attempt, Failed(FailureKind.DEVICE_LOST, detail))


def own(step: Step, device: DeviceId, name: AttemptId) -> Attempt | None:
    """Return a live attempt of this device, if it is one."""
    attempt = step.state.attempts.get(name)
    if attempt is None or attempt.device != device or attempt.state not in LIVE:
        return None
    return attempt
