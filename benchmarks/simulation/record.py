"""The journal of a world: one record on a disk, and a journal for each coordinator that opens it.

It is the memory journal with a process around it that can die and a disk that can be full. What
was not on the disk when the process died is lost.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from orchestrator.core.facts import Fact
from orchestrator.core.model import Now
from orchestrator.journal import (
    Entry,
    JournalError,
    JournalWriteError,
    MemoryJournal,
    MemoryStore,
)

PATH: Final = Path("record")


def _nothing(*_: object) -> None:
    pass


class Record:
    """What is on the disk, for all coordinators of a world.

    Attributes:
        decided: hears of the facts of each event, volatile ones too, before they are durable.
        durable: hears of the entries that became durable, before anything follows from them.
    """

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.full = False
        """No write succeeds."""
        self.decided: Callable[[WorldJournal, Sequence[Fact]], None] = _nothing
        self.durable: Callable[[Sequence[Entry]], None] = _nothing


class WorldJournal(MemoryJournal):
    """A `Journal` on the record, for one life of a coordinator."""

    def __init__(self, record: Record) -> None:
        super().__init__(record.store)
        self.dead = False
        """Set it when the process is gone."""
        self._record = record

    @property
    def failure(self) -> JournalError | None:
        """Why it takes no more; None while it does."""
        return self._failure

    def append(self, now: Now, facts: Sequence[Fact]) -> int:
        """See `Journal`."""
        seq = super().append(now, facts)
        if facts:
            self._record.decided(self, facts)
        return seq

    def _flush(self) -> None:
        if self.dead:
            return
        if self._record.full and self._pending and self._failure is None:
            self._failure = JournalWriteError(PATH, "the disk is full; free some space")
            self.on_failure(self._failure)
            return
        super()._flush()

    def _commit(self) -> None:
        entries = self._pending
        super()._commit()
        self._record.durable(entries)
