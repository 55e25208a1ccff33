"""Is what a program hands in made of what its types say? Looked at before the engine sees it.

Python does not look, and the engine trusts: a priority of "high", or limits that are a dict, would
break whatever sorts or adds them later, for every run; an effect of "once" is not `Effect.ONCE`.
Lists count as tuples, and whole numbers as floats. JSON is looked at elsewhere.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Final, NewType, TypeAlias, Union, get_args, get_origin, get_type_hints

from orchestrator.core.errors import RequestError

SHOWN: Final = 60  # characters of a value
_Wrong: TypeAlias = tuple[str, str] | None
"""Where, and what is expected there."""
_Check: TypeAlias = Callable[[object], _Wrong]


def check_form(value: object, form: type, place: str = "") -> None:
    """Make sure that a value is a dataclass whose parts are what their types say.

    Args:
        value: what was handed in.
        form: what it should be.
        place: what it is called.

    Raises:
        RequestError: it is not; the error names the first part that is wrong.
    """
    found = _check_of(form)(value)
    if found is not None:
        where, what = found
        for step in filter(None, where.split(".")):
            value = value[int(step)] if isinstance(value, list | tuple) else _part(value, step)
        name = ".".join(filter(None, (place, where))) or form.__name__
        raise RequestError(f"{name}: {what} is expected, got {_short(repr(value))}")


@cache
def _check_of(kind: object) -> _Check:
    """Return what looks at values of a type; what it does not know it lets pass."""
    if isinstance(kind, NewType):
        return _check_of(kind.__supertype__)
    if not isinstance(kind, type) or get_origin(kind) is not None:
        return _generic(get_origin(kind), get_args(kind))
    if is_dataclass(kind):
        return _members(kind)
    return _instance(kind) if kind in _NAMES or issubclass(kind, Enum) else _pass


def _generic(origin: object, inside: Sequence[object]) -> _Check:
    if origin in (Union, UnionType):
        return _any_of(inside)
    if origin is tuple and inside[-1] is Ellipsis:
        return _each(_check_of(inside[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _values(_check_of(inside[1]))
    return _pass


_NAMES: Final[Mapping[type, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    NoneType: "None",
}


def _pass(_value: object) -> _Wrong:
    return None


def _instance(kind: type) -> _Check:
    kinds = (int, float) if kind is float else (kind,)
    name = _name(kind)

    def check(value: object) -> _Wrong:
        if type(value) in kinds or (isinstance(value, kinds) and type(value) is not bool):
            return None
        return "", name

    return check


def _members(kind: type) -> _Check:
    hints = get_type_hints(kind)
    checks = [(each.name, _check_of(hints[each.name]), each.default) for each in fields(kind)]

    def check(value: object) -> _Wrong:
        if not isinstance(value, kind):
            return "", _name(kind)
        for name, look, default in checks:
            part = getattr(value, name)
            if part is not default and (found := look(part)) is not None:
                return f"{name}.{found[0]}".rstrip("."), found[1]
        return None

    return check


def _any_of(kinds: Sequence[object]) -> _Check:
    checks = [_check_of(kind) for kind in kinds]
    pairs = zip(kinds, checks, strict=True)
    classes = {kind: check for kind, check in pairs if isinstance(kind, type)}
    others = [check for kind, check in zip(kinds, checks, strict=True) if not is_dataclass(kind)]
    names = [_name(kind) for kind in kinds]

    def check(value: object) -> _Wrong:
        if (own := classes.get(type(value))) is not None:
            return own(value)
        if any(each(value) is None for each in others):
            return None
        return "", " or ".join(filter(None, names))

    return check


def _each(look: _Check) -> _Check:
    def check(value: object) -> _Wrong:
        if not isinstance(value, list | tuple):
            return "", "a tuple"
        return _first(enumerate(value), look)

    return check


def _values(look: _Check) -> _Check:
    def check(value: object) -> _Wrong:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            return "", "a mapping from text"
        return None if look is _pass else _first(value.items(), look)

    return check


def _first(parts: Iterable[tuple[object, object]], look: _Check) -> _Wrong:
    for step, part in parts:
        if (found := look(part)) is not None:
            return f"{step}.{found[0]}".rstrip("."), found[1]
    return None


def _name(kind: object) -> str:
    if isinstance(kind, NewType):
        return _name(kind.__supertype__)
    if not isinstance(kind, type):
        return ""
    if issubclass(kind, Enum):
        return f"a member of {kind.__name__}"
    return _NAMES.get(kind) or kind.__name__


def not_json(value: object) -> str | None:
    """Return where a dataclass, or what is in one, has something that is not JSON; None: nowhere.

    For values that are known to have it: recursion is not bounded.
    """
    if value is None or isinstance(value, str | bool | int):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else ""
    parts: Iterable[tuple[object, object]]
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    elif is_dataclass(value):
        parts = [(each.name, getattr(value, each.name)) for each in fields(value)]
    else:
        return ""
    found = ((step, not_json(part)) for step, part in parts)
    return next((f"{step}.{at}".rstrip(".") for step, at in found if at is not None), None)


def _part(value: object, step: str) -> object:
    return value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
