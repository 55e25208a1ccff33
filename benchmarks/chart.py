"""Charts as data: what a benchmark's rows look like, whoever draws it (`report`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


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
