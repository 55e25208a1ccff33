"""What a session orders its shell to do, and the rows that must be durable before it is done.

An action list is ordered: whatever follows a row may leave the process only once that row is
durable. Rows are the whole of what outlives a crash; `ledger` stores them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from protocol.codec import Request
from protocol.messages import Heartbeat, Offer, Reply
from protocol.types import AttemptId, Effect, Json, Outcome, Resource, RunId, TaskId


@dataclass(frozen=True, slots=True)
class Work:
    """What a skill's `reconcile` is asked about."""

    task: TaskId
    skill: str
    args: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt: started (no outcome yet) or what it came to. Replaces the row before it."""

    attempt: AttemptId
    run: RunId
    epoch: int
    token: int
    effect: Effect
    outcome: Outcome | None = None
    run_s: float | None = None
    """Seconds from start to finish; None for what never started."""
    closed: bool = False
    """No acknowledgement will come: a tombstone, or the result of a plain A2A client."""
    work: Work | None = None
    """Set where the skill can find out what came of it, while that is open or unknown."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """What is known of a run. Replaces the row before it."""

    run: RunId
    epoch: int
    floor: tuple[int, int] = (-1, -1)
    """(epoch, token) up to which attempts may have been forgotten: none of them starts again."""
    home: str = ""
    """The topic of whoever brought the epoch: its results go there."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove the rows of attempts, of which `run` remembers the floor. Nobody waits for it."""

    attempts: tuple[AttemptId, ...]
    run: RunRow | None = None


@dataclass(frozen=True, slots=True)
class ForgetRun:
    """Remove the row of a run. Nobody waits for it."""

    run: RunId


Row: TypeAlias = AttemptRow | RunRow
Change: TypeAlias = Row | Forget | ForgetRun
"""What a ledger can be told."""


@dataclass(frozen=True, slots=True)
class StartSkill:
    """Run the skill of this offer and tell the session when it has ended."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class ReconcileSkill:
    """Have the skill find out what came of this offer, and tell the session as if it had ended."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class CancelSkill:
    """Make what runs for an attempt stop. It still ends with `Session.finished`."""

    attempt: AttemptId


@dataclass(frozen=True, slots=True)
class Resume:
    """Hand a person's answer to the skill that asked."""

    attempt: AttemptId
    value: Json


@dataclass(frozen=True, slots=True)
class Say:
    """Send a reply. It may get lost: what matters is said again when asked for."""

    reply: Reply
    to: Request
    """The request it answers: where to, and in what form."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Publish a heartbeat. It never waits for a row."""

    heartbeat: Heartbeat
    announces: bool = False
    """The card goes before it."""


@dataclass(frozen=True, slots=True)
class LoadResource:
    """Load it, and tell the session how that went. Loads of one resource never overlap."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class EvictResource:
    """Let go what was loaded, or stop loading it; tell the session when it has left."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class DropArtifacts:
    """Drop what these runs refer to. It may get lost."""

    runs: tuple[RunId, ...]


@dataclass(frozen=True, slots=True)
class FetchAhead:
    """Fetch these artifacts for a run, if nothing speaks against it. It may get lost."""

    run: RunId
    references: tuple[Mapping[str, Json], ...]


Deed: TypeAlias = (
    StartSkill
    | ReconcileSkill
    | CancelSkill
    | Resume
    | Say
    | Beat
    | LoadResource
    | EvictResource
    | DropArtifacts
    | FetchAhead
)
"""What the agent does."""

Action: TypeAlias = Change | Deed
