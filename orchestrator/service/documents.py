"""What the coordinator says of runs, devices and events, as JSON; and the page it goes on.

A page holds at most `PAGE_BYTES`, so that one answer never crowds the broker; a single larger item
has a page to itself. `next` says where to go on.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import Final, TypedDict, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter
from pydantic_core import to_json

from orchestrator.core.snapshot import DeviceSnapshot, RunSnapshot, TaskSnapshot, WarmSnapshot
from orchestrator.core.state import Run
from orchestrator.journal import Entry
from orchestrator.journal.codec import encode
from orchestrator.questions import Question
from protocol.codec import MAX_PAYLOAD_BYTES
from protocol.types import Json

PAGE_BYTES: Final = 64 << 10  # what is larger does not go through the broker
ITEM_BYTES: Final = MAX_PAYLOAD_BYTES // 2  # nothing larger is sent; the rest is its envelope
QUESTIONS_TOLD: Final = 32
TEXT_TOLD: Final = 500  # characters: 32 of them are below 64 KiB
WARM_TOLD: Final = 128  # warm resources of one run or device, some 40 KiB; the others are counted

Document = dict[str, Json]
_T = TypeVar("_T")
_LATER: Final = ConfigDict(defer_build=True)
_Runs: Final = TypeAdapter(tuple[RunSnapshot, ...], config=_LATER)
_Tasks: Final = TypeAdapter(tuple[TaskSnapshot, ...], config=_LATER)
_Devices: Final = TypeAdapter(tuple[DeviceSnapshot, ...], config=_LATER)
_Warm: Final = TypeAdapter(tuple[WarmSnapshot, ...], config=_LATER)


class Event(TypedDict):
    """A journal entry: `fact` is the name of its class, `data` its fields."""

    seq: int
    wall: float
    fact: str
    data: Mapping[str, Json]


def of_run(run: Run) -> Document:
    """Return a run without its tasks; `counts` says how many of them are in each state."""
    counts = Counter(task.state for task in run.tasks.values())
    return {
        "run": run.id,
        "request": run.submitted.request,
        "status": run.status,
        "reason": run.reason,
        "revision": run.revision,
        "owner": run.submitted.owner,
        "paused": run.paused,
        "wall": run.submitted.wall,
        "counts": {str(state): count for state, count in counts.items()},
        **({"judged": asdict(run.judged)} if run.judged is not None else {}),
    }


def of_task(task: TaskSnapshot) -> Document:
    """Return a task, its arguments and output included."""
    return cast("list[Document]", _Tasks.dump_python((task,), mode="json"))[0]


def of_device(device: DeviceSnapshot) -> Document:
    """Return a device, its card included."""
    bare = replace(device, warm=())
    document = cast("list[Document]", _Devices.dump_python((bare,), mode="json"))[0]
    return {**document, **of_warm(device.warm)}


def of_warm(warm: Sequence[WarmSnapshot]) -> Document:
    """Return the warm resources of a run or a device, and how many are left out."""
    told = _Warm.dump_python(tuple(warm[:WARM_TOLD]), mode="json")
    return {"warm": told, "warm_omitted": len(warm[WARM_TOLD:])}


def of_questions(questions: Iterable[Question]) -> Document:
    """Return the first of the open questions, and how many are left out; long ones are cut."""
    told: list[Json] = []
    omitted = 0
    for each in questions:
        if len(told) == QUESTIONS_TOLD:
            omitted += 1
            continue
        text = each.text if len(each.text) <= TEXT_TOLD else f"{each.text[: TEXT_TOLD - 1]}…"
        told.append({"task": each.task, "question": each.name, "text": text})
    return {"questions": told, "questions_omitted": omitted}


def of_entry(entry: Entry) -> Event:
    """Return a journal entry; what is too large to send is left out, and `omitted_bytes` told."""
    kind, run, task, body = encode(entry.fact)
    data: Document = {
        name: value for name, value in (("run", run), ("task", task)) if value is not None
    }
    if len(body) > ITEM_BYTES:
        data["omitted_bytes"] = len(body)
    else:
        data |= json.loads(body)
    return {"seq": entry.seq, "wall": entry.wall, "fact": kind, "data": data}


def run_from(run: Mapping[str, Json], tasks: Sequence[Json]) -> RunSnapshot:
    """Read `of_run` and every `of_task` again.

    Raises:
        ValueError: this is something else.
    """
    return _Runs.validate_python([{**run, "tasks": tasks}])[0]


def devices_from(devices: Json) -> tuple[DeviceSnapshot, ...]:
    """Read a list of `of_device` again.

    Raises:
        ValueError: this is something else.
    """
    return _Devices.validate_python(devices)


class Page:
    """Collects documents until the page is full."""

    def __init__(self) -> None:
        self.items: list[Json] = []
        self._free_bytes = PAGE_BYTES

    def add(self, item: Mapping[str, object]) -> bool:
        """Put an item on the page; False if it no longer fits, unless it is the first."""
        self._free_bytes -= len(to_json(item))
        if self._free_bytes < 0 and self.items:
            return False
        self.items.append(cast("Json", item))
        return True


def paged(
    name: str, rows: Iterable[_T], *, start: int, document: Callable[[_T], Mapping[str, object]]
) -> Document:
    """Return the rows from `start` that fit on a page, and the start of the `next` one or None."""
    page = Page()
    for number, row in enumerate(islice(rows, start, None), start):
        if not page.add(_bounded(document(row))):
            return {name: page.items, "next": number}
    return {name: page.items, "next": None}


def _bounded(item: Mapping[str, object]) -> Mapping[str, object]:
    if (size := len(to_json(item))) <= ITEM_BYTES:
        return item
    return {**item, "output": None, "omitted_bytes": size}
