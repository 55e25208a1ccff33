"""Devices, runs and playbooks as tables."""

import time
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, Literal, cast

from rich.table import Table
from rich.text import Text

from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.snapshot import DeviceSnapshot
from orchestrator.core.state import is_low
from orchestrator.planner.playbook import Playbook
from orchestrator.render import values, warm
from protocol.types import Json

STYLES: Final[Mapping[str, str]] = {
    TaskState.ACTIVE: "cyan",
    TaskState.RECOVERING: "yellow",
    TaskState.CANCELLING: "yellow",
    TaskState.INPUT_REQUIRED: "bold yellow",
    TaskState.UNKNOWN: "bold yellow",
    TaskState.SUCCEEDED: "green",
    TaskState.FAILED: "red",
    TaskState.CANCELLED: "dim",
    TaskState.SKIPPED: "dim",
    RunStatus.RUNNING: "cyan",
}


def devices(fleet: Iterable[DeviceSnapshot]) -> Table:
    """Lay out the fleet; what is warm on a device is below it."""
    shown = table(
        *("device", "state", "slots", "skills", "labels", "working on"),
        long=("labels", "working on"),
    )
    for each in fleet:
        card = each.card
        add(
            shown,
            card.device,
            _state(each),
            f"{len(each.attempts)}/{card.slots}",
            str(len(card.skills)),
            " ".join(f"{name}={value}" for name, value in card.labels.items()),
            " ".join(f"{run}/{task}" for run, task in each.attempts),
            style="" if each.online else "dim",
        )
        for held in each.warm:
            style = warm.STYLES.get(held.state, "")
            name = f"  {warm.name(held)}"
            add(shown, name, held.state, "", "", "", warm.why(held), style=style)
    return shown


def _state(device: DeviceSnapshot) -> str:
    if not device.online:
        return "lost"
    if device.load.draining:
        return "draining"
    return "low battery" if is_low(device.load) else "online"


def runs(listed: Iterable[Mapping[str, Json]]) -> Table:
    """Lay out runs, as `service.documents.of_run` says them."""
    shown = table(
        *("run", "status", "tasks", "submitted", "request", "reason"), long=("request", "reason")
    )
    for run in listed:
        counts = cast("Mapping[str, int]", run["counts"])
        status = str(run["status"])
        if run["paused"] and status == RunStatus.RUNNING:
            status = "paused"
        add(
            shown,
            str(run["run"]),
            status,
            f"{counts.get(TaskState.SUCCEEDED, 0)}/{sum(counts.values())}",
            time.strftime("%Y-%m-%d %H:%M", time.localtime(cast("float", run["wall"]))),
            str(run["request"]),
            str(run["reason"]),
            style=STYLES.get(status, ""),
        )
    return shown


def playbooks(known: Iterable[Playbook]) -> Table:
    """Lay out playbooks, with what to say to have each of them run."""
    shown = table(
        *("playbook", "what it does", "say", "parameters"),
        long=("what it does", "say", "parameters"),
    )
    for playbook in known:
        part = playbook.part
        phrases: Sequence[str] = [phrase for phrase in part.match if isinstance(phrase, str)]
        add(
            shown,
            part.name,
            part.description,
            "\n".join(phrases) or part.name,
            "\n".join(
                f"{name}: {each.type}{'' if each.required else _default(each.default)}"
                for name, each in part.parameters.items()
            ),
            wrap=True,
        )
    return shown


def _default(value: Json) -> str:
    return ", optional" if value is None else f" = {values.value(value)}"


def table(*columns: str, long: Container[str], right: Container[str] = ()) -> Table:
    """Return an empty table; the `long` columns give way where the terminal is narrow."""
    shown = Table(box=None, pad_edge=False)
    for column in columns:
        side: Literal["left", "right"] = "right" if column in right else "left"
        shown.add_column(column, no_wrap=column not in long, overflow="fold", justify=side)
    return shown


def add(to: Table, *cells: str, style: str = "", wrap: bool = False) -> None:
    """Add a row of plain text: what others wrote is never read as markup.

    Args:
        to: the table.
        cells: what is in each of its columns.
        style: how the row looks.
        wrap: give a long cell more lines instead of cutting it off.
    """
    texts = (Text(cell, no_wrap=not wrap, overflow=None if wrap else "ellipsis") for cell in cells)
    to.add_row(*texts, style=style)
