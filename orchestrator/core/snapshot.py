"""Frozen views of a run: what planners, people and pages see."""

from dataclasses import dataclass

from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.state import Run, State, Task
from protocol.types import DeviceCard, DeviceId, Json, Load, RunId, TaskId


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """One task as it is now."""

    spec: TaskSpec
    state: TaskState
    reason: str
    output: Json
    dependencies: tuple[Dependency, ...] = ()
    """What it waits for, or waited for."""
    device: DeviceId | None = None
    """Where its live attempt is."""
    attempts: int = 0
    parent: TaskId | None = None


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """One run as it is now; tasks in order of creation."""

    run: RunId
    request: str
    revision: int
    status: RunStatus
    tasks: tuple[TaskSnapshot, ...]
    reason: str = ""
    owner: str = ""
    paused: bool = False
    wall: float = 0.0
    """When it was submitted, seconds since the epoch."""

    @property
    def outputs(self) -> dict[TaskId, Json]:
        """What the tasks that nothing follows came to."""
        followed = {edge.predecessor for task in self.tasks for edge in task.dependencies}
        return {
            task.spec.id: task.output
            for task in self.tasks
            if task.spec.id not in followed
            and task.parent is None
            and task.state is TaskState.SUCCEEDED
        }

    @property
    def missing(self) -> dict[TaskId, str]:
        """What failed, was cancelled or skipped for it, and why."""
        wanted = {TaskState.FAILED, TaskState.CANCELLED}
        return {task.spec.id: task.reason for task in self.tasks if task.state in wanted}


@dataclass(frozen=True, slots=True)
class DeviceSnapshot:
    """One device as it is now."""

    card: DeviceCard
    online: bool
    load: Load
    attempts: tuple[tuple[RunId, TaskId], ...] = ()
    """What it is charged with, lapsed attempts included."""


def fleet(state: State) -> tuple[DeviceSnapshot, ...]:
    """Freeze the known devices, in order of arrival."""
    return tuple(
        DeviceSnapshot(
            device.card,
            device.online,
            device.load,
            tuple((attempt.run, attempt.task) for attempt in device.attempts.values()),
        )
        for device in state.devices.values()
    )


def snapshot(run: Run, state: State) -> RunSnapshot:
    """Freeze a run. O(its tasks)."""
    return _frozen(run, tuple(task_snapshot(task, state) for task in run.tasks.values()))


def heads(state: State) -> tuple[RunSnapshot, ...]:
    """Freeze every run but for its tasks, oldest first. O(runs)."""
    return tuple(_frozen(run, ()) for run in state.runs.values())


def _frozen(run: Run, tasks: tuple[TaskSnapshot, ...]) -> RunSnapshot:
    return RunSnapshot(
        run.id,
        run.submitted.request,
        run.revision,
        run.status,
        tasks,
        run.reason,
        run.submitted.owner,
        run.paused,
        run.submitted.wall,
    )


def task_snapshot(task: Task, state: State) -> TaskSnapshot:
    """Freeze one task."""
    device = state.attempts[task.live].device if task.live is not None else None
    return TaskSnapshot(
        task.spec,
        task.state,
        task.reason,
        task.output,
        task.incoming,
        device,
        task.attempts,
        task.parent,
    )
