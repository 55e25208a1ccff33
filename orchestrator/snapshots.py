"""Snapshots of dirty rows: how recovery stays short however long the journal grows.

Rows that facts changed are noted; when `ROWS_AT_ONCE` are dirty, all of them are saved in the
commit of the facts so far. So a snapshot is always whole, and no pause is longer than those rows.
"""

from collections.abc import Iterable
from typing import Final, cast

from orchestrator.core.engine import Engine
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.facts import VOLATILE, Fact
from orchestrator.core.rows import SAVED, RowKey, Saved, freeze, touched
from orchestrator.journal import Journal, Recovered
from orchestrator.journal.codec import decode_row, encode_row

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
        state = self._engine.state
        frozen = [(key, freeze(state, key)) for key in self._dirty]
        self._dirty.clear()
        self._journal.save_rows(
            [
                (key[0], _SEPARATOR.join(key[1:]), None if row is None else encode_row(row))
                for key, row in frozen
            ]
        )


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
