"""Rows: the state as plain values, to be saved piecemeal and put together again.

What follows from other rows (successors, counts, charges, indices) is not saved but made anew.
`restore` of all rows equals the fold of all facts (I11), volatile facts apart.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from orchestrator.core import facts as f
from orchestrator.core.edits import AddDependency, RemoveDependency, RemoveTask
from orchestrator.core.estimates import Mean
from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.state import Attempt, Device, Run, State, Task
from orchestrator.core.timers import Key
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


@dataclass(frozen=True, slots=True)
class SavedTask:
    """A task, with its deadline."""

    run: RunId
    spec: TaskSpec
    sequence: int
    state: TaskState
    revision: int
    incoming: tuple[Dependency, ...]
    rank: float
    attempts: int
    charged: int
    rejections: int
    excluded: tuple[DeviceId, ...]
    live: AttemptId | None
    awaiting: f.Awaiting | None
    output: Json
    reason: str
    failed_upstream: bool
    since: float
    parent: TaskId | None
    children: tuple[TaskId, ...]
    items: tuple[Json, ...]
    due: float | None


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


@dataclass(frozen=True, slots=True)
class SavedSkill:
    """What was learned of a skill's durations."""

    skill: str
    value: float
    weight: float
    here: tuple[tuple[DeviceId, float, float], ...]


Saved: TypeAlias = SavedCounters | SavedRun | SavedTask | Attempt | SavedDevice | SavedSkill
SAVED: Mapping[str, type[Saved]] = {
    "counters": SavedCounters,
    "device": SavedDevice,
    "skill": SavedSkill,
    "run": SavedRun,
    "task": SavedTask,
    "attempt": Attempt,
}
"""Kinds of rows, in the order in which `restore` needs them."""


def touched(fact: f.Fact, state: State) -> Iterator[RowKey]:
    """Yield the rows that a fact, already applied, has changed."""
    if isinstance(fact, f.CoordinatorStarted):
        yield from every(state)
        return
    run = getattr(fact, "run", None)
    if run is None:
        yield from _of_device(fact)
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


def freeze(state: State, key: RowKey) -> Saved | None:
    """Return a row as it is now, or None if it is gone."""
    match key:
        case ("counters",):
            return SavedCounters(state.token, state.arrivals)
        case ("device", name):
            device = state.devices.get(DeviceId(name))
            return _device(device, state) if device else None
        case ("skill", name):
            return SavedSkill(name, *state.estimates.saved(name))
        case ("run", name):
            return _run(state.runs[RunId(name)], state)
        case ("task", run, name):
            task = state.runs[RunId(run)].tasks.get(TaskId(name))
            return _task(task, state) if task else None
        case ("attempt", name):
            return state.attempts.get(AttemptId(name))
        case _:
            raise KeyError(key)


def restore(state: State, rows: Iterable[Saved]) -> None:
    """Put an empty state together from every row, in any order."""
    order = list(SAVED.values())
    for row in sorted(rows, key=lambda row: (order.index(type(row)), _place(row))):
        match row:
            case SavedCounters(token, arrivals):
                state.token, state.arrivals = token, arrivals
            case SavedDevice():
                _restore_device(state, row)
            case SavedSkill(skill, value, weight, here):
                state.estimates.load(skill, Mean(value, weight), here)
            case SavedRun():
                _restore_run(state, row)
            case SavedTask():
                _restore_task(state, row)
            case Attempt():
                _restore_attempt(state, row)
            case _:
                assert_never(row)
    for run in state.runs.values():
        for task in run.tasks.values():
            _derive(state, run, task)


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
        case _:
            return 0.0


def _of_device(fact: f.Fact) -> Iterator[RowKey]:
    match fact:
        case f.DeviceJoined(card):
            yield from (("device", card.device), ("counters",))
        case f.DeviceOnline() | f.DeviceLost() | f.DeviceLeft():
            yield ("device", fact.device)
        case _:
            return


def _counters(_fact: f.RunSubmitted | f.TaskPlaced, _state: State) -> Iterator[RowKey]:
    yield ("counters",)


def _learned(fact: f.AttemptSucceeded, state: State) -> Iterator[RowKey]:
    if fact.run_s is not None:
        yield ("skill", state.runs[fact.run].tasks[fact.task].spec.skill)


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
                names[dependency.predecessor] = names[dependency.successor] = None
            case RemoveDependency(predecessor, successor):
                names[predecessor] = names[successor] = None
            case _:
                names[edit.task if isinstance(edit.task, str) else edit.task.id] = None
    queue = [name for name in names if name in tasks]
    for name in queue:  # ranks change up to the roots
        for edge in tasks[name].incoming:
            if edge.predecessor not in names:
                names[edge.predecessor] = None
                queue.append(edge.predecessor)
    yield from (("task", fact.run, name) for name in names)


_MORE: Mapping[type, Callable[[Any, State], Iterator[RowKey]]] = {
    f.RunSubmitted: _counters,
    f.TaskPlaced: _counters,
    f.AttemptSucceeded: _learned,
    f.TasksReady: _several,
    f.TasksSkipped: _several,
    f.TaskExpanded: _children,
    f.EditAccepted: _edited,
}
"""What facts of a run change beyond the run, task and attempt that they name."""


def _run(run: Run, state: State) -> SavedRun:
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
    )


def _task(task: Task, state: State) -> SavedTask:
    return SavedTask(
        task.run,
        task.spec,
        task.sequence,
        task.state,
        task.revision,
        task.incoming,
        task.rank,
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
    )


def _device(device: Device, state: State) -> SavedDevice:
    name = device.card.device
    return SavedDevice(
        device.card,
        device.order,
        device.online,
        device.incarnation,
        device.seen_at,
        state.timers.get(("device", name)),
        state.timers.get(("lease", name)),
    )


def _set(state: State, key: Key, due: float | None) -> None:
    if due is not None:
        state.timers.set(key, due)


def _restore_device(state: State, row: SavedDevice) -> None:
    skills = {skill.name: skill for skill in row.card.skills}
    device = Device(row.card, row.order, skills, row.online, row.incarnation, row.seen_at)
    state.devices[row.card.device] = device
    state.board.machine(device)
    _set(state, ("device", row.card.device), row.silent_at)
    _set(state, ("lease", row.card.device), row.lease_until)


def _restore_run(state: State, row: SavedRun) -> None:
    run = Run(row.submitted, row.arrival, row.status, row.reason, row.epoch, row.revision)
    run.created, run.paused, run.cancelling = row.created, row.paused, row.cancelling
    run.asks = {ask.ask: ask for ask in row.asks}
    run.asked, run.ended_at = row.asked, row.ended_at
    state.runs[run.id] = run
    state.keys[row.submitted.owner, row.submitted.key] = run.id
    _set(state, ("run", run.id), row.due)
    for ask in row.asks:
        state.timers.set(("ask", run.id, ask.ask), ask.due)


def _restore_task(state: State, row: SavedTask) -> None:
    task = Task(row.run, row.spec, row.sequence, row.state, row.revision, row.incoming)
    task.rank, task.attempts, task.charged = row.rank, row.attempts, row.charged
    task.rejections, task.excluded = row.rejections, frozenset(row.excluded)
    task.live, task.awaiting, task.output = row.live, row.awaiting, row.output
    task.reason, task.failed_upstream, task.since = row.reason, row.failed_upstream, row.since
    task.parent, task.children, task.items = row.parent, row.children, row.items
    state.runs[row.run].tasks[row.spec.id] = task
    _set(state, task.key, row.due)


def _restore_attempt(state: State, attempt: Attempt) -> None:
    state.attempts[attempt.id] = attempt
    device = state.devices[attempt.device]
    device.attempts[attempt.id] = attempt
    for need in attempt.needs:
        device.used[need.kind] = device.used.get(need.kind, 0.0) + need.amount
    state.board.taken(device)


def _derive(state: State, run: Run, task: Task) -> None:
    for edge in task.incoming:
        predecessor = run.tasks[edge.predecessor]
        predecessor.outgoing.append(task.spec.id)
        task.unmet += predecessor.state not in FINAL
    run.unfinished += task.state not in FINAL
    task.open_children = sum(run.tasks[name].state not in FINAL for name in task.children)
    expands = task.spec.for_each is not None and task.parent is None
    if task.state is TaskState.READY and not run.paused and not expands:
        state.board.add(task, priority=run.submitted.priority, arrival=run.arrival)
