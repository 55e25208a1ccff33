"""A journal for the life of the process: for benchmarks, tests and embedded use without a file."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from types import TracebackType
from typing import Self

from orchestrator.core.facts import VOLATILE, Fact
from orchestrator.core.model import Now
from orchestrator.journal.contract import Entry, Recovered, SavedRow, concerns, ignore
from orchestrator.journal.errors import JournalError
from protocol.types import RunId, TaskId


class MemoryJournal:
    """A `Journal` that outlives a coordinator, which may enter it again, but not the process.

    Facts are kept as they are, so a value that is not JSON goes unnoticed.
    """

    def __init__(self) -> None:
        self.on_durable: Callable[[int], None] = ignore
        self.on_failure: Callable[[JournalError], None] = ignore
        self._entries: list[Entry] = []
        self._rows: dict[tuple[str, str], bytes] = {}
        self._last: Now | None = None
        self._seq = self._durable = self._covered = 0

    @property
    def durable(self) -> int:
        """The newest seq that is durable, 0 at first."""
        return self._durable

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._flush()

    def append(self, now: Now, facts: Sequence[Fact]) -> int:
        """See `Journal`."""
        before = seq = self._seq
        for fact in facts:
            if type(fact) not in VOLATILE:
                seq += 1
                self._entries.append(Entry(seq, now.wall, now.elapsed, fact))
        if seq > before:
            if before == self._durable:  # nothing is scheduled yet
                self._loop.call_soon(self._flush)
            self._seq, self._last = seq, now
        return seq

    def save_rows(self, rows: Sequence[SavedRow]) -> None:
        """See `Journal`."""
        for kind, key, value in rows:
            if value is None:
                self._rows.pop((kind, key), None)
            else:
                self._rows[kind, key] = value
        self._covered = self._seq

    def prune(self, run: RunId) -> None:
        """See `Journal`."""
        self._entries = [
            entry
            for entry in self._entries
            if entry.seq > self._covered or getattr(entry.fact, "run", None) != run
        ]

    async def entries(
        self,
        after: int = 0,
        *,
        run: RunId | None = None,
        task: TaskId | None = None,
        limit: int | None = None,
    ) -> Sequence[Entry]:
        """See `Journal`."""
        found = (
            entry
            for entry in self._entries
            if after < entry.seq <= self._durable
            and (run is None or getattr(entry.fact, "run", None) == run)
            and (task is None or concerns(entry.fact, task))
        )
        return list(islice(found, limit))

    async def recover(self) -> Recovered:
        """See `Journal`."""
        entries = [entry for entry in self._entries if entry.seq > self._covered]
        return Recovered(dict(self._rows), entries, self._last)

    def _flush(self) -> None:
        if self._durable < self._seq:
            self._durable = self._seq
            self.on_durable(self._durable)
