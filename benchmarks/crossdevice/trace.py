"""What a run did, read from its events alone: the graph, who worked when, and on what.

Times are wall seconds, as the coordinator made the events durable. On the virtual stage that
clock is virtual.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.service.documents import Event

FROM: Final = "$from"
BEGUN: Final = frozenset({"AttemptStarted", "AttemptSucceeded"})
ENDS: Final = frozenset(
    {
        "AttemptSucceeded",
        "AttemptFailed",
        "AttemptRejected",
        "AttemptCancelled",
        "AttemptUnknown",
        "AttemptLapsed",
        "AttemptLost",
    }
)
Spec = Mapping[str, Any]


@dataclass(slots=True)
class Span:
    """One attempt that was started; `outcome` is the name of the fact that ended it."""

    task: str
    attempt: str
    device: str
    start: float
    end: float = 0.0
    outcome: str = ""
    detail: str = ""
    """What it said of its end, where that was no success."""
    run_s: float | None = None
    """As the device measured it."""

    @property
    def done(self) -> bool:
        """Whether it was of use."""
        return self.outcome == "AttemptSucceeded"


@dataclass(slots=True)
class Trace:
    """One run.

    Attributes:
        specs: every task that was ever in the graph, children of a `for_each` included.
        children: of a `for_each`, by its id.
        waits: task → what it waited for, as the plan says it.
        calls: how often the planner was asked.
        edits: how many batches of the planner's were accepted; the first is the plan.
    """

    specs: dict[str, Spec] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    waits: dict[str, set[str]] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    calls: int = 0
    edits: int = 0
    offers: int = 0
    start: float = 0.0
    end: float = 0.0

    @property
    def seconds(self) -> float:
        """From the submission to the end of the run."""
        return max(0.0, self.end - self.start)

    def successes(self) -> Mapping[str, Sequence[Span]]:
        """Return the attempts that succeeded, by task."""
        found: dict[str, list[Span]] = {}
        for span in self.spans:
            if span.done:
                found.setdefault(span.task, []).append(span)
        return found

    def predecessors(self, task: str) -> Iterator[str]:
        """Yield the tasks that ran before this one could start; joins are looked through."""
        parent = task.partition("[")[0] if task not in self.waits else task
        for each in sorted(self.waits.get(parent, ())):
            if each not in self.children:
                yield each
            elif self.children[each]:
                yield from self.children[each]
            else:  # expanded over nothing
                yield from self.predecessors(each)


def read(events: Sequence[Event]) -> Trace:
    """Read the events of one run."""
    trace = Trace()
    live: dict[str, Span] = {}
    placed: dict[str, tuple[str, float]] = {}
    for event in events:
        fact, data, wall = event["fact"], event["data"], event["wall"]
        trace.end = wall
        if fact == "RunSubmitted":
            trace.start = wall
        elif fact in ("EditAccepted", "TaskExpanded", "PlanAsked"):
            _plan(trace, fact, data)
        elif fact == "TaskPlaced":
            trace.offers += 1
            placed[str(data["attempt"])] = (str(data["device"]), wall)
        elif fact in BEGUN and str(data["attempt"]) not in live:
            span = live[str(data["attempt"])] = _begun(event, placed)
            trace.spans.append(span)
        if fact in ENDS and (found := live.get(str(data["attempt"]))):
            found.end, found.outcome, found.run_s = wall, fact, _run_s(data)
            found.detail = str(data.get("detail", ""))
    for span in trace.spans:
        span.end = span.end or trace.end
    return trace


def _begun(event: Event, placed: Mapping[str, tuple[str, float]]) -> Span:
    """Return an attempt that is known to have begun: it says so, or that it is done.

    In the second case the word that it had begun was lost on the way: it began as long ago as it
    took on the device, or when it was placed.
    """
    data, wall = event["data"], event["wall"]
    attempt = str(data["attempt"])
    device, since = placed.get(attempt, ("", wall))
    took = 0.0 if event["fact"] == "AttemptStarted" else _run_s(data)
    start = since if took is None else max(since, wall - took)
    return Span(str(data["task"]), attempt, device, start)


def _run_s(data: Mapping[str, Any]) -> float | None:
    seconds = data.get("run_s")
    return seconds if isinstance(seconds, int | float) else None


def _plan(trace: Trace, fact: str, data: Mapping[str, Any]) -> None:
    """Take in what changes the graph."""
    if fact == "PlanAsked":
        trace.calls += 1
    elif fact == "TaskExpanded":
        specs: Sequence[Spec] = data["children"]
        trace.specs |= {each["id"]: each for each in specs}
        trace.children[data["task"]] = [each["id"] for each in specs]
    else:
        trace.edits += data["by"] == "planner"
        for edit in data["edits"]:
            _edit(trace, edit)


def _edit(trace: Trace, edit: Mapping[str, Any]) -> None:
    match edit:
        case {"$": "AddTask" | "ReplaceTask", "task": {"id": str(name), **_rest} as spec}:
            trace.specs[name] = spec
            sources = (spec.get("args"), (spec.get("for_each") or {}).get("source"))
            trace.waits.setdefault(name, set()).update(
                source for each in sources for source in _sources(each)
            )
        case {"$": "AddDependency", "dependency": {"predecessor": before, "successor": after}}:
            trace.waits.setdefault(after, set()).add(before)
        case {"$": "RemoveDependency", "predecessor": before, "successor": after}:
            trace.waits.get(str(after), set()).discard(str(before))
        case _:
            pass


def _sources(value: object) -> Iterator[str]:
    match value:
        case {"$from": str(task), **_rest}:
            yield task
        case Mapping():
            for each in value.values():
                yield from _sources(each)
        case list():
            for each in value:
                yield from _sources(each)
        case _:
            pass
