"""What must hold in a playbook beyond the form of its parts.

Each rule yields (location, sentence) pairs; an unknown name is told the nearest known one.
"""

import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import TypeAlias

from orchestrator.planner.playbook.document import Location
from orchestrator.planner.playbook.expressions import ITEM, Expression, expressions
from orchestrator.planner.playbook.format import PlaybookPart, RegexPart, TaskPart
from orchestrator.planner.playbook.matching import phrase_pattern
from orchestrator.planner.playbook.parameters import checked
from protocol.nearest import nearest

Problem: TypeAlias = tuple[Location, str]


def problems(part: PlaybookPart) -> Iterator[Problem]:
    """Yield everything that is wrong with a playbook whose parts are well formed."""
    if not part.tasks:
        yield ("tasks",), "a playbook needs at least one task"
    yield from _names(part)
    yield from _match(part)
    yield from _defaults(part)
    for n, task in enumerate(part.tasks):
        for location, detail in chain(_references(task, part), _after(task, part)):
            yield ("tasks", n, *location), detail
    yield from _cycles(part)


def patterns(part: PlaybookPart) -> tuple[re.Pattern[str], ...]:
    """Return what matches a request, the playbook's name first."""
    return tuple(_pattern(each) for each in (part.name, *part.match))


def _pattern(phrase: str | RegexPart) -> re.Pattern[str]:
    text = phrase.regex if isinstance(phrase, RegexPart) else phrase_pattern(phrase)
    return re.compile(text, re.IGNORECASE)


def _names(part: PlaybookPart) -> Iterator[Problem]:
    count = Counter(task.id for task in part.tasks)
    for n, task in enumerate(part.tasks):
        if count[task.id] > 1:
            yield ("tasks", n, "id"), f"{count[task.id]} tasks are called {task.id!r}"
        if task.id in part.parameters:
            yield ("tasks", n, "id"), f"{task.id!r} is the name of a parameter too"
        if task.id == ITEM:
            yield ("tasks", n, "id"), f"{ITEM!r} stands for the item of a for_each: use another id"
    if ITEM in part.parameters:
        yield ("parameters", ITEM), f"{ITEM!r} stands for the item of a for_each: rename it"


def _match(part: PlaybookPart) -> Iterator[Problem]:
    for n, phrase in enumerate(part.match):
        try:
            pattern = _pattern(phrase)
        except (ValueError, re.error) as error:
            yield ("match", n), f"this cannot match: {error}"
            continue
        for name in pattern.groupindex:
            if name not in part.parameters:
                detail = f"there is no parameter {name!r}"
                yield ("match", n), detail + nearest(name, part.parameters)


def _defaults(part: PlaybookPart) -> Iterator[Problem]:
    for name, parameter in part.parameters.items():
        if not parameter.required:
            try:
                checked(parameter, parameter.default)
            except ValueError as error:
                yield ("parameters", name, "default"), f"it {error}"


def _references(task: TaskPart, part: PlaybookPart) -> Iterator[Problem]:
    tasks = {each.id for each in part.tasks}
    in_args = {*part.parameters, *tasks, *([ITEM] if task.for_each else [])}
    for location, each in expressions(task.model_dump()):
        match location:
            case ("args", *_):
                names = in_args
            case ("for_each", "items"):
                names = tasks
            case _:
                names = set(part.parameters)
        if detail := _wrong(each, task, part, names):
            yield location, detail
    items = task.for_each.items if task.for_each else None
    if items is not None and not list(expressions(items)):
        yield ("for_each", "items"), "'items' must be a reference to a list: ${task.path}"


def _wrong(each: Expression, task: TaskPart, part: PlaybookPart, names: set[str]) -> str | None:
    if each.closed and each.name not in names:
        return f"{each.name!r} is not known here{nearest(each.name, names)}"
    parameter = part.parameters.get(each.name)
    complaints = (
        (not each.closed, "'${' is never closed"),
        (each.name == task.id, "a task cannot use its own output"),
        (parameter is None and not each.whole, _IN_TEXT),
        (parameter and each.path, f"a parameter is used whole: ${{{each.name}}}"),
        (parameter and not each.whole and not parameter.is_text, "this cannot be part of a text"),
    )
    return next((detail for wrong, detail in complaints if wrong), None)


_IN_TEXT = "an output cannot be part of a text: make that text by a task with skill text.template"


def _after(task: TaskPart, part: PlaybookPart) -> Iterator[Problem]:
    others = [each.id for each in part.tasks if each.id != task.id]
    used = {each.name for _, each in expressions(task.args)}
    count = Counter(edge.task for edge in task.edges)
    for n, edge in enumerate(task.edges):
        if edge.task not in others:
            yield ("after", n), f"there is no other task {edge.task!r}{nearest(edge.task, others)}"
        elif count[edge.task] > 1:
            yield ("after", n), f"{edge.task!r} is named {count[edge.task]} times"
        elif edge.on != "success" and edge.task in used:
            yield ("after", n), f"the output of {edge.task!r} is used, which takes on: success"


def _cycles(part: PlaybookPart) -> Iterator[Problem]:
    index = {task.id: n for n, task in enumerate(part.tasks)}
    waits = {
        task.id: [
            name
            for name in chain(
                (each.name for _, each in expressions(task.model_dump())),
                (edge.task for edge in task.edges),
            )
            if name in index and name != task.id
        ]
        for task in part.tasks
    }
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        yield (
            ("tasks", index[cycle[0]]),
            f"these tasks wait for each other: {', '.join(cycle[1:])}",
        )
