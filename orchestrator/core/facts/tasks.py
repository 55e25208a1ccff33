"""What happened to tasks between their attempts."""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.model import TaskSpec
from protocol.types import (
    AttemptId,
    DeviceId,
    Incarnation,
    Json,
    RunId,
    TaskId,
)


class Awaiting(StrEnum):
    """What a recovering task waits for."""

    BACKOFF = "backoff"
    PLANNER = "planner"
    REVIEW = "review"
    """The planner, though its result is there: nobody expected that."""
    REVIEW_ONCE = "review_once"
    """As `REVIEW`, of a `once` task: it took effect, and is not done again (I13)."""


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
    kept: tuple[TaskId, ...] = ()
    """Those of a former expansion that did the same and succeeded: their results stay (I7)."""


@dataclass(frozen=True, slots=True)
class TaskJoined:
    """All children of an expanded task are final and enough succeeded."""

    run: RunId
    task: TaskId
    output: Json
    held: bool = False
    """See `AttemptSucceeded`."""


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
    barred: bool = False
    """Whether `exclude` is for good; else it yields where no other device is there."""
    readmits: bool = False
    """Whether all exclusions end: those for good only if `barred` is set too."""


@dataclass(frozen=True, slots=True)
class DeviceExcluded:
    """An attempt failed beside another one of its task, which goes on: none will go there again.

    Nothing is charged. See `TaskRecovering`, which excludes where no attempt goes on.
    """

    run: RunId
    task: TaskId
    device: DeviceId
    why: str
    barred: bool = False


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
    """A `once` effect may or may not have happened; awaited until `due`.

    Only the incarnation of the device that held the attempt can be asked about it.
    """

    run: RunId
    task: TaskId
    due: float
    detail: str
    attempt: AttemptId | None = None
    device: DeviceId | None = None
    incarnation: Incarnation | None = None


@dataclass(frozen=True, slots=True)
class TaskSettled:
    """Somebody, or the device that was asked, says that an unknown outcome was a success.

    Or the planner has looked at a result that nobody expected, and it stands.
    """

    run: RunId
    task: TaskId
    output: Json
    by: str
    held: bool = False
    """See `AttemptSucceeded`."""


@dataclass(frozen=True, slots=True)
class InputRequested:
    """The attempt asked a person and waits until `due`; a newer question replaces an open one."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    question: str
    due: float
    number: int = 0
    """Of the question within its attempt, from 1; 0 where the device gives none."""


@dataclass(frozen=True, slots=True)
class InputAnswered:
    """A person answered; the attempt goes on, until `due`."""

    run: RunId
    task: TaskId
    attempt: AttemptId
    answer: Json
    by: str
    due: float
