"""What happened to runs, plans and the coordinator itself."""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.edits import Edit, Reason
from orchestrator.core.model import RunLimits
from protocol.types import (
    DeviceId,
    Json,
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
    deliverables: tuple[str, ...] = ()
    """What must come of it, where that is stated: tasks, files or members of an output."""


class Why(StrEnum):
    """Why a revision is asked for, where no attempt has failed (`FailureKind` names those)."""

    REJECTED = "rejected"
    """No device would take the task."""
    NO_DEVICE = "no_device"
    """None that could take it is known, or became free in time."""
    UNKNOWN = "unknown"
    """It may or may not have happened."""
    NO_ANSWER = "no_answer"
    """A person was asked, and did not answer."""
    ITEMS = "items"
    """Too few of its items succeeded."""
    INFORMATION = "information"
    """It succeeded, and its result is not what the plan expects (`TaskSpec.expect`)."""
    PERSON = "person"
    """A person says that it failed."""


REST = "the rest of its plan"
"""The cause of a `PlanAsked` that awaits it: the run does not end before, nor is anybody asked."""


@dataclass(frozen=True, slots=True)
class PlanAsked:
    """The planner was asked: for a first plan, or (with `task`) to mend a failure."""

    run: RunId
    ask: str
    task: TaskId | None
    cause: str
    due: float
    kind: str = ""
    """Of a revision: a `FailureKind` or a `Why`; empty in what older releases wrote."""


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
    """Tasks of the run are placed again; their queue limits count anew from `at`."""

    run: RunId
    at: float = 0.0


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


@dataclass(frozen=True, slots=True)
class PlanAdopted:
    """A better plan was found for what has not started: it is gone on with, if nothing changes."""

    run: RunId
    revision: int
    order: tuple[TaskId, ...]
    devices: tuple[DeviceId, ...]
    """Where each of them goes."""


@dataclass(frozen=True, slots=True)
class RunJudged:
    """Somebody, such as a model, says how well an ended run did what was asked: words only."""

    run: RunId
    score: float
    """0 (not at all) to 1."""
    reasons: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class RunForgotten:
    """An ended run is kept no longer, nor its key; that it was there is known, a while.

    `instead_of` is the earlier one of which that is no longer known.
    """

    run: RunId
    instead_of: RunId | None = None


@dataclass(frozen=True, slots=True)
class RunSuperseded:
    """Another coordinator owns the run, `device` says, with `epoch`: it ends, *here* alone.

    Nothing of it is ordered or acknowledged from now on, and the owner's run goes on.
    """

    run: RunId
    epoch: int
    device: DeviceId
