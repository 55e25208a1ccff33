import random

import pytest

from orchestrator.core.edits import AddDependency, AddTask, CancelTask, EditBatch
from orchestrator.core.model import Dependency, TaskSpec
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.checks import advise, check
from orchestrator.planner.mistakes import Mistake, mistaken
from orchestrator.planner.scripted import ScriptedPlanner
from protocol.types import DeviceCard, SkillInfo

CARDS = [DeviceCard("nas", skills=(SkillInfo("s", input_schema={"required": ["k"]}),))]
PLAN = EditBatch(
    0,
    (
        AddTask(TaskSpec("a", "s", {"k": 1})),
        AddTask(TaskSpec("b", "s", {"k": {"$from": "a"}})),
        AddTask(TaskSpec("c", "s", {"k": 2})),
        AddDependency(Dependency("a", "c")),
    ),
)
ASK = PlanRequest("r", "do it")
MEND = RevisionRequest(RunSnapshot("r", "do it", 4, "running", ()), "b", "it broke")


async def test_one_answer_is_given_again_and_again():
    planner = ScriptedPlanner(PLAN)
    assert [await planner.propose(ASK) for _ in range(3)] == [PLAN] * 3
    assert planner.asked == [ASK] * 3


async def test_a_sequence_is_given_once_through():
    planner = ScriptedPlanner([PLAN, PlanningError("no idea")])
    assert await planner.propose(ASK) is PLAN
    with pytest.raises(PlanningError, match="no idea"):
        await planner.propose(ASK)
    with pytest.raises(PlanningError, match="the script has ended: it cannot propose"):
        await planner.propose(ASK)


async def test_a_function_answers_from_the_request():
    def mend(request):
        return EditBatch(request.snapshot.revision, (CancelTask(request.task),))

    planner = ScriptedPlanner((), mend)
    assert await planner.revise(MEND) == EditBatch(4, (CancelTask("b"),))


async def test_it_is_wrong_at_the_stated_rate_and_the_same_way_again():
    async def answers():
        planner = ScriptedPlanner(PLAN, wrong=0.3, seed=7)
        return [await planner.propose(ASK) for _ in range(300)]

    first = await answers()
    assert 60 < sum(each != PLAN for each in first) < 120
    assert first == await answers()


async def test_the_seed_of_the_request_changes_where_it_is_wrong():
    planners = [ScriptedPlanner(PLAN, wrong=0.5) for _ in range(2)]
    one = [await planners[0].propose(ASK) for _ in range(20)]
    other = [await planners[1].propose(PlanRequest("r", "do it", seed=1)) for _ in range(20)]
    assert one != other


def found(mistake):
    batch = mistaken(PLAN, mistake, random.Random(1))
    assert batch != PLAN
    return {each.rule for each in (*check(batch, CARDS), *advise(batch, CARDS))}


@pytest.mark.parametrize(
    ("mistake", "rules"),
    [
        (Mistake.UNKNOWN_DEVICE, {"no_device"}),
        (Mistake.WRONG_SKILL, {"no_device"}),
        (Mistake.LOST_LITERAL, {"arguments"}),
        (Mistake.DUPLICATE, {"duplicate_task"}),
        (Mistake.CYCLE, {"cycle"}),
        (Mistake.MALFORMED, {"reference"}),
        (Mistake.MISSING_DEPENDENCY, set()),
        (Mistake.NEEDLESS_DEPENDENCY, set()),
    ],
)
def test_each_mistake_is_made_and_the_checks_find_what_they_can(mistake, rules):
    assert found(mistake) == rules


def test_a_missing_dependency_may_be_a_lost_reference():
    plan = EditBatch(0, PLAN.edits[:2])
    lost = mistaken(plan, Mistake.MISSING_DEPENDENCY, random.Random(1))
    assert lost.edits[1].task.args == {}


@pytest.mark.parametrize("seed", range(20))
def test_a_needless_dependency_never_closes_a_cycle(seed):
    batch = mistaken(PLAN, Mistake.NEEDLESS_DEPENDENCY, random.Random(seed))
    assert len(batch.edits) == len(PLAN.edits) + 1
    assert check(batch, CARDS) == ()


@pytest.mark.parametrize("mistake", Mistake)
def test_where_there_is_nothing_to_get_wrong_the_answer_stays_right(mistake):
    batch = EditBatch(4, (CancelTask("b"),))
    assert mistaken(batch, mistake, random.Random(1)) == batch
