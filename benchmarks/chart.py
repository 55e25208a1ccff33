"""Charts as data: what a benchmark's rows look like, whoever draws it (`report`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from protocol.types import Json


class Mark(NamedTuple):
    """A point of a line, with its interval; `low` = `high` where there is none."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines by name over one axis. `name` is that of its file."""

    name: str
    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Sequence[Mark]]
    logarithmic: bool = False
    logarithmic_x: bool = False


@dataclass(frozen=True, slots=True)
class Boxes:
    """Values by name, a box each: quartiles and median, whiskers at 5 and 95 %, the mean."""

    name: str
    title: str
    label: str
    groups: Mapping[str, Sequence[float]]


class Bar(NamedTuple):
    """One execution: where (lanes count from 0), from when to when, and of what kind."""

    lane: int
    start: float
    finish: float
    kind: str


@dataclass(frozen=True, slots=True)
class Gantt:
    """Who did what when: a panel for each name, one below the other, on the same time axis."""

    name: str
    title: str
    x_label: str
    y_label: str
    panels: Mapping[str, Sequence[Bar]]


Picture: TypeAlias = Chart | Boxes | Gantt


def number(row: Mapping[str, Json], name: str) -> float:
    """Return a number of a row."""
    value = row[name]
    assert isinstance(value, int | float)
    return float(value)


def text(row: Mapping[str, Json], name: str) -> str:
    """Return a text of a row."""
    value = row[name]
    assert isinstance(value, str)
    return value
