"""One run, as whoever embeds the coordinator follows and steers it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from orchestrator.coordinator import Coordinator
from orchestrator.core import events as e
from orchestrator.core.edits import EditBatch
from orchestrator.core.errors import EditRefusedError, UnknownRunError
from orchestrator.core.facts import EditRefused, RunStatus
from orchestrator.core.snapshot import RunSnapshot, warm_of
from orchestrator.core.state import Run as RunRow
from orchestrator.handing_in import refuse_contradictions
from orchestrator.journal import Entry
from orchestrator.questions import Question, check_open, open_questions
from orchestrator.results import RunResult, collect
from orchestrator.stories import with_warm
from protocol.types import Json, Outcome, RunId, TaskId

if TYPE_CHECKING:
    import networkx as nx

FINAL: Final = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})
PAGE: Final = 512  # journal entries read at once
TASKS_AT_ONCE: Final = 10_000  # about 1 ms


class Run:
    """One run, to follow and to steer.

    An ended run is kept for a while (`Tuning.keep_s`, `keep_runs`, `keep_tasks`). Once it is
    forgotten, everything here raises `UnknownRunError`.
    """

    def __init__(self, coordinator: Coordinator, run: RunId) -> None:
        self.id = run
        self._coordinator = coordinator

    def snapshot(self) -> RunSnapshot:
        """Return the run as it is now, and what it keeps warm."""
        engine, now = self._coordinator.engine, self._coordinator.clock().elapsed
        seen = engine.snapshot(self.id)
        return replace(seen, warm=warm_of(engine.state.runs[self.id], engine.state, now))

    async def events(self, after: int = 0) -> AsyncGenerator[Entry, None]:
        """Yield what became durable of the run after an offset, until it ends.

        An entry's `seq` is the offset to resume from, also after a restart.
        """
        changed = asyncio.Event()
        self._coordinator.watch(self.id, changed)
        try:
            while True:
                changed.clear()
                ended = self._status() in FINAL
                if ended:
                    await self._coordinator.durable()  # the end itself is one of the events
                page = await self._coordinator.journal.entries(after, run=self.id, limit=PAGE)
                for entry in page:
                    after = entry.seq
                    yield entry
                if ended and not page:
                    return
                if not page:
                    await changed.wait()
        finally:
            self._coordinator.unwatch(self.id, changed)

    def graph(self) -> "nx.DiGraph[TaskId]":
        """Return the task graph as it is now, to analyse: a copy, with networkx.

        Nodes carry `skill`, `state`, `device` and `parent`, edges `on`.
        """
        import networkx as nx  # noqa: PLC0415 - 0.2 s that only its users should pay

        graph: nx.DiGraph[TaskId] = nx.DiGraph()
        for task in self.snapshot().tasks:
            graph.add_node(
                task.spec.id,
                skill=task.spec.skill,
                state=task.state,
                device=task.device,
                parent=task.parent,
            )
            for edge in task.dependencies:
                graph.add_edge(edge.predecessor, edge.successor, on=edge.on)
        return graph

    async def story(self, task: TaskId) -> tuple[Entry, ...]:
        """Return everything that happened to a task, and to what its run kept warm for it.

        O(entries of the run), in pages, for a task that needs something warm.
        """
        journal, run = self._coordinator.journal, self._coordinator.engine.state.runs.get(self.id)
        told = tuple(await journal.entries(run=self.id, task=task))
        row = run.tasks.get(task) if run is not None else None
        if row is None or not told or all(name.run is None for name in row.needs):
            return told
        return await with_warm(journal, row, told)

    async def result(self) -> RunResult:
        """Wait for the end of the run and return what it came to."""
        changed = asyncio.Event()
        self._coordinator.watch(self.id, changed)
        try:
            while self._status() not in FINAL:
                changed.clear()
                await changed.wait()
        finally:
            self._coordinator.unwatch(self.id, changed)
        row = self._row()  # it is final, and may be forgotten from now on
        tasks = tuple(row.tasks.values())
        await self._coordinator.durable()
        outputs: dict[TaskId, Json] = {}
        missing: dict[TaskId, str] = {}
        for start in range(0, len(tasks), TASKS_AT_ONCE):
            collect(tasks[start : start + TASKS_AT_ONCE], outputs, missing)
            await asyncio.sleep(0)  # others have their turn: there may be very many
        return RunResult(self.id, row.status, row.reason, outputs, missing)

    def _row(self) -> RunRow:
        try:
            return self._coordinator.engine.state.runs[self.id]
        except KeyError:
            raise UnknownRunError(f"run {self.id!r} is not there (any more)") from None

    def _status(self) -> RunStatus:
        return self._row().status

    async def cancel(self, why: str = "cancelled by its owner") -> None:
        """Stop everything unfinished; `result` says when that is done."""
        await durably(self._coordinator, e.CancelRun(self.id, why))

    async def edit(self, batch: EditBatch, *, by: str = "") -> None:
        """Change the graph, atomically.

        Raises:
            EditRefusedError: the batch was refused whole, with reasons.
        """
        refuse_contradictions(batch)
        await durably(self._coordinator, e.EditRequested(self.id, by, batch))

    async def pause(self) -> None:
        """Place no further task; what runs goes on."""
        await durably(self._coordinator, e.PauseRun(self.id))

    async def resume(self) -> None:
        """Place tasks again."""
        await durably(self._coordinator, e.ResumeRun(self.id))

    def questions(self) -> tuple[Question, ...]:
        """Return what the tasks ask a person now. O(tasks)."""
        return tuple(open_questions(self._row(), self._coordinator.engine.state))

    async def answer(
        self, task: TaskId, value: Json, *, question: str | None = None, by: str = ""
    ) -> None:
        """Answer the question of this name (see `questions`), or else what the task asks now.

        Raises:
            RequestError: the task does not ask for input, or asks something else by now.
        """
        if question is not None:
            check_open(question, self._row(), task, self._coordinator.engine.state)
        await durably(self._coordinator, e.AnswerInput(self.id, task, value, by))

    async def settle(self, task: TaskId, outcome: Outcome, *, by: str = "") -> None:
        """Say what a lost `once` attempt came to: succeeded or failed.

        Raises:
            RequestError: its outcome is not lost.
        """
        await durably(self._coordinator, e.SettleUnknown(self.id, task, outcome, by))


async def durably(coordinator: Coordinator, event: e.Event) -> None:
    """Hand an event to the engine and wait until its facts are durable.

    Raises:
        EditRefusedError: the engine refused a batch of edits.
    """
    decision = coordinator.handle(event)
    await coordinator.durable()
    for fact in decision.facts:
        if isinstance(fact, EditRefused):
            raise EditRefusedError(fact.reasons)
