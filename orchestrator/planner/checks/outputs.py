"""Does a JSON Schema leave room for a path? For references into outputs that are not yet there.

Read conservatively: what a keyword might allow counts as allowed. Not looked at: ``not``, ``if``,
``patternProperties``, ``dependentSchemas``, references out of the document. Schemas come from
devices, so the work is bounded.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Final

from orchestrator.planner.checks.scan import Path
from protocol.types import Json

MOST: Final = 100
"""Places of a schema that are looked at, one below the other at worst: half of Python's stack."""


class Reach(IntEnum):
    """Whether a valid value can have something at a path."""

    IMPOSSIBLE = 0
    UNDECLARED = 1
    """It may, yet the schema lists what is there and does not list this."""
    POSSIBLE = 2


def reach(schema: Json, path: Path) -> Reach:
    """Tell whether the path may lead somewhere in values of the schema."""
    return _Look(schema).at(schema, path)


class _Look:
    """One search; a place that is met again while it is looked at is no obstacle."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._seen: dict[tuple[int, int], Reach] = {}

    def at(self, schema: Json, path: Path) -> Reach:
        if schema is False:
            return Reach.IMPOSSIBLE
        if not path or not isinstance(schema, Mapping) or len(self._seen) > MOST:
            return Reach.POSSIBLE
        key = id(schema), len(path)
        if key not in self._seen:
            self._seen[key] = Reach.POSSIBLE
            self._seen[key] = self._judge(schema, path)
        return self._seen[key]

    def _judge(self, schema: Mapping[str, Json], path: Path) -> Reach:
        own = self._step(schema, path)
        choices = (_schemas(schema.get(choice)) for choice in ("anyOf", "oneOf"))
        all_of = (*_schemas(schema.get("allOf")), *self._target(schema.get("$ref")))
        parts = [
            *(max(self.at(part, path) for part in choice) for choice in choices if choice),
            *(self.at(part, path) for part in all_of),
        ]
        if Reach.IMPOSSIBLE in (own, *parts):
            return Reach.IMPOSSIBLE
        told = "properties" in schema or not parts
        return max((own, *parts) if told else parts)  # its parts may list what it does not

    def _step(self, schema: Mapping[str, Json], path: Path) -> Reach:
        """Take the first step by what the schema itself says."""
        step, kind = path[0], schema.get("type")
        kinds = [kind] if isinstance(kind, str) else _schemas(kind)
        if kinds and not _HOLDERS[type(step)].intersection(map(str, kinds)):
            return Reach.IMPOSSIBLE
        below = _member(schema, step) if isinstance(step, str) else _element(schema, step)
        return below if isinstance(below, Reach) else self.at(below, path[1:])

    def _target(self, reference: Json) -> Iterator[Json]:
        """Follow a reference inside of the document; one that leads nowhere says nothing."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return
        place = self._root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(place, Mapping) or name not in place:
                return
            place = place[name]
        yield place


_HOLDERS: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset({"object"}),
    int: frozenset({"array", "string"}),  # `look_up` takes a character of a text too
}


def _member(schema: Mapping[str, Json], name: str) -> Json | Reach:
    """Return what a member must fit, or what follows from its not being listed."""
    listed = schema.get("properties")
    if isinstance(listed, Mapping) and name in listed:
        return listed[name]
    if "patternProperties" in schema:
        return Reach.POSSIBLE
    if "additionalProperties" in schema:
        return schema["additionalProperties"]
    return Reach.UNDECLARED if listed else Reach.POSSIBLE


def _element(schema: Mapping[str, Json], index: int) -> Json | Reach:
    """Return what an element must fit; a negative index counts from the end."""
    most, first = schema.get("maxItems"), _schemas(schema.get("prefixItems"))
    if isinstance(most, int) and not -most <= index < most:
        return Reach.IMPOSSIBLE
    if 0 <= index < len(first):
        return first[index]
    if "items" in schema and (index >= 0 or not first):
        return schema["items"]
    return Reach.POSSIBLE


def _schemas(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list | tuple) else ()
