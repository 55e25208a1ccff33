"""What a benchmark is, and what comes out of it.

A `Benchmark` is a name, a table of goals and some parts. A part is a generator, plain or
asynchronous, that yields `Progress` for the person who waits, `Figures` for the judgement and
`Row`s for whoever wants to look closer. Every figure is one number under a dotted name.
"""

import operator
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from benchmarks.chart import Picture
from protocol.types import Json


class BenchmarkError(Exception):
    """A benchmark cannot be run here; the text says what is missing."""


Operator: TypeAlias = Literal["<=", ">="]
Goal: TypeAlias = tuple[Operator, float]
"""How a figure must stand to its bound."""

_COMPARE: Mapping[Operator, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller chose.

    Attributes:
        seed: of everything drawn by chance.
        quick: asks for ≤ 60 s in all, with the same figures.
        settings: those of the benchmark's own options that were given.
        paths: those of them that are files or folders.
    """

    seed: int = 0
    quick: bool = False
    settings: Mapping[str, int] = field(default_factory=dict)
    paths: Mapping[str, Path] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    """Those of them that are texts."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of its part is done, from 0 to 1, and what comes now."""

    share: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Measured numbers by dotted name; the unit ends the name."""

    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One raw measurement, free in form."""

    values: Mapping[str, Json]


Item: TypeAlias = Progress | Figures | Row
Part: TypeAlias = Callable[[Options], Iterator[Item] | AsyncIterator[Item]]
Report: TypeAlias = Callable[[Progress], None]
Keep: TypeAlias = Callable[[Mapping[str, Json]], object]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A declared benchmark. A goal may name only figures that its parts yield."""

    name: str
    parts: tuple[Part, ...]
    goals: Mapping[str, Goal] = field(default_factory=dict)
    goals_of: Callable[[Options], Mapping[str, Goal]] | None = None
    """Which of the goals the options ask for, where these leave something out; None: all."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Its own options: name → what it says. Each takes a whole number."""
    words: Mapping[str, str] = field(default_factory=dict)
    """The same, of those that take a text."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """More of them, which take a file or folder that is there."""
    charts: Callable[[Sequence[Mapping[str, Json]]], Sequence[Picture]] = lambda _rows: ()
    """What its rows look like."""
    page: Callable[[Sequence[Mapping[str, Json]]], str] = lambda _rows: ""
    """More of its page, as HTML; nobody needs a library to draw that."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured, judged against the goals."""

    bench: str
    options: Options
    figures: Mapping[str, float]
    goals: Mapping[str, Goal]
    rows: tuple[Mapping[str, Json], ...]

    def holds(self, name: str) -> bool:
        """Tell whether one goal is met; a figure that is missing meets none."""
        compare, bound = self.goals[name]
        return name in self.figures and _COMPARE[compare](self.figures[name], bound)

    @property
    def met(self) -> bool:
        """Tell whether every goal is met."""
        return all(map(self.holds, self.goals))

    def document(self, circumstances: Mapping[str, Any]) -> dict[str, Any]:
        """Return the one JSON object of a benchmark; `circumstances` says where it ran."""
        return {
            "bench": self.bench,
            "seed": self.options.seed,
            "quick": self.options.quick,
            "settings": {
                **self.options.settings,
                **{name: str(path) for name, path in self.options.paths.items()},
                **self.options.words,
            },
            **circumstances,
            "figures": dict(self.figures),
            "goals": {name: list(goal) for name, goal in self.goals.items()},
            "met": self.met,
            "rows": [dict(row) for row in self.rows],
        }


async def run(
    benchmark: Benchmark, options: Options, *, report: Report, keep: Keep = lambda _row: None
) -> Result:
    """Run all parts in order, one at a time.

    `report` hears the progress of the whole; `keep` is given each row as it comes.
    """
    figures: dict[str, float] = {}
    rows: list[Mapping[str, Json]] = []
    for done, part in enumerate(benchmark.parts):
        async for item in _items(part(options)):
            match item:
                case Progress(share, label):
                    report(Progress((done + share) / len(benchmark.parts), label))
                case Figures(values):
                    figures.update(values)
                case Row(values):
                    rows.append(values)
                    keep(values)
    report(Progress(1.0, "done"))
    goals = benchmark.goals if benchmark.goals_of is None else benchmark.goals_of(options)
    return Result(benchmark.name, options, figures, goals, tuple(rows))


async def _items(stream: Iterator[Item] | AsyncIterator[Item]) -> AsyncIterator[Item]:
    if isinstance(stream, AsyncIterator):
        async for item in stream:
            yield item
    else:
        for item in stream:
            yield item
