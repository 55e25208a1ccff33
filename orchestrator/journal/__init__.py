"""The journal: every fact, in order, durable before its consequence leaves the process.

`SqliteJournal` keeps it in a file, `MemoryJournal` for the life of the process. Both promise:

* Facts become durable in the order of `append`, all of one call together, and with them the rows
  saved since; `durable` never overstates, whatever fails.
* Whoever enters last owns it: nothing that a former owner still writes becomes durable.
* What failed once stays failed: `on_failure` is told, `append` raises, and leaving the life cycle
  raises unless something else is under way. A coordinator stops rather than lies.
"""

from orchestrator.journal.contract import Entry, Journal, Recovered
from orchestrator.journal.errors import (
    FencedError,
    JournalDamagedError,
    JournalError,
    JournalLockedError,
    JournalVersionError,
    JournalWriteError,
)
from orchestrator.journal.memory import MemoryJournal, MemoryStore
from orchestrator.journal.sqlite import SqliteJournal, Synchronous

__all__ = [
    "Entry",
    "FencedError",
    "Journal",
    "JournalDamagedError",
    "JournalError",
    "JournalLockedError",
    "JournalVersionError",
    "JournalWriteError",
    "MemoryJournal",
    "MemoryStore",
    "Recovered",
    "SqliteJournal",
    "Synchronous",
]
