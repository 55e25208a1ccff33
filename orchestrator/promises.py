"""Does an output keep what its skill declares? A device that answers otherwise has failed.

Theory of operation. Schemas and outputs both come from devices, and the loop waits meanwhile: so
the work is bounded (`STEPS`, `DEPTH`), no regular expression of theirs is run, and what is not
understood counts as kept. What is refused here, JSON Schema (2020-12) refuses: `type`, `enum`,
`const`, `properties`, `required`, `additionalProperties`, `items`, `prefixItems`, the bounds of
numbers, texts, lists and objects, `allOf`, `anyOf`, `oneOf` (as `anyOf`), and references inside of
the document. A reference to an artifact stands for whatever is declared. Of what is longer than
`STEPS` places, the first are looked at.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, TypeGuard

from orchestrator.core import events as e
from orchestrator.core.state import State
from protocol.artifacts.reference import KEY
from protocol.types import Failed, FailureKind, Json, Succeeded

STEPS: Final = 4000  # places of an output that are compared with a place of the schema: some 5 ms
DEPTH: Final = 64  # what lies deeper is not looked at
MOST_TOLD: Final = 10**18
SHOWN: Final = 80  # characters of a value, or of a place
DIALECT: Final = "2020-12"  # what words mean in another one is not known here


def held_to_promise(event: e.AttemptFinished, state: State) -> e.AttemptFinished:
    """Return an event as it is, or as a failure where its output breaks a promise."""
    attempt, device = state.attempts.get(event.attempt), state.devices.get(event.device)
    if not isinstance(event.outcome, Succeeded) or attempt is None or device is None:
        return event
    run = state.runs.get(attempt.run)
    task = None if run is None else run.tasks.get(attempt.task)
    skill = None if task is None else device.skills.get(task.spec.skill)
    if skill is None or skill.output_schema is None:
        return event
    wrong = broken(skill.output_schema, event.outcome.output)
    if wrong is None:
        return event
    detail = f"{skill.name} answers what it does not declare: {wrong}"
    return replace(event, outcome=Failed(FailureKind.BAD_OUTPUT, detail))


def broken(schema: Json, output: Json) -> str | None:
    """Say where and how an output misses a schema; None: nothing is known to be wrong."""
    dialect = schema.get("$schema") if isinstance(schema, Mapping) else None
    if dialect is not None and DIALECT not in str(dialect):
        return None
    found = _Look(schema).wrong(schema, output, ())
    if found is None:
        return None
    place, what = found
    return f"{_short('.'.join(map(str, ('output', *place))))} {what}"


_Place = tuple[int | str, ...]
_Wrong = tuple[_Place, str]
_Judge = Callable[[Mapping[str, Json], Json], str | None]


class _Reading(NamedTuple):
    """What a schema is asked about a value."""

    steps: int
    judges: Sequence[_Judge]
    parts: bool
    """It is also about parts of the value, or has parts itself."""


class _Look:
    """One search, which takes so many steps at most."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._left = STEPS
        self._depth = 0
        self._read: dict[int, _Reading] = {}
        """Schemas met so far: the same one is often that of many places."""

    def wrong(self, schema: Json, value: Json, place: _Place) -> _Wrong | None:
        """Return the first thing that is wrong at a place."""
        if not isinstance(schema, Mapping):
            return (place, "is not declared") if schema is False else None
        reading = self._read.get(id(schema)) or self._reading(schema)
        self._left -= reading.steps
        if self._left < 0 or self._depth >= DEPTH or (_is_object(value) and KEY in value):
            return None
        for judge in reading.judges:
            if (what := judge(schema, value)) is not None:
                return place, what
        if not reading.parts:
            return None
        self._depth += 1
        try:
            return self._choices(schema, value, place) or self._inside(schema, value, place)
        finally:
            self._depth -= 1

    def _reading(self, schema: Mapping[str, Json]) -> "_Reading":
        steps = 1 + sum(len(_list(schema.get(name))) for name in _LISTS)
        judges = [judge for words, judge in _JUDGES if not words.isdisjoint(schema)]
        reading = _Reading(steps, judges, parts=not _PARTS.isdisjoint(schema))
        if "$id" in schema and schema is not self._root:
            reading = _Reading(1, (), parts=False)  # its references start elsewhere
        self._read[id(schema)] = reading
        return reading

    def _choices(self, schema: Mapping[str, Json], value: Json, place: _Place) -> _Wrong | None:
        for part in (*_list(schema.get("allOf")), *self._target(schema.get("$ref"))):
            if (found := self.wrong(part, value, place)) is not None:
                return found
        for name in ("anyOf", "oneOf"):
            deepest: _Wrong | None = None
            for part in _list(schema.get(name)):
                if (found := self.wrong(part, value, place)) is None:
                    break
                if deepest is None or len(found[0]) > len(deepest[0]):
                    deepest = found
            else:
                if deepest is not None:
                    return deepest
        return None

    def _inside(self, schema: Mapping[str, Json], value: Json, place: _Place) -> _Wrong | None:
        for step, part, below in _parts(schema, value):
            if self._left < 0:
                return None
            if (found := self.wrong(part, below, (*place, step))) is not None:
                return found
        return None

    def _target(self, reference: Json) -> Iterator[Json]:
        """Follow a reference inside of the document; any other says nothing."""
        if not isinstance(reference, str) or not reference.startswith("#") or "%" in reference:
            return
        place, first, *steps = self._root, *reference[1:].split("/")
        if first:
            return  # an anchor
        for step in steps:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(place, Mapping) or name not in place:
                return
            place = place[name]
        yield place


def _parts(schema: Mapping[str, Json], value: Json) -> Iterator[tuple[int | str, Json, Json]]:
    """Yield the parts of a value, and what each must fit."""
    if _is_object(value):
        listed = schema.get("properties")
        known = listed if isinstance(listed, Mapping) else {}
        others = (
            True if "patternProperties" in schema else schema.get("additionalProperties", True)
        )
        for name, below in value.items():
            yield name, known.get(name, others), below
    elif _is_list(value):
        first, others = _list(schema.get("prefixItems")), schema.get("items", True)
        for n, below in enumerate(value):
            yield n, first[n] if n < len(first) else others, below


def _type(schema: Mapping[str, Json], value: Json) -> str | None:
    kind = schema.get("type")
    kinds = [kind] if isinstance(kind, str) else _list(kind)
    tests = [_TYPES.get(each) if isinstance(each, str) else None for each in kinds]
    if not tests or any(test is None or test(value) for test in tests):
        return None
    return f"is {_told(value)}, declared is {' or '.join(map(str, kinds))}"


def _one_of(schema: Mapping[str, Json], value: Json) -> str | None:
    listed = [schema["const"]] if "const" in schema else _list(schema.get("enum"))
    if not listed or len(listed) > STEPS or any(_may_equal(each, value) for each in listed):
        return None
    return f"is {_told(value)}, declared is {_short(' or '.join(map(_told, listed[:SHOWN])))}"


def _complete(schema: Mapping[str, Json], value: Json) -> str | None:
    if _is_object(value):
        for name in _list(schema.get("required")):
            if isinstance(name, str) and name not in value:
                return f"lacks {_short(repr(name))}"
    return None


def _bounded(schema: Mapping[str, Json], value: Json) -> str | None:
    for size, bounds in _BOUNDS:
        measured = size(value)
        if measured is None:
            continue
        for name, holds in bounds:
            bound = schema.get(name)
            if _is_number(bound) and not holds(measured, bound):
                return f"is {_told(value)}, declared is {name} {_told(bound)}"
    return None


def _is_object(value: Json) -> TypeGuard[Mapping[str, Json]]:
    return isinstance(value, Mapping)


def _is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    return isinstance(value, list | tuple)


def _is_number(value: Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Json) -> bool:
    return _is_number(value) and value == value // 1


def _list(value: Json) -> Sequence[Json]:
    return value if _is_list(value) else ()


def _may_equal(one: Json, other: Json) -> bool:
    """Tell whether two values may be the same for JSON Schema: containers are not looked into."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return (
        one == other
        or (_is_object(one) and _is_object(other))
        or (_is_list(one) and _is_list(other))
    )


_TYPES: Final[Mapping[str, Callable[[Json], bool]]] = {
    "object": _is_object,
    "array": _is_list,
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_whole,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_Bound = tuple[str, Callable[[float, float], bool]]


def _at_least(value: float, bound: float) -> bool:
    return value >= bound


def _at_most(value: float, bound: float) -> bool:
    return value <= bound


_BOUNDS: Final[Sequence[tuple[Callable[[Json], float | None], Sequence[_Bound]]]] = (
    (
        lambda value: value if _is_number(value) else None,
        (
            ("minimum", _at_least),
            ("maximum", _at_most),
            ("exclusiveMinimum", lambda value, bound: value > bound),
            ("exclusiveMaximum", lambda value, bound: value < bound),
        ),
    ),
    (
        lambda value: len(value) if isinstance(value, str) else None,
        (("minLength", _at_least), ("maxLength", _at_most)),
    ),
    (
        lambda value: len(value) if _is_list(value) else None,
        (("minItems", _at_least), ("maxItems", _at_most)),
    ),
    (
        lambda value: len(value) if _is_object(value) else None,
        (("minProperties", _at_least), ("maxProperties", _at_most)),
    ),
)


def _told(value: Json) -> str:
    if _is_object(value):
        return "an object"
    if _is_list(value):
        return "a list"
    if isinstance(value, int) and abs(value) > MOST_TOLD:
        return "a huge number"  # of so many digits that to write them takes long, or fails
    return _short(repr(value[:SHOWN] if isinstance(value, str) else value))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


_LISTS: Final = ("enum", "required", "type")
"""Words with lists that are walked, and count as steps."""
_JUDGES: Final[Sequence[tuple[frozenset[str], _Judge]]] = (
    (frozenset({"type"}), _type),
    (frozenset({"const", "enum"}), _one_of),
    (frozenset({"required"}), _complete),
    (frozenset(name for _, bounds in _BOUNDS for name, _ in bounds), _bounded),
)
_PARTS: Final = frozenset(
    {
        "properties",
        "additionalProperties",
        "items",
        "prefixItems",
        "allOf",
        "anyOf",
        "oneOf",
        "$ref",
    }
)
