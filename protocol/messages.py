"""What the two sides say to each other, as plain values. `codec` turns them into A2A and back.

Delivery is at least once and unordered for every one of them (`transport`): each carries the
identity that makes a repeat harmless, and a receiver drops what is stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from protocol.types import (
    AttemptId,
    DeviceId,
    Effect,
    Incarnation,
    Json,
    Load,
    Outcome,
    PinScope,
    Resource,
    RunId,
    TaskId,
    WarmResource,
)


@dataclass(frozen=True, slots=True)
class PinGrant:
    """A pin lease: the device keeps a warm resource so long by itself, whoever is gone meanwhile.

    Both times count on the device's clock from the end of the resource's use, or from the arrival
    of the grant where nobody uses it. They are no less than 0; `release_s` = 0 lets it go at once.
    A device obeys the newest grant (`token`) of each coordinator, and none of an epoch of `run`
    that is lower than it has seen.
    """

    kind: str
    key: str
    amount: float
    """In the unit of the device's capacity for `kind`; what loading it is expected to take up."""
    scope: PinScope
    run: RunId
    """Who speaks for it, with the epoch that the message names; scope `run`: whose it is."""
    token: int
    protected_s: float
    """Not given up before, whoever asks for its memory; then it is when others need it."""
    release_s: float
    """Given up after that at the latest."""

    @property
    def resource(self) -> Resource:
        """What it keeps."""
        return Resource(self.kind, self.key, self.run if self.scope is PinScope.RUN else None)


@dataclass(frozen=True, slots=True)
class Offer:
    """Ask a device to do one attempt. A repeat with the same `attempt` starts nothing new."""

    attempt: AttemptId
    run: RunId
    task: TaskId
    number: int
    """Which try of the task this is, from 1."""
    epoch: int
    """`run_epoch`: a device refuses a lower one than it has seen for this run."""
    token: int
    """Fencing token; rises with every attempt of the coordinator."""
    ttl_s: float
    """Attempt lease: counts on the device's clock from its own accept."""
    skill: str
    args: Mapping[str, Json]
    effect: Effect
    limit_s: float | None = None
    """The attempt may run so long; the device cancels it after that."""
    pins: tuple[PinGrant, ...] = ()
    """What the attempt needs warm: its skill starts when all of it is."""
    acks: tuple[AttemptId, ...] = ()
    """Results that the coordinator holds durably: the device may forget them."""
    incarnation: Incarnation | None = None
    """Of the device's ledger, as the coordinator knows it: another one takes no such offer."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop an attempt. The device answers with a finished report in every case."""

    attempt: AttemptId
    run: RunId
    epoch: int


@dataclass(frozen=True, slots=True)
class Query:
    """Ask for the present state of an attempt (A2A `GetTask`)."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer to an attempt that asked for input. A repeat has the same `question`."""

    attempt: AttemptId
    run: RunId
    epoch: int
    value: Json
    question: int = 0
    """The number of the question that it answers; 0: the one that is open, whichever it is."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Extend attempt leases by `ttl_s` from arrival; acknowledge results; change pin leases."""

    epochs: Mapping[RunId, int]
    attempts: tuple[AttemptId, ...]
    ttl_s: float
    acks: tuple[AttemptId, ...] = ()
    pins: tuple[PinGrant, ...] = ()


@dataclass(frozen=True, slots=True)
class Hello:
    """Reconcile: the coordinator says who it is; the device answers with `Held`.

    From now on the device sends what belongs to the runs in `epochs` to this message's reply
    address. `acks` as in `Offer`.
    """

    coordinator: str
    epochs: Mapping[RunId, int]
    acks: tuple[AttemptId, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Write a tombstone for attempts the coordinator gave up, so they can never start later.

    The device answers each with a finished report: `Rejected` when it never started, else what
    it came to.
    """

    attempts: Mapping[AttemptId, RunId]
    epochs: Mapping[RunId, int]


@dataclass(frozen=True, slots=True)
class Drain:
    """Finish what is held and take no more (`on`), or take work again."""

    on: bool


@dataclass(frozen=True, slots=True)
class Release:
    """These runs are forgotten: drop what was kept for them (artifacts).

    It may get lost: what nobody releases goes when it has not been used for long.
    """

    runs: tuple[RunId, ...]


@dataclass(frozen=True, slots=True)
class Prefetch:
    """A hint: a task of the run is meant to read these artifacts here.

    It may get lost, or be wrong, and nobody answers it: it only changes when something is fetched.
    """

    run: RunId
    epoch: int
    skill: str
    """The task's: who may not have it run here may not have anything fetched for it either."""
    references: tuple[Mapping[str, Json], ...]
    """References to artifacts, as they stand in arguments."""


Order: TypeAlias = (
    Offer | Cancel | Query | Answer | Renew | Hello | Refuse | Drain | Release | Prefetch
)
"""Coordinator to device."""


class Phase(StrEnum):
    """How far an attempt has come on its device."""

    ACCEPTED = "accepted"
    STARTED = "started"
    INPUT_REQUIRED = "input_required"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Report:
    """A device speaks of one attempt. `outcome` is set exactly when `phase` is FINISHED."""

    attempt: AttemptId
    phase: Phase
    run: RunId | None = None
    incarnation: Incarnation | None = None
    """None from a plain A2A agent."""
    outcome: Outcome | None = None
    run_s: float | None = None
    """Seconds from start to finish on the device's clock, but for the wait for artifacts."""
    progress: float | None = None
    """0 to 1; on STARTED only."""
    note: str = ""
    """A line for people: what it is doing, or the question it asks."""
    warm: tuple[WarmResource, ...] = ()
    """On FINISHED: those of the offer's needs that the device holds warm now."""
    fetched_bytes: int = 0
    """On FINISHED: what it fetched from other devices, in `fetch_s` seconds; may be left out."""
    fetch_s: float = 0.0
    question: int = 0
    """On INPUT_REQUIRED: the number of the question within its attempt, from 1; 0: not told."""


@dataclass(frozen=True, slots=True)
class Held:
    """A device's answer to `Hello`: every attempt its ledger holds for the named runs.

    Finished, unacknowledged results follow as reports of their own.
    """

    device: DeviceId
    incarnation: Incarnation
    attempts: Mapping[AttemptId, Phase]
    load: Load = field(default_factory=Load)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Every 2 s and on change, at most once: `alive` with what is held; renews leases."""

    device: DeviceId
    incarnation: Incarnation
    load: Load
    attempts: tuple[AttemptId, ...] = ()
    connected: bool = False
    """True until a hello comes on this connection: asks coordinators to say `Hello`."""
    asking: Mapping[AttemptId, int] = field(default_factory=dict)
    """The numbers of the questions that were open at the heartbeat before, too, and still are."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A request came to nothing before it reached a skill (a JSON-RPC error)."""

    request_id: str
    """The attempt's id where the request was an offer."""
    code: int
    name: str
    """The A2A error name from `error.data.a2a_error`, or empty."""
    detail: str
    epoch: int | None = None
    """Where the order's epoch was too low: the highest one that the device has seen."""


Reply: TypeAlias = Report | Held | Refused
"""Device to coordinator, on the coordinator's reply topic."""
