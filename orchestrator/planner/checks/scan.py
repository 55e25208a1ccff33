"""One walk over a task's arguments: references, what only looks like one, and literals."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeGuard

from orchestrator.core.model import DEFAULT_NEEDS, TaskSpec
from orchestrator.core.references import FROM, ITEM
from protocol.types import Json, TaskId

Path: TypeAlias = tuple[str | int, ...]


class Scan:
    """What one task says. `sources` are what `core.references.predecessors` finds."""

    __slots__ = ("malformed", "numbers", "paths", "sources", "texts")

    def __init__(self) -> None:
        self.sources: dict[TaskId, None] = {}
        """The tasks it refers to."""
        self.paths: list[tuple[TaskId, Path]] = []
        """Where in their outputs."""
        self.malformed: list[str] = []
        self.texts: list[str] = []
        """Its strings, names of nested members among them."""
        self.numbers: list[float] = []

    def walk(self, value: Json, *, items: bool) -> None:
        """Take in a value; `items` allows ``$item``. Most values are told by their exact type."""
        if type(value) is str:
            self.texts.append(value)
        elif type(value) is int or type(value) is float:
            self.numbers.append(value)
        elif isinstance(value, dict | Mapping):
            if FROM in value or ITEM in value:
                self.refer(value, items=items)
                return
            self.texts.extend(value)
            for part in value.values():
                self.walk(part, items=items)
        elif isinstance(value, list | tuple):
            for part in value:
                self.walk(part, items=items)

    def refer(self, value: Mapping[str, Json], *, items: bool) -> None:
        """Take in what looks like a reference."""
        source, path = value.get(FROM), value.get("path", ())
        if isinstance(source, str):
            task = TaskId(source)
            self.sources[task] = None
            if len(value) == 1 + ("path" in value) and _is_path(path):
                self.paths.append((task, tuple(path)))
                return
        if not (items and len(value) == 1 and _is_path(value.get(ITEM))):
            self.malformed.append(json.dumps(value, default=repr))


def _is_path(path: object) -> TypeGuard[Sequence[str | int]]:
    if type(path) is list and len(path) == 1 and type(path[0]) is str:  # most are
        return True
    if not isinstance(path, list | tuple):
        return False
    for step in path:  # noqa: SIM110 - all() takes twice as long
        if not isinstance(step, str | int) or isinstance(step, bool):
            return False
    return True


def scan(spec: TaskSpec) -> Scan:
    """Walk over the arguments of a task and over what it expands."""
    found = Scan()
    texts, numbers, loop = found.texts, found.numbers, spec.for_each
    for value in spec.args.values():
        kind = type(value)  # most are told by it: that saves a call
        if kind is str:
            texts.append(value)  # type: ignore[arg-type]  # as `kind` says
        elif kind is int:
            numbers.append(value)  # type: ignore[arg-type]
        elif kind is dict and FROM in value:  # type: ignore[operator]
            found.refer(value, items=loop is not None)  # type: ignore[arg-type]
        else:
            found.walk(value, items=loop is not None)
    if loop is not None and loop.source is not None:
        found.walk(loop.source, items=False)
    return found


def said(spec: TaskSpec, found: Scan) -> Sequence[str]:
    """Return every text that a task says: arguments, labels, device, resources."""
    needs = spec.needs
    if needs is DEFAULT_NEEDS and spec.for_each is None:  # most say nothing else
        return found.texts
    return (
        *found.texts,
        *needs.labels.values(),
        *([needs.device] if needs.device else ()),
        *(resource.key for resource in needs.resources),
        *(spec.for_each.labels.values() if spec.for_each else ()),
    )
