"""What outlives a crash of the agent: its attempts, its runs, and its identity.

A ledger is told changes in groups; a group is durable as a whole or not at all. `SqliteLedger`
has two grades of durable: `Durability.PROCESS` survives `kill -9` of the agent, and a power loss
may cost the last moments but never damages the file; `Durability.POWER` survives that as well.

Where the commit happens follows from what was measured: without a sync it takes 15 to 30 µs, less
than the way to a thread and back (70 to 100 µs, and up to 5 ms while the loop is busy), so it is
done in place. A sync takes 0.3 ms here and 100 ms on a bad card, so commits for `POWER`, and the
checkpoints of the write-ahead log, go to the ledger's one thread; what comes up in the meantime
is the next group. The connection is never used from both sides at once: one write is under way.
"""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from pydantic_core import from_json, to_json

from agents.actions import AttemptRow, Change, Forget, ForgetRun, Row, RunRow, Work
from protocol.types import (
    Cancelled,
    Effect,
    Failed,
    FailureKind,
    Incarnation,
    Outcome,
    Rejected,
    Succeeded,
    Unknown,
)

CHECKPOINT_EVERY: Final = 4000  # changes: the log stays within some 20 MB, a checkpoint in 10 ms
_APPLICATION: Final = 0x4D757374  # marks the file as ours
_VERSION: Final = 2
_SCHEMA: Final = """
CREATE TABLE identity (incarnation TEXT NOT NULL);
CREATE TABLE runs (
    run TEXT PRIMARY KEY, epoch INTEGER NOT NULL,
    floor_epoch INTEGER NOT NULL, floor_token INTEGER NOT NULL, home TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE attempts (
    attempt TEXT PRIMARY KEY, run TEXT NOT NULL, epoch INTEGER NOT NULL, token INTEGER NOT NULL,
    effect TEXT NOT NULL, kind TEXT, outcome BLOB, run_s REAL, closed INTEGER NOT NULL, work BLOB
) WITHOUT ROWID;
"""
_UPGRADE: Final = """
ALTER TABLE runs ADD COLUMN home TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN work BLOB;
"""  # from the version before; an older one is not read
_OUTCOMES: Final = {each.__name__: each for each in (Succeeded, Rejected, Cancelled, Unknown)}

Done: TypeAlias = "Callable[[LedgerError | None], None]"


class LedgerError(Exception):
    """The ledger cannot be opened, read or written; `str()` says what to do."""


class Ledger(Protocol):
    """The durable memory of one device. Owned by one agent at a time."""

    @property
    def incarnation(self) -> Incarnation:
        """The identity of this memory: another one if it was lost."""

    def rows(self) -> Sequence[Row]:
        """Return all that is held: runs before their attempts, these by (epoch, token)."""

    def write(self, changes: Sequence[Change], done: Done) -> None:
        """Apply a group of changes, in order, and call `done` once it is durable.

        `done` is called on the loop, perhaps before this returns; with an error, the group is to
        be written again. The next write comes after it.
        """

    def close(self) -> None:
        """Finish what is under way and let go."""


class MemoryLedger:
    """Outlives the agent, but not the process: for embedded and simulated devices."""

    def __init__(self, incarnation: Incarnation | None = None) -> None:
        self.incarnation = incarnation or _new_incarnation()
        self._runs: dict[str, RunRow] = {}
        self._attempts: dict[str, AttemptRow] = {}

    def rows(self) -> Sequence[Row]:
        """See `Ledger`."""
        by_age = sorted(self._attempts.values(), key=lambda row: (row.epoch, row.token))
        return [*self._runs.values(), *by_age]

    def write(self, changes: Sequence[Change], done: Done) -> None:
        """See `Ledger`."""
        for change in changes:
            match change:
                case AttemptRow():
                    self._attempts[change.attempt] = change
                case RunRow():
                    self._runs[change.run] = change
                case Forget():
                    for attempt in change.attempts:
                        self._attempts.pop(attempt, None)
                    if change.run:
                        self._runs[change.run.run] = change.run
                case ForgetRun():
                    self._runs.pop(change.run, None)
        done(None)

    def close(self) -> None:
        """See `Ledger`."""


class Durability(StrEnum):
    """What a committed row survives."""

    PROCESS = "process"
    POWER = "power"


class SqliteLedger:
    """A ledger in an SQLite file, which it keeps for itself as long as it is open.

    Args:
        path: the file; made, with its folders, where it is missing.
        durability: what a committed row survives.

    Raises:
        LedgerError: the file is damaged, in use, from a newer version, or cannot be written.
    """

    def __init__(self, path: Path, durability: Durability = Durability.PROCESS) -> None:
        self._path = path
        self._syncs = durability is Durability.POWER
        self._unchecked = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, 0, isolation_level=None, check_same_thread=False)
            try:
                self.incarnation = self._open()
            except BaseException:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"{path}: {_advice(error)}") from error

    def rows(self) -> Sequence[Row]:
        """See `Ledger`."""
        try:
            return [*self._runs(), *self._attempts()]
        except (sqlite3.Error, ValueError, LookupError, TypeError) as error:
            raise LedgerError(f"{self._path}: {_advice(error)}") from error

    def write(self, changes: Sequence[Change], done: Done) -> None:
        """See `Ledger`."""
        self._unchecked += len(changes)
        if not self._syncs and self._unchecked < CHECKPOINT_EVERY:
            done(self._commit(changes))
            return
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._thread, self._commit, changes)
        writing.add_done_callback(lambda written: done(written.result()))

    def close(self) -> None:
        """See `Ledger`."""
        self._thread.shutdown()
        self._db.close()

    def _open(self) -> Incarnation:
        sql = self._db.execute
        sql("PRAGMA locking_mode = EXCLUSIVE")
        sql("PRAGMA journal_mode = WAL")
        sql(f"PRAGMA synchronous = {'FULL' if self._syncs else 'NORMAL'}")
        sql("PRAGMA wal_autocheckpoint = 0")
        (version,) = sql("PRAGMA user_version").fetchone()
        (application,) = sql("PRAGMA application_id").fetchone()
        sql("BEGIN IMMEDIATE")
        if not application and not sql("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            self._run(_SCHEMA)
            sql("INSERT INTO identity VALUES (?)", (_new_incarnation(),))
            sql(f"PRAGMA application_id = {_APPLICATION}")
        elif application != _APPLICATION:
            raise sqlite3.DatabaseError("it is a database of another program")
        elif version == _VERSION - 1:
            self._run(_UPGRADE)
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"it has version {version}, this agent reads {_VERSION}")
        sql(f"PRAGMA user_version = {_VERSION}")
        sql("COMMIT")
        (verdict,) = sql("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        return Incarnation(sql("SELECT incarnation FROM identity").fetchone()[0])

    def _run(self, script: str) -> None:
        for statement in script.split(";"):
            self._db.execute(statement)

    def _runs(self) -> Iterator[RunRow]:
        for run, epoch, floor_epoch, floor_token, home in self._db.execute("SELECT * FROM runs"):
            yield RunRow(run, epoch, (floor_epoch, floor_token), home)

    def _attempts(self) -> Iterator[AttemptRow]:
        query = "SELECT * FROM attempts ORDER BY epoch, token"
        for row in self._db.execute(query):
            attempt, run, epoch, token, effect, kind, data, run_s, closed, work = row
            yield AttemptRow(
                attempt, run, epoch, token, Effect(effect),
                _read_outcome(kind, data) if kind else None, run_s,
                closed=bool(closed), work=Work(**from_json(work)) if work else None,
            )  # fmt: skip

    def _commit(self, changes: Sequence[Change]) -> LedgerError | None:
        sql = self._db.execute
        try:
            sql("BEGIN")
            for change in changes:
                self._apply(change)
            sql("COMMIT")
            if self._unchecked >= CHECKPOINT_EVERY:
                self._unchecked = 0
                sql("PRAGMA wal_checkpoint")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                sql("ROLLBACK")
            return LedgerError(f"{self._path}: {_advice(error)}")
        return None

    def _apply(self, change: Change) -> None:
        sql = self._db.execute
        match change:
            case AttemptRow():
                kind, data = (None, None)
                if change.outcome:
                    kind, data = type(change.outcome).__name__, _dump(change.outcome)
                sql(
                    "REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        change.attempt, change.run, change.epoch, change.token, change.effect,
                        kind, data, change.run_s, change.closed,
                        _dump(change.work) if change.work else None,
                    ),
                )  # fmt: skip
            case RunRow(run, epoch, floor, home):
                sql("REPLACE INTO runs VALUES (?, ?, ?, ?, ?)", (run, epoch, *floor, home))
            case Forget(attempts, run):
                for attempt in attempts:
                    sql("DELETE FROM attempts WHERE attempt = ?", (attempt,))
                if run:
                    self._apply(run)
            case ForgetRun(name):
                sql("DELETE FROM runs WHERE run = ?", (name,))


def _dump(value: Outcome | Work) -> bytes:
    """Write the fields; what JSON cannot say was a skill's bug, and is kept as its text."""
    try:
        return to_json(value, serialize_unknown=True)
    except ValueError:  # a circle, half a character
        fields = {name: ascii(getattr(value, name)) for name in value.__match_args__}
        return to_json(fields)


def _read_outcome(kind: str, data: bytes) -> Outcome:
    fields = from_json(data)
    if kind == "Failed":
        return Failed(**{**fields, "kind": FailureKind(fields["kind"])})
    return _OUTCOMES[kind](**fields)


def _new_incarnation() -> Incarnation:
    return Incarnation(uuid.uuid4().hex)


_PATH: Final = "correct the path or its permissions"
_ADVICE: Final = {
    "locked": "another agent uses it; stop that one, or give this one a state folder of its own",
    "full": "the disk is full; free some space",
    "readonly": _PATH,
    "unable to open": _PATH,
    "has version": "install an agent that is as new as its ledger",
}


def _advice(error: Exception) -> str:
    """Say what is wrong with the file, and what to do about it."""
    text = str(error)
    if isinstance(error, OSError):
        return f"{error.strerror}: {_PATH}"
    for symptom, advice in _ADVICE.items():
        if symptom in text:
            return f"{text}: {advice}"
    return f"not a usable ledger ({text}); move it away, and the agent begins with an empty one"
