"""Rows: the state as plain values, to be saved piecemeal; `restoring` puts them together again.

What follows from other rows (successors, counts, charges, indices) is not saved but made anew.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from orchestrator.core import facts as f
from orchestrator.core.edits import AddDependency, RemoveDependency, RemoveTask
from orchestrator.core.retention.keys import GapKey
from orchestrator.core.retention.warm_set import Warm
from orchestrator.core.saved import (
    Saved,
    SavedCounters,
    SavedDevice,
    SavedForgotten,
    SavedGap,
    SavedGaps,
    SavedLoads,
    SavedPlan,
    SavedRun,
    SavedRunTimes,
    SavedSkill,
    SavedTask,
    SavedUtility,
    SavedWarm,
)
from orchestrator.core.state import Attempt, State
from protocol.types import (
    AttemptId,
    DeviceId,
    Resource,
    RunId,
    TaskId,
)

RowKey: TypeAlias = tuple[str, ...]
"""(kind, id, …), the kinds being those of `SAVED`."""


def touched(fact: f.Fact, state: State) -> Iterator[RowKey]:
    """Yield the rows that a fact, already applied, has changed."""
    if isinstance(fact, f.CoordinatorStarted):
        yield from every(state)
        return
    run = getattr(fact, "run", None)
    if run is None:
        yield from _of_device(fact, state)
        return
    yield ("run", run)
    task = getattr(fact, "task", None)
    if task is not None:
        yield ("task", run, task)
    attempt = getattr(fact, "attempt", None)
    if attempt is not None:
        yield ("attempt", attempt)
    more = _MORE.get(type(fact))
    if more is not None:
        yield from more(fact, state)


def every(state: State) -> Iterator[RowKey]:
    """Yield the key of every row there is."""
    yield ("counters",)
    yield from (("device", name) for name in state.devices)
    yield from (("skill", name) for name in state.estimates.skills())
    yield from (("gaps", *key) for key in state.warmth.histories)
    yield from (("run_times", name) for name in state.warmth.durations)
    for run in state.runs.values():
        yield ("run", run.id)
        if run.adopted is not None:
            yield ("plan", run.id)
        yield from (("task", run.id, name) for name in run.tasks)
    yield from (("attempt", name) for name in state.attempts)
    yield from (("forgotten", name) for name in state.forgotten)


def freeze(state: State, key: RowKey) -> Saved | None:
    """Return a row as it is now, or None if it is gone."""
    return _FREEZE[key[0]](state, *key[1:])


def _of_device(fact: f.Fact, state: State) -> Iterator[RowKey]:
    match fact:
        case f.DeviceJoined(card):
            yield from (("device", card.device), ("counters",))
        case f.DeviceOnline() | f.DeviceLost():
            yield ("device", fact.device)
        case f.RunTimeObserved(device):
            yield from (("run_times", device), ("device", device))
        case f.GapObserved():
            yield from _observed(fact, state)
        case f.PinGranted() | f.ResourceReleased() | f.ReuseObserved():
            yield from _warm(fact, state)
        case f.ResourceEvicted() | f.ResourceLoaded() | f.ResourceAdopted():
            yield from _warm(fact, state)
        case f.WarmSetVoided(device):
            yield ("device", device)
        case f.DeviceLeft(name):
            yield from (("device", name), ("run_times", name))
            yield from (("skill", skill) for skill in state.estimates.skills())
        case _:
            return


def _submitted(_fact: f.RunSubmitted, _state: State) -> Iterator[RowKey]:
    yield ("counters",)


def _placed(fact: f.TaskPlaced, state: State) -> Iterator[RowKey]:
    yield ("counters",)
    if fact.hedge is not None:
        yield ("attempt", fact.hedge.beside)
    run = state.runs.get(fact.run)
    if run is not None and run.pins:
        yield ("device", fact.device)


def _warm(fact: Any, _state: State) -> Iterator[RowKey]:  # noqa: ANN401 - any fact of a device
    yield from (("device", fact.device), ("counters",), ("gaps", fact.resource.kind, "", ""))


def _observed(fact: f.GapObserved, _state: State) -> Iterator[RowKey]:
    yield ("device", fact.device)
    key = GapKey(fact.resource.kind, fact.awaits, fact.device_class)
    yield from (("gaps", *level) for level in key.levels())


def _learned(fact: f.AttemptSucceeded, state: State) -> Iterator[RowKey]:
    if fact.run_s is not None:
        yield ("skill", state.runs[fact.run].tasks[fact.task].spec.skill)


def _outrun(fact: f.AttemptOutrun, state: State) -> Iterator[RowKey]:
    yield ("skill", state.runs[fact.run].tasks[fact.task].spec.skill)


def _forgot(fact: f.RunForgotten, _state: State) -> Iterator[RowKey]:
    yield from (("counters",), ("forgotten", fact.run))
    if fact.instead_of is not None:
        yield ("forgotten", fact.instead_of)


def _several(fact: f.TasksReady | f.TasksSkipped, _state: State) -> Iterator[RowKey]:
    return (("task", fact.run, name) for name in fact.tasks)


def _resumed(fact: f.RunResumed, state: State) -> Iterator[RowKey]:
    return (("task", fact.run, name) for name in state.runs[fact.run].tasks)


def _children(fact: f.TaskExpanded, _state: State) -> Iterator[RowKey]:
    return (("task", fact.run, child.id) for child in fact.children)


def _edited(fact: f.EditAccepted, state: State) -> Iterator[RowKey]:
    tasks = state.runs[fact.run].tasks
    names: dict[TaskId, None] = {}
    for edit in fact.edits:
        match edit:
            case RemoveTask(task):
                # Its successors lost a dependency, and nobody says which they were.
                names |= {task: None, **dict.fromkeys(tasks)}
            case AddDependency(dependency):
                names[dependency.successor] = None
            case RemoveDependency(_, successor):
                names[successor] = None
            case _:
                names[edit.task if isinstance(edit.task, str) else edit.task.id] = None
    yield from (("task", fact.run, name) for name in names)


def _planned(fact: f.PlanAdopted | f.RunEnded, _state: State) -> Iterator[RowKey]:
    yield ("plan", fact.run)


_MORE: Mapping[type, Callable[[Any, State], Iterator[RowKey]]] = {
    f.RunSubmitted: _submitted,
    f.TaskPlaced: _placed,
    f.PinGranted: _warm,
    f.ResourceReleased: _warm,
    f.ResourceEvicted: _warm,
    f.ResourceLoaded: _warm,
    f.ResourceAdopted: _warm,
    f.ReuseObserved: _warm,
    f.GapObserved: _observed,
    f.RunForgotten: _forgot,
    f.AttemptSucceeded: _learned,
    f.AttemptOutrun: _outrun,
    f.TasksReady: _several,
    f.TasksSkipped: _several,
    f.TaskExpanded: _children,
    f.RunResumed: _resumed,
    f.EditAccepted: _edited,
    f.PlanAdopted: _planned,
    f.RunEnded: _planned,
}
"""What facts of a run change beyond the run, task and attempt that they name."""


def _run(state: State, name: RunId) -> SavedRun | None:
    run = state.runs.get(name)
    if run is None:
        return None
    return SavedRun(
        run.submitted,
        run.arrival,
        run.status,
        run.reason,
        run.epoch,
        run.revision,
        run.created,
        run.paused,
        run.cancelling,
        tuple(run.asks.values()),
        run.asked,
        run.ended_at,
        state.timers.get(("run", run.id)),
        run.superseded,
        tuple(run.devices),
        run.pins,
        run.judged,
        run.worked_s,
        run.hedges,
        run.hedged_s,
        run.submitted_at,
    )


def _task(state: State, run: RunId, name: TaskId) -> SavedTask | None:
    row = state.runs.get(run)
    task = row.tasks.get(name) if row is not None else None
    if task is None:
        return None
    return SavedTask(
        task.run,
        task.spec,
        task.sequence,
        task.state,
        task.revision,
        task.incoming,
        task.cost_s,
        task.attempts,
        task.charged,
        task.rejections,
        tuple(sorted(task.excluded)),
        task.live,
        task.awaiting,
        task.output,
        task.reason,
        task.failed_upstream,
        task.since,
        task.parent,
        task.children,
        task.items,
        state.timers.get(task.key),
        tuple(sorted(task.barred)),
        task.doubt,
        task.where,
        task.hedge,
        state.timers.get(task.hedge_key) if task.hedge is not None else None,
        task.failed,
        task.failures,
    )


def _device(state: State, name: DeviceId) -> SavedDevice | None:
    device = state.devices.get(name)
    if device is None:
        return None
    return SavedDevice(
        device.card,
        device.order,
        device.online,
        device.incarnation,
        device.seen_at,
        state.timers.get(("device", name)),
        state.timers.get(("lease", name)),
        device.since,
        tuple(_warm_row(resource, warm) for resource, warm in device.warm.warm.items()),
        tuple(
            SavedGap(resource, gaps[name].since, gaps[name].key.skill, gaps[name].key.device_class)
            for resource, gaps in state.warmth.gaps.items()
            if name in gaps
        ),
        tuple(SavedLoads(kind, load_s) for kind, load_s in sorted(state.warmth.loads.of(name))),
        tuple(
            SavedUtility(kind, *u) for kind, u in sorted(state.warmth.loads.utility(name).items())
        ),
    )


def _warm_row(name: Resource, warm: Warm) -> SavedWarm:
    return SavedWarm(
        name,
        warm.amount,
        warm.loading,
        warm.idle_since,
        warm.protected_until,
        warm.release_at,
        warm.token,
        warm.speaker,
    )


def _attempt(state: State, name: AttemptId) -> Attempt | None:
    return state.attempts.get(name)


def _skill(state: State, name: str) -> SavedSkill | None:
    if name not in state.estimates.skills():
        return None  # of one that was declared, and never measured
    value, weight, ratios = state.estimates.saved(name)
    late = state.lateness.get(name)
    lateness = (late.quantile, late.beyond, late.ends) if late is not None else ()
    return SavedSkill(name, value, weight, ratios=ratios, lateness=lateness)


def _gaps(state: State, *key: str) -> SavedGaps | None:
    of = GapKey(*key)
    samples = state.warmth.histories.known(of)
    reuse = state.warmth.reuse.get(of.kind, ()) if of.kind and not of.skill else ()
    if samples is None and not reuse:
        return None
    gaps = samples or ()
    cut = tuple(place for place, (_, is_cut) in enumerate(gaps) if is_cut)
    return SavedGaps(*of, tuple(gap_s for gap_s, _ in gaps), cut, tuple(reuse))


def _run_times(state: State, device: DeviceId) -> SavedRunTimes | None:
    known = state.warmth.durations.get(device)
    if known is None:
        return None
    samples = {skill: tuple(s for s, _ in gaps.samples()) for skill, gaps in known.items()}
    return SavedRunTimes(device, samples)


def _forgotten(state: State, name: RunId) -> SavedForgotten | None:
    number = state.forgotten.get(name)
    return None if number is None else SavedForgotten(name, number)


def _plan(state: State, name: RunId) -> SavedPlan | None:
    run = state.runs.get(name)
    return SavedPlan(run.adopted) if run is not None and run.adopted is not None else None


def _counted(state: State) -> SavedCounters:
    return SavedCounters(state.token, state.arrivals)


_FREEZE: Mapping[str, Callable[..., Saved | None]] = {
    "counters": _counted,
    "device": _device,
    "skill": _skill,
    "gaps": _gaps,
    "run_times": _run_times,
    "run": _run,
    "task": _task,
    "attempt": _attempt,
    "forgotten": _forgotten,
    "plan": _plan,
}
"""Kind of a row → what makes it of the rest of its key."""
