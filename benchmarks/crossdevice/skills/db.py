"""SQLite databases inside the folders of a device."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from pydantic import Field

from agents.builtin.bounds import Roots, off_loop, replacing, rows_of
from agents.skills import BadInputError, Json, PermanentError, Skill, skill
from protocol.types import Effect

MAX_ROWS: Final = 1000
Name: TypeAlias = Annotated[str, Field(pattern=r"^\w+$")]  # of a table or a column
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """The first rows of a query; `total` counts all."""

    rows: Sequence[Mapping[str, Json]]
    total: int


@dataclass(frozen=True, slots=True)
class Dump:
    """A database as SQL, and how many rows each of its tables has."""

    path: str
    sql: str
    tables: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class State:
    """What a database holds, and whether SQLite finds it sound."""

    path: str
    sound: bool
    tables: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Databases:
    """The skills over one set of roots."""

    roots: Roots

    async def query(
        self, path: str, sql: str, values: Sequence[Json] = (), *, memory_mb: int = 16
    ) -> Answer:
        """Ask a database, which stays as it is."""
        del memory_mb  # see `hardware`

        def work(connection: sqlite3.Connection) -> Answer:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute(sql, list(values))]
            return Answer(rows[:MAX_ROWS], len(rows))

        return await self._on(path, work)

    async def execute(
        self, path: str, statements: Annotated[Sequence[str], Field(min_length=1)]
    ) -> State:
        """Run statements in one transaction: all of them, or none."""

        def work(connection: sqlite3.Connection) -> State:
            with connection:
                connection.execute("begin immediate")
                for each in statements:
                    connection.execute(each)
            return _state(connection, path)

        return await self._on(path, work, mode="rw")

    async def load(self, path: str, table: Name, rows: Json, key: Sequence[Name]) -> State:
        """Put rows into a table, made if it is not there; those of the same key are replaced."""
        real = self.roots.resolve(path)
        real.parent.mkdir(parents=True, exist_ok=True)
        given = list(rows_of(rows))
        columns = list(dict.fromkeys([*key, *(name for row in given for name in row)]))
        names = ", ".join(f'"{each}"' for each in columns)
        unique = ", ".join(f'"{each}"' for each in key)
        marks = ", ".join("?" for _ in columns)

        def work(connection: sqlite3.Connection) -> State:
            with connection:
                connection.execute("begin immediate")
                connection.execute(
                    f'create table if not exists "{table}" ({names}, primary key ({unique}))'
                )
                connection.executemany(
                    f'insert or replace into "{table}" ({names}) values ({marks})',  # noqa: S608
                    [[row.get(each) for each in columns] for row in given],
                )
            return _state(connection, path)

        return await self._on(path, work, mode="rwc")

    async def dump(self, path: str) -> Dump:
        """Return a database as SQL."""
        return await self._on(path, lambda it: Dump(path, "\n".join(it.iterdump()), _counts(it)))

    async def restore(self, path: str, sql: str) -> State:
        """Make a database of SQL, whole, in the place of what was there."""
        real = self.roots.resolve(path)

        def work(_stop: Event) -> State:
            with replacing(real) as draft, closing(sqlite3.connect(draft)) as connection:
                connection.executescript(sql)
                return _state(connection, path)

        return await _told(work)

    async def inspect(self, path: str) -> State:
        """Say what a database holds, and whether it is sound."""
        return await self._on(path, lambda it: _state(it, path))

    async def _on(
        self, path: str, work: Callable[[sqlite3.Connection], T], *, mode: str = "ro"
    ) -> T:
        uri = f"{self.roots.resolve(path).as_uri()}?mode={mode}"

        def run(_stop: Event) -> T:
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                return work(connection)

        return await _told(run)


def skills(roots: Roots) -> Sequence[Skill]:
    """Make the skills."""
    it = Databases(roots)
    return (
        skill("db.query")(it.query),
        skill("db.execute", effect=Effect.IDEMPOTENT)(it.execute),
        skill("db.load", effect=Effect.IDEMPOTENT)(it.load),
        skill("db.dump")(it.dump),
        skill("db.restore", effect=Effect.IDEMPOTENT)(it.restore),
        skill("db.inspect")(it.inspect),
    )


async def _told(work: Callable[[Event], T]) -> T:
    try:
        return await off_loop(work)
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        kind = BadInputError if "syntax" in str(error) else PermanentError
        raise kind(f"the database says: {error}") from error


def _state(connection: sqlite3.Connection, path: str) -> State:
    (verdict,) = connection.execute("pragma integrity_check").fetchone()
    return State(path, verdict == "ok", _counts(connection))


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    names: list[Any] = connection.execute(
        "select name from sqlite_master where type = 'table' order by name"
    ).fetchall()
    return {
        name: connection.execute(f'select count(*) from "{name}"').fetchone()[0]  # noqa: S608
        for (name,) in names
    }
