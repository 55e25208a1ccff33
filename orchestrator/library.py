"""The library's face: submit requests, find their runs, see the fleet."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orchestrator.clock import loop_clock
from orchestrator.coordinator import Coordinator
from orchestrator.core import events as e
from orchestrator.core.decisions.runs import rest_of
from orchestrator.core.edits import AddTask, EditBatch
from orchestrator.core.errors import UnknownRunError
from orchestrator.core.model import DEFAULT_RUN_LIMITS, Now, RunLimits
from orchestrator.core.retention.policies import Pinning, chosen
from orchestrator.core.scheduling.policies import DEFAULT, DEFAULT_PARAMETERS, Parameters, Policy
from orchestrator.core.snapshot import DeviceSnapshot, RunSnapshot, fleet, heads
from orchestrator.core.tuning import Tuning
from orchestrator.given import FORMS
from orchestrator.handing_in import parts_of, sensible
from orchestrator.improving import Improver
from orchestrator.journal import Journal, MemoryJournal
from orchestrator.judging import Judging, telling
from orchestrator.learning import Learning
from orchestrator.planner import Planner
from orchestrator.planning import DEFAULT_SCRUTINY, Scrutiny
from orchestrator.run import Run, durably
from protocol.background import Background
from protocol.given import check_given
from protocol.topics import Address
from protocol.transport import Transport
from protocol.types import Json, RunId

if TYPE_CHECKING:
    from orchestrator.planner.judging.judge import Judge
    from orchestrator.planner.memory import Memory

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
        check_given(locals(), FORMS)
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
    ) -> Run:
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

    def run(self, run: RunId) -> Run:
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
