"""Runs that ended are judged beside their coordinator; their verdicts become facts.

`planner.judging` does the judging, and is loaded only by those who want it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from orchestrator.coordinator import Coordinator
from orchestrator.core import events as e
from orchestrator.planner.judging.outline import Outline, outlined
from protocol.background import Background
from protocol.types import RunId

if TYPE_CHECKING:
    from orchestrator.planner.judging.judge import Judge
    from orchestrator.planner.judging.verdict import Verdict


class Judging:
    """Has a judge look at the runs of a coordinator that ended; None: nobody."""

    def __init__(self, judge: "Judge | None") -> None:
        self._judge = judge

    def ended(self, run: RunId) -> None:
        """Take note of a run whose end is durable."""
        if self._judge is not None:
            self._judge.ended(run)

    @asynccontextmanager
    async def beside(self, coordinator: Coordinator) -> AsyncIterator[None]:
        """Judge while the block lasts; what is not judged then never is."""
        judge = self._judge
        if judge is None:
            yield
            return

        async def look(run: RunId) -> Outline | None:
            row = coordinator.engine.state.runs.get(run)
            return await outlined(row) if row is not None and not row.superseded else None

        def keep(run: RunId, verdict: "Verdict") -> None:
            said = e.VerdictGiven(run, verdict.score, verdict.reasons, judge.name)
            coordinator.handle(said)

        async with Background() as group:
            judging = group.create_task(judge.run(look, keep), name="judge")
            try:
                yield
            finally:
                judging.cancel()


def telling(*told: Callable[[RunId], None]) -> Callable[[RunId], None]:
    """Return what tells all of them."""

    def tell(run: RunId) -> None:
        for each in told:
            each(run)

    return tell
