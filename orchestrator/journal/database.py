"""The file behind the journal: its lock, its schema and how an older one is brought up to date."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from orchestrator.journal.errors import (
    RESTORE,
    JournalDamagedError,
    JournalLockedError,
    JournalVersionError,
    explained,
)

Script: TypeAlias = Sequence[str]

APPLICATION_ID: Final = 0x4D75734A  # "MusJ": tells a journal from any other SQLite file
PAGE_BYTES: Final = 2048  # measured: 20 % less per small commit than 4096, since less is logged

SCHEMAS: Final[Sequence[Script]] = (
    (
        """CREATE TABLE entry (seq INTEGER PRIMARY KEY, wall REAL NOT NULL, elapsed REAL NOT NULL,
        version INTEGER NOT NULL, kind TEXT NOT NULL, run TEXT, task TEXT, body TEXT NOT NULL)""",
        "CREATE INDEX entry_run ON entry (run)",
        """CREATE TABLE row (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (kind, key)) WITHOUT ROWID""",
        "CREATE TABLE snapshot (seq INTEGER NOT NULL, wall REAL, elapsed REAL)",
        "INSERT INTO snapshot VALUES (0, NULL, NULL)",
    ),
    (
        "ALTER TABLE snapshot ADD COLUMN owner INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE staged (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB,
        PRIMARY KEY (kind, key)) WITHOUT ROWID""",
    ),
)
"""Entry n makes version n + 1 of the schema from version n; version 0 is a new file."""


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Hold the lock file of `path`, so that one coordinator in one process writes it.

    Raises:
        JournalLockedError: Somebody else holds it.
        JournalWriteError: The lock file cannot be made.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        yield
    except BlockingIOError as error:
        holder = os.read(lock, 20).decode() or "?"
        detail = f"the coordinator in process {holder} works on it; stop that one first"
        raise JournalLockedError(path, detail) from error
    finally:
        os.close(lock)  # and with it the lock; the file stays, removing it would be a race


def connect(path: Path, *, schemas: Sequence[Script] = SCHEMAS) -> sqlite3.Connection:
    """Open a journal for writing, make it where it is new, bring it up to date and check it.

    Raises:
        JournalError: It is damaged, newer than this release, or cannot be written.
    """
    with explained(path), ExitStack() as stack:
        if path.exists() and path.stat().st_size == 0:
            raise JournalDamagedError(path, f"the file is empty; {RESTORE}")
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=0, check_same_thread=False
        )
        stack.enter_context(closing(connection))
        _prepare(connection, path, schemas)
        stack.pop_all()
    return connection


def pragma(connection: sqlite3.Connection, name: str) -> object:
    """Return the first column of the first row of a pragma."""
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _prepare(connection: sqlite3.Connection, path: Path, schemas: Sequence[Script]) -> None:
    version = pragma(connection, "user_version")
    blank = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not blank and pragma(connection, "application_id") != APPLICATION_ID:
        raise JournalDamagedError(path, "another program's database; name another file")
    if not isinstance(version, int) or version > len(schemas):
        detail = f"a newer release wrote it (version {version}); upgrade muster"
        raise JournalVersionError(path, detail)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    pragma(connection, "journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")  # the journal says when, off the loop
    for number, script in enumerate(schemas[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in script:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    if (verdict := pragma(connection, "quick_check(1)")) != "ok":
        raise JournalDamagedError(path, f"the file is damaged ({verdict}); {RESTORE}")
