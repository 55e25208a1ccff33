"""What is saved of the state: one frozen value a row; what follows from other rows is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.core import facts as f
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.state import Attempt, Doubt
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Incarnation,
    Json,
    Resource,
    RunId,
    TaskId,
)


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
    pins: bool = False
    judged: f.RunJudged | None = None
    worked_s: float = 0.0
    hedges: int = 0
    hedged_s: float = 0.0
    submitted_at: float | None = None
    """None in rows of versions that did not save it: the clock is that of the fact."""


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
    where: DeviceId | None = None
    hedge: AttemptId | None = None
    hedge_due: float | None = None
    failed: int = 0
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedWarm:
    """A resource that is warm on a device, loading or in use."""

    resource: Resource
    amount: float
    loading: bool = False
    idle_since: float | None = None
    protected_until: float = 0.0
    release_at: float = 0.0
    token: int = 0
    speaker: RunId | None = None


@dataclass(frozen=True, slots=True)
class SavedGap:
    """A gap that is being measured."""

    resource: Resource
    since: float
    awaits: str
    device_class: str = ""


@dataclass(frozen=True, slots=True)
class SavedLoads:
    """What loading a kind took on a device, the oldest first."""

    kind: str
    load_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SavedUtility:
    """Seconds of work with resources of a kind on a device, and of loading them."""

    kind: str
    busy_s: float
    load_s: float


@dataclass(frozen=True, slots=True)
class SavedDevice:
    """A device, with its deadlines and what is warm there."""

    card: DeviceCard
    order: int
    online: bool
    incarnation: Incarnation | None
    seen_at: float
    silent_at: float | None
    lease_until: float | None
    since: float = 0.0
    warm: tuple[SavedWarm, ...] = ()
    gaps: tuple[SavedGap, ...] = ()
    loads: tuple[SavedLoads, ...] = ()
    utility: tuple[SavedUtility, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedSkill:
    """What was learned of a skill's durations."""

    skill: str
    value: float
    weight: float
    here: tuple[tuple[DeviceId, float, float], ...] = ()
    """Seconds by device, as learned before they were ratios: not read any more."""
    ratios: tuple[tuple[DeviceId, float, float], ...] = ()
    lateness: tuple[float, ...] = ()
    """The values of `core.lateness.Lateness`, if anything was learned."""


@dataclass(frozen=True, slots=True)
class SavedGaps:
    """The gaps seen under a key, the oldest first; those in `cut` (by place) were longer."""

    kind: str
    skill: str
    device_class: str
    gap_s: tuple[float, ...]
    cut: tuple[int, ...] = ()
    reuse: tuple[int, ...] = ()
    """Of the kind as a whole: revisions that used a resource again, and all of them."""


@dataclass(frozen=True, slots=True)
class SavedRunTimes:
    """What skills took on a device, in runs that use warm resources, the oldest first."""

    device: DeviceId
    run_s: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class SavedForgotten:
    """A run that was ours; `number` rises."""

    run: RunId
    number: int


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """The plan that was adopted for a run: it may be long, and changes seldom."""

    adopted: f.PlanAdopted


Saved: TypeAlias = (
    SavedCounters
    | SavedRun
    | SavedTask
    | Attempt
    | SavedDevice
    | SavedSkill
    | SavedGaps
    | SavedRunTimes
    | SavedForgotten
    | SavedPlan
)
SAVED: Mapping[str, type[Saved]] = {
    "counters": SavedCounters,
    "device": SavedDevice,
    "skill": SavedSkill,
    "gaps": SavedGaps,
    "run_times": SavedRunTimes,
    "run": SavedRun,
    "task": SavedTask,
    "attempt": Attempt,
    "forgotten": SavedForgotten,
    "plan": SavedPlan,
}
"""Kinds of rows, in the order in which they are restored."""
