"""Several plans side by side: the best is taken, and nobody waits long for the others."""

import asyncio
import json
from dataclasses import replace

import pytest

from orchestrator.core.model import Needs, RunLimits
from orchestrator.experience import history
from orchestrator.planner import DeviceView, PlanningError, PlanRequest
from orchestrator.planner.choosing import ChoosingPlanner, best
from orchestrator.planner.llm import setup
from orchestrator.planner.llm.asking import Rounds
from orchestrator.planner.llm.planner import LlmPlanner
from orchestrator.planner.llm.settings import LlmSection
from orchestrator.planner.memory import Memory
from orchestrator.planner.memory.files import write_part
from orchestrator.planner.memory.rates import Count, Counts
from protocol.chat import Budget
from protocol.chat.exchange import Finish, Reply, Usage
from tests.orchestrator.planner.checks.plans import CARDS, add, ref, task
from tests.orchestrator.planner.llm.cases import PLAN, PROPOSE, REVISE
from tests.support.model_server import ModelServer, Says
from tests.support.muster import muster, work

REQUEST = PlanRequest("r", "look", fleet=tuple(map(DeviceView, CARDS)), limit_s=100.0)
SLOW = add(task("a"), task("b", args={"x": ref("a")}))
QUICK = add(task("a"))
WRONG = add(task("a"), task("b"))  # the same work twice
PI = add(task("a", needs=Needs("pi")))
NAS = add(task("a", needs=Needs("nas")))
NO = PlanningError("no")


class Each:
    """A planner with an answer for each candidate: (seconds of thought, plan or error)."""

    def __init__(self, *answers):
        self.answers = answers
        self.cancelled = []

    async def propose(self, request):
        self.request = request
        after_s, answer = self.answers[request.candidate]
        try:
            await asyncio.sleep(after_s)
        except asyncio.CancelledError:
            self.cancelled.append(request.candidate)
            raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def revise(self, request):
        self.request = request
        return QUICK


async def chosen(*answers, **more):
    planner = Each(*answers)
    plan = await ChoosingPlanner(planner, len(answers), **more).propose(REQUEST)
    return plan, asyncio.get_running_loop().time(), planner.cancelled


async def test_all_plans_are_made_at_once_and_the_best_is_taken():
    plan, at, cancelled = await chosen((9.0, WRONG), (10.0, SLOW), (8.0, QUICK))
    assert plan is QUICK
    assert at == pytest.approx(10.0)
    assert cancelled == []


async def test_of_equals_the_first_is_taken():
    twin = add(task("b"))
    assert (await chosen((2.0, QUICK), (1.0, twin)))[0] is QUICK


async def test_after_half_of_the_time_one_plan_is_enough():
    plan, at, cancelled = await chosen((60.0, QUICK), (1.0, SLOW))
    assert plan is SLOW
    assert at == pytest.approx(50.0)
    assert cancelled == [0]


async def test_half_of_what_the_budget_leaves_may_be_less():
    plan, at, _ = await chosen((60.0, QUICK), (1.0, SLOW), limit_s=20.0)
    assert (plan, at) == (SLOW, pytest.approx(10.0))


async def test_without_a_plan_the_first_that_comes_is_waited_for():
    plan, at, cancelled = await chosen((70.0, SLOW), (60.0, NO), (90.0, QUICK), (1.0, NO))
    assert plan is SLOW
    assert at == pytest.approx(70.0)
    assert cancelled == [2]


async def test_one_that_fails_does_not_spoil_the_others():
    assert (await chosen((1.0, NO), (2.0, SLOW)))[0] is SLOW


async def test_if_all_fail_the_first_says_why():
    with pytest.raises(PlanningError, match="the first"):
        await chosen((2.0, PlanningError("the first")), (1.0, NO))


async def test_a_bug_is_not_hidden():
    with pytest.raises(ExceptionGroup):
        await chosen((1.0, ValueError("bug")), (2.0, SLOW))


async def test_what_is_cancelled_leaves_nothing_behind():
    planner = Each((30.0, QUICK), (40.0, SLOW))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await ChoosingPlanner(planner, 2).propose(REQUEST)
    assert sorted(planner.cancelled) == [0, 1]


async def test_history_decides_between_devices():
    async def known():
        return {("look", "nas"): (1.0, 30.0), ("look", "pi"): (30.0, 30.0)}

    answers = (1.0, NAS), (1.0, PI)
    assert (await chosen(*answers))[0] is NAS
    assert (await chosen(*answers, known=known))[0] is PI


async def test_revisions_are_made_once():
    planner = Each()
    assert await ChoosingPlanner(planner, 3).revise(REVISE) is QUICK
    assert planner.request is REVISE


def test_what_nobody_can_do_now_is_worse_than_what_is_slow_and_better_than_what_is_late():
    away = tuple(DeviceView(card, online=card.device == "nas") for card in CARDS)
    request = PlanRequest("r", "look", fleet=away)
    assert best([PI, SLOW], request, {}) is SLOW
    assert best([PI, SLOW], replace(request, deadline_s=15.0), {}) is PI


def test_what_a_skill_took_so_far_decides_and_a_quick_device_takes_less():
    sends = add(task("a", "send"))
    learned = replace(REQUEST, usual_s={"look": 60.0})
    assert best([QUICK, sends], REQUEST, {}) is QUICK
    assert best([QUICK, sends], learned, {}) is sends
    quick = tuple(DeviceView(replace(card, speed=10.0)) for card in CARDS)
    both = replace(learned, fleet=quick, usual_s={"look": 60.0, "send": 70.0}, deadline_s=6.5)
    assert best([sends, QUICK], both, {}) is QUICK


# With a model


class Model:
    """Says the same to everybody, after as long as the candidate's seed says."""

    def __init__(self, *seconds):
        self.calls = []
        self._seconds = seconds

    async def complete(self, call):
        self.calls.append(call)
        await asyncio.sleep(self._seconds[len(self.calls) - 1])
        return Reply(json.dumps(PLAN), Finish.STOP, Usage(1000, 100))


async def test_each_candidate_has_a_seed_of_its_own_and_the_first_none():
    model = Model(1.0, 1.0, 1.0)
    await ChoosingPlanner(LlmPlanner(model), 3).propose(PROPOSE)
    seeds = [call.extra.get("seed") for call in model.calls]
    assert seeds[0] is None
    assert len(set(seeds)) == 3


async def test_candidates_share_the_budgets_of_their_run_and_time_counts_once():
    model = Model(3.0, 5.0)
    planner = LlmPlanner(model)
    await ChoosingPlanner(planner, 2).propose(PROPOSE)
    account = planner.accounts.of(PROPOSE.run)
    assert account.seconds == pytest.approx(5.0)
    assert account.tokens == 2200


async def test_a_candidate_that_the_budget_has_no_tokens_for_is_done_without():
    model = Model(1.0)
    asked = LlmPlanner(model, rounds=Rounds(repairs=0), budget=Budget(tokens=6000))
    plan = await ChoosingPlanner(asked, 2).propose(PROPOSE)
    assert len(plan.edits) == 2
    assert len(model.calls) == 1


async def test_waits_side_by_side_end_with_the_budget():
    account_s = 7.0
    planner = LlmPlanner(Model(30.0, 30.0), budget=Budget(seconds=account_s))
    with pytest.raises(PlanningError, match=r"used up the 7 s"):
        await ChoosingPlanner(planner, 2, limit_s=account_s).propose(PROPOSE)
    assert asyncio.get_running_loop().time() == pytest.approx(7.0)


@pytest.mark.real_time
async def test_the_settings_say_how_many_and_each_is_asked_over_http():
    async with ModelServer(lambda _asked: Says(PLAN)).running() as server:
        more = LlmSection(base_url=server.url, model="m", candidates=3)
        planner = setup.planner(more, environment={})
        assert len((await planner.propose(PROPOSE)).edits) == 2
        one = setup.planner(more.model_copy(update={"candidates": 1}), environment={})
        assert len((await one.propose(PROPOSE)).edits) == 2
    seeds = [each.body.get("seed") for each in server.asked]
    assert len(seeds) == 4
    assert len({seed for seed in seeds if seed is not None}) == 2
    assert seeds[3] is None


async def test_the_planner_is_told_how_long_its_answer_is_waited_for():
    planner = Each((80.0, QUICK), (1.0, SLOW))
    choosing = ChoosingPlanner(planner, 2)
    async with muster({"pi": [work("look", duration_s=2.0)]}, planner=choosing) as (
        orchestrator,
        _,
    ):
        await asyncio.sleep(1.0)
        run = await orchestrator.submit("look", limits=RunLimits(plan_s=40.0))
        assert (await run.result()).succeeded
        again = await orchestrator.submit("look again", limits=RunLimits(plan_s=4.0))
        assert (await again.result()).succeeded
    assert planner.cancelled == [0, 0]
    assert asyncio.get_running_loop().time() == pytest.approx(1 + 20 + 4 + 2 + 4, abs=1.0)
    assert planner.request.usual_s == {"look": pytest.approx(2.0, abs=0.1)}
    assert len(run.snapshot().tasks) == 2


async def test_history_comes_from_the_memory_and_a_memory_that_fails_tells_nothing(tmp_path):
    count = Count(skill="look", device="pi", good=3, all=4, wall=0.0)
    write_part(tmp_path / "history.yaml", Counts(counts=(count,)), head="")
    memory = Memory(tmp_path, now=lambda: 0.0)
    assert await history(memory)() == {("look", "pi"): (3.0, 4.0)}

    class Broken(Memory):
        def history(self):
            raise OSError("gone")

    assert await history(Broken(tmp_path, now=lambda: 0.0))() == {}
