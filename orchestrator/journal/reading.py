"""Reading the file of a journal, beside its writer and off the loop."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from orchestrator.core.model import Now
from orchestrator.journal.codec import VERSION, decode
from orchestrator.journal.contract import Entry, Recovered, concerns
from orchestrator.journal.errors import (
    RESTORE,
    JournalDamagedError,
    JournalVersionError,
    explained,
)
from protocol.types import RunId, TaskId

_ENTRIES = """SELECT seq, wall, elapsed, version, kind, run, task, body FROM entry
    WHERE seq > :after{} ORDER BY seq"""
_OF_RUN = " AND run = :run"
_OF_TASK = " AND (task = :task OR instr(body, :quoted))"  # a guess that `concerns` verifies
_NEWEST = """SELECT seq, wall, elapsed FROM snapshot UNION ALL
    SELECT * FROM (SELECT seq, wall, elapsed FROM entry ORDER BY seq DESC LIMIT 1)
    ORDER BY seq DESC LIMIT 1"""

_RUNS = "SELECT DISTINCT run FROM entry WHERE run IS NOT NULL ORDER BY run"


def newest(connection: sqlite3.Connection) -> tuple[int, tuple[float | None, float | None]]:
    """Return the newest seq, pruned ones included, with its wall and elapsed time."""
    seq, wall, elapsed = connection.execute(_NEWEST).fetchone()
    return seq, (wall, elapsed)


def read_entries(
    path: Path, *, after: int, run: RunId | None, task: TaskId | None, limit: int | None
) -> list[Entry]:
    """See `Journal.entries`."""
    wanted = _ENTRIES.format((_OF_RUN if run else "") + (_OF_TASK if task else ""))
    values = {"after": after, "run": run, "task": task, "quoted": json.dumps(task)}
    with _reading(path) as connection:
        entries = _decoded(path, connection.execute(wanted, values))
        if task:
            entries = (entry for entry in entries if concerns(entry.fact, task))
        return list(islice(entries, limit))


def read_recovered(path: Path) -> Recovered:
    """See `Journal.recover`."""
    with _reading(path) as connection:
        connection.execute("BEGIN")
        (covered,) = connection.execute("SELECT seq FROM snapshot").fetchone()
        rows = connection.execute("SELECT kind, key, value FROM row ORDER BY kind, key")
        _, (wall, elapsed) = newest(connection)
        return Recovered(
            rows={(kind, key): value for kind, key, value in rows},
            entries=list(
                _decoded(path, connection.execute(_ENTRIES.format(""), {"after": covered}))
            ),
            last=None if wall is None or elapsed is None else Now(wall, elapsed),
            runs=[run for (run,) in connection.execute(_RUNS)],
        )


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with explained(path), closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as found:
        yield found


def _decoded(path: Path, rows: Iterable[tuple[Any, ...]]) -> Iterator[Entry]:
    for seq, wall, elapsed, version, *row in rows:
        if version > VERSION:
            raise JournalVersionError(path, f"a newer release wrote entry {seq}; upgrade muster")
        kind, run, task, body = row
        try:
            fact = decode((kind, run, task, body), version)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise JournalDamagedError(path, f"entry {seq} is damaged; {RESTORE}") from error
        yield Entry(seq, wall, elapsed, fact)
