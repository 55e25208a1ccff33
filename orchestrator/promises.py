"""Does an output keep what its skill declares? A device that answers otherwise has failed.

`jsonschema` reads the declaration (Draft 2020-12). Schemas and outputs both come from devices, and
the loop waits meanwhile: so the work is bounded (`STEPS`), no regular expression of theirs is run,
and what is not understood, or too much, counts as kept. A reference to an artifact stands for
whatever is declared.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any, Final

from orchestrator.core import events as e
from orchestrator.core.state import State
from protocol.artifacts.reference import KEY
from protocol.types import Failed, FailureKind, Json, Succeeded

STEPS: Final = 1000  # words of a schema that are compared with a place of an output: some 10 ms
SHOWN: Final = 200  # characters of what is said
DIALECT: Final = "2020-12"  # what words mean in another one is not known here
UNREAD: Final = frozenset(
    {
        *("pattern", "patternProperties"),  # regular expressions
        "uniqueItems",  # takes quadratic time
        # What counts as kept may not make another part broken:
        *("not", "if", "contains", "unevaluatedItems", "unevaluatedProperties"),
    }
)
CONTAINERS: Final = (Mapping, list, tuple)
PARTS: Final = 3  # of a value, about which nothing is said, cost a step

_Keyword = Callable[[Any, Any, Json, Mapping[str, Json]], Any]
_left: ContextVar[int] = ContextVar("left")
"""The steps that are left of one look."""


class _EnoughError(Exception):
    """All steps are taken."""


def held_to_promise(event: e.AttemptFinished, state: State) -> e.AttemptFinished:
    """Return an event as it is, or as a failure where its output breaks a promise."""
    attempt, device = state.attempts.get(event.attempt), state.devices.get(event.device)
    if not isinstance(event.outcome, Succeeded) or attempt is None or device is None:
        return event
    run = state.runs.get(attempt.run)
    task = None if run is None else run.tasks.get(attempt.task)
    skill = None if task is None else device.skills.get(task.spec.skill)
    if skill is None or not skill.output_schema:
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
    from jsonschema.exceptions import best_match  # noqa: PLC0415  0.1 s, where schemas are used

    kept = _left.set(STEPS)
    try:
        error = best_match(islice(_reader()(schema).iter_errors(output), 1))
    except Exception:  # noqa: BLE001 - a schema that is none says nothing, in many ways
        return None
    finally:
        _left.reset(kept)
    if error is None:
        return None
    place = ".".join(map(str, ("output", *error.absolute_path)))
    said = f"{place}: {error.message}"
    return said if len(said) <= SHOWN else f"{said[: SHOWN - 1]}…"


@cache
def _reader() -> Any:  # noqa: ANN401 - jsonschema's validators have no type of their own
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415

    words = {
        word: _bounded(word, keyword)
        for word, keyword in Draft202012Validator.VALIDATORS.items()
        if word not in UNREAD
    }
    words["oneOf"] = words["anyOf"]  # for the same reason
    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "array": lambda _, value: isinstance(value, list | tuple),
            "object": lambda _, value: isinstance(value, Mapping),
        }
    )
    return validators.create(Draft202012Validator.META_SCHEMA, words, type_checker=types)


def _bounded(word: str, keyword: _Keyword) -> _Keyword:
    """Make a keyword count its steps, and let references be."""

    def look(reader: Any, said: Any, value: Json, schema: Mapping[str, Json]) -> Iterator[Any]:  # noqa: ANN401
        _left.set(_left.get() - _steps(said, value))
        if _left.get() < 0:
            raise _EnoughError
        if isinstance(value, Mapping) and KEY in value:
            return
        if word == "additionalProperties" and "patternProperties" in schema:
            return
        if word in {"const", "enum"} and isinstance(value, CONTAINERS):
            listed = said if isinstance(said, list | tuple) and word == "enum" else [said]
            if any(isinstance(each, CONTAINERS) for each in listed):
                return  # there may be references inside
        yield from keyword(reader, said, value, schema) or ()  # it may give None

    return look


def _steps(said: object, value: Json) -> int:
    """Return what it costs to compare them: lists in schemas are gone through, parts walked."""
    listed = len(said) if isinstance(said, CONTAINERS) else 0
    return 1 + listed + (len(value) // PARTS if isinstance(value, CONTAINERS) else 0)
