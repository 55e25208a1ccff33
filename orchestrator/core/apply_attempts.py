"""Folding what happens to attempts: charging devices, moving tasks, learning durations."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from orchestrator.core import facts as f
from orchestrator.core.lateness import Lateness
from orchestrator.core.lifecycle import AttemptCause, AttemptState, TaskCause, TaskState
from orchestrator.core.lifecycle import next_attempt_state as following
from orchestrator.core.moves import move, stir
from orchestrator.core.state import Attempt, State, Task
from protocol.types import AttemptId

OUTRUN: Final = -1
"""The revision of what was outrun: no task takes its result, not even one under review."""


def _task_placed(state: State, fact: f.TaskPlaced) -> None:
    run = state.runs[fact.run]
    task = run.tasks[fact.task]
    device = state.devices[fact.device]
    attempt = Attempt(
        fact.attempt,
        fact.run,
        fact.task,
        fact.number,
        fact.device,
        fact.token,
        fact.effect,
        fact.estimate_s,
        fact.at,
        task.revision,
        task.spec.needs.resources,
    )
    state.attempts[attempt.id] = device.attempts[attempt.id] = attempt
    run.charged += 1
    run.devices[fact.device] = None
    state.token = fact.token
    if attempt.needs:
        cold = [name for name in attempt.resources if name not in device.warm]
        device.warm.use(attempt.resources, run.id)
        for name in attempt.resources:
            state.warmth.here(name, fact.device, idle=False)
        state.board.warmed(cold)
    task.attempts = fact.number
    if fact.hedge is None:
        task.live = attempt.id
        move(state, run, task, TaskCause.PLACE)
        state.timers.set(task.key, fact.due)
    else:
        task.hedge = attempt.id
        state.attempts[fact.hedge.beside].single = True
        run.hedged_s += fact.estimate_s if run.hedges else 0.0
        run.hedges += 1
        state.timers.set(task.hedge_key, fact.due)
    state.board.taken(device)


def _attempt_accepted(state: State, fact: f.AttemptAccepted) -> None:
    attempt = state.attempts[fact.attempt]
    attempt.state = following(attempt.state, AttemptCause.ACCEPT, attempt.id)
    _await_device(state, attempt, fact.due)


def _attempt_started(state: State, fact: f.AttemptStarted) -> None:
    attempt = state.attempts[fact.attempt]
    attempt.state = following(attempt.state, AttemptCause.START, attempt.id)
    attempt.started_at = fact.at
    task = _await_device(state, attempt, fact.due)
    task.rejections = 0  # from now on it fails, and that counts
    run = state.runs[fact.run]
    if run.pins:
        stir(state, run, task)


def _attempt_succeeded(state: State, fact: f.AttemptSucceeded) -> None:
    attempt = _end(state, fact.attempt, AttemptCause.SUCCEED)
    task = state.task(attempt)
    if fact.run_s is not None:
        speed = state.devices[attempt.device].card.speed
        spec = task.spec
        state.runs[fact.run].worked_s += fact.run_s
        times = _times(state, task, attempt, fact.run_s)
        if times is not None:
            state.lateness.setdefault(spec.skill, Lateness()).ended(times)
        state.estimates.observe(
            spec.skill, attempt.device, fact.run_s, speed=speed, declared=spec.estimate_s
        )
        for kind in dict.fromkeys(need.kind for need in attempt.needs):
            state.warmth.loads.ran(kind, attempt.device, fact.run_s)
    task.output, task.where = fact.output, attempt.device
    task.reason = ""
    if not fact.held:
        move(state, state.runs[fact.run], task, TaskCause.SUCCEED)


def _attempt_failed(state: State, fact: f.AttemptFailed) -> None:
    _end(state, fact.attempt, AttemptCause.FAIL)


def _attempt_rejected(state: State, fact: f.AttemptRejected) -> None:
    _end(state, fact.attempt, AttemptCause.REJECT)


def _attempt_cancelled(state: State, fact: f.AttemptCancelled) -> None:
    _end(state, fact.attempt, AttemptCause.CANCEL)


def _attempt_unknown(state: State, fact: f.AttemptUnknown) -> None:
    _end(state, fact.attempt, AttemptCause.FORGET)


def _attempt_lost(state: State, fact: f.AttemptLost) -> None:
    _end(state, fact.attempt, AttemptCause.LOSE)


def _attempt_lapsed(state: State, fact: f.AttemptLapsed) -> None:
    attempt = state.attempts[fact.attempt]
    attempt.state = following(attempt.state, AttemptCause.LAPSE, attempt.id)
    _drop_live(state, attempt)


def _attempt_outrun(state: State, fact: f.AttemptOutrun) -> None:
    attempt = state.attempts[fact.attempt]
    attempt.state = following(attempt.state, AttemptCause.LAPSE, attempt.id)
    attempt.revision = OUTRUN
    _drop_live(state, attempt)
    task = state.task(attempt)
    if fact.ran_s is not None and (times := _times(state, task, attempt, fact.ran_s)) is not None:
        state.lateness.setdefault(task.spec.skill, Lateness()).stopped(times)


def _times(state: State, task: Task, attempt: Attempt, run_s: float) -> float | None:
    """Return a duration in estimates, as far as they say anything; loads are no part of them."""
    spec, estimates = task.spec, state.estimates
    if attempt.needs or not estimates.tells(spec.skill, spec.estimate_s):
        return None
    speed = state.devices[attempt.device].card.speed
    estimate_s = estimates.seconds(
        spec.skill, attempt.device, speed=speed, declared=spec.estimate_s
    )
    return run_s / estimate_s if estimate_s > 0.0 else None


def _end(state: State, name: AttemptId, cause: AttemptCause) -> Attempt:
    """Make an attempt final and give its device back what it was charged."""
    attempt = state.attempts.pop(name)
    was_lapsed = attempt.state is AttemptState.LAPSED
    attempt.state = following(attempt.state, cause, name)
    device = state.devices[attempt.device]
    state.runs[attempt.run].charged -= 1
    del device.attempts[name]
    if attempt.needs:
        device.warm.end(attempt.resources)
        for resource in attempt.resources:
            if not device.warm.warm[resource].users:
                state.warmth.here(resource, attempt.device, idle=True)
        state.warmth.touch(attempt.resources)
    state.board.freed(device)
    if not state.attempts:
        state.board.look_again()  # nobody is left who could make room
    if not was_lapsed:
        _drop_live(state, attempt)
    return attempt


def _await_device(state: State, attempt: Attempt, due: float) -> Task:
    task = state.task(attempt)
    if attempt.id == task.hedge:
        state.timers.set(task.hedge_key, due)
    elif task.state is TaskState.ACTIVE:  # else an answer or the end of a cancellation is awaited
        state.timers.set(task.key, due)
    return task


def _drop_live(state: State, attempt: Attempt) -> None:
    """Take it that an attempt is no longer live: if it has a hedge, that is the attempt now."""
    task = state.task(attempt)
    state.overdue.pop(attempt.id, None)
    state.timers.clear(("late", attempt.id))
    if attempt.id != task.hedge:
        task.live = task.hedge
        state.timers.clear(task.key)
    if task.hedge is not None:
        due = state.timers.get(task.hedge_key)
        state.timers.clear(task.hedge_key)
        if task.live == task.hedge and due is not None:
            state.timers.set(task.key, due)
        task.hedge = None


ATTEMPTS: Mapping[type, Callable[[State, Any], None]] = {
    f.TaskPlaced: _task_placed,
    f.AttemptAccepted: _attempt_accepted,
    f.AttemptStarted: _attempt_started,
    f.AttemptSucceeded: _attempt_succeeded,
    f.AttemptFailed: _attempt_failed,
    f.AttemptRejected: _attempt_rejected,
    f.AttemptCancelled: _attempt_cancelled,
    f.AttemptUnknown: _attempt_unknown,
    f.AttemptLost: _attempt_lost,
    f.AttemptLapsed: _attempt_lapsed,
    f.AttemptOutrun: _attempt_outrun,
}
"""The rows of `apply.APPLY` that concern attempts."""
