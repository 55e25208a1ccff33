"""Devices, runs and playbooks as tables."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from rich.table import Table
from rich.text import Text

from orchestrator.core.facts import RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.snapshot import DeviceSnapshot
from orchestrator.planner.playbook import Playbook
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
    """Lay out the fleet."""
    shown = _table("device", "state", "slots", "skills", "labels", "working on")
    for each in fleet:
        card, load = each.card, each.load
        state = "online" if each.online else "lost"
        add(
            shown,
            card.device,
            "draining" if each.online and load.draining else state,
            f"{len(each.attempts)}/{card.slots}",
            str(len(card.skills)),
            " ".join(f"{name}={value}" for name, value in card.labels.items()),
            " ".join(f"{run}/{task}" for run, task in each.attempts),
            style="" if each.online else "dim",
        )
    return shown


def runs(listed: Iterable[Mapping[str, Json]]) -> Table:
    """Lay out runs, as `service.documents.of_run` says them."""
    shown = _table("run", "status", "tasks", "submitted", "request", "reason")
    for run in listed:
        counts = cast("Mapping[str, int]", run["counts"])
        status = "paused" if run["paused"] else str(run["status"])
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
    shown = _table("playbook", "what it does", "say", "parameters")
    for playbook in known:
        part = playbook.part
        phrases: Sequence[str] = [phrase for phrase in part.match if isinstance(phrase, str)]
        add(
            shown,
            part.name,
            part.description,
            "\n".join(phrases) or part.name,
            "\n".join(
                f"{name}: {each.type}{'' if each.required else f' = {each.default}'}"
                for name, each in part.parameters.items()
            ),
        )
    return shown


def _table(*columns: str) -> Table:
    shown = Table(box=None, pad_edge=False)
    for column in columns:
        shown.add_column(column, overflow="fold")
    return shown


def add(table: Table, *cells: str, style: str = "") -> None:
    """Add a row of plain text: what others wrote is never read as markup."""
    table.add_row(*map(Text, cells), style=style)
