"""Facts as text: one JSON object of a fact's fields, derived from its dataclass.

Every field is written, defaults too, so that a later release with other defaults still reads what
was meant. Inside a fact and in rows, what is empty (None, false, 0, nothing in it) and is so by
default is left out: that halves them. A dataclass inside a fact carries its class name under
``$``. A tuple where the type says `Json` comes back as a list. A fact of an older version goes
through `UPGRADES` on its way in, so a release reads what its predecessor wrote.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, cast, get_args, get_origin

from orchestrator.core.facts import Fact

Fields: TypeAlias = dict[str, Any]
Upgrades: TypeAlias = Mapping[tuple[str, int], Callable[[Fields], Fields]]
Row: TypeAlias = tuple[str, str | None, str | None, str]
"""Kind, run, task and body."""

VERSION: Final = 1
UPGRADES: Final[Upgrades] = {}
"""(kind, n) → what turns the fields of that kind as written at version n into those of n + 1."""

KINDS: Final[Mapping[str, type[Fact]]] = {kind.__name__: kind for kind in get_args(Fact)}
_COLUMNS: Final = ("run", "task")  # kept beside the body, for finding facts
_TAG: Final = "$"


def encode(fact: Fact) -> Row:
    """Return the kind, run, task and body of a fact.

    Raises:
        TypeError: Something inside is neither JSON nor a dataclass.
    """
    cls: type = type(fact)
    kind, names, values, has_run, has_task = _shape(cls)
    body = _dumps(dict(zip(names, values(fact), strict=False)))
    run = fact.run if has_run else None  # type: ignore[union-attr]  # _shape has looked
    task = fact.task if has_task else None  # type: ignore[union-attr]  # _shape has looked
    return kind, run, task, body


def decode(row: Row, version: int = VERSION, *, upgrades: Upgrades = UPGRADES) -> Fact:
    """Return the fact that `encode` wrote, perhaps in a former release (`version` ≤ `VERSION`).

    Raises:
        ValueError, TypeError, KeyError, AttributeError: The row is damaged.
    """
    kind, run, task, body = row
    values: Fields = json.loads(body)
    for older in range(version, VERSION):
        values = upgrades.get((kind, older), dict)(values)
    cls: type = KINDS[kind]
    found = dict(zip(_COLUMNS, (run, task), strict=True))
    values |= {name: found[name] for name in _readers(cls) if name in found}
    return cast("Fact", _build(cls, values))


def encode_row(row: object) -> bytes:
    """Return a dataclass of plain values as bytes; see `encode`."""
    return _dumps(row).encode()


def check_json(value: object) -> None:
    """Make sure that a dataclass of plain values can be written and read again, and sent.

    Raises:
        TypeError, ValueError, RecursionError: Something inside is not JSON, or not a number.
    """
    _CHECK.encode(value)


def decode_row(cls: type, body: bytes) -> object:
    """Return the dataclass that `encode_row` wrote.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: The row is damaged.
    """
    return _build(cls, json.loads(body))


@cache
def _shape(
    cls: type,
) -> tuple[str, tuple[str, ...], Callable[[object], Sequence[object]], bool, bool]:
    every = [field.name for field in fields(cls)]
    names = tuple(name for name in every if name not in _COLUMNS)
    # Two more than asked for, since attrgetter returns a bare value for one name.
    values = attrgetter(*names, "__class__", "__class__")
    return cls.__name__, names, values, "run" in every, "task" in every


@cache
def _parts(cls: type) -> tuple[tuple[tuple[str, object], ...], Callable[[object], Any]] | None:
    """Return what `_plain` needs of a dataclass: names with empty defaults, and its values."""
    if not is_dataclass(cls):
        return None
    named = tuple((field.name, _empty(field)) for field in fields(cls))
    names = [name for name, _ in named]
    return ((_TAG, MISSING), *named), attrgetter("__class__.__name__", *names, "__class__")


def _empty(field: "Field[Any]") -> object:
    """Return the default of a field if it is empty, else what no value equals."""
    made = field.default_factory
    default = field.default if made is MISSING else made()
    return MISSING if default else default


def _plain(value: object) -> object:
    cls: type = type(value)
    if parts := _parts(cls):
        named, values = parts
        return {
            name: item
            for (name, empty), item in zip(named, values(value), strict=False)
            if item or item != empty
        }
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON, so it cannot be journaled")


_CHECK: Final = json.JSONEncoder(allow_nan=False, default=_plain)
_dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=_plain).encode


def _same(value: Any) -> Any:  # noqa: ANN401  # the identity on JSON
    return value


def _build(cls: type, values: Fields) -> object:
    readers = _readers(cls)
    return cls(**{name: readers[name](value) for name, value in values.items() if name != _TAG})


@cache
def _readers(cls: type) -> Mapping[str, Callable[[Any], object]]:
    return {field.name: _reader(field.type) for field in fields(cls)}


def _reader(hint: object) -> Callable[[Any], object]:
    """Return what makes a value of type `hint` of its JSON; `Json` itself stays as it is."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        item = _reader(args[0])
        return tuple if item is _same else lambda values: tuple(map(item, values))
    if origin in (Union, UnionType):
        return _union([member for member in args if member is not NoneType])
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda values: _build(hint, values)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if isinstance(hint, type) and issubclass(hint, tuple):
        return lambda values: hint(*values)  # a named tuple is a list of its fields
    return _same


def _union(members: Sequence[object]) -> Callable[[Any], object]:
    if len(members) == 1:
        only = _reader(members[0])
        return lambda value: None if value is None else only(value)
    tagged = {member.__name__: member for member in members if isinstance(member, type)}
    if all(map(is_dataclass, members)):
        return lambda values: _build(tagged[values[_TAG]], values)
    return _same
