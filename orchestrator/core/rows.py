"""Rows: the state as plain values, to be saved piecemeal; `restoring` puts them together again.

What follows from other rows (successors, counts, charges, indices) is not saved but made anew.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from orchestrator.core import facts as f
from orchestrator.core.edits import AddDependency, RemoveDependency, RemoveTask
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.state import Attempt, Doubt, State
from protocol.types import AttemptId, DeviceCard, DeviceId, Incarnation, Json, RunId, TaskId

RowKey: TypeAlias = tuple[str, ...]
"""(kind, id, …), the kinds being those of `SAVED`."""


@dataclass(frozen=True, slots=True)
class SavedCounters:
    """What rises for ever."""

    token: int
    arrivals: int


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run without its tasks."""

    submitted: f.RunSubmitted
    arrival: int
    status: f.RunStatus
    reason: str
    epoch: int
    revision: int
    created: int
    paused: bool
    cancelling: f.RunCancelRequested | None
    asks: tuple[f.PlanAsked, ...]
    asked: int
    ended_at: float | None
    due: float | None
    superseded: bool = False
    devices: tuple[DeviceId, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedTask:
    """A task, with its deadline."""

    run: RunId
    spec: TaskSpec
    sequence: int
    state: TaskState
    revision: int = 0
    incoming: tuple[Dependency, ...] = ()
    cost_s: float = 0.0
    attempts: int = 0
    charged: int = 0
    rejections: int = 0
    excluded: tuple[DeviceId, ...] = ()
    live: AttemptId | None = None
    awaiting: f.Awaiting | None = None
    output: Json = None
    reason: str = ""
    failed_upstream: bool = False
    since: float = 0.0
    parent: TaskId | None = None
    children: tuple[TaskId, ...] = ()
    items: tuple[Json, ...] = ()
    due: float | None = None
    barred: tuple[DeviceId, ...] = ()
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class SavedDevice:
    """A device, with its deadlines."""

    card: DeviceCard
    order: int
    online: bool
    incarnation: Incarnation | None
    seen_at: float
    silent_at: float | None
    lease_until: float | None
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class SavedSkill:
    """What was learned of a skill's durations."""

    skill: str
    value: float
    weight: float
    here: tuple[tuple[DeviceId, float, float], ...]


@dataclass(frozen=True, slots=True)
class SavedForgotten:
    """A run that was ours; `number` rises."""

    run: RunId
    number: int


Saved: TypeAlias = (
    SavedCounters | SavedRun | SavedTask | Attempt | SavedDevice | SavedSkill | SavedForgotten
)
SAVED: Mapping[str, type[Saved]] = {
    "counters": SavedCounters,
    "device": SavedDevice,
    "skill": SavedSkill,
    "run": SavedRun,
    "task": SavedTask,
    "attempt": Attempt,
    "forgotten": SavedForgotten,
}
"""Kinds of rows, in the order in which they are restored."""


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
    for run in state.runs.values():
        yield ("run", run.id)
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
        case f.DeviceLeft(name):
            yield ("device", name)
            yield from (("skill", skill) for skill in state.estimates.skills())
        case _:
            return


def _counters(_fact: f.RunSubmitted | f.TaskPlaced, _state: State) -> Iterator[RowKey]:
    yield ("counters",)


def _learned(fact: f.AttemptSucceeded, state: State) -> Iterator[RowKey]:
    if fact.run_s is not None:
        yield ("skill", state.runs[fact.run].tasks[fact.task].spec.skill)


def _forgot(fact: f.RunForgotten, _state: State) -> Iterator[RowKey]:
    yield from (("counters",), ("forgotten", fact.run))
    if fact.instead_of is not None:
        yield ("forgotten", fact.instead_of)


def _several(fact: f.TasksReady | f.TasksSkipped, _state: State) -> Iterator[RowKey]:
    return (("task", fact.run, name) for name in fact.tasks)


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


_MORE: Mapping[type, Callable[[Any, State], Iterator[RowKey]]] = {
    f.RunSubmitted: _counters,
    f.TaskPlaced: _counters,
    f.RunForgotten: _forgot,
    f.AttemptSucceeded: _learned,
    f.TasksReady: _several,
    f.TasksSkipped: _several,
    f.TaskExpanded: _children,
    f.EditAccepted: _edited,
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
    )


def _attempt(state: State, name: AttemptId) -> Attempt | None:
    return state.attempts.get(name)


def _skill(state: State, name: str) -> SavedSkill:
    return SavedSkill(name, *state.estimates.saved(name))


def _forgotten(state: State, name: RunId) -> SavedForgotten | None:
    number = state.forgotten.get(name)
    return None if number is None else SavedForgotten(name, number)


def _counted(state: State) -> SavedCounters:
    return SavedCounters(state.token, state.arrivals)


_FREEZE: Mapping[str, Callable[..., Saved | None]] = {
    "counters": _counted,
    "device": _device,
    "skill": _skill,
    "run": _run,
    "task": _task,
    "attempt": _attempt,
    "forgotten": _forgotten,
}
"""Kind of a row → what makes it of the rest of its key."""
