"""Runs that a planner plans and mends, or does not: the reason is told, and nobody is held up."""

import asyncio

import pytest

from agents.skills import skill
from orchestrator import EditBatch, RunLimits, RunStatus, SetArgs
from orchestrator.core.facts import TaskPlaced, TasksReady
from orchestrator.planner import PlanningError
from orchestrator.planner.scripted import ScriptedPlanner
from protocol.types import Effect, TaskId
from tests.support.muster import muster, plan, spec, work


async def test_the_planner_is_asked_and_its_plan_carried_out():
    planner = ScriptedPlanner([plan("a", "b", after=[("a", "b")])], delay_s=3.0)
    async with muster({"d": [work()]}, planner=planner) as (orchestrator, _):
        await asyncio.sleep(1)
        run = await orchestrator.submit("do it", parameters={"n": 1})
        assert run.snapshot().status is RunStatus.PLANNING
        assert (await run.result()).succeeded
    assert planner.asked[0].parameters == {"n": 1}
    assert [view.card.device for view in planner.asked[0].fleet] == ["d"]


class Broken:
    """A planner that misbehaves in a given way."""

    def __init__(self, how):
        self.how = how

    async def propose(self, _):
        return await self.how()

    async def revise(self, _):
        return await self.how()


async def _raise():
    raise ZeroDivisionError("oops")


async def _refuse():
    raise PlanningError("I would rather not")


async def _sleep():
    await asyncio.sleep(1e6)


async def _nonsense():
    return plan("a", after=[("nobody", "a")])


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (_raise, "ZeroDivisionError: oops"),
        (_refuse, "I would rather not"),
        (_sleep, "did not answer within 30 s"),
        (_nonsense, "nobody"),
    ],
)
async def test_a_planner_that_fails_ends_the_run_with_the_reason_peer_11(how, why):
    async with muster({"d": [work()]}, planner=Broken(how)) as (orchestrator, _):
        run = await orchestrator.submit("do it", limits=RunLimits(plan_s=30.0))
        result = await run.result()
    assert result.status is RunStatus.FAILED
    assert why in result.reason


async def test_without_a_planner_a_request_alone_fails_with_a_reason():
    async with muster({}) as (orchestrator, _):
        result = await (await orchestrator.submit("do it")).result()
    assert "there is no planner" in result.reason


async def test_the_planner_mends_a_failure():
    retry = EditBatch(1, (SetArgs(TaskId("t"), {}),))

    @skill(effect=Effect.PURE)
    async def picky(bad: bool = False) -> str:  # noqa: FBT001, FBT002
        """Fail when asked to."""
        if bad:
            raise ValueError("bad")
        return "fine"

    planner = ScriptedPlanner([plan(spec("t", "picky", args={"bad": True}))], [retry])
    async with muster({"d": [picky]}, planner=planner) as (orchestrator, _):
        result = await (await orchestrator.submit("do it")).result()
    assert result.outputs == {"t": "fine"}
    assert "bad" in planner.asked[1].cause


async def test_a_thinking_planner_holds_up_nobody_else_peer_2():
    broken = spec("broken", "picky")

    @skill(effect=Effect.PURE)
    async def picky() -> None:
        """Fail."""
        raise ValueError("bad")

    planner = ScriptedPlanner([plan(broken, *"abcdef", after=["ab", "bc", "cd", "de", "ef"])])
    planner.revisions = ()
    slow = Broken(_sleep)
    slow.propose = planner.propose
    async with muster({"d": [picky, work(duration_s=0.1)]}, planner=slow) as (orchestrator, _):
        run = await orchestrator.submit("x", limits=RunLimits(plan_s=20.0))
        entries = [entry async for entry in run.events()]
    ready, gaps = {}, []
    for entry in entries:
        if isinstance(entry.fact, TasksReady):
            ready |= dict.fromkeys(entry.fact.tasks, entry.elapsed)
        elif isinstance(entry.fact, TaskPlaced) and entry.fact.task in "bcdef":
            gaps.append(entry.elapsed - ready[entry.fact.task])
    assert len(gaps) == 5
    assert max(gaps) < 0.05
    assert entries[-1].elapsed > 20
