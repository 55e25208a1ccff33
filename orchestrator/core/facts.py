"""Facts: what has happened, in the past tense. The journal is their sequence; state is their fold.

A fact holds whatever folding it needs, so that folding never decides: times are elapsed seconds
of the life of the coordinator that wrote it (`CoordinatorStarted` re-bases them). `VOLATILE` facts
change only what a restart forgets, and are not journaled.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from orchestrator.core.edits import Edit, Reason
from orchestrator.core.model import RunLimits, TaskSpec
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Effect,
    FailureKind,
    Incarnation,
    Json,
    Load,
    RunId,
    TaskId,
)


class RunStatus(StrEnum):
    """Where a run stands; the last three are final."""

    PLANNING = "planning"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Awaiting(StrEnum):
    """What a recovering task waits for."""

    BACKOFF = "backoff"
    PLANNER = "planner"


# Runs


@dataclass(frozen=True, slots=True)
class CoordinatorStarted:
    """A coordinator took over every unfinished run: epochs rise, times shift by `shift_s`."""

    wall: float
    at: float
    shift_s: float


@dataclass(frozen=True, slots=True)
class RunSubmitted:
    """A request was taken; `key` is the submitter's own and makes a repeat harmless."""

    run: RunId
    key: str
    request: str
    owner: str
    priority: int
    limits: RunLimits
    parameters: Json
    seed: int
    wall: float
    at: float


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """The planner was asked: for a first plan, or (with `task`) to mend a failure."""

    run: RunId
    ask: str
    task: TaskId | None
    cause: str
    due: float


@dataclass(frozen=True, slots=True)
class PlanAnswered:
    """The planner answered or failed (`detail` says how); what it changed follows as edits."""

    run: RunId
    ask: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class EditAccepted:
    """The graph changed; `revision` is the new one."""

    run: RunId
    revision: int
    by: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class EditRefused:
    """A batch was refused whole and changed nothing."""

    run: RunId
    by: str
    base_revision: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class RunPaused:
    """No further task of the run is placed until it is resumed."""

    run: RunId


@dataclass(frozen=True, slots=True)
class RunResumed:
    """Tasks of the run are placed again."""

    run: RunId


@dataclass(frozen=True, slots=True)
class RunCancelRequested:
    """Everything unfinished in the run is being cancelled; `failed` if nobody wanted that."""

    run: RunId
    why: str
    failed: bool


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is final: success, or the stated reason."""

    run: RunId
    status: RunStatus
    reason: str
    at: float


# Tasks


@dataclass(frozen=True, slots=True)
class TasksReady:
    """Their conditions hold; each may be placed until `at` plus its queue limit."""

    run: RunId
    tasks: tuple[TaskId, ...]
    at: float


@dataclass(frozen=True, slots=True)
class TasksSkipped:
    """A condition cannot hold any more; `failed`: upstream failed, else a branch not taken."""

    run: RunId
    tasks: tuple[TaskId, ...]
    reason: str
    failed: bool


@dataclass(frozen=True, slots=True)
class TaskExpanded:
    """A `for_each` task became `children`, item by item, and now waits to join them."""

    run: RunId
    task: TaskId
    children: tuple[TaskSpec, ...]
    items: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class TaskJoined:
    """All children of an expanded task are final and enough succeeded."""

    run: RunId
    task: TaskId
    output: Json


@dataclass(frozen=True, slots=True)
class TaskRecovering:
    """The task will be tried again, from `due` on or when the planner has answered."""

    run: RunId
    task: TaskId
    awaiting: Awaiting
    due: float
    exclude: DeviceId | None
    charged: bool
    """Whether the try that ended counts against the task's limit."""
    why: str


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The ladder is spent."""

    run: RunId
    task: TaskId
    reason: str


@dataclass(frozen=True, slots=True)
class TaskCancelling:
    """Its device was told to stop; the slot stays charged until the device says so."""

    run: RunId
    task: TaskId
    at: float
    due: float
    why: str


@dataclass(frozen=True, slots=True)
class TaskCancelled:
    """It will not run (again)."""

    run: RunId
    task: TaskId
    reason: str


@dataclass(frozen=True, slots=True)
class TaskUnknown:
    """A `once` effect may or may not have happened; awaited until `due`."""

    run: RunId
    task: TaskId
    due: float
    detail: str


@dataclass(frozen=True, slots=True)
class InputRequested:
    """The attempt asked a person and waits until `due`."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    question: str
    due: float


@dataclass(frozen=True, slots=True)
class InputAnswered:
    """A person answered; the attempt goes on, until `due`."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    answer: Json
    by: str
    due: float


# Attempts


@dataclass(frozen=True, slots=True)
class TaskPlaced:
    """A device was chosen and the attempt offered; an answer is due by `due`."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    number: int
    device: DeviceId
    token: int
    effect: Effect
    estimate_s: float
    at: float
    due: float


@dataclass(frozen=True, slots=True)
class AttemptAccepted:
    """The device took the attempt and will start it by `due`."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    due: float


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """The skill runs; it must end by `due`."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    at: float
    due: float


@dataclass(frozen=True, slots=True)
class AttemptSucceeded:
    """The attempt and with it the task succeeded; `run_s` was measured on the device."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    output: Json
    run_s: float | None


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The attempt ended without success; what becomes of the task follows."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    kind: FailureKind
    detail: str


@dataclass(frozen=True, slots=True)
class AttemptRejected:
    """The device would not take it, and says that it never started."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    reason: str


@dataclass(frozen=True, slots=True)
class AttemptCancelled:
    """The device says that it stopped."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    detail: str


@dataclass(frozen=True, slots=True)
class AttemptUnknown:
    """The device itself cannot say whether the effect happened."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    detail: str


@dataclass(frozen=True, slots=True)
class AttemptLapsed:
    """Its lease is over and the device silent: not live, yet charged until the device speaks."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    reason: str


@dataclass(frozen=True, slots=True)
class AttemptLost:
    """The incarnation that held it is gone, or denies it: not live and not charged."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    reason: str


# Devices


@dataclass(frozen=True, slots=True)
class DeviceJoined:
    """A device announced itself, for the first time or with another card."""

    card: DeviceCard


@dataclass(frozen=True, slots=True)
class DeviceOnline:
    """A device is there; a changed incarnation voids what the former one held."""

    device: DeviceId
    incarnation: Incarnation | None
    at: float


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device fell silent or said it goes; its leases run out at `due`."""

    device: DeviceId
    reason: str
    due: float


@dataclass(frozen=True, slots=True)
class DeviceLeft:
    """Its owner unregistered the device."""

    device: DeviceId


@dataclass(frozen=True, slots=True)
class LoadSeen:
    """A heartbeat: alive, and this busy; lost if nothing more comes by `due`."""

    device: DeviceId
    load: Load
    at: float
    due: float


@dataclass(frozen=True, slots=True)
class DeadlineMoved:
    """Nothing happened by a deadline that was only a reminder: the next one is at `due`."""

    key: tuple[str, ...]
    due: float


Fact: TypeAlias = (
    CoordinatorStarted
    | RunSubmitted
    | PlanAsked
    | PlanAnswered
    | EditAccepted
    | EditRefused
    | RunPaused
    | RunResumed
    | RunCancelRequested
    | RunEnded
    | TasksReady
    | TasksSkipped
    | TaskExpanded
    | TaskJoined
    | TaskRecovering
    | TaskFailed
    | TaskCancelling
    | TaskCancelled
    | TaskUnknown
    | InputRequested
    | InputAnswered
    | TaskPlaced
    | AttemptAccepted
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptRejected
    | AttemptCancelled
    | AttemptUnknown
    | AttemptLapsed
    | AttemptLost
    | DeviceJoined
    | DeviceOnline
    | DeviceLost
    | DeviceLeft
    | LoadSeen
    | DeadlineMoved
)

VOLATILE: frozenset[type[Fact]] = frozenset({LoadSeen, DeadlineMoved})
"""Facts about the present only: applied, never journaled, forgotten by a restart."""
