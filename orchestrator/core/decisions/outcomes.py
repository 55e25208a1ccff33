"""What becomes of a task when something ended for it: retry, move, revise, fail, cancel."""

from orchestrator.core import facts as f
from orchestrator.core.commands import AskPlanner, CancelAttempt
from orchestrator.core.failures import noted, told
from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.model import Op
from orchestrator.core.predicates import holds
from orchestrator.core.recovery import (
    NOBODY_ELSE,
    Again,
    Case,
    GiveUp,
    Verdict,
    after_failure,
    after_rejection,
    backoff_s,
)
from orchestrator.core.state import Attempt, Run, Task
from orchestrator.core.step import Step
from protocol.types import DeviceId, Effect, Failed, FailureKind, Json, Rejected

STOPPABLE = frozenset({TaskState.ACTIVE, TaskState.INPUT_REQUIRED})


def recover(
    step: Step, run: Run, task: Task, attempt: Attempt, outcome: Failed | Rejected
) -> None:
    """Climb the ladder after an attempt that did not succeed, unless another one goes on."""
    if task.live is not None:
        _exclude(step, run, task, attempt, outcome)
        return
    if task.state is TaskState.CANCELLING:
        step.emit(f.TaskCancelled(run.id, task.spec.id, task.reason))
        return
    case = _case(step, run, task, attempt)
    verdict: Verdict
    if isinstance(outcome, Failed):
        kind: str = outcome.kind
        why = f"{attempt.device}: {outcome.detail}"
        verdict = after_failure(outcome, case, step.tuning)
    else:
        kind = f.Why.REJECTED
        why = f"{attempt.device} refused: {outcome.reason}"
        verdict = after_rejection(outcome, case, step.tuning)
    if isinstance(verdict, GiveUp):
        if isinstance(outcome, Failed):
            _end(step, run, task, _with_this(task, why, verdict), kind=kind)
        else:
            give_up(step, run, task, verdict.reason, kind=kind)
    else:
        exclude = attempt.device if verdict.exclude else None
        _again(step, run, task, verdict, exclude=exclude, why=why)


def _exclude(
    step: Step, run: Run, task: Task, attempt: Attempt, outcome: Failed | Rejected
) -> None:
    """Let no further attempt go where one failed beside another one; nothing else follows."""
    if isinstance(outcome, Rejected):
        return
    verdict = after_failure(outcome, _case(step, run, task, attempt), step.tuning)
    if isinstance(verdict, Again) and verdict.exclude:
        why, name = f"{attempt.device}: {outcome.detail}", attempt.device
        step.emit(f.DeviceExcluded(run.id, task.spec.id, name, why, verdict.barred))


def give_up(step: Step, run: Run, task: Task, reason: str, *, kind: str) -> None:
    """Ask the planner to mend what no further try would, or let the task fail.

    What failed before is added to the reason, which is another one. `kind` is a `FailureKind` or
    a `Why`.
    """
    if task.failed:
        reason = f"{reason}; before that, it {told(task.failed, task.failures)}"
    _end(step, run, task, reason, kind=kind)


def _with_this(task: Task, why: str, verdict: GiveUp) -> str:
    """Return what failed so far, if this try was not the only one, and why that is all."""
    reason, times = verdict.reason, task.failed + 1
    if times > 1:
        reason = told(times, noted(task.failures, why))
    return f"{reason} ({verdict.note})" if verdict.note else reason


def _end(step: Step, run: Run, task: Task, reason: str, *, kind: str) -> None:
    """Ask the planner, or let the task fail.

    No edit can mend one item of a `for_each`: its join asks for all that failed, and so they use
    up one revision, if any.
    """
    if may_ask(run) and task.parent is None:
        _ask(step, run, task, reason, kind=kind, awaiting=f.Awaiting.PLANNER)
    else:
        fail(step, run, task, reason)


def may_ask(run: Run) -> bool:
    """Tell whether the planner may be asked (again) to revise."""
    return run.cancelling is None and run.asked < run.submitted.limits.revisions


def unexpected(task: Task, output: Json) -> bool:
    """Tell whether a result is not what the plan expects."""
    expect = task.spec.expect
    return expect is not None and not holds(expect, output)


def review(step: Step, run: Run, task: Task, effect: Effect | None = None) -> None:
    """Have the planner look at a result that nobody expected, before anything builds on it."""
    reason = f"its result is not what the plan expects: {_told(task)}"
    awaiting = f.Awaiting.REVIEW
    if effect is Effect.ONCE:
        awaiting = f.Awaiting.REVIEW_ONCE
        reason += "; it took effect, and is not done again"
    _ask(step, run, task, reason, kind=f.Why.INFORMATION, awaiting=awaiting)


def ask_anew(step: Step, run: Run, task: Task, ask: f.PlanAsked, *, why: str) -> None:
    """Ask once more, from the present, if that may be; else go on without."""
    reason = f"{ask.cause} ({why})"
    if may_ask(run):
        awaiting = task.awaiting or f.Awaiting.PLANNER
        _ask(step, run, task, reason, kind=ask.kind, awaiting=awaiting)
    else:
        unmended(step, run, task, reason)


def unmended(step: Step, run: Run, task: Task, reason: str) -> None:
    """Go on without the planner: a task fails for good, but a result that is there counts."""
    if task.awaiting in REVIEWED:
        step.emit(f.TaskSettled(run.id, task.spec.id, task.output, "plan"))
    else:
        fail(step, run, task, reason)


def awaits_planner(task: Task) -> bool:
    """Tell whether a task stands still until the planner answers."""
    return task.state is TaskState.RECOVERING and task.awaiting in ASKED


REVIEWED = frozenset({f.Awaiting.REVIEW, f.Awaiting.REVIEW_ONCE})
ASKED = REVIEWED | {f.Awaiting.PLANNER}


def _ask(
    step: Step, run: Run, task: Task, reason: str, *, kind: str, awaiting: f.Awaiting
) -> None:
    limit_s = run.submitted.limits.plan_s
    ask, name, due = f"{run.id}/{run.asked}", task.spec.id, step.at + limit_s
    step.emit(
        f.TaskRecovering(run.id, name, awaiting, due, exclude=None, charged=False, why=reason)
    )
    step.emit(f.PlanAsked(run.id, ask, name, reason, due, kind))
    step.order(AskPlanner(run.id, ask, name, reason, limit_s, kind))


def _told(task: Task) -> str:
    """Say what was expected."""
    expect = task.spec.expect
    assert expect is not None  # noqa: S101 - only such results are reviewed
    place = ".".join(map(str, expect.path)) or "the whole"
    value = "" if expect.op in (Op.EXISTS, Op.TRUTHY) else f" {expect.value!r}"
    return f"{place} {expect.op}{value} does not hold"


def fail(step: Step, run: Run, task: Task, reason: str) -> None:
    """Let a task fail for good."""
    step.emit(f.TaskFailed(run.id, task.spec.id, reason))


def cancel(step: Step, run: Run, task: Task, why: str) -> None:
    """Cancel a task: at once if nothing runs, else when its device says that it stopped."""
    attempt = step.state.attempts.get(task.live) if task.live is not None else None
    if task.state is TaskState.CANCELLING:
        return
    if attempt is None or task.state not in STOPPABLE:
        if task.children:
            _cancel_children(step, run, task, why)
        step.emit(f.TaskCancelled(run.id, task.spec.id, why))
        return
    stop_hedge(step, task, why)
    due = step.at + step.tuning.repeat_cancel_s
    step.emit(f.TaskCancelling(run.id, task.spec.id, step.at, due, why))
    step.order(CancelAttempt(attempt.device, attempt.id, run.id, run.epoch))


def stop_hedge(step: Step, task: Task, reason: str) -> None:
    """Stop the hedge of a task, if it has one: the attempt beside it goes on alone."""
    if task.hedge is not None:
        hedge = step.state.attempts[task.hedge]
        lapse(step, hedge, reason)
        epoch = step.state.runs[hedge.run].epoch
        step.order(CancelAttempt(hedge.device, hedge.id, hedge.run, epoch))


def lapse(step: Step, attempt: Attempt, reason: str) -> None:
    """Stop counting on an attempt; its device stays charged until it speaks."""
    step.emit(f.AttemptLapsed(attempt.run, attempt.task, attempt.id, reason))


def lose_outcome(step: Step, run: Run, task: Task, attempt: Attempt, detail: str) -> None:
    """Let a `once` task be unknown until somebody, or its device, says what it came to."""
    if task.state is TaskState.UNKNOWN:
        return
    due = step.at + task.spec.limits.unknown_s
    device = step.state.devices[attempt.device]
    step.emit(
        f.TaskUnknown(
            run.id, task.spec.id, due, detail, attempt.id, attempt.device, device.incarnation
        )
    )
    step.emit(f.DeadlineMoved(task.key, min(due, step.at + step.tuning.query_s)))


def lose_attempt(step: Step, attempt: Attempt, outcome: Failed) -> None:
    """Follow up on an attempt that is no longer live and whose outcome nobody knows."""
    run = step.state.runs[attempt.run]
    task = run.tasks[attempt.task]
    if attempt.effect is Effect.ONCE:
        lose_outcome(step, run, task, attempt, outcome.detail)
    else:
        recover(step, run, task, attempt, outcome)


def give_up_on(step: Step, attempt: Attempt, kind: FailureKind, reason: str) -> None:
    """Lapse an attempt and go on without it."""
    lapse(step, attempt, reason)
    lose_attempt(step, attempt, Failed(kind, reason))


def _cancel_children(step: Step, run: Run, task: Task, why: str) -> None:
    for name in task.children:
        if run.tasks[name].state not in FINAL:
            cancel(step, run, run.tasks[name], why)


def _again(
    step: Step, run: Run, task: Task, verdict: Again, *, exclude: DeviceId | None, why: str
) -> None:
    due = step.at + verdict.delay_s
    step.emit(
        f.TaskRecovering(
            run.id,
            task.spec.id,
            f.Awaiting.BACKOFF,
            due,
            exclude=exclude,
            charged=verdict.charged,
            why=why,
            barred=verdict.barred,
        )
    )
    if verdict.delay_s <= 0.0:
        try_again(step, run, task)


def try_again(step: Step, run: Run, task: Task) -> None:
    """Let a task be placed again, wherever it is not excluded from."""
    step.emit(f.TasksReady(run.id, (task.spec.id,), step.at))
    if task.excluded:
        readmit(step, task)


def readmit_all(step: Step) -> None:
    """Look again, since devices came or went, at every task that is left without one."""
    for task in step.state.board.stranded():
        assert isinstance(task, Task)  # noqa: S101 - the board holds our own rows
        readmit(step, task)


def readmit(step: Step, task: Task) -> None:
    """Let exclusions yield where no other device is there, or fail where none will ever do.

    Those that are not for good yield after a pause. Those for good hold while somebody else may
    do it; where all who may are away, they yield as well, but not at once (`readmit_barred`).
    """
    if task.demand is None or task.demand.available:
        return
    run = step.state.runs[task.run]
    known = {d.card.device: d for d in step.state.board.capable(task.spec)}
    there = {name for name, d in known.items() if d.available}
    if there - task.barred:
        pause_s = backoff_s(run.submitted.seed, task.spec.id, max(1, task.charged), step.tuning)
        _yield(step, task, pause_s, barred=False)
    elif known and known.keys() <= task.barred:
        reason = told(task.failed, task.failures) if task.failed > 1 else task.reason
        _end(step, run, task, f"{reason} ({NOBODY_ELSE})", kind=f.Why.NO_DEVICE)
    elif there or not known:
        hurry(step, task)


def readmit_barred(step: Step, run: Run, task: Task) -> bool:
    """Let even exclusions for good yield, if none but these are there; return whether they did.

    The others that are known had `Tuning.unmatched_s` to come back, and may be away for long: one
    more try where it failed costs less than the queue limit. All yield at once: whoever fails is
    excluded again before the next try, so each has its turn. Every try is charged, and so
    `Limits.attempts` ends this.
    """
    if not task.excluded or task.demand is None or task.demand.available:
        return False
    if not any(device.available for device in step.state.board.capable(task.spec)):
        return False
    _yield(step, task, 0.0, barred=True)
    try_again(step, run, task)
    return True


def _yield(step: Step, task: Task, pause_s: float, *, barred: bool) -> None:
    step.emit(
        f.TaskRecovering(
            task.run,
            task.spec.id,
            f.Awaiting.BACKOFF,
            step.at + pause_s,
            exclude=None,
            charged=False,
            why=task.reason,
            barred=barred,
            readmits=True,
        )
    )


def hurry(step: Step, task: Task) -> None:
    """Do not let a task that no device takes which is there wait for its whole queue limit."""
    soon = step.at + min(step.tuning.unmatched_s, task.spec.limits.queue_s)
    due = step.state.timers.get(task.key)
    if due is None or soon < due:
        step.emit(f.DeadlineMoved(task.key, soon))


def _case(step: Step, run: Run, task: Task, attempt: Attempt) -> Case:
    tried = {*task.excluded, attempt.device}
    others = [d for d in step.state.board.capable(task.spec) if d.card.device not in tried]
    return Case(
        effect=attempt.effect,
        charged=task.charged + 1,
        rejections=task.rejections,
        limit=task.spec.limits.attempts,
        elsewhere=bool(others),
        at_once=any(device.available for device in others),
        seed=run.submitted.seed,
        task=task.spec.id,
    )
