"""Snapshots of dirty rows: how recovery stays short however long the journal grows.

Rows that facts changed are noted; when `GATHERED` times `ROWS_AT_ONCE` are dirty, they are saved:
a row that changed often meanwhile is written once, and recovery has that many to fold. A snapshot
is whole or it is none: after a step that dirtied many rows, they are set aside so many at a time,
turn by turn, with those that get dirty meanwhile; the last of them, when nothing is dirty any
more, makes them count in the commit of the facts so far. So no pause is longer than those rows,
and what is recovered never mixes two moments. A note saves twice what it dirties, as far as that
is little, and every turn saves some: so the end comes.

A run that was forgotten is pruned from the journal once a snapshot covers that, and its tasks in
memory are let go of piecemeal too.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, cast

from orchestrator.core.engine import Engine
from orchestrator.core.errors import OrchestratorError
from orchestrator.core.facts import VOLATILE, Fact, RunForgotten
from orchestrator.core.rows import RowKey, freeze, touched
from orchestrator.core.saved import SAVED, Saved
from orchestrator.journal import Journal, JournalError, Recovered
from orchestrator.journal.codec import decode_row, encode_row
from orchestrator.journal.contract import SavedRow
from protocol.types import RunId

ROWS_AT_ONCE: Final = 256  # about 3 ms: below what anybody notices of a loop
GATHERED: Final = 8
SWEPT_AT_ONCE: Final = 2000  # about 1 ms
_SEPARATOR: Final = "/"  # run ids have none


class RecoveryError(OrchestratorError):
    """The journal can be read but not understood."""


class Snapshots:
    """Keeps the journal's rows up to date with the engine. Lives on a running loop."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal
        self._dirty: dict[RowKey, None] = {}
        self._attempts: set[RowKey] = set()
        """Attempts that have a row: most end before they ever need one."""
        self._forgotten: list[RunId] = []
        """Runs to prune with the next whole snapshot."""
        self._saving = self._sweeping = self._closed = False

    def recovered(self, recovered: Recovered) -> None:
        """Take note of what the engine was brought back from.

        What its facts removed is still among the saved rows, and would rise again.
        """
        self._attempts = {key for key in recovered.rows if key[0] == "attempt"}
        known = self._engine.state.runs
        tasks = (key.partition(_SEPARATOR)[0] for kind, key in recovered.rows if kind == "task")
        found = dict.fromkeys((*recovered.runs, *map(RunId, tasks)))
        self._forgotten = [run for run in found if run not in known]
        self.note(entry.fact for entry in recovered.entries)

    def close(self) -> None:
        """Save nothing more: what was set aside never was."""
        self._closed = True

    def note(self, facts: Iterable[Fact]) -> None:
        """Take note of facts that were appended; save when enough rows are dirty."""
        state, dirty = self._engine.state, self._dirty
        before = len(dirty)
        for fact in facts:
            if type(fact) in VOLATILE:
                continue
            for key in touched(fact, state):
                dirty[key] = None
            if type(fact) is RunForgotten:
                self._forgotten.append(fact.run)
                self._sweep_later()
        if self._saving and len(dirty) > before:
            self._save(min(2 * (len(dirty) - before), ROWS_AT_ONCE))
        elif len(dirty) >= GATHERED * ROWS_AT_ONCE and not self._saving:
            self._save(2 * ROWS_AT_ONCE)
            self._save_later()

    def save(self) -> None:
        """Save every dirty row."""
        self._save(len(self._dirty))

    def _save(self, count: int) -> None:
        """Save so many rows; the last ones make all of them count."""
        keys = list(islice(self._dirty, count))
        for key in keys:
            del self._dirty[key]
        self._saving = bool(self._dirty)
        rows = [row for key in keys for row in self._row(key)]
        if self._saving:
            self._journal.save_rows(rows, more=True)
            return
        self._journal.save_rows(rows)
        for run in self._forgotten:
            self._journal.prune(run)
        self._forgotten.clear()

    def _save_later(self) -> None:
        if self._saving and not self._closed:
            asyncio.get_running_loop().call_soon(self._save_on)

    def _save_on(self) -> None:
        if self._saving and not self._closed:
            try:
                self._save(ROWS_AT_ONCE)
            except JournalError:
                return  # its owner was told
            self._save_later()

    def _sweep_later(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_soon(self._sweep)

    def _sweep(self) -> None:
        self._sweeping = False
        if self._engine.state.sweep(SWEPT_AT_ONCE):
            self._sweep_later()

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
