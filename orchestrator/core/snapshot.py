"""Frozen views of a run: what planners, people and pages see."""

from dataclasses import dataclass

from orchestrator.core.facts import RunJudged, RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.retention.warm_set import PinState, Warm, WarmSet
from orchestrator.core.state import Device, Run, State, Task
from protocol.types import DeviceCard, DeviceId, Json, Load, Resource, RunId, TaskId


@dataclass(frozen=True, slots=True)
class WarmSnapshot:
    """One warm resource on a device, and why it is kept: the state of `core.retention`.

    Times are seconds, those ahead from now on.
    """

    device: DeviceId
    kind: str
    key: str
    run: RunId | None
    """Whose it is; None: shared."""
    state: PinState
    amount: float
    """In the unit of the device's capacity for the kind."""
    users: int = 0
    """Attempts that use it, or wait for its load."""
    queued: int = 0
    """Tasks that are ready to use it here, and wait for something else: it stays for them."""
    age_s: float = 0.0
    """How long it lies idle."""
    lease_s: float = 0.0
    """How long after its last use it is protected: tau."""
    protected_s: float = 0.0
    """How much of that is left."""
    release_s: float | None = None
    """When it is let go at the latest; None: in use."""
    awaits: str = ""
    """The skill that its next use waits for; empty: none, or not known."""
    device_class: str = ""
    """The class of the device that runs that; empty: it does not run yet."""
    reload_s: float = 0.0
    """What loading it again would take: R."""
    index: float | None = None
    """R·h at this age: worth keeping from 1 on; None: in use, queued for, or of no known use."""


@dataclass(frozen=True, slots=True)
class UtilitySnapshot:
    """What loading a kind of resource on a device was good for."""

    kind: str
    busy_s: float
    load_s: float
    ratio: float | None
    """Seconds of work for each second of loading; None: nothing was loaded."""


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """One task as it is now."""

    spec: TaskSpec
    state: TaskState
    reason: str
    output: Json
    dependencies: tuple[Dependency, ...] = ()
    """What it waits for, or waited for."""
    device: DeviceId | None = None
    """Where its live attempt is."""
    attempts: int = 0
    parent: TaskId | None = None


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """One run as it is now; tasks in order of creation."""

    run: RunId
    request: str
    revision: int
    status: RunStatus
    tasks: tuple[TaskSnapshot, ...]
    reason: str = ""
    owner: str = ""
    paused: bool = False
    wall: float = 0.0
    """When it was submitted, seconds since the epoch."""
    warm: tuple[WarmSnapshot, ...] = ()
    """Its own warm resources, for people; planners are not told."""
    judged: RunJudged | None = None
    """How well it did, as somebody says."""

    @property
    def outputs(self) -> dict[TaskId, Json]:
        """What the tasks that nothing follows came to."""
        followed = {edge.predecessor for task in self.tasks for edge in task.dependencies}
        return {
            task.spec.id: task.output
            for task in self.tasks
            if task.spec.id not in followed
            and task.parent is None
            and task.state is TaskState.SUCCEEDED
        }

    @property
    def missing(self) -> dict[TaskId, str]:
        """What failed, was cancelled or skipped for it, and why."""
        wanted = {TaskState.FAILED, TaskState.CANCELLED}
        return {task.spec.id: task.reason for task in self.tasks if task.state in wanted}


@dataclass(frozen=True, slots=True)
class DeviceSnapshot:
    """One device as it is now."""

    card: DeviceCard
    online: bool
    load: Load
    attempts: tuple[tuple[RunId, TaskId], ...] = ()
    """What it is charged with, lapsed attempts included."""
    warm: tuple[WarmSnapshot, ...] = ()
    """What is warm there, or being loaded, in the order of loads."""
    utility: tuple[UtilitySnapshot, ...] = ()
    """By kind of resource."""


def fleet(state: State, now: float) -> tuple[DeviceSnapshot, ...]:
    """Freeze the known devices at an elapsed time, in order of arrival."""
    return tuple(device_snapshot(device, state, now) for device in state.devices.values())


def device_snapshot(device: Device, state: State, now: float) -> DeviceSnapshot:
    """Freeze one device at an elapsed time."""
    utility = state.warmth.loads.utility(device.card.device)
    return DeviceSnapshot(
        device.card,
        device.online,
        device.load,
        tuple((attempt.run, attempt.task) for attempt in device.attempts.values()),
        tuple(_warm_snapshot(state, device, name, now) for name in device.warm.warm),
        tuple(UtilitySnapshot(kind, *each, each.ratio) for kind, each in utility.items()),
    )


def warm_of(run: Run, state: State, now: float) -> tuple[WarmSnapshot, ...]:
    """Freeze a run's own warm resources at an elapsed time. O(all that is warm)."""
    return tuple(
        _warm_snapshot(state, state.devices[device], name, now)
        for name, devices in (state.warmth.at.items() if run.pins else ())
        if name.run == run.id
        for device in devices
    )


def _warm_snapshot(state: State, device: Device, name: Resource, now: float) -> WarmSnapshot:
    where, warm = device.card.device, device.warm.warm[name]
    if warm.users:
        at_work = PinState.LOADING if _loads(device, name, warm) else PinState.IN_USE
        return WarmSnapshot(where, *name, at_work, warm.amount, warm.users, warm.queued)
    age_s, lease_s = warm.age_s(now), _lease_s(device.warm, warm, now)
    gap = state.warmth.gaps.get(name, {}).get(where)
    known = None if warm.queued else warm.outlook
    return WarmSnapshot(
        where,
        *name,
        PinState.PROTECTED if age_s < lease_s else PinState.EVICTABLE,
        warm.amount,
        queued=warm.queued,
        age_s=age_s,
        lease_s=lease_s,
        protected_s=max(0.0, lease_s - age_s),
        release_s=max(0.0, warm.release_at - now),
        awaits=gap.key.skill if gap is not None else "",
        device_class=gap.key.device_class if gap is not None else "",
        reload_s=state.warmth.loads.reload_s(name.kind, where),
        index=None if known is None else known.reload_s * known.curve.index(age_s),
    )


def _loads(device: Device, name: Resource, warm: Warm) -> bool:
    """Tell whether nobody has started yet who needs it: a device loads before it starts."""
    return warm.loading and not any(
        attempt.started_at is not None and name in attempt.resources
        for attempt in device.attempts.values()
    )


def _lease_s(held: WarmSet, warm: Warm, now: float) -> float:
    """Return tau; past the lease that was granted, waiting may pay again at this age."""
    since = now if warm.idle_since is None else warm.idle_since
    until = warm.protected_until
    if until <= now and warm.outlook is not None:
        again = since + held.keeping.protect_s(warm.outlook, warm.age_s(now))
        until = max(until, min(again, warm.release_at))
    return until - since


def snapshot(run: Run, state: State) -> RunSnapshot:
    """Freeze a run. O(its tasks)."""
    return _frozen(run, tuple(task_snapshot(task, state) for task in run.tasks.values()))


def heads(state: State) -> tuple[RunSnapshot, ...]:
    """Freeze every run but for its tasks, oldest first. O(runs)."""
    return tuple(_frozen(run, ()) for run in state.runs.values())


def _frozen(run: Run, tasks: tuple[TaskSnapshot, ...]) -> RunSnapshot:
    return RunSnapshot(
        run.id,
        run.submitted.request,
        run.revision,
        run.status,
        tasks,
        run.reason,
        run.submitted.owner,
        run.paused,
        run.submitted.wall,
        judged=run.judged,
    )


def task_snapshot(task: Task, state: State) -> TaskSnapshot:
    """Freeze one task."""
    device = state.attempts[task.live].device if task.live is not None else None
    return TaskSnapshot(
        task.spec,
        task.state,
        task.reason,
        task.output,
        task.incoming,
        device,
        task.attempts,
        task.parent,
    )
