"""References inside arguments: finding them, and putting values in their place."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.core.model import TaskSpec
from protocol.types import Json, TaskId

FROM = "$from"
ITEM = "$item"


class MissingError(LookupError):
    """A reference points at a place that the value does not have."""


def predecessors(spec: TaskSpec) -> tuple[TaskId, ...]:
    """Return the tasks whose outputs `spec` refers to, each once, in order of appearance."""
    if not spec.args and spec.for_each is None:
        return ()
    found = dict.fromkeys(task for task, _ in sources(spec.args))
    if spec.for_each is not None:
        found |= dict.fromkeys(task for task, _ in sources(spec.for_each.source))
    return tuple(found)


def look_up(value: Json, path: Sequence[Json], *, name: str = "value") -> Json:
    """Follow `path` into `value`.

    Raises:
        MissingError: naming the first step that leads nowhere.
    """
    for step in path:
        try:
            value = value[step]  # type: ignore[index]
        except (LookupError, TypeError):
            raise MissingError(f"{name} has no {step!r}") from None
        name = f"{name}.{step}"
    return value


def resolve(value: Json, output: Callable[[TaskId], Json]) -> Json:
    """Return `value` with every ``$from`` replaced by what it stands for.

    Raises:
        MissingError: a reference points at nothing.
    """
    match value:
        case {"$from": str(task), "path": list() | tuple() as path}:
            return look_up(output(TaskId(task)), path, name=task)
        case {"$from": str(task)}:
            return output(TaskId(task))
        case Mapping():
            return {key: resolve(item, output) for key, item in value.items()}
        case list() | tuple():
            return [resolve(item, output) for item in value]
        case _:
            return value


def fill_item(value: Json, item: Json) -> Json:
    """Return `value` with every ``$item`` replaced by its place in `item`.

    Raises:
        MissingError: a reference points at nothing.
    """
    match value:
        case {"$item": list() | tuple() as path}:
            return look_up(item, path, name="item")
        case Mapping():
            return {key: fill_item(part, item) for key, part in value.items()}
        case list() | tuple():
            return [fill_item(part, item) for part in value]
        case _:
            return value


def sources(value: Json) -> Iterator[tuple[TaskId, Sequence[Json]]]:
    """Yield the task and the path of every ``$from``, in order."""
    match value:
        case {"$from": str(task), "path": list() | tuple() as path}:
            yield TaskId(task), path
        case {"$from": str(task)}:
            yield TaskId(task), ()
        case Mapping():
            for item in value.values():
                yield from sources(item)
        case list() | tuple():
            for item in value:
                yield from sources(item)
        case _:
            return
