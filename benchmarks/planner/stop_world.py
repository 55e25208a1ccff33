"""The baseline that holds everything up: nothing is dispatched while a planner thinks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from orchestrator.core.edits import EditBatch
from orchestrator.core.errors import RequestError
from orchestrator.core.facts import RunStatus
from orchestrator.library import Orchestrator
from orchestrator.planner import Planner, PlanRequest, RevisionRequest


class StopWorld:
    """Pauses every run for as long as anybody waits for this planner; what runs goes on."""

    def __init__(self, planner: Planner) -> None:
        self.orchestrator: Orchestrator | None = None
        """Whose runs are paused; set by whoever runs it."""
        self._planner = planner
        self._thinking = 0

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Make a first plan in a world at rest."""
        async with self._stopped():
            return await self._planner.propose(request)

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Mend a plan in a world at rest."""
        async with self._stopped():
            return await self._planner.revise(request)

    @asynccontextmanager
    async def _stopped(self) -> AsyncIterator[None]:
        self._thinking += 1
        try:
            await self._let(paused=True)
            yield
        finally:
            self._thinking -= 1
            if not self._thinking:
                await self._let(paused=False)

    async def _let(self, *, paused: bool) -> None:
        assert self.orchestrator is not None
        for each in self.orchestrator.runs():
            if each.status is RunStatus.RUNNING and each.paused is not paused:
                run = self.orchestrator.run(each.run)
                with suppress(RequestError):  # it has just ended
                    await (run.pause() if paused else run.resume())
