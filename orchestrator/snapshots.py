"""Snapshots of dirty rows: how recovery stays short however long the journal grows.

Rows that facts changed are noted; when `ROWS_AT_ONCE` are dirty, all of them are saved in the
commit of the facts so far. So a snapshot is always whole, and no pause is longer than those rows.
"""

from collections.abc import Iterable, Iterator
from typing import Final, cast

from orchestrator.core.engine import Engine
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.facts import VOLATILE, Fact
from orchestrator.core.rows import SAVED, RowKey, Saved, freeze, touched
from orchestrator.journal import Journal, Recovered
from orchestrator.journal.codec import decode_row, encode_row
from orchestrator.journal.contract import SavedRow

ROWS_AT_ONCE: Final = 512  # about 6 ms: below what anybody notices of a loop
_SEPARATOR: Final = "/"  # run ids have none


class RecoveryError(OrchestratorError):
    """The journal can be read but not understood."""


class Snapshots:
    """Keeps the journal's rows up to date with the engine."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal
        self._dirty: dict[RowKey, None] = {}
        self._attempts: set[RowKey] = set()
        """Attempts that have a row: most end before they ever need one."""

    def recovered(self, recovered: Recovered) -> None:
        """Take note of what the engine was brought back from."""
        self._attempts = {key for key in recovered.rows if key[0] == "attempt"}
        self.note(entry.fact for entry in recovered.entries)

    def note(self, facts: Iterable[Fact]) -> None:
        """Take note of facts that were appended; save when enough rows are dirty."""
        state, dirty = self._engine.state, self._dirty
        for fact in facts:
            if type(fact) not in VOLATILE:
                for key in touched(fact, state):
                    dirty[key] = None
        if len(dirty) >= ROWS_AT_ONCE:
            self.save()

    def save(self) -> None:
        """Save every dirty row."""
        dirty, self._dirty = self._dirty, {}
        rows = [row for key in dirty for row in self._row(key)]
        self._journal.save_rows(rows)

    def _row(self, key: RowKey) -> Iterator[SavedRow]:
        row = freeze(self._engine.state, key)
        if key[0] == "attempt":
            if row is not None:
                self._attempts.add(key)
            elif key in self._attempts:
                self._attempts.discard(key)
            else:
                return
        yield key[0], _SEPARATOR.join(key[1:]), None if row is None else encode_row(row)


def recover(engine: Engine, recovered: Recovered) -> None:
    """Bring an empty engine to where its journal ends.

    Raises:
        RecoveryError: a row or a fact makes no sense.
    """
    try:
        rows = [decode_row(SAVED[kind], body) for (kind, _), body in recovered.rows.items()]
        engine.restore(cast("list[Saved]", rows))
        for entry in recovered.entries:
            engine.apply(entry.fact)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecoveryError(
            f"the journal's contents make no sense ({error!r}): restore a copy"
        ) from error
    engine.recovered()
