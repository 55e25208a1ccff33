"""Several planners, the first that can: playbooks for what is known, a model for the rest."""

from collections.abc import Sequence

from orchestrator.core.edits import EditBatch
from orchestrator.planner import (
    NoRevisionError,
    Planner,
    PlanningError,
    PlanRequest,
    RevisionRequest,
)


class SeveralPlanners:
    """Asks one after the other, in the order given; see `Planner`."""

    def __init__(self, planners: Sequence[Planner]) -> None:
        self._planners = planners

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Return the first plan that there is.

        Raises:
            PlanningError: nobody has one; it says why, planner by planner.
        """
        reasons: list[str] = []
        for planner in self._planners:
            try:
                return await planner.propose(request)
            except PlanningError as error:
                reasons.append(str(error))
        raise PlanningError("; ".join(reasons) or "there is no planner")

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Return the first revision that there is.

        Raises:
            PlanningError: nobody has one; `NoRevisionError` if nobody here ever makes any.
        """
        reasons: list[str] = []
        for planner in self._planners:
            try:
                return await planner.revise(request)
            except NoRevisionError:
                continue
            except PlanningError as error:
                reasons.append(str(error))
        if reasons:
            raise PlanningError("; ".join(reasons))
        raise NoRevisionError("these planners make plans and never mend them")
