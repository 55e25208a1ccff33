"""Commands: orders of the engine to its shell, carried out once their facts are durable.

Each is safe to carry out again and safe to lose: what matters is asked for again when its deadline
passes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from protocol.types import AttemptId, DeviceId, Effect, Incarnation, Json, Resource, RunId, TaskId


@dataclass(frozen=True, slots=True)
class Pin:
    """The lease of a warm resource (`protocol.messages.PinGrant`): durations in seconds."""

    resource: Resource
    amount: float
    run: RunId
    """Whose epoch speaks for it."""
    epoch: int
    token: int
    protected_s: float
    release_s: float


@dataclass(frozen=True, slots=True)
class GrantPins:
    """Change the leases of resources on a device, in this order."""

    device: DeviceId
    pins: tuple[Pin, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """Offer an attempt to a device (`protocol.messages.Offer`); arguments are resolved."""

    device: DeviceId
    attempt: AttemptId
    run: RunId
    task: TaskId
    number: int
    epoch: int
    token: int
    ttl_s: float
    skill: str
    args: Mapping[str, Json]
    effect: Effect
    limit_s: float
    incarnation: Incarnation | None = None
    """Of the device, as far as it is known: another one takes no such offer."""
    pins: tuple[Pin, ...] = ()
    """What the attempt needs warm."""


@dataclass(frozen=True, slots=True)
class CancelAttempt:
    """Tell the device to stop an attempt."""

    device: DeviceId
    attempt: AttemptId
    run: RunId
    epoch: int


@dataclass(frozen=True, slots=True)
class QueryAttempt:
    """Ask the device what became of an attempt: its reports answer."""

    device: DeviceId
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class RefuseAttempts:
    """Have the device write tombstones for attempts that were given up."""

    device: DeviceId
    attempts: Mapping[AttemptId, RunId]
    epochs: Mapping[RunId, int]


@dataclass(frozen=True, slots=True)
class RenewLeases:
    """Extend the leases of these attempts by `ttl_s`."""

    device: DeviceId
    attempts: tuple[AttemptId, ...]
    epochs: Mapping[RunId, int]
    ttl_s: float


@dataclass(frozen=True, slots=True)
class SayHello:
    """Ask the device what it holds for these runs."""

    device: DeviceId
    epochs: Mapping[RunId, int]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The result is durable here, or nobody wants it: the device may forget it.

    With the run's epoch, so that a coordinator that has been replaced cannot say so.
    """

    device: DeviceId
    attempt: AttemptId
    run: RunId | None = None
    """None where the run is forgotten."""
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class AnswerAttempt:
    """Hand a person's answer to the attempt that asked."""

    device: DeviceId
    attempt: AttemptId
    run: RunId
    epoch: int
    value: Json
    question: int = 0
    """The number of the question that it answers; 0: the device gave none."""


@dataclass(frozen=True, slots=True)
class ReleaseRun:
    """The run is forgotten: the device may drop the artifacts kept for it."""

    device: DeviceId
    run: RunId


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Hint that a task of the run is meant to read these artifacts on the device: best effort."""

    device: DeviceId
    run: RunId
    epoch: int
    skill: str
    """The task's."""
    references: tuple[Mapping[str, Json], ...]


@dataclass(frozen=True, slots=True)
class AskPlanner:
    """Ask for a plan (`task` is None), or to mend the failure of `task`, within `limit_s`."""

    run: RunId
    ask: str
    task: TaskId | None
    cause: str
    limit_s: float
    kind: str = ""
    """See `facts.PlanAsked`."""


@dataclass(frozen=True, slots=True)
class ImprovePlan:
    """Look for a better plan: `PlanImproved` answers, or nothing does."""

    problem: object
    """A `scheduling.improvement.Problem`: plain arrays, which nothing here reads."""


Command: TypeAlias = (
    Offer
    | GrantPins
    | CancelAttempt
    | QueryAttempt
    | RefuseAttempts
    | RenewLeases
    | SayHello
    | Acknowledge
    | AnswerAttempt
    | ReleaseRun
    | Prefetch
    | AskPlanner
    | ImprovePlan
)
