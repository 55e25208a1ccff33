"""What happened on which device: read from the journal alone, but for the kills."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from orchestrator.core import facts as f
from orchestrator.journal import Entry
from protocol.types import AttemptId

COORDINATOR: Final = "coordinator"
CELLS: Final = 40  # for all of the time
GOOD: Final = "done"
LEGEND: Final = "━ works   ┅ works, but it is lost   ✗ kill -9   ● is back"


@dataclass(frozen=True, slots=True)
class Kill:
    """Somebody killed a process, so many seconds after 1970."""

    who: str
    wall: float


@dataclass(slots=True)
class Span:
    """An attempt at a task (of a `for_each`, its parent's name); `outcome` is empty while it goes on."""

    task: str
    start: float
    end: float
    outcome: str = ""


@dataclass(slots=True)
class Row:
    """One device, or the coordinator: its attempts, and when it came back."""

    spans: list[Span] = field(default_factory=list)
    back: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Timeline:
    """A run from its submission to its end; times are seconds since 1970."""

    kills: Sequence[Kill]
    start: float = 0.0
    end: float = 0.0
    rows: dict[str, Row] = field(default_factory=lambda: {COORDINATOR: Row()})


def read(entries: Iterable[Entry], kills: Sequence[Kill]) -> Timeline:
    """Read the timeline of the last run in a journal; `kills` are what it cannot know."""
    timeline = Timeline(kills)
    rows = timeline.rows
    attempts: dict[AttemptId, Span] = {}
    for entry in entries:
        match entry.fact:
            case f.RunSubmitted():
                timeline.start = entry.wall
            case f.RunEnded():
                timeline.end = entry.wall
            case f.DeviceJoined(card):
                rows.setdefault(card.device, Row())
            case f.CoordinatorStarted():
                rows[COORDINATOR].back.append(entry.wall)
            case f.DeviceOnline(device):
                rows[device].back.append(entry.wall)
            case f.TaskPlaced(task=task, device=device, attempt=attempt):
                span = attempts[attempt] = Span(task.partition("[")[0], entry.wall, entry.wall)
                rows[device].spans.append(span)
            case f.AttemptSucceeded(attempt=attempt):
                attempts[attempt].end, attempts[attempt].outcome = entry.wall, GOOD
            case f.AttemptFailed(attempt=attempt) | f.AttemptLost(attempt=attempt):
                attempts[attempt].end, attempts[attempt].outcome = entry.wall, "lost"
    return timeline


def table(timeline: Timeline) -> Table:
    """Draw a line for each device."""
    whole_s = timeline.end - timeline.start
    shown = Table(box=None, title="What happened", caption=LEGEND)
    shown.add_column("device", no_wrap=True)
    shown.add_column(f"0 s{f'{whole_s:.1f} s':>{CELLS - 3}}", no_wrap=True)
    shown.add_column("tasks")
    for name, row in timeline.rows.items():
        tasks = ", ".join(f"{span.task} {span.outcome}" for span in row.spans)
        shown.add_row(name, _line(timeline, name, row), Text(tasks))
    return shown


def document(timeline: Timeline) -> Mapping[str, Any]:
    """Say the same as JSON; seconds count from the submission."""

    def seconds(wall: float) -> float:
        return round(wall - timeline.start, 3)

    return {
        name: {
            "attempts": [
                [span.task, seconds(span.start), seconds(span.end), span.outcome]
                for span in row.spans
            ],
            "killed_s": [seconds(kill.wall) for kill in timeline.kills if kill.who == name],
            "back_s": [seconds(wall) for wall in row.back if wall > timeline.start],
        }
        for name, row in timeline.rows.items()
    }


def _line(timeline: Timeline, name: str, row: Row) -> Text:
    cells = [("·", "dim")] * CELLS
    whole_s = max(timeline.end - timeline.start, 0.001)

    def place(wall: float) -> int:
        return max(0, min(CELLS - 1, int((wall - timeline.start) / whole_s * CELLS)))

    for span in row.spans:
        cell = ("━", "green") if span.outcome == GOOD else ("┅", "yellow")
        for n in range(place(span.start), place(span.end) + 1):
            cells[n] = cell
    for wall in row.back:
        if timeline.start < wall <= timeline.end:
            cells[place(wall)] = ("●", "cyan")
    for kill in timeline.kills:
        if kill.who == name:
            cells[place(kill.wall)] = ("✗", "bold red")
    return Text.assemble(*cells)
