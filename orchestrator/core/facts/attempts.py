"""What happened to attempts; `TaskPlaced` makes one."""

from dataclasses import dataclass

from protocol.types import (
    AttemptId,
    DeviceId,
    Effect,
    FailureKind,
    Json,
    RunId,
    TaskId,
)


@dataclass(frozen=True, slots=True)
class Hedge:
    """Why a task got a second attempt beside one that is late."""

    beside: AttemptId
    age_s: float
    """How long that one had worked, its inputs being there as expected."""
    times: float
    """That in its estimates."""


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
    hedge: Hedge | None = None
    """Set if it runs beside a live attempt; the first result wins."""


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
    held: bool = False
    """The task has this result, and does not succeed before the planner has looked at it."""


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
class AttemptOutrun:
    """Another attempt of the task was first: not live, charged until its device says it stopped.

    It would have run longer than `ran_s` (None: it had not started): a censored duration.
    """

    run: RunId
    task: TaskId
    attempt: AttemptId
    hedge: bool
    """Whether it was the hedge; else a hedge was first."""
    ran_s: float | None


@dataclass(frozen=True, slots=True)
class AttemptLost:
    """The incarnation that held it is gone, or denies it: not live and not charged."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    reason: str
