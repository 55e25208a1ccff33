"""Judging a world: every function `check_…` of a task's `check.py` is one subtask.

Its docstring's first line says what must be true. It returns nothing if that is so, or a sentence
that says what is wrong; a file that is missing or cannot be read is wrong too. Decorated with
`each`, it is a subtask for every value.
"""

import csv
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Final, TypeAlias, TypeVar

from benchmarks.crossdevice.world import World

PREFIX: Final = "check_"
UNREADABLE: Final = (
    OSError,
    EOFError,
    LookupError,
    ValueError,  # `json` and text that is none included
    TypeError,
    AttributeError,
    csv.Error,
    sqlite3.Error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a checker may run into where a file is missing, half written, or another thing inside."""

Checker: TypeAlias = Callable[..., str | None]
C = TypeVar("C", bound=Checker)
_VALUES: Final = "values_of_each"


@dataclass(frozen=True, slots=True)
class Subtask:
    """One piece of the final state that a task asks for."""

    name: str
    what: str
    checker: Callable[[World], str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a subtask; nothing is `wrong` if it is done."""

    subtask: str
    what: str
    wrong: str | None = None

    @property
    def done(self) -> bool:
        """Whether it is as it must be."""
        return self.wrong is None


def each(*values: object) -> Callable[[C], C]:
    """Make a subtask of every value; the checker takes it after the world."""

    def decorate(checker: C) -> C:
        setattr(checker, _VALUES, values)
        return checker

    return decorate


def subtasks(module: ModuleType) -> tuple[Subtask, ...]:
    """Return the subtasks that a `check.py` defines, in its order."""
    return tuple(_subtasks(module))


def judge(each_of: tuple[Subtask, ...], world: World) -> tuple[Finding, ...]:
    """Look at every subtask."""
    return tuple(Finding(it.name, it.what, _wrong(it, world)) for it in each_of)


def _subtasks(module: ModuleType) -> Iterator[Subtask]:
    for name, checker in vars(module).items():
        if not name.startswith(PREFIX) or not callable(checker):
            continue
        short, what = name.removeprefix(PREFIX), (checker.__doc__ or name).partition("\n")[0]
        if not hasattr(checker, _VALUES):
            yield Subtask(short, what, checker)
            continue
        for value in getattr(checker, _VALUES):
            yield Subtask(f"{short}[{value}]", f"{what} ({value})", _with(checker, value))


def _with(checker: Checker, value: object) -> Callable[[World], str | None]:
    return lambda world: checker(world, value)


def _wrong(subtask: Subtask, world: World) -> str | None:
    try:
        return subtask.checker(world)
    except json.JSONDecodeError as error:
        return f"this is no JSON: {error}"
    except UNREADABLE as error:
        return f"{type(error).__name__}: {error}"
