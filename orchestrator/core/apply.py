"""Folding facts into state: one small function for each fact, found through a table.

Nothing here decides, so replaying a journal with other policies or estimates gives the same state.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.core import facts as f
from orchestrator.core.apply_attempts import ATTEMPTS
from orchestrator.core.apply_edits import accept_edit
from orchestrator.core.apply_resources import RESOURCES, forget_warm
from orchestrator.core.failures import noted
from orchestrator.core.lifecycle import TaskCause, TaskState
from orchestrator.core.moves import enter, move, queue, settled
from orchestrator.core.retention.warm_set import WarmSet
from orchestrator.core.state import RELEASES, Device, Doubt, Run, State, Task
from protocol.types import DeviceId


def _coordinator_started(state: State, fact: f.CoordinatorStarted) -> None:
    shift = fact.shift_s
    state.timers.shift(shift)
    state.board.shift(shift)
    for run in state.runs.values():
        run.submitted_at += shift
        if run.ended_at is None:
            run.epoch += 1
            for task in run.tasks.values():
                task.since += shift
        else:
            run.ended_at += shift
    for attempt in state.attempts.values():
        attempt.offered_at += shift
        if attempt.started_at is not None:
            attempt.started_at += shift
        if attempt.answered_at is not None:
            attempt.answered_at += shift
    for device in state.devices.values():
        device.seen_at += shift
        device.since += shift
        device.warm.shift(shift)
    state.warmth.shift(shift)


def _run_submitted(state: State, fact: f.RunSubmitted) -> None:
    state.runs[fact.run] = Run(fact, state.arrivals, submitted_at=fact.at)
    state.keys[fact.owner, fact.key] = fact.run
    state.arrivals += 1
    state.live[fact.run] = None
    if fact.limits.deadline_s is not None:
        state.timers.set(("run", fact.run), fact.at + fact.limits.deadline_s)


def _plan_asked(state: State, fact: f.PlanAsked) -> None:
    run = state.runs[fact.run]
    run.asks[fact.ask] = fact
    run.asked += fact.task is not None
    state.timers.set(("ask", fact.run, fact.ask), fact.due)
    _stir_all(state, run)


def _stir_all(state: State, run: Run) -> None:
    """Have all that a run keeps warm looked at again: it waits, or no longer, for the planner."""
    if run.pins:
        warmth = state.warmth
        warmth.touch([name for name in (*warmth.at, *warmth.gaps) if name.run == run.id])


def _plan_answered(state: State, fact: f.PlanAnswered) -> None:
    run = state.runs[fact.run]
    del run.asks[fact.ask]
    _stir_all(state, run)
    state.timers.clear(("ask", fact.run, fact.ask))
    state.unended[run.id] = None


def _edit_refused(_state: State, _fact: f.EditRefused) -> None:
    """Leave everything as it is: the fact is for the story."""


def _run_paused(state: State, fact: f.RunPaused) -> None:
    run = state.runs[fact.run]
    run.paused = True
    for task in run.tasks.values():
        state.board.remove(task)


def _run_resumed(state: State, fact: f.RunResumed) -> None:
    run = state.runs[fact.run]
    run.paused = False
    for task in run.tasks.values():
        if task.state is TaskState.READY:
            task.since = max(task.since, fact.at)
            state.timers.set(task.key, task.since + task.spec.limits.queue_s)
            queue(state, run, task)


def _run_cancel_requested(state: State, fact: f.RunCancelRequested) -> None:
    run = state.runs[fact.run]
    run.cancelling = fact
    state.unended[run.id] = None


def _run_ended(state: State, fact: f.RunEnded) -> None:
    run = state.runs[fact.run]
    run.status, run.reason, run.ended_at = fact.status, fact.reason, fact.at
    del state.live[run.id]
    state.ended[run.id] = None
    state.ended_tasks += len(run.tasks)
    state.timers.clear(("run", run.id))
    for ask in run.asks:
        state.timers.clear(("ask", run.id, ask))
    run.asks.clear()
    run.adopted = None
    _stir_all(state, run)


def _plan_adopted(state: State, fact: f.PlanAdopted) -> None:
    state.runs[fact.run].adopted = fact


def _run_judged(state: State, fact: f.RunJudged) -> None:
    state.runs[fact.run].judged = fact


def _run_forgotten(state: State, fact: f.RunForgotten) -> None:
    run = state.runs.pop(fact.run)
    del state.keys[run.submitted.owner, run.submitted.key]
    del state.ended[run.id]
    state.ended_tasks -= len(run.tasks)
    state.litter.append(run.tasks)
    if fact.instead_of is not None:
        del state.forgotten[fact.instead_of]
    if run.superseded:
        return
    state.forgotten[run.id] = state.arrivals
    state.arrivals += 1
    for device in run.devices:
        if device in state.devices:
            state.releases.setdefault(device, deque(maxlen=RELEASES)).append(run.id)


def _run_superseded(state: State, fact: f.RunSuperseded) -> None:
    state.runs[fact.run].superseded = True


def _tasks_ready(state: State, fact: f.TasksReady) -> None:
    run = state.runs[fact.run]
    for name in fact.tasks:
        task = run.tasks[name]
        move(state, run, task, TaskCause.READY)
        task.since = fact.at
        task.awaiting = None
        state.timers.set(task.key, fact.at + task.spec.limits.queue_s)
        queue(state, run, task)


def _tasks_skipped(state: State, fact: f.TasksSkipped) -> None:
    run = state.runs[fact.run]
    for name in fact.tasks:
        task = run.tasks[name]
        task.reason, task.failed_upstream = fact.reason, fact.failed
        move(state, run, task, TaskCause.SKIP)


def _task_expanded(state: State, fact: f.TaskExpanded) -> None:
    run = state.runs[fact.run]
    task = run.tasks[fact.task]
    move(state, run, task, TaskCause.EXPAND)
    state.timers.clear(task.key)
    task.children = tuple(spec.id for spec in fact.children)
    task.items = fact.items
    kept = frozenset(fact.kept)
    task.open_children = len(fact.children) - len(kept)
    for spec in fact.children:
        if spec.id in kept:
            continue
        child = Task(run.id, spec, run.created, revision=run.revision, parent=task.spec.id)
        child.cost_s = child.rank = task.rank
        run.created += 1
        run.tasks[spec.id] = child
        run.unfinished += 1
        enter(state, run, child)
        state.touched.append(child)
    if not task.open_children:
        state.joining.append(task)


def _task_joined(state: State, fact: f.TaskJoined) -> None:
    run = state.runs[fact.run]
    task = run.tasks[fact.task]
    task.output = fact.output
    if not fact.held:
        move(state, run, task, TaskCause.SUCCEED)


def _task_recovering(state: State, fact: f.TaskRecovering) -> None:
    run = state.runs[fact.run]
    task = run.tasks[fact.task]
    move(state, run, task, TaskCause.RECOVER)
    task.awaiting, task.reason = fact.awaiting, fact.why
    if fact.readmits:
        if fact.barred:
            task.barred = frozenset()
        task.excluded = task.barred
    elif fact.exclude is not None:
        _exclude(task, fact.exclude, barred=fact.barred)
    if fact.charged:
        task.charged += 1
        task.rejections = 0
        _note(task, fact.why)
    elif fact.awaiting is f.Awaiting.BACKOFF and not fact.readmits:
        task.rejections += 1
    state.timers.set(task.key, fact.due)


def _device_excluded(state: State, fact: f.DeviceExcluded) -> None:
    task = state.runs[fact.run].tasks[fact.task]
    _exclude(task, fact.device, barred=fact.barred)
    _note(task, fact.why)


def _exclude(task: Task, device: DeviceId, *, barred: bool) -> None:
    task.excluded |= {device}
    if barred:
        task.barred |= {device}


def _note(task: Task, why: str) -> None:
    task.failed += 1
    task.failures = noted(task.failures, why)


def _task_failed(state: State, fact: f.TaskFailed) -> None:
    settled(state, fact.run, fact.task, TaskCause.FAIL, fact.reason)


def _task_cancelled(state: State, fact: f.TaskCancelled) -> None:
    settled(state, fact.run, fact.task, TaskCause.CANCEL, fact.reason)


def _task_cancelling(state: State, fact: f.TaskCancelling) -> None:
    settled(state, fact.run, fact.task, TaskCause.STOP, fact.why)
    state.runs[fact.run].tasks[fact.task].since = fact.at
    state.timers.set(("task", fact.run, fact.task), fact.due)


def _task_unknown(state: State, fact: f.TaskUnknown) -> None:
    settled(state, fact.run, fact.task, TaskCause.LOSE, fact.detail)
    task = state.runs[fact.run].tasks[fact.task]
    task.since = fact.due - task.spec.limits.unknown_s
    state.timers.set(task.key, fact.due)
    if fact.attempt is not None and fact.device is not None:
        task.doubt = Doubt(fact.attempt, fact.device, fact.incarnation)
        state.doubts[fact.attempt] = task


def _task_settled(state: State, fact: f.TaskSettled) -> None:
    state.runs[fact.run].tasks[fact.task].output = fact.output
    if not fact.held:
        settled(state, fact.run, fact.task, TaskCause.SUCCEED, "")


def _input_requested(state: State, fact: f.InputRequested) -> None:
    attempt, task = state.attempts[fact.attempt], state.runs[fact.run].tasks[fact.task]
    attempt.single, attempt.asked = True, max(attempt.asked, fact.number)
    attempt.answer = attempt.answered_at = None
    if task.state is TaskState.INPUT_REQUIRED:
        task.reason = fact.question
    else:
        settled(state, fact.run, fact.task, TaskCause.ASK, fact.question)
    state.timers.set(task.key, fact.due)


def _input_answered(state: State, fact: f.InputAnswered) -> None:
    settled(state, fact.run, fact.task, TaskCause.ANSWER, "")
    attempt, task = state.attempts[fact.attempt], state.runs[fact.run].tasks[fact.task]
    attempt.answer, attempt.answered_at = fact.answer, fact.due - task.spec.limits.run_s
    state.timers.set(task.key, fact.due)


def _device_joined(state: State, fact: f.DeviceJoined) -> None:
    card = fact.card
    skills = {skill.name: skill for skill in card.skills}
    device = state.devices.get(card.device)
    if device is None:
        warm = WarmSet(card.capacity, state.keeping)
        device = state.devices[card.device] = Device(card, state.arrivals, skills, warm)
        state.arrivals += 1
    else:
        device.card, device.skills, device.warm.capacity = card, skills, card.capacity
        state.warmth.touch(device.warm.warm)  # there may be less room than before
    state.estimates.links.attach(card.device, card.bandwidth)
    state.board.machine(device)


def _device_online(state: State, fact: f.DeviceOnline) -> None:
    device = state.devices[fact.device]
    if device.incarnation != fact.incarnation:
        device.since = fact.at
    device.online, device.incarnation, device.seen_at = True, fact.incarnation, fact.at
    state.timers.clear(("lease", fact.device))
    state.board.freed(device)


def _device_lost(state: State, fact: f.DeviceLost) -> None:
    device = state.devices[fact.device]
    device.online = False
    state.board.freed(device)  # what was left to it may have to go elsewhere
    state.timers.clear(("device", fact.device))
    state.timers.set(("lease", fact.device), fact.due)


def _device_left(state: State, fact: f.DeviceLeft) -> None:
    state.devices[fact.device].online = False
    forget_warm(state, fact.device)
    state.warmth.forget(fact.device)
    state.timers.clear(("pins", fact.device))
    state.board.drop(fact.device)
    del state.devices[fact.device]
    state.estimates.forget(fact.device)
    state.releases.pop(fact.device, None)
    state.timers.clear(("device", fact.device))
    state.timers.clear(("lease", fact.device))


def _load_seen(state: State, fact: f.LoadSeen) -> None:
    device = state.devices[fact.device]
    took = device.available
    device.load, device.seen_at = fact.load, fact.at
    state.releases.pop(fact.device, None)
    state.timers.set(("device", fact.device), fact.due)
    if device.available != took:
        state.board.freed(device)


def _transfer_seen(state: State, fact: f.TransferSeen) -> None:
    state.estimates.links.observe(fact.source, fact.device, fact.size_bytes, fact.seconds)


def _deadline_moved(state: State, fact: f.DeadlineMoved) -> None:
    state.timers.set(fact.key, fact.due)


APPLY: Mapping[type, Callable[[State, Any], None]] = {
    f.CoordinatorStarted: _coordinator_started,
    f.RunSubmitted: _run_submitted,
    f.PlanAsked: _plan_asked,
    f.PlanAnswered: _plan_answered,
    f.EditAccepted: accept_edit,
    f.EditRefused: _edit_refused,
    f.RunPaused: _run_paused,
    f.RunResumed: _run_resumed,
    f.RunCancelRequested: _run_cancel_requested,
    f.RunEnded: _run_ended,
    f.RunJudged: _run_judged,
    f.PlanAdopted: _plan_adopted,
    f.RunForgotten: _run_forgotten,
    f.RunSuperseded: _run_superseded,
    f.TasksReady: _tasks_ready,
    f.TasksSkipped: _tasks_skipped,
    f.TaskExpanded: _task_expanded,
    f.TaskJoined: _task_joined,
    f.TaskRecovering: _task_recovering,
    f.DeviceExcluded: _device_excluded,
    f.TaskFailed: _task_failed,
    f.TaskCancelled: _task_cancelled,
    f.TaskCancelling: _task_cancelling,
    f.TaskUnknown: _task_unknown,
    f.TaskSettled: _task_settled,
    f.InputRequested: _input_requested,
    f.InputAnswered: _input_answered,
    f.DeviceJoined: _device_joined,
    f.DeviceOnline: _device_online,
    f.DeviceLost: _device_lost,
    f.DeviceLeft: _device_left,
    f.LoadSeen: _load_seen,
    f.TransferSeen: _transfer_seen,
    f.DeadlineMoved: _deadline_moved,
    **ATTEMPTS,
    **RESOURCES,
}
"""Every fact has exactly one row (tested)."""
