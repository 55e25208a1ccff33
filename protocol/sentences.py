"""What is wrong with data from outside, as its author should read it: what to write, and where.

For whatever pydantic reads: files, settings, requests, the command line, arguments of skills. None
of pydantic's own words is left where a table has a better one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from types import MappingProxyType, UnionType
from typing import Annotated, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from protocol.nearest import meant, nearest

Location: TypeAlias = tuple[int | str, ...]

_SHOWN: Final = 60  # characters of a value
_LIST: Final = "write a list, such as [a, b]"
_MAPPING: Final = "write names with values, such as {{name: value}}"
_NUMBER: Final = "write a number"
_TRUTH: Final = "write true or false"
_WHOLE: Final = "write a whole number"
_WRITE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "dataclass_type"), _MAPPING),
    "model_attributes_type": _MAPPING,
    "string_type": "write text",
    "string_too_long": "write at most {max_length} characters",
    "string_pattern_mismatch": "write text of the form {pattern}",
    "path_type": "write a path",
    "pattern_regex": "write a regular expression",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), _TRUTH),
    "finite_number": "write a finite number",
    "greater_than": "write a number greater than {gt:.12g}",
    "greater_than_equal": "write a number of at least {ge:.12g}",
    "less_than": "write a number less than {lt:.12g}",
    "less_than_equal": "write a number of at most {le:.12g}",
    "too_long": "write at most {max_length} of them",
    "enum": "write one of {expected}",
    "literal_error": "write one of {expected}",
}
"""Kind of an error of pydantic's → what to write instead."""
_PATH: Final[Mapping[str, str]] = {
    "string_type": "write a dotted path, such as disks.0.free_bytes",
    "tuple_type": "write a path as a list, such as [disks, 0, free_bytes]",
}
"""The same, of a place in an output: `path`."""
_OURS: Final[Mapping[str, str]] = MappingProxyType({})
_UNKNOWN: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_EMPTY: Final = frozenset({"too_short", "string_too_short"})
_NAMED: Final = _UNKNOWN | {"missing"}
"""Errors whose sentence says the last step of their place."""


def told(errors: Sequence[ErrorDetails], form: object = None) -> Iterator[tuple[Location, str]]:
    """Yield where and what, without what only follows from something else.

    Args:
        errors: pydantic's.
        form: the model that the data misses, where there is one: unknown names have a hint then.
    """
    for each in _causes(errors):
        yield each["loc"], _sentence(each, form)


def complaint(error: ValidationError, form: object = None) -> str:
    """Say in one line what is wrong, and where; an unknown name is why another is missing."""
    return line(first(error), form)


def first(error: ValidationError) -> ErrorDetails:
    """Return what `complaint` is about."""
    causes = _causes(error.errors(include_url=False))
    return min(causes, key=lambda cause: cause["type"] not in _UNKNOWN)


def line(error: ErrorDetails, form: object = None, *, words: Mapping[str, str] = _OURS) -> str:
    """Say in one line what one error is, and where; `words` say it in a format's own way."""
    what = _sentence(error, form, words)
    place = ".".join(map(str, error["loc"][: -1 if error["type"] in _NAMED else None]))
    return f"{place}: {what}" if place else what


def shown(value: object) -> str:
    """Return a value as programs write it, cut to what a line has room for."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def names(form: object, place: Iterable[int | str]) -> Sequence[str]:
    """Return the names that a model, or a dataclass, has at a place of what it reads."""
    kinds = [*_choices(form)]
    for step in place:
        below = [kind for each in kinds for kind in _step(each, step)]
        kinds = below or kinds  # pydantic also names the choice of a union: that is no step
    return [name for kind in kinds for name in _members(kind)]


def _causes(errors: Sequence[ErrorDetails]) -> Iterator[ErrorDetails]:
    for each in errors:
        where = each["loc"]
        if each["type"] != "too_short" or not any(_below(e["loc"], where) for e in errors):
            yield each  # else it is short of what is wrong with its items


def _below(place: Location, other: Location) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _sentence(error: ErrorDetails, form: object, words: Mapping[str, str] = _OURS) -> str:
    kind, last = error["type"], error["loc"][-1] if error["loc"] else ""
    if kind in _UNKNOWN:
        return f"{last!r} is not known here{nearest(str(last), names(form, error['loc'][:-1]))}"
    if kind == "missing":
        return f"{last!r} is missing"
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, ")
    context = error.get("ctx", {})
    if kind in _EMPTY and context.get("min_length") == 1:
        return (
            "write one at least: it is empty" if kind == "too_short" else "write text: it is empty"
        )
    say = words.get(kind) or (_PATH if last == "path" else _WRITE).get(kind) or _WRITE.get(kind)
    say = say.format(**context) if say else error["msg"].replace("Input should be", "it must be")
    given = error["input"]
    if kind == "string_too_long":
        return f"{say}, got {len(given)}"
    near = meant(str(given), re.findall(r"'([^']+)'", str(context.get("expected", ""))))
    return f"{say}, got {shown(given)}{near}"


def _choices(kind: object) -> Iterator[object]:
    """Yield what a type may be, without annotations."""
    if get_origin(kind) is Annotated:
        yield from _choices(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _choices(each)
    else:
        yield kind


def _step(kind: object, step: int | str) -> Iterator[object]:
    members, inside = _members(kind), get_args(kind)
    if step in members:
        yield from _choices(members[str(step)])
    elif inside and isinstance(step, int):
        yield from _choices(inside[0])
    elif len(inside) == 2 and inside[1] is not Ellipsis:  # noqa: PLR2004 - names to values
        yield from _choices(inside[1])


def _members(kind: object) -> Mapping[str, object]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return get_type_hints(kind)
    return {}
