"""What a store knows of its files: an SQLite file with a row for each blob, and who refers to it.

Every method is one short transaction. The caller sees to it that there is one at a time.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_APPLICATION: Final = 0x4D737441  # marks the file as ours
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE identity (secret BLOB NOT NULL);
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, media_type TEXT NOT NULL,
    whole INTEGER NOT NULL, token TEXT NOT NULL, used_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE refs (
    run TEXT NOT NULL, sha256 TEXT NOT NULL, made INTEGER NOT NULL, PRIMARY KEY (run, sha256)
) WITHOUT ROWID;
CREATE INDEX refs_by_blob ON refs (sha256);
"""
_COLUMNS: Final = "SELECT sha256, size_bytes, media_type, whole, token FROM blobs"


@dataclass(frozen=True, slots=True)
class Blob:
    """Content by its SHA-256; not `whole` while it is still being fetched."""

    sha256: str
    size_bytes: int
    media_type: str
    whole: bool = True
    token: str = ""
    """What its source asked for; empty for what was made here."""


class Index:
    """The rows of one store. A run may refer to a blob because it made it, or fetched it.

    Args:
        path: the file; made where it is missing.
        sync: whether a commit reaches the disk before it returns.

    Raises:
        sqlite3.Error: the file is damaged, in use, from a newer version, or cannot be written.
    """

    def __init__(self, path: Path, *, sync: bool) -> None:
        self._db = sqlite3.connect(path, 0, isolation_level=None, check_same_thread=False)
        try:
            self.secret = self._open("FULL" if sync else "NORMAL")
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def all(self) -> list[Blob]:
        """Return every blob."""
        return list(self._blobs(_COLUMNS))

    def get(self, sha256: str) -> Blob | None:
        """Return a blob, whole or not."""
        return next(self._blobs(f"{_COLUMNS} WHERE sha256 = ?", sha256), None)

    def put(self, blob: Blob, run: str, *, made: bool, now: float) -> None:
        """Insert or replace a blob, and have `run` refer to it."""
        with self._transaction():
            row = (blob.sha256, blob.size_bytes, blob.media_type, blob.whole, blob.token, now)
            self._db.execute("REPLACE INTO blobs VALUES (?, ?, ?, ?, ?, ?)", row)
            self._db.execute(
                "INSERT INTO refs VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET made = max(made, excluded.made)",
                (run, blob.sha256, made),
            )

    def touch(self, sha256: str, now: float) -> None:
        """Note that a blob was used."""
        self._db.execute("UPDATE blobs SET used_at = ? WHERE sha256 = ?", (now, sha256))

    def remove(self, sha256: str) -> None:
        """Forget a blob and who refers to it."""
        with self._transaction():
            for table in ("blobs", "refs"):
                self._db.execute(f"DELETE FROM {table} WHERE sha256 = ?", (sha256,))  # noqa: S608  two words of ours

    def release(self, runs: Iterable[str]) -> list[str]:
        """Drop the references of runs; return the blobs that nobody refers to any more."""
        dropped: list[str] = []
        with self._transaction():
            for run in runs:
                sql = "DELETE FROM refs WHERE run = ? RETURNING sha256"
                dropped += [sha256 for (sha256,) in self._db.execute(sql, (run,))]
        return [sha256 for sha256 in dict.fromkeys(dropped) if not self.referred(sha256)]

    def referred(self, sha256: str, *, made: bool = False) -> bool:
        """Tell whether any run refers to a blob; with `made`, whether any made it."""
        sql = "SELECT 1 FROM refs WHERE sha256 = ? AND made >= ?"
        return self._db.execute(sql, (sha256, made)).fetchone() is not None

    def evictable(self) -> list[Blob]:
        """Return what no run made, the one used longest ago first."""
        unmade = "NOT EXISTS (SELECT 1 FROM refs WHERE refs.sha256 = blobs.sha256 AND made)"
        return list(self._blobs(f"{_COLUMNS} WHERE {unmade} ORDER BY used_at, sha256"))

    def used_before(self, then: float) -> list[Blob]:
        """Return what was not used since `then`."""
        return list(self._blobs(f"{_COLUMNS} WHERE used_at < ?", then))

    def oldest(self) -> float | None:
        """Return when the blob was used that was used longest ago."""
        (used_at,) = self._db.execute("SELECT min(used_at) FROM blobs").fetchone()
        return None if used_at is None else float(used_at)

    def size_bytes(self) -> int:
        """Return the size of all blobs; one that is being fetched counts in full."""
        return int(
            self._db.execute("SELECT coalesce(sum(size_bytes), 0) FROM blobs").fetchone()[0]
        )

    def _blobs(self, sql: str, *values: object) -> Iterator[Blob]:
        for sha256, size_bytes, media_type, whole, token in self._db.execute(sql, values):
            yield Blob(sha256, size_bytes, media_type, bool(whole), token)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _open(self, synchronous: str) -> bytes:
        sql = self._db.execute
        sql("PRAGMA locking_mode = EXCLUSIVE")
        sql("PRAGMA journal_mode = WAL")
        sql(f"PRAGMA synchronous = {synchronous}")
        with self._transaction():
            (version,) = sql("PRAGMA user_version").fetchone()
            (application,) = sql("PRAGMA application_id").fetchone()
            if not application and not sql("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                for statement in _SCHEMA.split(";"):
                    sql(statement)
                sql("INSERT INTO identity VALUES (?)", (secrets.token_bytes(32),))
                sql(f"PRAGMA application_id = {_APPLICATION}")
                sql(f"PRAGMA user_version = {_VERSION}")
            elif application != _APPLICATION:
                raise sqlite3.DatabaseError("it is a database of another program")
            elif version != _VERSION:
                raise sqlite3.DatabaseError(f"it has version {version}, this reads {_VERSION}")
        return bytes(sql("SELECT secret FROM identity").fetchone()[0])
