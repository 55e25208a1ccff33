"""Several planners: the first that can plans, the first that mends mends."""

import pytest

from orchestrator.planner import NoRevisionError, PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.several import REASON, SeveralPlanners
from tests.orchestrator.planner.checks.plans import add, run, task

PLAN = add(task("a"))
WRONG = add(task("a"), task("a"))
WORSE = add(task("b"), task("b"))
ASKED = PlanRequest("r", "x")
FAILED = RevisionRequest(run(task("t")), "t", "broke")


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
    assert await SeveralPlanners([none, Fixed(PLAN), none]).propose(ASKED) is PLAN


async def test_an_answer_that_is_wrong_is_passed_over():
    assert await SeveralPlanners([Fixed(WRONG), Fixed(PLAN)]).propose(ASKED) is PLAN


@pytest.mark.parametrize("last", [Fixed(PlanningError("no idea")), Fixed(WORSE)])
async def test_if_no_answer_is_right_whoever_asked_judges_the_last_one(last):
    answer = await SeveralPlanners([Fixed(WRONG), last]).propose(ASKED)
    assert answer is (WORSE if last.answer is WORSE else WRONG)


async def test_without_planners_there_is_none():
    with pytest.raises(PlanningError, match="there is no planner"):
        await SeveralPlanners([]).propose(ASKED)


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        (["a", "b"], "b; a"),
        (["a", "b", "a"], "a; b"),
        (
            [f"no playbook: {'word ' * 99}", "the server is away"],
            "the server is away; no playbook",
        ),
    ],
)
async def test_if_nobody_can_the_last_reason_is_told_first_each_once_and_others_briefly(
    reasons, told
):
    planners = SeveralPlanners([Fixed(PlanningError(each)) for each in reasons])
    with pytest.raises(PlanningError) as caught:
        await planners.propose(ASKED)
    said = str(caught.value)
    assert said.startswith(told)
    assert len(said) <= len(reasons[-1]) + 2 + REASON
    assert len(set(said.split("; "))) == len(said.split("; "))


async def test_who_never_mends_is_passed_over():
    assert await SeveralPlanners([Fixed(PLAN), Fixed(PLAN, PLAN)]).revise(FAILED) is PLAN


@pytest.mark.parametrize(
    ("mend", "error"), [(PlanningError("too hard"), PlanningError), (None, NoRevisionError)]
)
async def test_if_nobody_mends_it_is_said_whether_anybody_ever_does(mend, error):
    with pytest.raises(error) as caught:
        await SeveralPlanners([Fixed(PLAN), Fixed(PLAN, mend)]).revise(FAILED)
    assert type(caught.value) is error
