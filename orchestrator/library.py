"""The library's face: submit requests, follow their runs, see the fleet."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchestrator.clock import loop_clock
from orchestrator.coordinator import Coordinator
from orchestrator.core import events as e
from orchestrator.core.decisions.runs import rest_of
from orchestrator.core.edits import AddTask, EditBatch
from orchestrator.core.errors import EditRefusedError, UnknownRunError
from orchestrator.core.facts import EditRefused, RunStatus
from orchestrator.core.model import DEFAULT_RUN_LIMITS, Now, RunLimits
from orchestrator.core.retention.policies import Pinning, chosen
from orchestrator.core.scheduling.policies import DEFAULT, DEFAULT_PARAMETERS, Parameters, Policy
from orchestrator.core.snapshot import DeviceSnapshot, RunSnapshot, fleet, heads, warm_of
from orchestrator.core.state import Run as RunRow
from orchestrator.core.tuning import Tuning
from orchestrator.given import check_given
from orchestrator.handing_in import parts_of, refuse_contradictions, sensible
from orchestrator.improving import Improver
from orchestrator.journal import Entry, Journal, MemoryJournal
from orchestrator.judging import Judging, telling
from orchestrator.learning import Learning
from orchestrator.planner import Planner
from orchestrator.planning import DEFAULT_SCRUTINY, Scrutiny
from orchestrator.questions import Question, check_open, open_questions
from orchestrator.results import RunResult, collect
from orchestrator.stories import with_warm
from protocol.background import Background
from protocol.topics import Address
from protocol.transport import Transport
from protocol.types import Json, Outcome, RunId, TaskId

if TYPE_CHECKING:
    import networkx as nx

    from orchestrator.planner.judging.judge import Judge
    from orchestrator.planner.memory import Memory

FINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})
PAGE = 512  # journal entries read at once
TASKS_AT_ONCE = 10_000  # about 1 ms
DEFAULT_ADDRESS = Address("muster", "default", "coordinator")


class Orchestrator:
    """Coordinates runs over devices, for as long as its context lasts.

    ```python
    async with Orchestrator(broker.transport("coordinator"), planner=planner) as orchestrator:
        run = await orchestrator.submit("count the errors on every server")
        result = await run.result()
    ```

    Args:
        transport: its connection; `protocol.transport.memory` needs no broker.
        planner: who turns requests into plans; None takes only requests with a plan.
        journal: the durable record; in memory if left out, so that a crash loses the runs.
        address: who it is on the broker.
        tuning: the fleet's time constants.
        policy: who decides where ready tasks go.
        parameters: what some policies take.
        pinning: how warm resources are kept between two uses, at most for `tuning.pin_cap_s`.
        memory: learns from runs that end, or a folder to learn in; see `planner.memory`.
        judge: says how well ended runs did, beside the work; see `planner.judging`.
        clock: wall and elapsed time; the loop's if left out.
        scrutiny: how closely the planner's answers are looked at.
        improver: who looks for better plans, see `tuning.improve_cpu`; a process if left out.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        planner: Planner | None = None,
        journal: Journal | None = None,
        address: Address = DEFAULT_ADDRESS,
        tuning: Tuning | None = None,
        policy: Policy = DEFAULT,
        parameters: Parameters = DEFAULT_PARAMETERS,
        pinning: Pinning = Pinning.INDEX,
        memory: "Memory | Path | None" = None,
        judge: "Judge | None" = None,
        clock: Callable[[], Now] = loop_clock,
        scrutiny: Scrutiny = DEFAULT_SCRUTINY,
        improver: Improver | None = None,
    ) -> None:
        check_given(locals())
        keeping, tuning = chosen(pinning, tuning or Tuning())
        self._journal = journal or MemoryJournal()
        self._learning, self._judging = Learning(memory), Judging(judge)
        self.coordinator = Coordinator(
            transport,
            journal=self._journal,
            planner=planner,
            address=address,
            tuning=tuning,
            policy=policy,
            parameters=parameters,
            keeping=keeping,
            clock=clock,
            scrutiny=scrutiny,
            improver=improver,
            ended=telling(self._learning.ended, self._judging.ended),
        )

    async def __aenter__(self) -> Self:
        await self._journal.__aenter__()
        ready = asyncio.Event()
        self._group = await Background().__aenter__()
        self._running = self._group.create_task(
            self._run(ready), name=f"{self.coordinator.address} coordinator"
        )
        await ready.wait()
        return self

    async def _run(self, ready: asyncio.Event) -> None:
        try:
            async with self._judging.beside(self.coordinator):
                await self._learning.run(self.coordinator, ready=ready.set)
        finally:
            ready.set()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.cancel()
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseException as failure:
            await self._journal.__aexit__(type(failure), failure, failure.__traceback__)
            raise
        await self._journal.__aexit__(kind, error, trace)

    async def wait(self) -> None:
        """Wait until the coordinator fails; for daemons that have nothing else to do."""
        await asyncio.wait([self._running])

    async def submit(
        self,
        request: str,
        *,
        plan: EditBatch | None = None,
        parameters: Mapping[str, Json] | None = None,
        key: str | None = None,
        owner: str = "",
        priority: int = 0,
        limits: RunLimits = DEFAULT_RUN_LIMITS,
        deliverables: Sequence[str] = (),
    ) -> "Run":
        """Take a request, durably, and return its run.

        A plan of more than `core.parts.PART_EDITS` edits is judged whole and then taken in parts,
        so that nothing else waits long; its first tasks may run before the last are there. If the
        process dies in between, a repeat with the same `key` goes on; without it the run fails
        after `limits.plan_s`.

        Args:
            request: in plain words; the planner reads it.
            plan: the first plan, if there is one already (base revision 0).
            parameters: what the planner gets beside the words.
            key: the caller's own: a repeat with the same key and owner returns the same run, as
                long as that is kept (`Tuning.keep_s`), and a new one after that.
            owner: who asks.
            priority: higher goes first.
            limits: bounds on planning, revisions and time.
            deliverables: what must come of it: tasks, files or members of an output, by name. A
                plan that makes none of that name is refused.

        Raises:
            RequestError: this makes no sense, or the plan cannot be accepted; no run was made.
        """
        sensible(request, plan, limits, deliverables)
        token = secrets.token_hex(8)
        run = RunId(token[:12])
        key = key if key is not None else token
        state = self.coordinator.engine.state
        batches = await parts_of(plan) if plan is not None else ()
        if (known := state.keys.get((owner, key))) is None:
            event = e.Submit(
                run,
                key,
                request,
                owner,
                priority,
                limits,
                dict(parameters or {}),
                int(token, 16),
                batches[0] if batches else None,
                more=len(batches) > 1,
                deliverables=tuple(deliverables),
            )
            await durably(self.coordinator, event)
        else:
            run = known
            await self.coordinator.durable()  # the first one may still be on its way
        await self._submit_rest(run, batches)
        return Run(self.coordinator, run)

    async def _submit_rest(self, run: RunId, batches: Sequence[EditBatch]) -> None:
        """Hand in what is not there yet, for as long as it is awaited."""
        runs = self.coordinator.engine.state.runs
        for number, batch in enumerate(batches[1:], start=2):
            row = runs.get(run)
            if row is None or rest_of(run) not in row.asks:
                return
            first = batch.edits[0]
            if not isinstance(first, AddTask) or first.task.id not in row.tasks:
                more = number < len(batches)
                await durably(
                    self.coordinator, e.PlanProposed(run, rest_of(run), batch, more=more)
                )

    def run(self, run: RunId) -> "Run":
        """Return a run by its id.

        Raises:
            UnknownRunError: there is none.
        """
        if run not in self.coordinator.engine.state.runs:
            raise UnknownRunError(f"there is no run {run!r}")
        return Run(self.coordinator, run)

    def runs(self) -> tuple[RunSnapshot, ...]:
        """Return every run that is kept, oldest first, without its tasks. O(runs)."""
        return heads(self.coordinator.engine.state)

    def devices(self) -> tuple[DeviceSnapshot, ...]:
        """Return every known device and what is warm there, in order of arrival."""
        return fleet(self.coordinator.engine.state, self.coordinator.clock().elapsed)


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
