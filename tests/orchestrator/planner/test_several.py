"""Several planners: the first that can plans, the first that mends mends."""

import pytest

from orchestrator.core.edits import EditBatch
from orchestrator.planner import NoRevisionError, PlanningError
from orchestrator.planner.several import SeveralPlanners

PLAN = EditBatch(0, ())


class Fixed:
    """Answers, or raises, the same thing always."""

    def __init__(self, answer, mend=None):
        self.answer, self.mend = answer, mend or NoRevisionError("never")

    async def propose(self, _request):
        return self._said(self.answer)

    async def revise(self, _request):
        return self._said(self.mend)

    def _said(self, what):
        if isinstance(what, Exception):
            raise what
        return what


async def test_the_first_that_can_plans():
    none = Fixed(PlanningError("no playbook fits"))
    assert await SeveralPlanners([none, Fixed(PLAN), none]).propose(None) is PLAN


async def test_if_nobody_can_every_reason_is_told():
    planners = SeveralPlanners([Fixed(PlanningError("a")), Fixed(PlanningError("b"))])
    with pytest.raises(PlanningError, match=r"^a; b$"):
        await planners.propose(None)


async def test_who_never_mends_is_passed_over():
    assert await SeveralPlanners([Fixed(PLAN), Fixed(PLAN, PLAN)]).revise(None) is PLAN


@pytest.mark.parametrize(
    ("mend", "error"), [(PlanningError("too hard"), PlanningError), (None, NoRevisionError)]
)
async def test_if_nobody_mends_it_is_said_whether_anybody_ever_does(mend, error):
    with pytest.raises(error) as caught:
        await SeveralPlanners([Fixed(PLAN), Fixed(PLAN, mend)]).revise(None)
    assert type(caught.value) is error
