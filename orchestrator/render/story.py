"""What happened, in sentences: one for each kind of fact."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from orchestrator.core import facts as f
from orchestrator.core.facts import Fact
from orchestrator.render import warm
from orchestrator.service.documents import Event
from protocol.types import Json

SHOWN: Final = 6  # of a list; the rest is counted


def _placed(data: Mapping[str, Json]) -> str:
    device, hedge = words(data.get("device")), data.get("hedge")
    if not isinstance(hedge, Mapping):
        return f"try {words(data.get('number'))} offered to {device}"
    age_s, times = cast("float", hedge["age_s"]), cast("float", hedge["times"])
    return f"hedged on {device} after {age_s:.1f} s ({times:.1f}x estimate)"


def _outrun(data: Mapping[str, Json]) -> str:
    return "the hedge lost" if data.get("hedge") else "the hedge won"


def _answered(data: Mapping[str, Json]) -> str:
    """Leave it to the end of the run to say why there is no first plan: it does."""
    if not data.get("ok") and words(data.get("ask")).endswith("/plan"):
        return "the planner has no plan"
    return f"the planner answered: {words(data.get('detail'))}"


def _settled(data: Mapping[str, Json]) -> str:
    by = words(data.get("by"))
    return _LEFT if by == "plan" else f"succeeded, says {by}"


_LEFT: Final = "its result stands, since the planner left it as it is"


def _recovering(data: Mapping[str, Json]) -> str:
    awaiting, why = words(data.get("awaiting")), words(data.get("why"))
    if awaiting.startswith(f.Awaiting.REVIEW):
        return f"its result waits for the planner: {why}"
    return f"to be tried again ({awaiting}): {why}"


SENTENCES: Final[Mapping[type[Fact], str | Callable[[Mapping[str, Json]], str]]] = {
    **warm.SENTENCES,
    f.CoordinatorStarted: "a coordinator started",
    f.RunSubmitted: "submitted: {request}",
    f.PlanAsked: "the planner is asked: {cause}",
    f.PlanAnswered: _answered,
    f.EditAccepted: "revision {revision} by {by}: {edits}",
    f.EditRefused: "an edit by {by} was refused: {reasons}",
    f.RunPaused: "paused",
    f.RunResumed: "resumed",
    f.RunCancelRequested: "being stopped: {why}",
    f.RunEnded: "{status}: {reason}",
    f.PlanAdopted: "a better plan for what has not started",
    f.RunJudged: "judged {score} by {by}: {reasons}",
    f.RunForgotten: "run forgotten",
    f.RunSuperseded: "device {device} says: another coordinator owns it (epoch {epoch})",
    f.TasksReady: "ready",
    f.TasksSkipped: "skipped: {reason}",
    f.TaskExpanded: "expanded into {children}",
    f.TaskJoined: "joined",
    f.TaskRecovering: _recovering,
    f.DeviceExcluded: "goes to {device} no more: {why}",
    f.TaskFailed: "failed: {reason}",
    f.TaskCancelling: "told to stop: {why}",
    f.TaskCancelled: "cancelled: {reason}",
    f.TaskUnknown: "outcome unknown: {detail}",
    f.TaskSettled: _settled,
    f.InputRequested: "asks: {question}",
    f.InputAnswered: "answered by {by}: {answer}",
    f.TaskPlaced: _placed,
    f.AttemptAccepted: "accepted",
    f.AttemptStarted: "started",
    f.AttemptSucceeded: "succeeded {run_s}",
    f.AttemptFailed: "the try failed ({kind}): {detail}",
    f.AttemptRejected: "refused by the device: {reason}",
    f.AttemptCancelled: "stopped by the device: {detail}",
    f.AttemptUnknown: "the device cannot say what happened: {detail}",
    f.AttemptLapsed: "its lease ran out: {reason}",
    f.AttemptOutrun: _outrun,
    f.AttemptLost: "lost with its device: {reason}",
    f.DeviceJoined: "a device announced itself",
    f.DeviceOnline: "device {device} is online",
    f.DeviceLost: "device {device} is lost: {reason}",
    f.DeviceLeft: "device {device} left",
    f.LoadSeen: "device {device} is alive",
    f.TransferSeen: "device {device} fetched {size_bytes} bytes from {source}",
    f.DeadlineMoved: "nothing happened",
}
"""Fact → what it says, names in braces being its fields; or what makes that of its fields."""

_BY_NAME: Final = {fact.__name__: sentence for fact, sentence in SENTENCES.items()}


def line(event: Event) -> str:
    """Return an event in one line: local time, the tasks it is about, and what happened."""
    about = ", ".join(subjects(event)[:SHOWN])
    when = time.strftime("%H:%M:%S", time.localtime(event["wall"]))
    return f"{when}  {about}: {sentence(event)}" if about else f"{when}  {sentence(event)}"


def subjects(event: Event) -> tuple[str, ...]:
    """Return the tasks that an event is about."""
    data = event["data"]
    if "task" in data:
        return (str(data["task"]),)
    return tuple(map(str, cast("Sequence[Json]", data.get("tasks", ()))))


def sentence(event: Event) -> str:
    """Return what happened; a kind that a later release brought shows as its name."""
    template = _BY_NAME.get(event["fact"], event["fact"])
    data = event["data"]
    said = template.format_map(_Words(data)) if isinstance(template, str) else template(data)
    return " ".join(said.split()).rstrip(" :")


class _Words(dict[str, Json]):
    """Fields as words; one that is not there is left out, as large ones are."""

    def __missing__(self, name: str) -> str:
        return ""

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        if name.endswith("_s") and isinstance(value, int | float):
            return f"after {value:.1f} s"
        return words(value)


def words(value: Json) -> str:
    """Return a value of a fact for people."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(words(item) for item in value[:SHOWN])
        return f"{shown} and {len(value) - SHOWN} more" if len(value) > SHOWN else shown
    return str(value)


def _object(value: Mapping[str, Json]) -> str:
    kind = value.get("$")
    if kind in _EDITS:
        return _EDITS[str(kind)](value)
    if kind == "Reason":
        return words(value["detail"])
    if "id" in value:
        return words(value["id"])
    return ", ".join(f"{name}={words(item)}" for name, item in value.items())


def _edge(edge: Mapping[str, Json]) -> str:
    return f"{words(edge['successor'])} after {words(edge['predecessor'])}"


_EDITS: Final[Mapping[str, Callable[[Mapping[str, Json]], str]]] = {
    "AddTask": lambda edit: f"add {words(edit['task'])}",
    "RemoveTask": lambda edit: f"remove {words(edit['task'])}",
    "ReplaceTask": lambda edit: f"replace {words(edit['task'])}",
    "SetArgs": lambda edit: f"set the arguments of {words(edit['task'])}",
    "AddDependency": lambda edit: _edge(cast("Mapping[str, Json]", edit["dependency"])),
    "RemoveDependency": lambda edit: f"no longer {_edge(edit)}",
    "CancelTask": lambda edit: f"cancel {words(edit['task'])}",
}
