"""Several planners, the first that can: playbooks for what is known, a model for the rest.

An answer that is wrong counts as none where there is somebody else to ask.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from textwrap import shorten
from typing import Final

from orchestrator.core.edits import EditBatch
from orchestrator.planner import (
    NoRevisionError,
    Planner,
    PlanningError,
    PlanRequest,
    RevisionRequest,
)
from orchestrator.planner.answers import judged
from orchestrator.planner.refusals import Request, sentence

REASON: Final = 120  # characters of what others said than the last planner


class SeveralPlanners:
    """Asks one after the other, in the order given; see `Planner`."""

    def __init__(self, planners: Sequence[Planner]) -> None:
        self._planners = planners

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Return the first plan that there is.

        Raises:
            PlanningError: nobody has one; it says why, the last planner first.
        """
        return await self._first(request, [partial(p.propose, request) for p in self._planners])

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Return the first revision that there is.

        Raises:
            PlanningError: nobody has one; `NoRevisionError` if nobody here ever makes any.
        """
        return await self._first(request, [partial(p.revise, request) for p in self._planners])

    async def _first(
        self, request: Request, asked: Sequence[Callable[[], Awaitable[EditBatch]]]
    ) -> EditBatch:
        """Return the first answer that nothing speaks against, or else the last one."""
        reasons: list[str] = []
        wrong: EditBatch | None = None
        for ask in asked:
            try:
                batch = await ask()
            except NoRevisionError:
                continue
            except PlanningError as error:
                reasons.append(str(error))
                continue
            if ask is asked[-1]:  # whoever asks us judges it
                return batch
            if not (against := await judged(request, batch)):
                return batch
            wrong = batch
            reasons.append(sentence(against))
        if wrong is not None:
            return wrong
        if reasons or isinstance(request, PlanRequest):
            raise PlanningError(_told(reasons) if reasons else "there is no planner")
        raise NoRevisionError("these planners make plans and never mend them")


def _told(reasons: Sequence[str]) -> str:
    """Say the last reason first and whole: who is asked last could do most. Each once."""
    last, *others = dict.fromkeys(reversed(reasons))
    return "; ".join((last, *(shorten(each, REASON, placeholder=" …") for each in others)))
