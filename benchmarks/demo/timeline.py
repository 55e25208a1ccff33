"""What happened on which device: read from the journal alone, but for the kills."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from orchestrator.core import facts as f
from orchestrator.journal import Entry
from protocol.types import AttemptId, TaskId

COORDINATOR: Final = "coordinator"
CELLS: Final = 40  # for all of the time
LEGEND: Final = "━ works   ┅ works, but it is lost   ✗ kill -9   ● is back"


@dataclass(frozen=True, slots=True)
class Kill:
    """Somebody killed a process, so many seconds after 1970."""

    who: str
    wall: float


@dataclass(slots=True)
class Span:
    """An attempt at a task, and whether it was of use."""

    task: TaskId
    start: float
    end: float
    done: bool = False

    def __str__(self) -> str:
        """Say what it was; of a `for_each` the name alone, the device is known."""
        return f"{self.task.partition('[')[0]} {'done' if self.done else 'lost'}"


@dataclass(slots=True)
class Row:
    """One device, or the coordinator: its attempts, and when it came back."""

    spans: list[Span] = field(default_factory=list)
    back: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Timeline:
    """A run from its submission to its end; times are seconds since 1970."""

    kills: Sequence[Kill]
    rows: Mapping[str, Row]
    start: float = 0.0
    end: float = 0.0
    status: f.RunStatus = f.RunStatus.RUNNING


def read(entries: Iterable[Entry], kills: Sequence[Kill], devices: Iterable[str]) -> Timeline:
    """Read the timeline of the one run in a journal.

    Args:
        entries: the whole journal.
        kills: what it cannot know.
        devices: in the order of their rows, below the coordinator's.
    """
    rows = {name: Row() for name in (COORDINATOR, *devices)}
    timeline = Timeline(kills, rows)
    killed = {kill.who: kill.wall for kill in kills}
    attempts: dict[AttemptId, Span] = {}
    for entry in entries:
        match entry.fact:
            case f.RunSubmitted():
                timeline.start = entry.wall
            case f.RunEnded(status=status):
                timeline.end, timeline.status = entry.wall, status
            case f.CoordinatorStarted() | f.DeviceOnline() as fact:
                who = getattr(fact, "device", COORDINATOR)
                if entry.wall > killed.get(who, math.inf):
                    rows[who].back.append(entry.wall)
            case f.TaskPlaced(task=task, device=device, attempt=attempt):
                span = attempts[attempt] = Span(task, entry.wall, entry.wall)
                rows[device].spans.append(span)
            case (
                f.AttemptSucceeded() | f.AttemptFailed() | f.AttemptLost() | f.AttemptLapsed()
            ) as fact:
                span = attempts[fact.attempt]
                span.end, span.done = entry.wall, isinstance(fact, f.AttemptSucceeded)
            case _:
                pass
    return timeline


def table(timeline: Timeline) -> Table:
    """Draw a line for each device."""
    whole_s = timeline.end - timeline.start
    shown = Table(box=None, title="What happened", caption=LEGEND)
    shown.add_column("device", no_wrap=True)
    shown.add_column(f"0 s{f'{whole_s:.1f} s':>{CELLS - 3}}", no_wrap=True)
    shown.add_column("tasks")
    for name, row in timeline.rows.items():
        shown.add_row(name, _line(timeline, name, row), Text(", ".join(map(str, row.spans))))
    return shown


def document(timeline: Timeline) -> Mapping[str, Any]:
    """Say the same as JSON; seconds count from the submission."""

    def seconds(wall: float) -> float:
        return round(wall - timeline.start, 3)

    return {
        name: {
            "attempts": [
                {
                    "task": span.task,
                    "start_s": seconds(span.start),
                    "end_s": seconds(span.end),
                    "done": span.done,
                }
                for span in row.spans
            ],
            "killed_s": [seconds(kill.wall) for kill in timeline.kills if kill.who == name],
            "back_s": [seconds(wall) for wall in row.back],
        }
        for name, row in timeline.rows.items()
    }


def _line(timeline: Timeline, name: str, row: Row) -> Text:
    cells = [("·", "dim")] * CELLS
    whole_s = max(timeline.end - timeline.start, 0.001)

    def place(wall: float) -> int:
        return max(0, min(CELLS - 1, int((wall - timeline.start) / whole_s * CELLS)))

    for span in row.spans:
        cell = ("━", "green") if span.done else ("┅", "yellow")
        for n in range(place(span.start), place(span.end) + 1):
            cells[n] = cell
    for wall in row.back:
        cells[place(wall)] = ("●", "cyan")
    for kill in timeline.kills:
        if kill.who == name:
            cells[place(kill.wall)] = ("✗", "bold red")
    return Text.assemble(*cells)
