"""Edits: how a plan is made and changed. A batch is atomic and names the revision it saw.

Revisions count accepted batches of a run from 0 and not progress. A batch made from an older
revision is still accepted if nothing that it reads or writes was edited since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from orchestrator.core.model import Dependency, TaskSpec
from protocol.types import Json, TaskId


@dataclass(frozen=True, slots=True)
class AddTask:
    """Add a task; `$from` references in its arguments become dependencies on success."""

    task: TaskSpec


@dataclass(frozen=True, slots=True)
class RemoveTask:
    """Remove a task that has not started, and its dependencies."""

    task: TaskId


@dataclass(frozen=True, slots=True)
class ReplaceTask:
    """Put another task in the place of one that has not started, dependencies kept.

    A task that waits for the planner after a failure starts afresh: tries and exclusions gone.
    """

    task: TaskSpec


@dataclass(frozen=True, slots=True)
class SetArgs:
    """Give a task that has not started other arguments."""

    task: TaskId
    args: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AddDependency:
    """Add or replace the dependency between two tasks; the successor has not started."""

    dependency: Dependency


@dataclass(frozen=True, slots=True)
class RemoveDependency:
    """Remove a dependency; refused while the successor's arguments refer to the predecessor."""

    predecessor: TaskId
    successor: TaskId


@dataclass(frozen=True, slots=True)
class CancelTask:
    """Cancel a task in any state that is not final; its descendants are skipped."""

    task: TaskId


Edit: TypeAlias = (
    AddTask | RemoveTask | ReplaceTask | SetArgs | AddDependency | RemoveDependency | CancelTask
)


@dataclass(frozen=True, slots=True)
class EditBatch:
    """Edits that are accepted together or not at all.

    `reads` are the tasks the author looked at beyond those it writes.
    """

    base_revision: int
    edits: tuple[Edit, ...]
    reads: tuple[TaskId, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a batch was refused: the rule, the place and a way to mend it."""

    rule: str
    """One of `unknown_task`, `duplicate_task`, `cycle`, `started`, `stale`, `reference`,
    `dependency`, `final`, `empty`, `future`, `resource`, or a rule of `planner.checks`."""
    task: TaskId | None
    detail: str
