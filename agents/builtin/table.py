"""Tables as data: filter, group, aggregate and join, through petl.

A table is a file (`.csv` and `.tsv` with a header line, `.json` with a list of objects, `.jsonl`
with one object a line) or rows, also as another skill or a `for_each` put them out. In CSV and TSV
an empty cell is null, and one that reads as a plain decimal number is a number (`007` is not). The
result comes back as rows, as far as an output carries them, or goes whole to the file `into`.
"""

import csv
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from statistics import fmean
from threading import Event
from types import ModuleType
from typing import IO, Annotated, Any, Literal, TypeAlias

from pydantic import Field
from pydantic_core import from_json, to_json

from agents.builtin.bounds import (
    BUFFER_BYTES,
    Bounded,
    Roots,
    compiled,
    off_loop,
    replacing,
    rows_of,
)
from agents.skills import BadInputError, Json, Skill, skill
from protocol.nearest import nearest
from protocol.types import Effect

Row: TypeAlias = Mapping[str, Json]
Limit: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]
Columns: TypeAlias = Annotated[Sequence[str], Field(min_length=1)]
Table: TypeAlias = Any  # petl is not typed

NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?")
DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a cell must be; one that cannot be compared is not."""

    column: str
    op: Literal["==", "!=", "<", "<=", ">", ">=", "in", "contains", "matches"]
    value: Json


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What to compute of a column; null cells do not count. `count` alone counts the rows."""

    function: Literal["count", "distinct", "sum", "mean", "min", "max"]
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The first rows, or the file that holds them; `total` counts all."""

    rows: Sequence[Row]
    total: int
    truncated: bool
    path: str | None = None


@dataclass(frozen=True, slots=True)
class _File:
    """A source in petl's sense."""

    path: Path

    def open(self, mode: str) -> IO[Any]:
        return self.path.open(mode, buffering=BUFFER_BYTES)


@dataclass(frozen=True, slots=True)
class Tables:
    """The skills over one set of roots."""

    roots: Roots

    async def filter(
        self,
        source: Json,
        where: Sequence[Condition] = (),
        *,
        columns: Columns | None = None,
        into: str | None = None,
        limit: Limit = 1000,
    ) -> Rows:
        """Keep the rows that meet all conditions, and of them the columns named."""

        def build() -> Table:
            wanted = columns or ()
            table = self._table(source, [*(each.column for each in where), *wanted])
            for condition in where:
                table = _petl().select(table, condition.column, _test(condition))
            return _petl().cut(table, *wanted) if wanted else table

        return await self._deliver(build, into, limit)

    async def group(
        self,
        source: Json,
        by: Columns,
        aggregates: Mapping[str, Aggregate] | None = None,
        *,
        into: str | None = None,
        limit: Limit = 1000,
    ) -> Rows:
        """Group rows by columns, and count the rows of each group or compute the aggregates."""

        def build() -> Table:
            columns, computed = _aggregation(aggregates)
            return _petl().aggregate(self._table(source, [*by, *columns]), tuple(by), computed)

        return await self._deliver(build, into, limit)

    async def aggregate(
        self, source: Json, aggregates: Mapping[str, Aggregate] | None = None
    ) -> Row:
        """Count the rows of a whole table, or compute the aggregates."""

        def work(_stop: Event) -> Row:
            columns, computed = _aggregation(aggregates)
            rows = _petl().dicts(_petl().aggregate(self._table(source, columns), None, computed))
            nothing = {
                name: each([]) if callable(each) else each[1]([])
                for name, each in computed.items()
            }
            return next(iter(rows), nothing)

        with _table_errors():
            return await off_loop(work)

    async def join(
        self,
        left: Json,
        right: Json,
        on: Columns,
        how: Literal["inner", "left", "outer", "anti"] = "inner",
        *,
        into: str | None = None,
        limit: Limit = 1000,
    ) -> Rows:
        """Join two tables on columns of the same name; `anti` keeps left rows without a partner.

        A column that both have and that is not joined on becomes `right.<column>` on the right.
        """

        def build() -> Table:
            tables = self._table(left, on), self._table(right, on)
            both = {*_header(tables[0])} & {*_header(tables[1])} - {*on}
            renamed = _petl().rename(tables[1], {name: f"right.{name}" for name in both})
            return getattr(_petl(), JOINS[how])(tables[0], renamed, key=tuple(on))

        return await self._deliver(build, into, limit)

    def _table(self, source: Json, columns: Sequence[str]) -> Table:
        """Open a table that has these columns; one without any rows has all that are asked for."""
        table = self._opened(source)
        header = _header(table)
        if not header:
            return _from_rows([], header=columns)
        for column in columns:
            if column not in header:
                raise BadInputError(f"there is no column {column!r}{nearest(column, header)}")
        return table

    def _opened(self, source: Json) -> Table:
        if not isinstance(source, str):
            return _from_rows(list(rows_of(source)))
        path = self.roots.resolve(source)
        if path.suffix in DELIMITERS:
            delimiter = DELIMITERS[path.suffix]
            table = _petl().fromcsv(_File(path), encoding="utf-8-sig", delimiter=delimiter)
            return _petl().convertall(table, _cell) if _header(table) else _from_rows([])
        if path.suffix == ".json":
            return _from_rows(list(rows_of(from_json(path.read_bytes()))))
        if path.suffix == ".jsonl":
            return _from_rows([from_json(line) for line in path.read_bytes().splitlines() if line])
        raise BadInputError(f"{source}: {FORMATS}")

    async def _deliver(self, build: Callable[[], Table], into: str | None, limit: int) -> Rows:
        path = None if into is None else self.roots.resolve(into)

        def work(stop: Event) -> Rows:
            table = build()
            kept = Bounded[Row](limit if path is None else 0)
            rows = map(kept.add, _until(stop, _petl().dicts(table)))
            if path is not None:
                _write(path, _header(table), rows)
                return Rows((), kept.total, truncated=False, path=into)
            for _ in rows:
                pass
            return Rows(kept.items, kept.total, kept.truncated)

        with _table_errors():
            return await off_loop(work)


def skills(roots: Sequence[Path] = ()) -> Sequence[Skill]:
    """Make the skills; without roots they take rows only."""
    tables = Tables(Roots(roots))
    return (
        skill("table.filter", effect=Effect.IDEMPOTENT)(tables.filter),
        skill("table.group", effect=Effect.IDEMPOTENT)(tables.group),
        skill("table.aggregate")(tables.aggregate),
        skill("table.join", effect=Effect.IDEMPOTENT)(tables.join),
    )


def _petl() -> ModuleType:
    return import_module("petl")  # 90 ms that an agent without tables need not pay


def _cell(text: str) -> Json:
    number = NUMBER.fullmatch(text)
    if number is None:
        return text or None
    return float(text) if number[1] else int(text)


def _from_rows(rows: Sequence[Row], header: Iterable[str] | None = None) -> Table:
    names = dict.fromkeys(header or (name for row in rows for name in row))
    return _petl().fromdicts(rows, header=list(names))


def _header(table: Table) -> Sequence[str]:
    return next(iter(table), ())


def _test(condition: Condition) -> Callable[[Json], bool]:
    if condition.op == "matches":
        regex = compiled(str(condition.value))
        return lambda cell: isinstance(cell, str) and bool(regex.search(cell))

    test, value = TESTS[condition.op], condition.value

    def holds(cell: Json) -> bool:
        try:
            return bool(test(cell, value))
        except TypeError:
            return False

    return holds


def _aggregation(
    aggregates: Mapping[str, Aggregate] | None,
) -> tuple[Sequence[str], Mapping[str, Any]]:
    """Return the columns that are read, and petl's words for what to compute."""
    chosen = aggregates or {"count": Aggregate("count")}
    columns = [each.column for each in chosen.values() if each.column is not None]
    return columns, {name: _computation(name, each) for name, each in chosen.items()}


def _computation(name: str, aggregate: Aggregate) -> object:
    if aggregate.column is None:
        if aggregate.function != "count":
            raise BadInputError(f"aggregates.{name}: {aggregate.function} needs a column")
        return len
    compute = AGGREGATES[aggregate.function]
    return aggregate.column, lambda cells: compute([cell for cell in cells if cell is not None])


def _until(stop: Event, rows: Iterable[Row]) -> Iterator[Row]:
    """Pass rows on; failing at the stop keeps half a file from taking the place of a whole one."""
    for row in rows:
        if stop.is_set():
            raise InterruptedError
        yield row


def _write(path: Path, header: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a file in the format that its name says."""
    with (
        replacing(path) as draft,
        draft.open("w", buffering=BUFFER_BYTES, encoding="utf-8", newline="") as file,
    ):
        if path.suffix in DELIMITERS:
            writer = csv.DictWriter(file, header, delimiter=DELIMITERS[path.suffix])
            writer.writeheader()
            writer.writerows(rows)
        elif path.suffix == ".jsonl":
            file.writelines(f"{to_json(row).decode()}\n" for row in rows)
        elif path.suffix == ".json":
            file.write(to_json(list(rows)).decode())
        else:
            raise BadInputError(f"{path.name}: {FORMATS}")


@contextmanager
def _table_errors() -> Iterator[None]:
    """Say what is wrong with a table; what these libraries raise is about its content."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, csv.Error) as error:
        raise BadInputError(f"the table cannot be read or computed with: {error}") from error


FORMATS = "a table is a .csv, .tsv, .json or .jsonl file"
TESTS: Mapping[str, Callable[[Any, Any], object]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda cell, values: cell in values,
    "contains": operator.contains,
}
AGGREGATES: Mapping[str, Callable[[Sequence[Any]], object]] = {
    "count": len,
    "distinct": lambda cells: len({to_json(cell) for cell in cells}),
    "sum": sum,
    "mean": lambda cells: fmean(cells) if cells else None,
    "min": lambda cells: min(cells, default=None),
    "max": lambda cells: max(cells, default=None),
}
JOINS = {"inner": "join", "left": "leftjoin", "outer": "outerjoin", "anti": "antijoin"}
