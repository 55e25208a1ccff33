"""Requests in words, with the right plan and the known answer of each.

The answer is computed from the files by the formulas of this module; no skill has a part in it.
Two thirds of the requests say what to expect (how many lines are left, where a value lies): their
plans check that as they run. A threshold is stated with a unit ("30 s") or as a bare number,
which is no literal to the checks.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.planner.fleet import BOARD, HOLDERS, SECONDS, File, Line, Place
from orchestrator.core.edits import AddDependency, AddTask, Edit, EditBatch
from orchestrator.core.model import Dependency, Needs, TaskSpec
from orchestrator.core.references import FROM, predecessors
from protocol.types import DeviceId, Json, TaskId

ROOM_S: Final = 12.0  # of a deadline: four answers of the planner
SLACK: Final = 1.5  # what else it allows for: so many times what a right plan needs
EXPECTING: Final = 2 / 3  # share of the requests that say what comes out
COLUMNS: Final = {"amount": "", "seconds": " s"}
"""Column → the unit that a request names with its numbers."""
ITEMS: Final = ("bolt", "cable", "drill", "file", "hinge", "lamp", "nail", "rope")


@dataclass(frozen=True, slots=True)
class Case:
    """One request, and what is known of it."""

    number: int
    category: str
    text: str
    plan: EditBatch
    answer: tuple[Mapping[str, Json], ...]
    """What must have been published and announced, in any order."""
    files: Mapping[Place, File]
    due_s: float
    """From the submission on."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is to be published."""
        return tuple(str(each["name"]) for each in self.answer if "name" in each)

    @property
    def tasks(self) -> frozenset[str]:
        """The tasks of the right plan."""
        return frozenset(e.task.id for e in self.plan.edits if isinstance(e, AddTask))


def cases(seed: int, count: int) -> tuple[Case, ...]:
    """Draw so many requests, the categories in turn."""
    categories = sorted(_CATEGORIES)
    return tuple(_case(seed, n, categories[n % len(categories)]) for n in range(count))


def _case(seed: int, number: int, category: str) -> Case:
    writing = _Writing(number, random.Random(f"request|{seed}|{number}"))
    _CATEGORIES[category](writing)
    return Case(
        number,
        category,
        " ".join(writing.words),
        EditBatch(0, tuple(writing.edits)),
        tuple(writing.answer),
        writing.files,
        ROOM_S + SLACK * shortest_s(writing.edits),
    )


def shortest_s(edits: Sequence[Edit]) -> float:
    """Return how long a plan takes at least; its edits name what they wait for before."""
    ends: dict[TaskId, float] = {}
    waits = [edit.dependency for edit in edits if isinstance(edit, AddDependency)]
    for edit in edits:
        if isinstance(edit, AddTask):
            task = edit.task.id
            before = [each.predecessor for each in waits if each.successor == task]
            start = max((ends[name] for name in (*before, *predecessors(edit.task))), default=0.0)
            ends[task] = start + SECONDS[edit.task.skill]
    return max(ends.values())


@dataclass
class _Writing:
    """A request in the making: words, plan and answer side by side."""

    number: int
    chance: random.Random
    words: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    answer: list[Mapping[str, Json]] = field(default_factory=list)
    files: dict[Place, File] = field(default_factory=dict)

    def expects(self) -> bool:
        """Draw whether this request says what to expect."""
        return self.chance.random() < EXPECTING

    def task(
        self,
        name: str,
        skill: str,
        args: Mapping[str, Json],
        *,
        device: str | None = None,
        after: str | None = None,
    ) -> str:
        """Add a task that reads what its arguments refer to, and waits for one more."""
        needs = Needs(device=DeviceId(device)) if device else Needs()
        spec = TaskSpec(TaskId(name), skill, args, needs=needs, estimate_s=SECONDS[skill])
        self.edits.append(AddTask(spec))
        if after is not None:
            self.edits.append(AddDependency(Dependency(TaskId(after), spec.id)))
        return name

    def file(self, device: str, *, stale: bool = False) -> tuple[str, tuple[Line, ...]]:
        """Draw a file; return its path and what is in it."""
        path = f"/data/{self.number}/{self.chance.choice(ITEMS)}-{len(self.files)}.csv"
        old = self._lines() if stale else None
        self.files[DeviceId(device), path] = File(self._lines(), old)
        return path, self.files[DeviceId(device), path].lines

    def _lines(self) -> tuple[Line, ...]:
        draw = self.chance.randint
        return tuple(
            Line(item=self.chance.choice(ITEMS), amount=draw(1, 99), seconds=draw(1, 99))
            for _ in range(draw(4, 8))
        )

    def column(self) -> str:
        """Draw a column."""
        return self.chance.choice(sorted(COLUMNS))

    def kept(self, name: str, source: str, lines: Sequence[Line]) -> tuple[str, tuple[Line, ...]]:
        """Keep the lines above a threshold."""
        column, least = self.column(), self.chance.randint(20, 60)
        left = tuple(line for line in lines if line.number(column) >= least)
        expected: dict[str, Json] = {"count": len(left)} if self.expects() else {}
        which = f" (that should leave {len(left)})" if expected else ""
        self.words.append(
            f"Keep the lines whose '{column}' is at least {least}{COLUMNS[column]}{which}."
        )
        args: dict[str, Json] = {"lines": _ref(source, "lines"), "column": column, "least": least}
        return self.task(name, "keep", {**args, **expected}), left

    def published(self, name: str, source: str, value: int) -> str:
        """Publish a value under a name with the request's number."""
        name = f"{name}-{self.number}"
        bounds: dict[str, Json] = {}
        self.words.append(f"Publish it as '{name}' on the {BOARD}")
        if self.expects():
            margin = max(3, abs(value) // 5)
            low = value - self.chance.randint(0, margin)
            bounds = {"least": low, "most": low + margin}
            self.words[-1] += f": it should be between {low} and {low + margin}"
        self.words[-1] += "."
        self.answer.append({"name": name, "value": value})
        args: dict[str, Json] = {"name": name, "value": _ref(source, "value")}
        return self.task(f"publish-{source}", "publish", {**args, **bounds}, device=BOARD)


def _ref(task: str, member: str) -> Json:
    return {FROM: task, "path": [member]}


def _sum(lines: Sequence[Line], column: str) -> int:
    return sum(line.number(column) for line in lines)


def _chain(w: _Writing) -> None:
    """One file, filtered and added up."""
    device = w.chance.choice(HOLDERS)
    path, lines = w.file(device)
    w.words.append(f"Read {path} on {device}.")
    w.task("read", "read", {"path": path}, device=device)
    kept, left = w.kept("keep", "read", lines)
    column = w.column()
    w.words.append(f"Add up '{column}' of what is left.")
    total = w.task("total", "total", {"lines": _ref(kept, "lines"), "column": column})
    w.published("total", total, _sum(left, column))


def _join(w: _Writing) -> None:
    """Files of several devices, filtered where they are, put together and added up."""
    parts, everything = list[str](), list[Line]()
    for n, device in enumerate(w.chance.sample(HOLDERS, w.chance.randint(3, len(HOLDERS)))):
        path, lines = w.file(device)
        w.words.append(f"Read {path} on {device}.")
        w.task(f"read{n}", "read", {"path": path}, device=device)
        kept, left = w.kept(f"keep{n}", f"read{n}", lines)
        everything += left
        parts.append(kept)
    merged = parts[0]
    for n, part in enumerate(parts[1:], start=1):
        both: dict[str, Json] = {"left": _ref(merged, "lines"), "right": _ref(part, "lines")}
        merged = w.task(f"merge{n}", "merge", both)
    column = w.column()
    w.words.append(f"Put all together and add up '{column}'.")
    total = w.task("total", "total", {"lines": _ref(merged, "lines"), "column": column})
    w.published("sum", total, _sum(everything, column))


def _refresh(w: _Writing) -> None:
    """A file that must be brought up to date before it is read."""
    device = w.chance.choice(HOLDERS)
    path, lines = w.file(device, stale=True)
    w.words.append(f"On {device}, refresh {path} and only then read it.")
    w.task("refresh", "refresh", {"path": path}, device=device)
    w.task("read", "read", {"path": path}, device=device, after="refresh")
    column = w.column()
    w.words.append(f"Find the largest '{column}'.")
    peak = w.task("largest", "largest", {"lines": _ref("read", "lines"), "column": column})
    w.published("peak", peak, max(line.number(column) for line in lines))


def _compare(w: _Writing) -> None:
    """The difference of two files, of one device or of two."""
    first = w.chance.choice(HOLDERS)
    second = w.chance.choice((first, *HOLDERS))
    column, values = w.column(), list[int]()
    for side, device in (("left", first), ("right", second)):
        path, lines = w.file(device)
        w.words.append(f"Read {path} on {device} and add up its '{column}'.")
        w.task(f"read-{side}", "read", {"path": path}, device=device)
        w.task(side, "total", {"lines": _ref(f"read-{side}", "lines"), "column": column})
        values.append(_sum(lines, column))
    w.words.append("Take the second total from the first.")
    gap = w.task(
        "minus", "minus", {"left": _ref("left", "value"), "right": _ref("right", "value")}
    )
    w.published("gap", gap, values[0] - values[1])


def _several(w: _Writing) -> None:
    """Independent values, each published under a name of its own."""
    for n in range(w.chance.randint(3, 5)):
        device, column = w.chance.choice(HOLDERS), w.column()
        path, lines = w.file(device)
        w.words.append(f"Read {path} on {device} and find the largest '{column}'.")
        w.task(f"read{n}", "read", {"path": path}, device=device)
        peak = w.task(
            f"largest{n}", "largest", {"lines": _ref(f"read{n}", "lines"), "column": column}
        )
        w.published(f"peak{n}", peak, max(line.number(column) for line in lines))


def _notify(w: _Writing) -> None:
    """A value, and somebody who is told when it is published."""
    device, column = w.chance.choice(HOLDERS), w.column()
    path, lines = w.file(device)
    w.words.append(f"Read {path} on {device} and add up '{column}'.")
    w.task("read", "read", {"path": path}, device=device)
    total = w.task("total", "total", {"lines": _ref("read", "lines"), "column": column})
    published = w.published("total", total, _sum(lines, column))
    to = f"{w.chance.choice(ITEMS)}@example.com"
    w.words.append(f"When that is done, tell {to}.")
    w.task("announce", "announce", {"to": to}, device=BOARD, after=published)
    w.answer.append({"to": to, "names": [w.answer[0]["name"]]})


def _raise(w: _Writing) -> None:
    """A total, raised by shares of it."""
    device, column = w.chance.choice(HOLDERS), w.column()
    path, lines = w.file(device)
    w.words.append(f"Read {path} on {device} and add up '{column}'.")
    w.task("read", "read", {"path": path}, device=device)
    last = w.task("total", "total", {"lines": _ref("read", "lines"), "column": column})
    value = _sum(lines, column)
    for n in range(w.chance.randint(1, 3)):
        percent = w.chance.randint(5, 60)
        w.words.append(f"Raise it by {percent} %.")
        last = w.task(f"raise{n}", "raised", {"value": _ref(last, "value"), "percent": percent})
        value += value * percent // 100
    w.published("raised", last, value)


_CATEGORIES: Final[Mapping[str, Callable[[_Writing], None]]] = {
    "chain": _chain,
    "compare": _compare,
    "join": _join,
    "notify": _notify,
    "raise": _raise,
    "refresh": _refresh,
    "several": _several,
}
