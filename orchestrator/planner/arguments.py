"""Do a task's arguments fit its skill's JSON Schema? Literals are judged, references trusted."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from orchestrator.core.references import FROM, ITEM
from protocol.nearest import nearest
from protocol.types import Json

# What jsonschema raises when a device's schema is itself wrong: it then says nothing about us.
_UNUSABLE = (SchemaError, Unresolvable, re.error, RecursionError)

# jsonschema takes about 10 µs a value. Most need it not at all, since any string will do, or once,
# since plans say the same numbers again and again.
_PLAIN: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "null": type(None)}


@dataclass(frozen=True, slots=True, eq=False)
class _Argument:
    validator: Validator
    plain: frozenset[type]
    """Types whose values all fit."""

    def fault(self, value: Json) -> str | None:
        if type(value) in self.plain or _refers(value):
            return None
        return _number(self, value) if isinstance(value, int | float) else self.judge(value)

    def judge(self, value: Json) -> str | None:
        try:
            error = next(self.validator.iter_errors(value), None)
        except _UNUSABLE:
            return None
        return textwrap.shorten(error.message, 160) if error else None


@lru_cache(maxsize=4096, typed=True)  # True is not 1 here, nor is 1.0
def _number(argument: _Argument, value: float) -> str | None:
    return argument.judge(value)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a skill takes, and which arguments it cannot do without."""

    arguments: Mapping[str, _Argument]
    required: tuple[str, ...]
    closed: bool
    """Whether there are no other arguments."""

    def faults(self, args: Mapping[str, Json]) -> Iterator[str]:
        """Yield what is wrong, a clause each."""
        for name in self.required:
            if name not in args:
                yield f"the argument {name!r} is missing"
        for name, value in args.items():
            if name in self.arguments:
                if detail := self.arguments[name].fault(value):
                    yield f"argument {name!r}: {detail}"
            elif self.closed:
                yield f"there is no argument {name!r}{nearest(name, self.arguments)}"


def contract(schema: Mapping[str, Json] | None) -> Contract:
    """Return the contract of an input schema; kept, so that the same schema costs little."""
    return _ANYTHING if schema is None else _contract(json.dumps(schema))


_ANYTHING = Contract({}, (), closed=False)


@lru_cache(maxsize=1024)
def _contract(text: str) -> Contract:
    schema = json.loads(text)
    try:
        Draft202012Validator.check_schema(schema)
    except _UNUSABLE:
        return _ANYTHING
    whole = Draft202012Validator(schema, registry=Registry())  # fetches nothing from the network
    arguments = {
        name: _Argument(whole.evolve(schema=part), _plain(part))
        for name, part in schema.get("properties", {}).items()
    }
    closed = schema.get("additionalProperties") is False
    return Contract(arguments, tuple(schema.get("required", ())), closed=closed)


def _plain(schema: Json) -> frozenset[type]:
    """Return the types that the schema takes without a condition."""
    match schema:
        case {"anyOf": list() as parts, **rest} if rest.keys() <= _REMARKS:
            return frozenset[type]().union(*map(_plain, parts))
        case {"type": str() as name, **rest} if rest.keys() <= _REMARKS and name in _PLAIN:
            return frozenset({_PLAIN[name]})
        case _:
            return frozenset()


_REMARKS = {"title", "description", "default"}


def _refers(value: Json) -> bool:
    match value:
        case None | str() | int() | float():
            return False
        case Mapping():
            return FROM in value or ITEM in value or any(map(_refers, value.values()))
        case _:
            return any(map(_refers, value))
