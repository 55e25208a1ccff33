"""What each of the coordinator's skills takes. Unknown names are errors."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveFloat, model_validator

from orchestrator.core.edits import (
    AddDependency,
    AddTask,
    CancelTask,
    Edit,
    EditBatch,
    RemoveDependency,
    RemoveTask,
    ReplaceTask,
    SetArgs,
)
from orchestrator.core.model import Dependency, TaskSpec
from protocol.types import Json, TaskId

MAX_WAIT_S = 20.0  # below the 30 s after which an A2A client takes a stream for dead
MOST_PRIORITY = 1_000_000  # exact in every language's JSON
Start: TypeAlias = Annotated[int, Field(ge=0, description="Where the page starts.")]


class Arguments(BaseModel):
    """The arguments of one skill."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EditPart(Arguments):
    """One edit: exactly one of these."""

    add_task: TaskSpec | None = None
    remove_task: TaskId | None = None
    replace_task: TaskSpec | None = None
    set_args: SetArgs | None = None
    add_dependency: Dependency | None = None
    remove_dependency: RemoveDependency | None = None
    cancel: TaskId | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self._said()) != 1:
            raise ValueError(f"an edit is exactly one of {', '.join(_EDITS)}")
        return self

    def _said(self) -> list[str]:
        return [name for name in _EDITS if getattr(self, name) is not None]

    def edit(self) -> Edit:
        """Return it as the engine takes it."""
        (name,) = self._said()
        return _EDITS[name](getattr(self, name))


def _same(edit: Edit) -> Edit:
    return edit


_EDITS: Mapping[str, Callable[[Any], Edit]] = {
    "add_task": AddTask,
    "remove_task": RemoveTask,
    "replace_task": ReplaceTask,
    "set_args": _same,
    "add_dependency": AddDependency,
    "remove_dependency": _same,
    "cancel": CancelTask,
}


class BatchPart(Arguments):
    """Edits that are accepted together or not at all."""

    base_revision: int | None = Field(None, ge=0, description="Left out: the present one.")
    edits: tuple[EditPart, ...] = Field(min_length=1)
    reads: tuple[TaskId, ...] = ()

    def batch(self, revision: int) -> EditBatch:
        """Return it as the engine takes it; `revision` is the present one."""
        base = revision if self.base_revision is None else self.base_revision
        return EditBatch(base, tuple(part.edit() for part in self.edits), self.reads)


def _not_blank(request: str) -> str:
    if not request.strip():
        raise ValueError("it is blank: say in words what is to be done")
    return request


class Submit(Arguments):
    """A request, and how it is to be run."""

    request: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_not_blank)]
    parameters: dict[str, Json] = Field(default_factory=dict)
    plan: BatchPart | None = None
    key: str | None = Field(None, description="The caller's own: a repeat makes no second run.")
    owner: str = ""
    priority: int = Field(0, ge=-MOST_PRIORITY, le=MOST_PRIORITY)
    deadline_s: PositiveFloat | None = None
    deliverables: tuple[str, ...] = Field(
        (), description="What must come of it: tasks, files or members of an output, by name."
    )


class OfRun(Arguments):
    """A run, by its id or a beginning of it that no other run has."""

    run: str = Field(min_length=1)


class Show(OfRun):
    """A run; its tasks page by page, or one of them."""

    task: TaskId | None = None
    start: Start = 0


class Listing(Arguments):
    """A page of a list."""

    start: Start = 0


class Events(OfRun):
    """What happened in a run after an offset; waits for something if there is nothing yet."""

    after: int = Field(0, ge=0)
    wait_s: float = Field(0.0, ge=0, le=MAX_WAIT_S)


class OfTask(OfRun):
    """A task of a run."""

    task: TaskId


class Story(OfTask):
    """What happened to a task after an offset."""

    after: int = Field(0, ge=0)


class Cancel(OfRun):
    """The whole run, or one task of it."""

    task: TaskId | None = None
    why: str = "cancelled by its owner"
    by: str = ""


class EditRun(OfRun):
    """A change of a run's graph."""

    batch: BatchPart
    by: str = ""


class AnswerTask(OfTask):
    """A person's answer to the question of a task."""

    value: Json
    question: str | None = Field(None, description="The one that was read; left out: any.")
    by: str = ""


class Settle(OfTask):
    """What the lost outcome of a `once` task was: its output, or why it failed."""

    outcome: Literal["succeeded", "failed"]
    value: Json = None
    by: str = ""
