"""Requests, edits and what people do to runs."""

from collections.abc import Sequence

from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.commands import AskPlanner
from orchestrator.core.decisions.offers import shorten_hopeless
from orchestrator.core.decisions.outcomes import (
    ask_anew,
    awaits_planner,
    cancel,
    readmit_all,
    unmended,
)
from orchestrator.core.edits import CancelTask, EditBatch, Reason
from orchestrator.core.errors import EditRefusedError, RequestError
from orchestrator.core.graph import judge
from orchestrator.core.lifecycle import FINAL
from orchestrator.core.model import Now
from orchestrator.core.state import Run
from orchestrator.core.step import Step
from protocol.types import RunId

MOVED = frozenset({"stale", "started", "final"})
"""Rules that an answer breaks because the run went on while the planner thought."""


def submit(step: Step, event: e.Submit) -> None:
    """Take a request, once for each key of an owner, and have it planned."""
    if (event.owner, event.key) in step.state.keys:
        return
    if event.run in step.state.runs:
        raise RequestError(f"there is a run {event.run!r} already: a new run needs a new id")
    judged = judge(_unborn(event), event.plan) if event.plan is not None else None
    if judged is not None and judged.reasons:
        raise EditRefusedError(judged.reasons)
    step.emit(_submitted(event, step.now))
    run = step.run(event.run)
    if event.plan is None:
        _ask_for_plan(step, run)
    else:
        run.change = judged
        step.emit(f.EditAccepted(run.id, 1, "submitter", event.plan.edits))
        if event.more:
            _await_rest(step, run, rest_of(run.id))


def plan_proposed(step: Step, event: e.PlanProposed) -> None:
    """Take the planner's answer, if the question still stands."""
    run = step.run(event.run)
    ask = run.asks.get(event.ask)
    if ask is None:
        return
    by = "submitter" if event.ask == rest_of(run.id) else "planner"
    reasons = accept_or_refuse(step, run, event.batch, by=by)
    if event.more and not reasons:
        _await_rest(step, run, event.ask)
        return
    detail = _sentence(reasons)
    step.emit(f.PlanAnswered(run.id, event.ask, ok=not reasons, detail=detail))
    if any(reason.rule in MOVED for reason in reasons) and _ask_anew(step, run, ask, detail):
        return
    if reasons or ask.cause != f.REST:
        _after_answer(step, run, ask, detail or "the planner did not change it")


def plan_failed(step: Step, event: e.PlanFailed) -> None:
    """Go on without an answer of the planner."""
    run = step.run(event.run)
    ask = run.asks.get(event.ask)
    if ask is None:
        return
    unanswered(step, run, ask, event.detail)


def unanswered(step: Step, run: Run, ask: f.PlanAsked, detail: str) -> None:
    """Close a question that the planner has no answer to."""
    step.emit(f.PlanAnswered(run.id, ask.ask, ok=False, detail=detail))
    _after_answer(step, run, ask, detail)


def edit_requested(step: Step, event: e.EditRequested) -> None:
    """Change a run's graph as a person asks, or say why not (`EditRefused`)."""
    run = step.run(event.run)
    _refuse_if_final(run)
    accept_or_refuse(step, run, event.batch, by=event.by)


def cancel_run(step: Step, event: e.CancelRun) -> None:
    """Stop everything unfinished in a run; cancelling a final run changes nothing."""
    run = step.run(event.run)
    if run.ended_at is None and run.cancelling is None:
        stop_run(step, run, event.why, failed=False)


def pause_run(step: Step, event: e.PauseRun) -> None:
    """Place no further task of the run."""
    run = step.run(event.run)
    _refuse_if_final(run)
    if not run.paused:
        step.emit(f.RunPaused(run.id))


def resume_run(step: Step, event: e.ResumeRun) -> None:
    """Place tasks of the run again."""
    run = step.run(event.run)
    _refuse_if_final(run)
    if run.paused:
        step.emit(f.RunResumed(run.id, step.at))
        shorten_hopeless(step, run, run.tasks)
        readmit_all(step)


def verdict_given(step: Step, event: e.VerdictGiven) -> None:
    """Keep what somebody says of an ended run; the latest word counts."""
    run = step.run(event.run)
    if run.ended_at is None:
        raise RequestError(f"run {run.id!r} goes on: it is judged when it has ended")
    judged = f.RunJudged(run.id, event.score, event.reasons, event.by)
    if judged != run.judged:
        step.emit(judged)


def stop_run(step: Step, run: Run, why: str, *, failed: bool) -> None:
    """Cancel every task of a run that is not final, in order of creation."""
    step.emit(f.RunCancelRequested(run.id, why, failed))
    for task in list(run.tasks.values()):
        if task.state not in FINAL:
            cancel(step, run, task, why)


def accept_or_refuse(step: Step, run: Run, batch: EditBatch, *, by: str) -> Sequence[Reason]:
    """Accept a batch whole, or refuse it whole and return the reasons."""
    judged = judge(run, batch)
    if judged.reasons:
        step.emit(f.EditRefused(run.id, by, batch.base_revision, tuple(judged.reasons)))
        return judged.reasons
    run.change = judged
    step.emit(f.EditAccepted(run.id, run.revision + 1, by, batch.edits))
    for edit in batch.edits:
        task = run.tasks.get(edit.task) if isinstance(edit, CancelTask) else None
        if task is not None and task.state not in FINAL:  # another edit may have done it
            cancel(step, run, task, f"cancelled by {by}")
    return ()


def _submitted(event: e.Submit, now: Now) -> f.RunSubmitted:
    return f.RunSubmitted(
        event.run,
        event.key,
        event.request,
        event.owner,
        event.priority,
        event.limits,
        event.parameters,
        event.seed,
        now.wall,
        now.elapsed,
        event.deliverables,
    )


def _unborn(event: e.Submit) -> Run:
    """Return an empty run to try a first plan on, before anything has happened."""
    return Run(_submitted(event, Now(0.0, 0.0)), 0)


def _ask_for_plan(step: Step, run: Run) -> None:
    ask = f"{run.id}/plan"
    limit_s = run.submitted.limits.plan_s
    step.emit(f.PlanAsked(run.id, ask, None, "", step.at + limit_s))
    step.order(AskPlanner(run.id, ask, None, "", limit_s))


def rest_of(run: RunId) -> str:
    """Return the ask under which the rest of a submitted plan is awaited."""
    return f"{run}/rest"


def _await_rest(step: Step, run: Run, ask: str) -> None:
    due = step.at + run.submitted.limits.plan_s
    step.emit(f.PlanAsked(run.id, ask, None, f.REST, due))


def _after_answer(step: Step, run: Run, ask: f.PlanAsked, detail: str) -> None:
    if ask.task is None:
        if run.revision == 0:
            _end_unplanned(step, run, detail)
        elif ask.cause == f.REST and run.cancelling is None:
            stop_run(step, run, f"{f.REST} did not come: {detail}", failed=True)
        return
    task = run.tasks.get(ask.task)
    asked_again = any(other.task == ask.task for other in run.asks.values())
    if task is not None and awaits_planner(task) and not asked_again:
        why = f"{task.reason}; not mended: {detail}" if detail else task.reason
        unmended(step, run, task, why)


def _ask_anew(step: Step, run: Run, ask: f.PlanAsked, detail: str) -> bool:
    """Have a task mended from the present, if the answer was made for what is past."""
    task = run.tasks.get(ask.task) if ask.task is not None else None
    if task is None or not awaits_planner(task):
        return False
    asked_again = any(other.task == ask.task for other in run.asks.values())
    if not asked_again:
        ask_anew(step, run, task, ask, why=f"an answer came too late: {detail}")
    return True


def _end_unplanned(step: Step, run: Run, detail: str) -> None:
    step.emit(f.RunEnded(run.id, f.RunStatus.FAILED, f"no plan: {detail}", step.at))


def _sentence(reasons: Sequence[Reason]) -> str:
    return "; ".join(reason.detail for reason in reasons)


def _refuse_if_final(run: Run) -> None:
    if run.ended_at is not None:
        raise RequestError(f"run {run.id!r} has {run.status} already")
