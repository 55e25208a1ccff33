"""Errors of the journal, and the sentence for each thing SQLite can say.

```
OrchestratorError
└── JournalError                the file that it speaks of is `path`
    ├── JournalLockedError      another coordinator works on it
    ├── FencedError             another coordinator has taken over since
    ├── JournalDamagedError     it is not a journal, or not a whole one
    ├── JournalVersionError     a newer release wrote it
    └── JournalWriteError       it cannot be written: full, read-only, failing
```
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orchestrator.core.errors import OrchestratorError


class JournalError(OrchestratorError):
    """The journal at `path` cannot be used; `str()` says why and what to do."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"journal {path}: {detail}")
        self.path = path


class JournalLockedError(JournalError):
    """Another coordinator works on the file."""


class FencedError(JournalError):
    """Another coordinator has entered the journal since: what this one writes is refused."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "another coordinator has taken over this journal")


class JournalDamagedError(JournalError):
    """The file is not a journal, or not a whole one."""


class JournalVersionError(JournalError):
    """A newer release wrote the file."""


class JournalWriteError(JournalError):
    """The file cannot be written."""


RESTORE = "move it away with its -wal file and restore a copy, or start without history"

_SENTENCES: Mapping[int, tuple[type[JournalError], str]] = {
    sqlite3.SQLITE_BUSY: (JournalLockedError, "another program uses it; stop that one first"),
    sqlite3.SQLITE_LOCKED: (JournalLockedError, "another program uses it; stop that one first"),
    sqlite3.SQLITE_CORRUPT: (JournalDamagedError, f"the file is damaged; {RESTORE}"),
    sqlite3.SQLITE_NOTADB: (JournalDamagedError, f"this is not a journal; {RESTORE}"),
    sqlite3.SQLITE_FULL: (JournalWriteError, "the disk is full; free some space and start again"),
    sqlite3.SQLITE_IOERR: (JournalWriteError, "the disk fails; check it and start again"),
    sqlite3.SQLITE_READONLY: (JournalWriteError, "it is read-only; make file and folder writable"),
    sqlite3.SQLITE_CANTOPEN: (JournalWriteError, "cannot open it; check the path and its rights"),
}
_PRIMARY = 0xFF  # the low byte of an extended result code is its primary code


def explain(path: Path, error: Exception) -> JournalError:
    """Turn what SQLite or the system raised into one sentence about `path`."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if code in _SENTENCES:
        kind, sentence = _SENTENCES[code]
        return kind(path, sentence)
    if isinstance(error, OSError):
        return JournalWriteError(path, f"{error.strerror}; choose a folder that can be written")
    return JournalError(path, f"{type(error).__name__}: {error}")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise whatever goes wrong inside as a `JournalError` about `path`."""
    try:
        yield
    except JournalError:
        raise
    except Exception as error:
        raise explain(path, error) from error
