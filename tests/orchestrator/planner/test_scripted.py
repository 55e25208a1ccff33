import asyncio
import json
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from orchestrator.core.edits import AddDependency, AddTask, CancelTask, EditBatch, Reason
from orchestrator.core.model import Dependency, Needs, TaskSpec
from orchestrator.core.snapshot import RunSnapshot
from orchestrator.planner import PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.checks import Goal, Times, advise, check
from orchestrator.planner.checks.plan import Plan
from orchestrator.planner.mistakes import Mistake, mistaken
from orchestrator.planner.scripted import NAMED_BY, FalliblePlanner, ScriptedPlanner, _changed
from orchestrator.service.arguments import BatchPart
from protocol.types import DeviceCard, Effect, SkillInfo

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


SEEN = SkillInfo("look", input_schema={"required": ["path"]}, effect=Effect.PURE, estimate_s=10.0)
FLEET = [DeviceCard(name, skills=(SEEN, SkillInfo("send"))) for name in ("nas", "pi")]


def right(request):
    """Read two files that the request names, compare them, and send what is found."""
    one, other = request.request.split()[1:3]
    return EditBatch(
        0,
        (
            AddTask(TaskSpec("one", "look", {"path": one}, needs=Needs("nas"))),
            AddTask(TaskSpec("other", "look", {"path": other}, needs=Needs("pi"))),
            AddTask(
                TaskSpec("diff", "look", {"path": {"$from": "one"}, "with": {"$from": "other"}})
            ),
            AddTask(TaskSpec("send", "send", {"text": {"$from": "diff"}})),
            AddTask(TaskSpec("tell", "send", {"text": "done"})),
            AddDependency(Dependency("send", "tell")),
        ),
    )


def ask(n=0):
    return PlanRequest(f"r{n}", f"compare /a/{n}.txt /b/{n}.txt", seed=n)


def judged(batch, request):
    goal, times = Goal(request.request), Times(deadline=25.0)
    return (*check(batch, FLEET, goal=goal, times=times), *advise(batch, FLEET))


def fallible(mistake, **more):
    return FalliblePlanner(right, wrong=1.0, mistakes=[mistake], **more)


def test_the_right_plan_is_right():
    assert judged(right(ask()), ask()) == ()


async def test_a_planner_without_fault_answers_right():
    planner = FalliblePlanner(right)
    assert await planner.propose(ask()) == right(ask())
    assert planner.slips(ask()) == ()
    assert planner.asked == 1


async def test_it_errs_in_the_stated_share_of_the_requests():
    planner = FalliblePlanner(right, wrong=0.3)
    assert 60 < sum(bool(planner.slips(ask(n))) for n in range(300)) < 120


async def test_every_mistake_is_made_by_some():
    planner = FalliblePlanner(right, wrong=1.0)
    made = [planner.slips(ask(n))[0].mistake for n in range(300)]
    assert set(made) == set(Mistake)
    assert planner.slips(ask()) == FalliblePlanner(right, wrong=1.0).slips(ask())
    other = FalliblePlanner(right, wrong=1.0, seed=1)
    assert [other.slips(ask(n))[0].mistake for n in range(300)] != made


FOUND = {each: {each.value, *NAMED_BY[each]} for each in Mistake}
UNSEEN = {Mistake.SWAPPED, Mistake.WRONG_SOURCE, Mistake.MISSING_DEPENDENCY}


@pytest.mark.parametrize("mistake", sorted(set(Mistake) - UNSEEN - {Mistake.MALFORMED_TEXT}))
async def test_a_mistake_stays_until_a_reason_names_it(mistake):
    request = next(r for r in map(ask, range(50)) if _told(fallible(mistake), r))
    planner = fallible(mistake)
    first = await planner.propose(request)
    assert first != right(request)
    assert await planner.propose(request) == first
    unrelated = [Reason("empty", None, "the plan is empty"), Reason("stale", "one", "'one'")]
    assert await planner.propose(request, unrelated) == first
    named = [each for each in judged(first, request) if each.rule in FOUND[mistake]]
    assert await planner.propose(request, named) == right(request)
    assert await planner.propose(request) == right(request), "it keeps what it was told"


def _told(planner, request):
    """Tell whether the checks see the mistake; a literal may stand elsewhere too."""
    [slip] = planner.slips(request)
    return any(map(slip.named_by, judged(planner._spoilt(request)[0], request)))


@pytest.mark.parametrize("mistake", sorted(UNSEEN - {Mistake.MISSING_DEPENDENCY}))
async def test_what_is_valid_and_wrong_passes_the_checks_and_is_mended_by_its_name(mistake):
    planner, request = fallible(mistake), ask()
    batch = await planner.propose(request)
    assert batch != right(request)
    assert judged(batch, request) == ()
    assert await planner.propose(request, [Reason(mistake, None, "wrong answer")]) == right(
        request
    )


async def test_a_reason_about_another_task_mends_nothing():
    planner = fallible(Mistake.UNKNOWN_DEVICE)
    batch, [slip] = await planner.propose(ask()), planner.slips(ask())
    [wrong] = slip.tasks
    other = next(e.task.id for e in batch.edits if isinstance(e, AddTask) and e.task.id != wrong)
    assert await planner.propose(ask(), [Reason("no_device", other, f"task {other!r}")]) == batch
    assert await planner.propose(ask(), [Reason("limit", wrong, f"task {wrong!r}")]) == batch
    also = Reason("no_device", other, f"as task {wrong!r}")
    assert await planner.propose(ask(), [also]) == right(ask())


async def test_what_one_request_was_told_helps_no_other():
    planner = fallible(Mistake.UNKNOWN_DEVICE)
    await planner.propose(ask(0), judged(await planner.propose(ask(0)), ask(0)))
    assert planner.slips(ask(0)) == ()
    assert planner.slips(ask(1)) != ()


async def test_several_slips_are_mended_one_by_one():
    kinds = [Mistake.UNKNOWN_DEVICE, Mistake.CYCLE, Mistake.LOST_LITERAL]
    planner = FalliblePlanner(right, wrong=1.0, mistakes=kinds, slips=2)
    first = planner.slips(ask())
    assert len(first) == 2
    rest = first[1].mistake
    await planner.propose(ask(), [Reason(first[0].mistake, None, "")])
    assert [slip.mistake for slip in planner.slips(ask())] == [rest]


async def test_a_mistake_that_has_no_place_is_replaced_by_another():
    def alone(request):
        return EditBatch(0, (AddTask(TaskSpec("a", "look", {"path": request.request})),))

    kinds = [Mistake.WRONG_SOURCE, Mistake.SWAPPED, Mistake.SERIAL, Mistake.CYCLE]
    planner = FalliblePlanner(alone, wrong=1.0, mistakes=kinds)
    assert {planner.slips(ask(n))[0].mistake for n in range(20)} == {Mistake.CYCLE}


async def test_the_text_is_what_people_write_as_edits():
    text = await FalliblePlanner(right).write(ask())
    assert BatchPart.model_validate_json(text).batch(0) == right(ask())


async def test_malformed_text_is_no_json_until_it_is_told():
    for n in range(30):
        planner = fallible(Mistake.MALFORMED_TEXT)
        text = await planner.write(ask(n))
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
        assert text == await planner.write(ask(n))
        with pytest.raises(PlanningError, match="no JSON"):
            await planner.propose(ask(n))
        mended = await planner.write(ask(n), [Reason("json", None, "it is no JSON")])
        assert BatchPart.model_validate_json(mended).batch(0) == right(ask(n))


async def test_it_thinks_as_long_as_it_is_told():
    loop = asyncio.get_running_loop()
    started = loop.time()
    await FalliblePlanner(right, delay_s=0.05).propose(ask())
    assert loop.time() - started >= 0.05


async def test_it_makes_plans_and_mends_no_runs():
    with pytest.raises(PlanningError, match="cannot revise: it broke"):
        await FalliblePlanner(right).revise(MEND)


READ_A, READ_B = {"x": {"$from": "a"}}, {"x": {"$from": "b"}}


def test_serial_puts_everything_in_a_row_that_is_no_circle():
    batch = mistaken(right(ask()), Mistake.SERIAL, random.Random(0))
    order = Plan.of(batch).order
    assert len(order) == 5
    assert all(a in Plan.of(batch).incoming[b] for a, b in pairwise(order))


@pytest.mark.parametrize("seed", range(10))
def test_a_wrong_source_and_a_swap_never_close_a_circle(seed):
    for mistake in (Mistake.WRONG_SOURCE, Mistake.SWAPPED):
        batch = mistaken(right(ask()), mistake, random.Random(seed))
        assert batch != right(ask())
        assert not Plan.of(batch).cyclic
    chain = [TaskSpec("a", "s"), TaskSpec("b", "s", READ_A), TaskSpec("c", "s", READ_B)]
    row = EditBatch(0, (*map(AddTask, chain), AddTask(TaskSpec("d", "s"))))
    assert not Plan.of(mistaken(row, Mistake.WRONG_SOURCE, random.Random(seed))).cyclic


def test_edits_of_a_run_are_spoilt_too():
    edit = EditBatch(3, (CancelTask("x"), *right(ask()).edits))
    assert _changed(edit, replace(edit, edits=edit.edits[1:])) == frozenset()


def test_tasks_of_the_run_are_in_no_row():
    edit = EditBatch(3, (AddTask(TaskSpec("a", "s", {"x": {"$from": "old"}})),))
    assert mistaken(edit, Mistake.SERIAL, random.Random(0)) == edit
