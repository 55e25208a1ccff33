"""Which task of one plan is which of another, whatever they are called.

Colour refinement (Weisfeiler & Leman 1968): tasks of the same skill, argument names and kind of
for_each have the same colour; then, again and again, tasks are told apart by the colours of those
they wait for and those that wait for them. Deviation: where a symmetry remains, the order of
creation decides, and the edges are compared at the end.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import TypeAlias

from pydantic_core import to_json

from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.playbook.expressions import expressions
from protocol.types import Json

Task: TypeAlias = Mapping[str, Json]
Edge: TypeAlias = tuple[str, str, str]
"""Who is waited for, who waits, and how it refers to it."""
_REFERENCE = re.compile(r"\$\{([^{}.]+)((?:\.[^{}]*)?)\}")


def shape(tasks: Sequence[Task]) -> str:
    """Return what plans have in common that differ in their literals and names only."""
    return _digest(sorted(_colours(tasks).values()))[:8]


def aligned(tasks: Sequence[Task], to: Sequence[Task]) -> tuple[Task, ...]:
    """Return `tasks` in the order and with the ids of `to`.

    Raises:
        LearningError: the plans have different shapes.
    """
    ours, theirs = _colours(tasks), _colours(to)
    if sorted(ours.values()) != sorted(theirs.values()):
        raise LearningError("these plans have different tasks, or other dependencies")
    if ours == theirs:
        names = {name: name for name in ours}
    else:
        by_colour = (sorted(ours, key=lambda n: ours[n]), sorted(theirs, key=lambda n: theirs[n]))
        names = dict(zip(*by_colour, strict=True))
    renamed = {names[str(task["id"])]: _renamed(task, names) for task in tasks}
    if Counter(_edges([*renamed.values()])) != Counter(_edges(to)):
        raise LearningError("the dependencies of these plans differ")
    return tuple(renamed[str(task["id"])] for task in to)


def _colours(tasks: Sequence[Task]) -> dict[str, str]:
    colours = {str(task["id"]): _digest(_own(task)) for task in tasks}
    edges = list(_edges(tasks))
    for _ in tasks:
        near: dict[str, list[tuple[str, str, str]]] = {name: [] for name in colours}
        for before, after, how in edges:
            near[after].append(("<", how, colours[before]))
            near[before].append((">", how, colours[after]))
        finer = {name: _digest([colours[name], *sorted(near[name])]) for name in colours}
        stable = len({*finer.values()}) == len({*colours.values()})
        colours = finer
        if stable:
            break
    return colours


def _own(task: Task) -> Json:
    args, each = task.get("args"), task.get("for_each")
    return [
        task["skill"],
        sorted(args) if isinstance(args, Mapping) else [],
        sorted(each) if isinstance(each, Mapping) else [],
        task.get("effect"),
    ]


def _edges(tasks: Sequence[Task]) -> Iterator[Edge]:
    names = {str(task["id"]) for task in tasks}
    for task in tasks:
        name = str(task["id"])
        for place, each in expressions(task):
            if each.name in names:
                yield each.name, name, str(place[:2])
        after = task.get("after", [])
        for edge in after if isinstance(after, list | tuple) else ():
            if isinstance(edge, Mapping):
                yield str(edge["task"]), name, str(edge.get("on", "when"))
            else:
                yield str(edge), name, "success"


def _renamed(task: Task, names: Mapping[str, str]) -> Task:
    after = task.get("after", [])
    assert isinstance(after, list | tuple)  # noqa: S101 - as `sampling` writes it
    edges = [
        {**edge, "task": names[str(edge["task"])]}
        if isinstance(edge, Mapping)
        else names[str(edge)]
        for edge in after
    ]
    renamed = {key: _referring(value, names) for key, value in task.items()}
    renamed["id"] = names[str(task["id"])]
    if edges:
        renamed["after"] = edges
    return renamed


def _referring(value: Json, names: Mapping[str, str]) -> Json:
    match value:
        case str():
            found = _REFERENCE.fullmatch(value)
            if found is None or found[1] not in names:
                return value
            return f"${{{names[found[1]]}{found[2]}}}"
        case Mapping():
            return {key: _referring(part, names) for key, part in value.items()}
        case list() | tuple():
            return [_referring(part, names) for part in value]
        case _:
            return value


def _digest(value: Json) -> str:
    return sha256(to_json(value)).hexdigest()
