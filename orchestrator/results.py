"""What a run came to, as the library tells it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.state import Task
from protocol.types import Json, RunId, TaskId


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to: success, or the stated reason."""

    run: RunId
    status: RunStatus
    reason: str
    outputs: Mapping[TaskId, Json] = field(default_factory=dict)
    """Outputs of the tasks that nothing follows, by task."""
    missing: Mapping[TaskId, str] = field(default_factory=dict)
    """Tasks that failed or were cancelled, and why."""

    @property
    def succeeded(self) -> bool:
        """Whether every deliverable is there."""
        return self.status is RunStatus.SUCCEEDED


def collect(
    tasks: Iterable[Task], outputs: dict[TaskId, Json], missing: dict[TaskId, str]
) -> None:
    """Note what the tasks that nothing follows came to, and what failed or was cancelled."""
    for task in tasks:
        if task.state is TaskState.SUCCEEDED and not task.outgoing and task.parent is None:
            outputs[task.spec.id] = task.output
        elif task.state in {TaskState.FAILED, TaskState.CANCELLED}:
            missing[task.spec.id] = task.reason
