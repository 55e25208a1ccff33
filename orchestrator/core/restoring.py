"""Putting the state together from saved rows: the same as the fold of all durable facts (I11)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orchestrator.core.estimates import Mean
from orchestrator.core.graph import rank_whole
from orchestrator.core.lateness import Lateness
from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.moves import enter
from orchestrator.core.retention.keys import GapKey, Utility
from orchestrator.core.retention.warm_set import Warm, WarmSet
from orchestrator.core.retention.warmth import OpenGap
from orchestrator.core.saved import (
    SAVED,
    Saved,
    SavedCounters,
    SavedDevice,
    SavedForgotten,
    SavedGaps,
    SavedPlan,
    SavedRun,
    SavedRunTimes,
    SavedSkill,
    SavedTask,
)
from orchestrator.core.state import Attempt, Device, Run, State, Task
from orchestrator.core.timers import Key


def restore(state: State, rows: Iterable[Saved]) -> None:
    """Put an empty state together from every row, in any order.

    Tasks whose run has no row are of a run that was forgotten, and not deleted yet.
    """
    order = list(SAVED.values())
    for row in sorted(rows, key=lambda row: (order.index(type(row)), _place(row))):
        _RESTORE[type(row)](state, row)
    for run in state.runs.values():
        for task in run.tasks.values():
            _derive(run, task)
            enter(state, run, task)
        rank_whole(run)
        for task in run.tasks.values():
            _enqueue(state, run, task)
    ended = [
        (run.ended_at, run.arrival, run) for run in state.runs.values() if run.ended_at is not None
    ]
    for _, _, run in sorted(ended, key=lambda end: end[:2]):
        state.ended[run.id] = None
        state.ended_tasks += len(run.tasks)


def _place(row: Saved) -> float:
    match row:
        case SavedTask():
            return row.sequence
        case SavedRun():
            return row.arrival
        case SavedDevice():
            return row.order
        case Attempt():
            return row.token
        case SavedForgotten():
            return row.number
        case _:
            return 0.0


def _restore_counters(state: State, row: SavedCounters) -> None:
    state.token, state.arrivals = row.token, row.arrivals


def _restore_skill(state: State, row: SavedSkill) -> None:
    state.estimates.load(row.skill, Mean(row.value, row.weight), row.ratios)
    if row.lateness:
        state.lateness[row.skill] = Lateness(*row.lateness)


def _restore_forgotten(state: State, row: SavedForgotten) -> None:
    state.forgotten[row.run] = row.number


def _set(state: State, key: Key, due: float | None) -> None:
    if due is not None:
        state.timers.set(key, due)


def _restore_device(state: State, row: SavedDevice) -> None:
    skills = {skill.name: skill for skill in row.card.skills}
    name, warm = row.card.device, WarmSet(row.card.capacity, state.keeping)
    device = Device(
        row.card, row.order, skills, warm, row.online, row.incarnation, row.since, row.seen_at
    )
    state.devices[name] = device
    _restore_warm(state, device, row)
    state.estimates.links.attach(name, row.card.bandwidth)
    state.board.machine(device)
    _set(state, ("device", row.card.device), row.silent_at)
    _set(state, ("lease", row.card.device), row.lease_until)


def _restore_warm(state: State, device: Device, row: SavedDevice) -> None:
    name, warmth = row.card.device, state.warmth
    for each in row.warm:
        device.warm.put(
            each.resource,
            Warm(
                each.amount,
                each.loading,
                idle_since=each.idle_since,
                protected_until=each.protected_until,
                release_at=each.release_at,
                token=each.token,
                speaker=each.speaker,
            ),
        )
        warmth.here(each.resource, name, idle=True)
    for gap in row.gaps:
        key = GapKey(gap.resource.kind, gap.awaits, gap.device_class)
        warmth.open(gap.resource, name, OpenGap(gap.since, key))
    for loads in row.loads:
        for load_s in loads.load_s:
            warmth.loads.add(loads.kind, name, load_s)
    for used in row.utility:
        warmth.loads.resume(used.kind, name, Utility(used.busy_s, used.load_s))


def _restore_gaps(state: State, row: SavedGaps) -> None:
    key = GapKey(row.kind, row.skill, row.device_class)
    cut = frozenset(row.cut)
    state.warmth.histories.load(key, ((g, place in cut) for place, g in enumerate(row.gap_s)))
    if row.reuse:
        again, all_of = row.reuse
        state.warmth.reuse[row.kind] = (again, all_of)


def _restore_run_times(state: State, row: SavedRunTimes) -> None:
    for skill, samples in row.run_s.items():
        for run_s in samples:
            state.warmth.ran(skill, row.device, run_s)


def _restore_run(state: State, row: SavedRun) -> None:
    run = Run(row.submitted, row.arrival, row.status, row.reason, row.epoch, row.revision)
    run.created, run.paused, run.cancelling = row.created, row.paused, row.cancelling
    at = row.submitted_at
    run.submitted_at = row.submitted.at if at is None else at
    run.asks = {ask.ask: ask for ask in row.asks}
    run.asked, run.ended_at, run.superseded = row.asked, row.ended_at, row.superseded
    run.devices, run.pins = dict.fromkeys(row.devices), row.pins
    run.judged = row.judged
    run.worked_s, run.hedges, run.hedged_s = row.worked_s, row.hedges, row.hedged_s
    state.runs[run.id] = run
    if run.ended_at is None:
        state.live[run.id] = None
    state.keys[row.submitted.owner, row.submitted.key] = run.id
    _set(state, ("run", run.id), row.due)
    for ask in row.asks:
        state.timers.set(("ask", run.id, ask.ask), ask.due)


def _restore_task(state: State, row: SavedTask) -> None:
    if row.run not in state.runs:
        return
    task = Task(row.run, row.spec, row.sequence, row.state, row.revision, row.incoming)
    task.cost_s, task.attempts, task.charged = row.cost_s, row.attempts, row.charged
    task.rejections, task.doubt, task.where = row.rejections, row.doubt, row.where
    task.excluded, task.barred = frozenset(row.excluded), frozenset(row.barred)
    if task.doubt is not None:
        state.doubts[task.doubt.attempt] = task
    task.live, task.awaiting, task.output = row.live, row.awaiting, row.output
    task.reason, task.failed_upstream, task.since = row.reason, row.failed_upstream, row.since
    task.parent, task.children, task.items = row.parent, row.children, row.items
    task.hedge, task.failed, task.failures = row.hedge, row.failed, row.failures
    state.runs[row.run].tasks[row.spec.id] = task
    _set(state, task.key, row.due)
    _set(state, task.hedge_key, row.hedge_due)


def _restore_plan(state: State, row: SavedPlan) -> None:
    if row.adopted.run in state.runs:
        state.runs[row.adopted.run].adopted = row.adopted


def _restore_attempt(state: State, attempt: Attempt) -> None:
    state.attempts[attempt.id] = attempt
    state.runs[attempt.run].charged += 1
    device = state.devices[attempt.device]
    device.attempts[attempt.id] = attempt
    for name in attempt.resources:
        device.warm.warm[name].users += 1
        state.warmth.here(name, attempt.device, idle=False)
    state.board.taken(device)


def _derive(run: Run, task: Task) -> None:
    for edge in task.incoming:
        predecessor = run.tasks[edge.predecessor]
        predecessor.outgoing.append(task.spec.id)
        task.unmet += predecessor.state not in FINAL
    run.unfinished += task.state not in FINAL
    task.open_children = sum(run.tasks[name].state not in FINAL for name in task.children)


def _enqueue(state: State, run: Run, task: Task) -> None:
    expands = task.spec.for_each is not None and task.parent is None
    if task.state is TaskState.READY and not run.paused and not expands:
        state.board.add(task, priority=run.submitted.priority, arrival=run.arrival)


_RESTORE: Mapping[type, Callable[[State, Any], None]] = {
    SavedCounters: _restore_counters,
    SavedDevice: _restore_device,
    SavedSkill: _restore_skill,
    SavedGaps: _restore_gaps,
    SavedRunTimes: _restore_run_times,
    SavedRun: _restore_run,
    SavedTask: _restore_task,
    Attempt: _restore_attempt,
    SavedForgotten: _restore_forgotten,
    SavedPlan: _restore_plan,
}
