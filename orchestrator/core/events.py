"""Events: what reaches the engine from outside. Each is valid by itself; the engine judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias

from orchestrator.core.edits import EditBatch
from orchestrator.core.model import DEFAULT_RUN_LIMITS, RunLimits
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Incarnation,
    Json,
    Load,
    Outcome,
    RunId,
    TaskId,
    WarmResource,
)


@dataclass(frozen=True, slots=True)
class Start:
    """This coordinator begins; `last` is the newest time journaled, None at first."""

    last_wall: float | None
    last_elapsed: float | None


@dataclass(frozen=True, slots=True)
class Connected:
    """The coordinator's connection stands (again): whatever was said meanwhile is lost."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Take a request, with `plan` if it is planned already; a known `key` changes nothing."""

    run: RunId
    key: str
    request: str
    owner: str = ""
    priority: int = 0
    """Higher goes first."""
    limits: RunLimits = DEFAULT_RUN_LIMITS
    parameters: Json = None
    seed: int = 0
    plan: EditBatch | None = None
    more: bool = False
    """Whether the rest of the plan follows, as `PlanProposed` with the ask `rest_of(run)`."""
    deliverables: tuple[str, ...] = ()
    """What must come of it: see `RunSubmitted`."""


@dataclass(frozen=True, slots=True)
class PlanProposed:
    """The planner's answer to an ask."""

    run: RunId
    ask: str
    batch: EditBatch
    more: bool = False
    """Whether it is a part of a submitted plan; the rest follows within `RunLimits.plan_s`."""


@dataclass(frozen=True, slots=True)
class PlanFailed:
    """The planner has no answer to an ask."""

    run: RunId
    ask: str
    detail: str


@dataclass(frozen=True, slots=True)
class EditRequested:
    """A person or program edits a run."""

    run: RunId
    by: str
    batch: EditBatch


@dataclass(frozen=True, slots=True)
class CancelRun:
    """Stop everything unfinished in the run."""

    run: RunId
    why: str


@dataclass(frozen=True, slots=True)
class PauseRun:
    """Place no further task of the run; what runs goes on."""

    run: RunId


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Place tasks of the run again."""

    run: RunId


@dataclass(frozen=True, slots=True)
class AnswerInput:
    """A person answers the question of a task."""

    run: RunId
    task: TaskId
    value: Json
    by: str


@dataclass(frozen=True, slots=True)
class SettleUnknown:
    """A person, planner or reconcile says what a lost `once` attempt came to."""

    run: RunId
    task: TaskId
    outcome: Outcome
    by: str


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """Somebody says how well an ended run did; it changes nothing but what people are told."""

    run: RunId
    score: float
    reasons: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Announced:
    """A device's card was seen; `online` is advisory."""

    card: DeviceCard
    online: bool


@dataclass(frozen=True, slots=True)
class Unregistered:
    """A device's card was cleared."""

    device: DeviceId


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat; `connected` marks the first after the device (re)connected."""

    device: DeviceId
    incarnation: Incarnation
    load: Load
    attempts: tuple[AttemptId, ...]
    connected: bool
    asking: Mapping[AttemptId, int] = field(default_factory=dict)
    """The questions that have been open for a while, by number."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A device's answer to hello: every attempt it holds, True for started ones."""

    device: DeviceId
    incarnation: Incarnation
    held: Mapping[AttemptId, bool]
    asked_at: float = inf
    """When the hello was said, elapsed: the answer tells nothing of what began since."""
    warm: tuple[WarmResource, ...] = ()
    """All that it holds warm."""


@dataclass(frozen=True, slots=True)
class AttemptReported:
    """A device speaks of an attempt that goes on: it has started it, or (False) accepted it."""

    device: DeviceId
    attempt: AttemptId
    started: bool


@dataclass(frozen=True, slots=True)
class AttemptAsked:
    """An attempt asks a person."""

    device: DeviceId
    attempt: AttemptId
    question: str
    number: int = 0
    """Of the question within its attempt, from 1; 0 where the device gives none."""


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    """A device says what an attempt came to."""

    device: DeviceId
    attempt: AttemptId
    outcome: Outcome
    run_s: float | None
    run: RunId | None = None
    """The run it is of, as the device says: its word for an attempt that is not known here."""
    incarnation: Incarnation | None = None
    """The life that says so; None from a plain agent."""
    warm: tuple[WarmResource, ...] = ()
    """Those of the attempt's needs that the device holds warm now."""
    fetched_bytes: int = 0
    """What it fetched from other devices, in `fetch_s` seconds, as far as the device says."""
    fetch_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AttemptMissing:
    """A device was asked about an attempt, or told to stop it, and does not know it."""

    device: DeviceId
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class AttemptUnstoppable:
    """A device was told to stop an attempt that is over there: its result was lost."""

    device: DeviceId
    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Superseded:
    """A device refused an order about an attempt: it has seen `epoch` of the attempt's run."""

    device: DeviceId
    attempt: AttemptId
    epoch: int


@dataclass(frozen=True, slots=True)
class PlanImproved:
    """A search came to its end: the answer to the problem of an `ImprovePlan`."""

    number: int
    order: tuple[int, ...]
    """All tasks of the problem, as they are to start."""
    device: tuple[int, ...]
    """By task."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The next deadline has come."""


Event: TypeAlias = (
    Start
    | Connected
    | Submit
    | PlanProposed
    | PlanFailed
    | EditRequested
    | CancelRun
    | PauseRun
    | ResumeRun
    | AnswerInput
    | SettleUnknown
    | VerdictGiven
    | Announced
    | Unregistered
    | Beat
    | Reconciled
    | AttemptReported
    | AttemptAsked
    | AttemptFinished
    | AttemptMissing
    | AttemptUnstoppable
    | Superseded
    | PlanImproved
    | TimePassed
)
