"""What follows when a deadline passes. `DUE` names the kinds that timers carry."""

from collections.abc import Callable, Mapping

from orchestrator.core import facts as f
from orchestrator.core.commands import CancelAttempt, QueryAttempt
from orchestrator.core.decisions.devices import device_silent, leases_over
from orchestrator.core.decisions.hedging import LATE, SEEK, late, seek
from orchestrator.core.decisions.offers import offer_again, query_doubt, refuse
from orchestrator.core.decisions.outcomes import (
    awaits_planner,
    give_up,
    give_up_on,
    lapse,
    lose_outcome,
    readmit_barred,
    try_again,
    unmended,
)
from orchestrator.core.decisions.pins import expire
from orchestrator.core.decisions.progress import LOOK, expand
from orchestrator.core.decisions.retention import KEPT, forget_ended
from orchestrator.core.decisions.runs import stop_run, unanswered
from orchestrator.core.lifecycle import AttemptState, TaskState
from orchestrator.core.state import Attempt, Run, Task
from orchestrator.core.step import Step
from orchestrator.core.timers import Key
from protocol.types import DeviceId, Effect, FailureKind, RunId, TaskId


def time_passed(step: Step, _event: object) -> None:
    """Act on every deadline that has come, the earliest first."""
    while (key := step.state.timers.take(step.at)) is not None:
        DUE[key[0]](step, key)


def _run_due(step: Step, key: Key) -> None:
    run = step.state.runs[RunId(key[1])]
    if run.ended_at is None and run.cancelling is None:
        why = f"its deadline of {run.submitted.limits.deadline_s:g} s passed"
        stop_run(step, run, why, failed=True)


def _ask_due(step: Step, key: Key) -> None:
    run = step.state.runs[RunId(key[1])]
    limit_s = run.submitted.limits.plan_s
    detail = f"the planner did not answer within {limit_s:g} s"
    unanswered(step, run, run.asks[key[2]], detail)


def _device_due(step: Step, key: Key) -> None:
    device_silent(step, DeviceId(key[1]))


def _lease_due(step: Step, key: Key) -> None:
    leases_over(step, DeviceId(key[1]))


def _task_due(step: Step, key: Key) -> None:
    run = step.state.runs[RunId(key[1])]
    task = run.tasks[TaskId(key[2])]
    TASK_DUE[task.state](step, run, task)


def _look_due(step: Step, _key: Key) -> None:
    step.state.board.look_again()


def _pins_due(step: Step, key: Key) -> None:
    expire(step, step.state.devices[DeviceId(key[1])])


def _kept_due(step: Step, _key: Key) -> None:
    forget_ended(step)


def _ready(step: Step, run: Run, task: Task) -> None:
    if run.paused:  # its time counts anew when a person resumes the run
        step.emit(f.DeadlineMoved(task.key, step.at + task.spec.limits.queue_s))
        return
    if task.spec.for_each is not None and task.parent is None:
        expand(step, task)
        if task.state is TaskState.READY and step.at < task.since + step.tuning.unmatched_s:
            step.emit(f.DeadlineMoved(task.key, step.at + step.tuning.settle_s))
        elif task.state is TaskState.READY:
            give_up(step, run, task, _nobody(task), kind=f.Why.NO_DEVICE)
        return
    over_at = task.since + task.spec.limits.queue_s
    servable = step.state.board.servable(task)
    if step.at < over_at and servable:
        if not readmit_barred(step, run, task):
            step.emit(f.DeadlineMoved(task.key, over_at))
        return
    reason = _late(step, task) if servable else _nobody(task)
    give_up(step, run, task, reason, kind=f.Why.NO_DEVICE)


def _late(step: Step, task: Task) -> str:
    bound = task.spec.needs.device
    if bound is None:
        return f"no device became free for {task.spec.skill!r} in time"
    if not step.state.devices[bound].online:
        return f"device {bound!r} was lost and did not come back in time"
    return f"device {bound!r} did not become free in time"


def _nobody(task: Task) -> str:
    loop = task.spec.for_each
    wanted = {**task.spec.needs.labels, **(loop.labels if loop is not None else {})}
    labels = ", ".join(f"{k}={v}" for k, v in wanted.items())
    with_labels = f" with {labels}" if labels else ""
    return f"no known device offers skill {task.spec.skill!r}{with_labels}"


def _hedge_due(step: Step, key: Key) -> None:
    run = step.state.runs[RunId(key[1])]
    task = run.tasks[TaskId(key[2])]
    _awaited(step, run, task, step.state.attempts[task.hedge], key)  # type: ignore[index]


def _active(step: Step, run: Run, task: Task) -> None:
    _awaited(step, run, task, step.state.attempts[task.live], task.key)  # type: ignore[index]


def _awaited(step: Step, run: Run, task: Task, attempt: Attempt, key: Key) -> None:
    if attempt.state is AttemptState.OFFERED:
        _offered(step, task, attempt, key)
        return
    what = "finish" if attempt.state is AttemptState.STARTED else "start"
    step.order(CancelAttempt(attempt.device, attempt.id, run.id, run.epoch))
    give_up_on(step, attempt, FailureKind.TIMEOUT, f"{attempt.device} did not {what} it in time")


def _offered(step: Step, task: Task, attempt: Attempt, key: Key) -> None:
    """Nobody answered: repeat the offer, doubling the pause, then take it back."""
    waited_s = step.at - attempt.offered_at
    limit_s = task.spec.limits.start_s
    if waited_s < limit_s:
        due = attempt.offered_at + min(2.0 * waited_s, limit_s)
        step.emit(f.DeadlineMoved(key, max(due, step.at + step.tuning.repeat_offer_s)))
        offer_again(step, attempt)
        return
    foreign = not step.state.devices[attempt.device].card.extension
    if foreign:
        step.order(QueryAttempt(attempt.device, attempt.id))
    else:
        refuse(step, attempt)
    if (foreign or attempt.effect is Effect.ONCE) and waited_s < 2.0 * limit_s:
        # Only the device's own word tells that it never started; an agent that does not stream
        # has said nothing yet, whatever it does.
        step.emit(f.DeadlineMoved(key, step.at + step.tuning.repeat_offer_s))
        return
    give_up_on(step, attempt, FailureKind.TIMEOUT, f"{attempt.device} did not answer the offer")


def _recovering(step: Step, run: Run, task: Task) -> None:
    if awaits_planner(task):
        unmended(step, run, task, f"{task.reason}; the planner did not mend it in time")
    else:
        try_again(step, run, task)


def _cancelling(step: Step, run: Run, task: Task) -> None:
    attempt = step.state.attempts[task.live]  # type: ignore[index]
    if step.at - task.since < step.tuning.cancel_s:
        step.emit(f.DeadlineMoved(task.key, step.at + step.tuning.repeat_cancel_s))
        step.order(CancelAttempt(attempt.device, attempt.id, run.id, run.epoch))
        return
    reason = f"{attempt.device} did not confirm the cancellation"
    lapse(step, attempt, reason)
    if attempt.effect is Effect.ONCE:
        lose_outcome(step, run, task, attempt, reason)
    else:
        step.emit(f.TaskCancelled(run.id, task.spec.id, f"{task.reason}; {reason}"))


def _input_required(step: Step, run: Run, task: Task) -> None:
    attempt = step.state.attempts[task.live]  # type: ignore[index]
    step.order(CancelAttempt(attempt.device, attempt.id, run.id, run.epoch))
    lapse(step, attempt, "nobody answered its question")
    reason = f"nobody answered its question: {task.reason}"
    give_up(step, run, task, reason, kind=f.Why.NO_ANSWER)


def _unknown(step: Step, run: Run, task: Task) -> None:
    """Ask its device again, doubling the pause; in the end nobody knew."""
    over_at = task.since + task.spec.limits.unknown_s  # a difference of times may round down
    if step.at < over_at and task.doubt is not None:
        query_doubt(step, task, step.state.devices.get(task.doubt.device))
        pause_s = max(step.tuning.query_s, step.at - task.since)
        step.emit(f.DeadlineMoved(task.key, min(step.at + pause_s, over_at)))
        return
    reason = f"its outcome is unknown: {task.reason}"
    give_up(step, run, task, reason, kind=f.Why.UNKNOWN)


DUE: Mapping[str, Callable[[Step, Key], None]] = {
    "run": _run_due,
    "ask": _ask_due,
    "device": _device_due,
    "lease": _lease_due,
    "task": _task_due,
    "hedge": _hedge_due,
    LATE: late,
    SEEK[0]: seek,
    LOOK[0]: _look_due,
    KEPT[0]: _kept_due,
    "pins": _pins_due,
}
TASK_DUE: Mapping[TaskState, Callable[[Step, Run, Task], None]] = {
    TaskState.READY: _ready,
    TaskState.ACTIVE: _active,
    TaskState.RECOVERING: _recovering,
    TaskState.CANCELLING: _cancelling,
    TaskState.INPUT_REQUIRED: _input_required,
    TaskState.UNKNOWN: _unknown,
}
"""Task states that have a deadline; in the others something else is awaited (I10)."""
