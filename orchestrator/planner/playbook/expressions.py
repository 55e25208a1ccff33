"""References in the text of a playbook: finding them, and turning them into the plan's own.

``${name}`` is a parameter, ``${task.path.0}`` a place in another task's output, ``${item.path}``
a place in the item of a for_each, and ``$${`` the text ``${``.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.planner.playbook.document import Location
from protocol.types import Json

ITEM = "item"
_EXPRESSION = re.compile(r"\$(?:\$\{|\{([^{}]*)(\}?))")


@dataclass(frozen=True, slots=True)
class Expression:
    """One reference; `whole` where it is all of its text."""

    text: str
    whole: bool
    closed: bool

    @property
    def name(self) -> str:
        """What it refers to."""
        return self.text.partition(".")[0]

    @property
    def path(self) -> tuple[str | int, ...]:
        """Where in it; steps of digits are indices."""
        return split_path(self.text.partition(".")[2])


def split_path(path: str) -> tuple[str | int, ...]:
    """Split a dotted path; steps of digits are indices."""
    return tuple(int(step) if step.isdecimal() else step for step in path.split(".") if step)


def expressions(value: Json, location: Location = ()) -> Iterator[tuple[Location, Expression]]:
    """Yield every reference inside `value` with the place of its text."""
    match value:
        case str():
            for found in _EXPRESSION.finditer(value):
                if found[1] is not None:
                    yield location, _expression(found)
        case Mapping():
            for key, part in value.items():
                yield from expressions(part, (*location, key))
        case list() | tuple():
            for n, part in enumerate(value):
                yield from expressions(part, (*location, n))
        case _:
            pass


def fill(value: Json, parameters: Mapping[str, Json]) -> Json:
    """Put parameters in their places, and turn other references into ``$from`` and ``$item``."""
    match value:
        case str():
            return _fill_text(value, parameters)
        case Mapping():
            return {key: fill(part, parameters) for key, part in value.items()}
        case list() | tuple():
            return [fill(part, parameters) for part in value]
        case _:
            return value


def fill_text(text: str, parameters: Mapping[str, Json]) -> str:
    """Put parameters into a text that stays text."""
    return _EXPRESSION.sub(
        lambda found: "${" if found[1] is None else _words(parameters[found[1]]), text
    )


def _fill_text(text: str, parameters: Mapping[str, Json]) -> Json:
    found = _EXPRESSION.fullmatch(text)
    if found is None or found[1] is None:
        return fill_text(text, parameters)
    reference = _expression(found)
    if reference.text in parameters:
        return parameters[reference.text]
    path: list[Json] = list(reference.path)
    if reference.name == ITEM:
        return {"$item": path}
    return {"$from": reference.name, "path": path} if path else {"$from": reference.name}


def _expression(found: re.Match[str]) -> Expression:
    return Expression(found[1], whole=found[0] == found.string, closed=bool(found[2]))


def _words(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)
