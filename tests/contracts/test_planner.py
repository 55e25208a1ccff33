"""What every planner does, whoever it is."""

import asyncio

import pytest

from orchestrator.core.edits import AddTask, EditBatch
from orchestrator.core.model import TaskSpec
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner import DeviceView, PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.checks import check
from orchestrator.planner.choosing import ChoosingPlanner
from orchestrator.planner.playbook import PlaybookPlanner
from orchestrator.planner.scripted import ScriptedPlanner
from protocol.types import DeviceCard

GOOD = PlanRequest("r1", "list all devices", fleet=(DeviceView(DeviceCard("nas")),))
BAD = PlanRequest("r2", "sing a song")
MEND = RevisionRequest(RunSnapshot("r1", "list all devices", 1, "running", ()), "facts", "broke")


def script(request):
    if request.request == BAD.request:
        raise PlanningError(f"nobody here can {request.request}")
    return EditBatch(0, (AddTask(TaskSpec("facts", "system.facts")),))


@pytest.fixture(
    params=[
        PlaybookPlanner,
        lambda: ScriptedPlanner(script),
        lambda: ChoosingPlanner(ScriptedPlanner(script), 2),
    ],
    ids=["playbook", "script", "choosing"],
)
def planner(request):
    return request.param()


async def test_a_proposal_is_a_first_plan_that_passes_the_checks(planner):
    batch = await planner.propose(GOOD)
    assert batch.base_revision == 0
    assert check(batch, [each.card for each in GOOD.fleet]) == ()


async def test_the_same_request_gets_the_same_plan(planner):
    assert await planner.propose(GOOD) == await planner.propose(GOOD)


async def test_what_cannot_be_planned_is_refused_with_a_reason(planner):
    with pytest.raises(PlanningError) as caught:
        await planner.propose(BAD)
    assert "sing a song" in str(caught.value)


async def test_a_refusal_leaves_the_planner_as_it_was(planner):
    with pytest.raises(PlanningError):
        await planner.propose(BAD)
    assert (await planner.propose(GOOD)).edits


async def test_requests_are_planned_side_by_side(planner):
    async with asyncio.TaskGroup() as group:
        plans = [group.create_task(planner.propose(GOOD), name=f"plan-{n}") for n in range(5)]
    assert len({plan.result().edits[0].task.id for plan in plans}) == 1


async def test_one_that_cannot_revise_says_so(planner):
    with pytest.raises(PlanningError, match="cannot revise"):
        await planner.revise(MEND)
