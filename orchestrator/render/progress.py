"""A run while it goes on: its tasks with state, device and seconds, kept from its events."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from rich.table import Table

from orchestrator.core import facts as f
from orchestrator.core.facts import Fact
from orchestrator.core.lifecycle import FINAL, TaskState
from orchestrator.render.story import sentence, subjects
from orchestrator.render.tables import STYLES, add, table
from orchestrator.service.documents import Event
from protocol.types import Json

AFTER: Final[Mapping[type[Fact], TaskState]] = {
    f.TasksReady: TaskState.READY,
    f.TasksSkipped: TaskState.SKIPPED,
    f.TaskExpanded: TaskState.ACTIVE,
    f.TaskJoined: TaskState.SUCCEEDED,
    f.TaskRecovering: TaskState.RECOVERING,
    f.TaskFailed: TaskState.FAILED,
    f.TaskCancelling: TaskState.CANCELLING,
    f.TaskCancelled: TaskState.CANCELLED,
    f.TaskUnknown: TaskState.UNKNOWN,
    f.TaskSettled: TaskState.SUCCEEDED,
    f.InputRequested: TaskState.INPUT_REQUIRED,
    f.InputAnswered: TaskState.ACTIVE,
    f.TaskPlaced: TaskState.ACTIVE,
    f.AttemptSucceeded: TaskState.SUCCEEDED,
}
"""Fact → the state it leaves its task in; others leave it as it was."""

_AFTER: Final = {fact.__name__: state for fact, state in AFTER.items()}
_URGENCY: Final = {
    TaskState.INPUT_REQUIRED: 0,
    TaskState.UNKNOWN: 0,
    TaskState.ACTIVE: 1,
    TaskState.CANCELLING: 1,
    TaskState.RECOVERING: 1,
    TaskState.FAILED: 2,
}
_LEAST_URGENT: Final = 3


@dataclass(slots=True)
class Line:
    """One task as last heard of; times are seconds since the epoch."""

    state: TaskState = TaskState.WAITING
    device: str = ""
    began: float | None = None
    ended: float | None = None
    note: str = ""


class Progress:
    """Folds the events of one run. A task is known from the first event that names it."""

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}

    def take(self, event: Event) -> None:
        """Fold one event."""
        data = event["data"]
        for task in _created(data):
            self.lines.setdefault(task, Line())
        for removed in _edited(data, "RemoveTask"):
            self.lines.pop(str(removed), None)
        for task in subjects(event):
            self._touch(self.lines.setdefault(task, Line()), event)

    def _touch(self, line: Line, event: Event) -> None:
        line.state = _AFTER.get(event["fact"], line.state)
        line.note = sentence(event)
        if event["fact"] == f.TaskPlaced.__name__:
            line.device, line.began = str(event["data"].get("device", "")), event["wall"]
        elif event["fact"] == f.AttemptStarted.__name__:
            line.began = event["wall"]
        elif line.state in FINAL:
            line.ended = event["wall"]

    @property
    def counts(self) -> Mapping[TaskState, int]:
        """How many tasks are in each state."""
        return Counter(line.state for line in self.lines.values())

    def table(self, now: float, *, rows: int) -> Table:
        """Lay out the tasks, those that matter most if there are more than `rows`."""
        done = sum(count for state, count in self.counts.items() if state in FINAL)
        note = f"{done} of {len(self.lines)} done"
        shown = table("task", "state", "device", "s", note, long=(note,), right=("s",))
        for task in self._most_urgent(rows):
            line = self.lines[task]
            style = STYLES.get(line.state, "")
            seconds = _seconds(line, now)
            add(shown, task, line.state, line.device, seconds, line.note, style=style)
        return shown

    def _most_urgent(self, rows: int) -> Iterable[str]:
        tasks = list(self.lines)
        if len(tasks) <= rows:
            return tasks
        latest = reversed(tasks)
        urgent = sorted(
            latest, key=lambda task: _URGENCY.get(self.lines[task].state, _LEAST_URGENT)
        )
        kept = set(urgent[:rows])
        return [task for task in tasks if task in kept]


def _created(data: Mapping[str, Json]) -> Iterable[str]:
    children = cast("Sequence[Mapping[str, Json]]", data.get("children", ()))
    added = cast("Sequence[Mapping[str, Json]]", _edited(data, "AddTask"))
    return [str(spec["id"]) for spec in (*children, *added)]


def _edited(data: Mapping[str, Json], kind: str) -> Sequence[Json]:
    edits = cast("Sequence[Mapping[str, Json]]", data.get("edits", ()))
    return [edit["task"] for edit in edits if edit.get("$") == kind]


def _seconds(line: Line, now: float) -> str:
    if line.began is None:
        return ""
    return f"{max(0.0, (line.ended or now) - line.began):.1f}"
