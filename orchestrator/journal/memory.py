"""A journal for the life of the process: for benchmarks, tests and embedded use without a file."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from heapq import merge
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from orchestrator.core.facts import VOLATILE, Fact
from orchestrator.core.model import Now
from orchestrator.journal.contract import Entry, Recovered, SavedRow, concerns, ignore
from orchestrator.journal.errors import FencedError, JournalError
from protocol.types import RunId, TaskId

PRUNED_AT_ONCE: Final = 2000  # measured: under 1 ms
_NAME: Final = Path("in memory")
_seq = attrgetter("seq")


class MemoryStore:
    """What a memory journal has taken: stands for the file, and outlives its owners."""

    def __init__(self) -> None:
        self.owner = 0
        """Rises with every owner; only the last one writes."""
        self.entries: dict[RunId | None, list[Entry]] = {}
        """By run, each in order; under None what concerns none."""
        self.rows: dict[tuple[str, str], bytes] = {}
        self.tasks: dict[str, dict[tuple[str, str], bytes]] = {}
        """Rows of tasks, by run."""
        self.last: Now | None = None
        self.seq = self.covered = 0

    def put(self, key: tuple[str, str], value: bytes | None) -> None:
        """Change a row; None deletes it."""
        rows = self.rows
        if key[0] == "task":
            rows = self.tasks.setdefault(key[1].partition("/")[0], {})
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value

    def cut(self, run: RunId) -> list[object]:
        """Take out what `Journal.prune` deletes, and return it."""
        entries = self.entries.pop(run, [])
        kept = entries[bisect_right(entries, self.covered, key=_seq) :]
        del entries[len(entries) - len(kept) :]
        if kept:
            self.entries[run] = kept
        if ("run", run) not in self.rows:
            return [*entries, *self.tasks.pop(run, {}).items()]
        return [*entries]


class MemoryJournal:
    """A `Journal` that outlives a coordinator, which may enter it again, but not the process.

    Facts are kept as they are, so a value that is not JSON goes unnoticed.

    Args:
        store: what another memory journal works on, to take it over; its own if left out.
    """

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.on_durable: Callable[[int], None] = ignore
        self.on_failure: Callable[[JournalError], None] = ignore
        self.store = store or MemoryStore()
        self._pending: list[Entry] = []
        self._staged: dict[tuple[str, str], bytes | None] = {}
        self._saved: list[tuple[int, dict[tuple[str, str], bytes | None]]] = []
        """Rows that wait for the facts that they cover."""
        self._prunes: list[RunId] = []
        self._litter: list[object] = []
        self._failure: JournalError | None = None
        self._owner = self._seq = self._durable = 0
        self._scheduled = False

    @property
    def durable(self) -> int:
        """The newest seq that is durable, 0 at first."""
        return self._durable

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._owner:
            self._flush()  # whoever entered this very journal before has still written that
        self.store.owner += 1
        self._owner = self.store.owner
        self._pending, self._staged, self._saved, self._prunes = [], {}, [], []
        self._failure, self._scheduled = None, False
        self._seq = self._durable = self.store.seq
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._flush()
        if self._failure is None:
            return
        if error is None:
            raise self._failure
        error.add_note(str(self._failure))

    def append(self, now: Now, facts: Sequence[Fact]) -> int:
        """See `Journal`."""
        self._check()
        for fact in facts:
            if type(fact) not in VOLATILE:
                self._seq += 1
                self._pending.append(Entry(self._seq, now.wall, now.elapsed, fact))
        if self._pending:
            self._schedule()
        return self._seq

    def save_rows(self, rows: Sequence[SavedRow], *, more: bool = False) -> None:
        """See `Journal`."""
        self._check()
        self._staged |= {(kind, key): value for kind, key, value in rows}
        if not more:
            self._saved.append((self._seq, self._staged))
            self._staged = {}
            self._schedule()

    def prune(self, run: RunId) -> None:
        """See `Journal`."""
        self._check()
        self._prunes.append(run)
        self._schedule()

    async def entries(
        self,
        after: int = 0,
        *,
        run: RunId | None = None,
        task: TaskId | None = None,
        limit: int | None = None,
    ) -> Sequence[Entry]:
        """See `Journal`. O(what is returned) for a run, O(its entries) for a task."""
        found = (
            self._after(after) if run is None else _tail(self.store.entries.get(run, []), after)
        )
        if task is not None:
            found = (entry for entry in found if concerns(entry.fact, task))
        return list(islice(found, limit))

    async def recover(self) -> Recovered:
        """See `Journal`."""
        store = self.store
        entries = list(self._after(store.covered))
        runs = [run for run in store.entries if run is not None]
        rows = dict(chain(store.rows.items(), *(each.items() for each in store.tasks.values())))
        return Recovered(rows, entries, store.last, runs)

    def _after(self, seq: int) -> Iterable[Entry]:
        return merge(*(_tail(each, seq) for each in self.store.entries.values()), key=_seq)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if self._failure is not None or not (self._pending or self._saved or self._prunes):
            return
        if self._owner != self.store.owner:
            self._failure = FencedError(_NAME)
            self.on_failure(self._failure)
            return
        self._commit()
        if self._durable < self._seq:
            self._durable = self._seq
            self.on_durable(self._durable)

    def _commit(self) -> None:
        store = self.store
        for entry in self._pending:
            run = getattr(entry.fact, "run", None)
            store.entries.setdefault(run, []).append(entry)
        if self._pending:
            last = self._pending[-1]
            store.seq, store.last = last.seq, Now(last.wall, last.elapsed)
        for covered, rows in self._saved:
            store.covered = covered
            for key, value in rows.items():
                store.put(key, value)
        for run in self._prunes:
            self._litter += store.cut(run)
        self._pending, self._saved, self._prunes = [], [], []
        self._tidy()

    def _tidy(self) -> None:
        """Let go of some entries at a time: a million of them at once is a pause."""
        del self._litter[-PRUNED_AT_ONCE:]
        if self._litter:
            self._loop.call_soon(self._tidy)


def _tail(entries: list[Entry], after: int) -> Iterable[Entry]:
    return islice(entries, bisect_right(entries, after, key=_seq), None)
