"""The journal in a SQLite file, in WAL mode.

**Where a commit runs.** Appends of one turn of the loop make one commit. With NORMAL, which
survives the death of the process, a small commit is a write into the page cache: 20-40 µs, less
than the 70-150 µs of a thread and back, and a thread beside a busy loop waits for the interpreter
lock for milliseconds. So it runs on the loop. Whatever may wait for the disk or take long runs in
the journal's one thread, and appends gather meanwhile for the next commit: with FULL, which
survives power loss, every commit; with NORMAL large ones, pruning and checkpoints. The connection
is used by the loop or by the thread, never by both: `_busy` says that the thread has it.

**Fencing.** Entering raises the owner epoch in the file, and each commit looks, in its own
transaction, whether it is still the last one. The lock beside the file comes first; the epoch
holds where a lock does not, as on some network file systems.

**Checkpoints** sync the disk, so SQLite's own are off. When the log has grown by `LOG_BYTES` the
next commit runs in the thread and copies the log into the database afterwards.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

from orchestrator.core.facts import VOLATILE, Fact
from orchestrator.core.model import Now
from orchestrator.journal.codec import VERSION, encode
from orchestrator.journal.contract import Entry, Recovered, SavedRow, ignore
from orchestrator.journal.database import connect, owned
from orchestrator.journal.errors import FencedError, JournalError, explain, explained
from orchestrator.journal.reading import newest, read_entries, read_recovered
from protocol.types import RunId, TaskId

Stored: TypeAlias = tuple[int, float, float, int, str, str | None, str | None, str]

LOG_BYTES: Final = 8 * 2**20  # measured: a checkpoint of 10-25 ms, once in about 1,500 commits
LOOK_AFTER: Final = 16  # commits; a look at the size of the log takes as long as a small statement
INLINE_ROWS: Final = 256  # measured: 0.5 ms
INLINE_BYTES: Final = 2**18  # measured: about 1 ms
PRUNE_ROWS: Final = 1000  # measured: 2-4 ms, for which appends wait
YIELD_AFTER_S: Final = 0.002  # a commit in the thread usually takes less
YIELD_S: Final = 0.0001  # what a waiting thread needs to wake up


def _at_once(statement: str, columns: int) -> Sequence[tuple[int, str]]:
    """Make a statement that takes 256 rows, one that takes 128, and so on; all of 16 and less.

    The thread has to win the interpreter lock after each statement. Beside a busy loop, a
    statement for each row does not keep up with what is appended meanwhile.
    """
    row = f"({', '.join('?' * columns)})"
    return [
        (count, statement + ", ".join([row] * count))
        for count in (256, 128, 64, 32, *range(16, 0, -1))
    ]


_INSERT = _at_once("INSERT INTO entry VALUES ", 8)
_SAVE = _at_once("INSERT OR REPLACE INTO row VALUES ", 3)
_STAGE = _at_once("INSERT OR REPLACE INTO staged VALUES ", 3)
_FORGET = "DELETE FROM row WHERE kind = ? AND key = ?"
_PUBLISH = (
    "INSERT OR REPLACE INTO row SELECT kind, key, value FROM staged WHERE value IS NOT NULL",
    """DELETE FROM row WHERE (kind, key) IN
    (SELECT kind, key FROM staged WHERE value IS NULL)""",
    "DELETE FROM staged",
)
_OWN = "UPDATE snapshot SET owner = owner + 1"
_OWNER = "SELECT owner FROM snapshot"
_COVER = "UPDATE snapshot SET seq = ?, wall = ?, elapsed = ?"
_TOUCH = "UPDATE snapshot SET seq = seq"
_PRUNE = """DELETE FROM entry WHERE seq IN (SELECT seq FROM entry
    WHERE run = ? AND seq <= (SELECT seq FROM snapshot) LIMIT ?)"""
_PRUNE_TASKS = """DELETE FROM row WHERE kind = 'task' AND key IN (SELECT key FROM row
    WHERE kind = 'task' AND key >= ?1 || '/' AND key < ?1 || '0'
    AND NOT EXISTS (SELECT 1 FROM row WHERE kind = 'run' AND key = ?1) LIMIT ?2)"""


class Synchronous(StrEnum):
    """What a durable fact survives."""

    NORMAL = "normal"
    """The death of the process, by whatever signal."""
    FULL = "full"
    """Power loss too."""


@dataclass(slots=True)
class _Batch:
    """What the next commit will hold."""

    entries: list[Stored] = field(default_factory=list)
    rows: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    staged: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    """Rows set aside for a snapshot that is not whole yet."""
    covered: tuple[int, float | None, float | None] | None = None
    """The newest seq and time that the rows cover, where this batch changes it."""
    prunes: list[RunId] = field(default_factory=list)
    weight: int = 0
    """Characters and bytes to be written."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.entries or self.rows or self.staged or self.covered or self.prunes)

    @property
    def small(self) -> bool:
        """Whether the loop can write it without anybody noticing."""
        count = len(self.entries) + len(self.rows) + len(self.staged)
        return count <= INLINE_ROWS and self.weight <= INLINE_BYTES and not self.prunes


class SqliteJournal:
    """A `Journal` in the file `path`; while in use, SQLite keeps two more beside it.

    Args:
        path: Made where it is missing, folders too; `path`.lock says who owns it.
        synchronous: What a durable fact survives.
    """

    def __init__(self, path: Path, *, synchronous: Synchronous = Synchronous.NORMAL) -> None:
        self.path = path
        self.synchronous = synchronous
        self.on_durable: Callable[[int], None] = ignore
        self.on_failure: Callable[[JournalError], None] = ignore
        self._pending = _Batch()
        self._scheduled = self._busy = False
        self._closed = True
        self._staged = False
        """Whether rows of an unfinished snapshot are in the file."""
        self._owner = 0
        self._failure: JournalError | None = None
        self._seq = self._durable = 0
        self._now: tuple[float | None, float | None] = (None, None)
        self._log = Path(f"{path}-wal")
        self._log_bytes, self._checkpoint_at, self._commits = 0, LOG_BYTES, 0

    @property
    def durable(self) -> int:
        """The newest seq that is durable, 0 at first."""
        return self._durable

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        try:
            await asyncio.wrap_future(self._thread.submit(self._open))
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        self._closed = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        closed = asyncio.wrap_future(self._thread.submit(self._close, self._pending))
        self._thread.shutdown(wait=False)
        await asyncio.wait([closed])
        if not (failure := closed.exception()):
            self._committed(self._pending)
        elif error:
            error.add_note(str(failure))
        else:
            raise failure

    def append(self, now: Now, facts: Sequence[Fact]) -> int:
        """See `Journal`."""
        self._check()
        seq, weight, stored = self._seq, 0, []
        for fact in facts:
            if type(fact) not in VOLATILE:
                seq += 1
                kind, run, task, body = encode(fact)
                stored.append((seq, now.wall, now.elapsed, VERSION, kind, run, task, body))
                weight += len(body)
        if stored:
            self._seq, self._now = seq, (now.wall, now.elapsed)
            self._pending.entries += stored
            self._pending.weight += weight
            self._schedule()
        return self._seq

    def save_rows(self, rows: Sequence[SavedRow], *, more: bool = False) -> None:
        """See `Journal`."""
        self._check()
        batch = self._pending
        for kind, key, value in rows:
            batch.staged[kind, key] = value
            batch.weight += len(value or b"")
        if not more:
            batch.rows |= batch.staged
            batch.staged = {}
            batch.covered = (self._seq, *self._now)
        self._schedule()

    def prune(self, run: RunId) -> None:
        """See `Journal`."""
        self._check()
        self._pending.prunes.append(run)
        self._schedule()

    async def entries(
        self,
        after: int = 0,
        *,
        run: RunId | None = None,
        task: TaskId | None = None,
        limit: int | None = None,
    ) -> Sequence[Entry]:
        """See `Journal`."""
        return await asyncio.to_thread(
            read_entries, self.path, after=after, run=run, task=task, limit=limit
        )

    async def recover(self) -> Recovered:
        """See `Journal`."""
        return await asyncio.to_thread(read_recovered, self.path)

    # On the loop

    def _check(self) -> None:
        if self._closed:
            raise JournalError(self.path, "it is closed; enter it first")
        if self._failure:
            raise self._failure

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Commit what is pending, here or in the thread; later, while the thread is at work."""
        if self._busy or self._closed or self._failure or not self._scheduled:
            return
        self._scheduled = False
        batch, self._pending = self._pending, _Batch()
        due = self._log_bytes >= self._checkpoint_at
        large = not batch.small or (self._staged and batch.covered)
        if self.synchronous is Synchronous.NORMAL and not large and not due:
            try:
                self._write(batch)
            except JournalError as error:
                self.on_failure(error)
            else:
                self._committed(batch)
            return
        self._busy = True
        job = self._thread.submit(self._write, batch, checkpoint=due)
        job.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._finished, batch))
        self._yielding = self._loop.call_later(YIELD_AFTER_S, self._yield)

    def _finished(self, batch: _Batch) -> None:
        self._busy = False
        self._yielding.cancel()
        if self._failure:
            self.on_failure(self._failure)
        else:
            self._committed(batch)
            self._flush()

    def _committed(self, batch: _Batch) -> None:
        if batch.prunes:
            self._pending.prunes += batch.prunes
            self._schedule()
        if batch.entries:
            self._durable = batch.entries[-1][0]
            self.on_durable(self._durable)

    def _yield(self) -> None:
        """Let the thread have the interpreter.

        A loop that is busy with short callbacks gives up the lock often, yet takes it back before
        a waiting thread is awake. Of 300 commits beside turns of 0.1 ms the slowest took 15 ms;
        it was 5.9 s without this. The more is pending, the longer: the thread has to keep up.
        """
        backlog = len(self._pending.entries) / INLINE_ROWS
        time.sleep(min(YIELD_S * (1 + backlog), YIELD_AFTER_S))
        self._yielding = self._loop.call_later(YIELD_AFTER_S, self._yield)

    # On the loop or in the thread, never in both at once

    def _open(self) -> None:
        with explained(self.path), ExitStack() as stack:
            stack.enter_context(owned(self.path))
            self._connection = stack.enter_context(closing(connect(self.path)))
            self._connection.execute(f"PRAGMA synchronous = {self.synchronous}")
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(_OWN)
            (self._owner,) = self._connection.execute(_OWNER).fetchone()
            self._connection.execute(_PUBLISH[-1])  # of a snapshot that never became whole
            self._connection.execute("COMMIT")
            self._staged = False
            self._seq, self._now = newest(self._connection)
            self._durable = self._seq
            self._pending, self._scheduled, self._failure = _Batch(), False, None
            self._resources = stack.pop_all()

    def _close(self, batch: _Batch) -> None:
        with explained(self.path), self._resources:
            self._write(batch, checkpoint=False)

    def _write(self, batch: _Batch, *, checkpoint: bool = False) -> None:
        """Commit a batch; a failure is for good, so that no later commit leaves a gap."""
        if self._failure:
            raise self._failure
        try:
            self._commit(batch)
            if checkpoint:
                self._checkpoint()
            self._commits += 1
            if checkpoint or not self._commits % LOOK_AFTER:
                self._log_bytes = self._log.stat().st_size
        except FencedError as error:
            self._failure = error
            raise
        except Exception as error:
            self._failure = explain(self.path, error)
            raise self._failure from error

    def _commit(self, batch: _Batch) -> None:
        if batch.empty:
            return
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")  # so that nobody takes over between the look and the commit
        if execute(_OWNER).fetchone() != (self._owner,):
            execute("ROLLBACK")
            raise FencedError(self.path)
        self._put(_INSERT, batch.entries)
        self._save(batch)
        if batch.prunes and self._prune(batch.prunes[0]):
            del batch.prunes[0]
        execute("COMMIT")

    def _save(self, batch: _Batch) -> None:
        execute = self._connection.execute
        if batch.covered:
            for statement in _PUBLISH if self._staged else ():
                execute(statement)
            self._staged = False
            execute(_COVER, batch.covered)
        self._put(_SAVE, [(*key, value) for key, value in batch.rows.items() if value is not None])
        for key, value in batch.rows.items():
            if value is None:
                execute(_FORGET, key)
        if batch.staged:
            self._put(_STAGE, [(*key, value) for key, value in batch.staged.items()])
            self._staged = True

    def _prune(self, run: RunId) -> bool:
        """Delete some of a run; return whether that was all."""
        execute = self._connection.execute
        deleted = [execute(each, (run, PRUNE_ROWS)).rowcount for each in (_PRUNE, _PRUNE_TASKS)]
        return max(deleted) < PRUNE_ROWS

    def _put(
        self, statements: Sequence[tuple[int, str]], rows: Sequence[tuple[object, ...]]
    ) -> None:
        done = 0
        for count, statement in statements:
            while len(rows) - done >= count:
                values = list(chain.from_iterable(rows[done : done + count]))
                self._connection.execute(statement, values)
                done += count

    def _checkpoint(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.execute(_TOUCH)  # the first write to an empty log syncs: here, not there
        # A reader may have kept the log from being emptied: next time, then.
        self._checkpoint_at = self._log.stat().st_size + LOG_BYTES
