import asyncio

from benchmarks.planner.stop_world import StopWorld
from orchestrator.planner import PlanningError
from orchestrator.planner.scripted import ScriptedPlanner
from tests.support.muster import muster, plan, spec, work


async def test_nothing_is_dispatched_of_any_run_until_the_last_answer():
    planner = StopWorld(ScriptedPlanner([PlanningError("no"), plan("a")], delay_s=10.0))
    async with muster({"d": [work(duration_s=1.0)]}, planner=planner) as (orchestrator, _):
        planner.orchestrator = orchestrator
        await asyncio.sleep(1.0)
        now = asyncio.get_running_loop().time
        chain = plan(spec("x"), spec("y"), after=[("x", "y")])
        busy = await orchestrator.submit("busy", plan=chain)
        began = now()
        refused = await orchestrator.submit("first")
        await asyncio.sleep(5.0)
        planned = await orchestrator.submit("second")
        assert busy.snapshot().paused
        assert not (await refused.result()).succeeded
        assert now() - began == 10.0
        assert busy.snapshot().paused, "another call is still under way"
        assert (await planned.result()).succeeded
        assert (await busy.result()).succeeded
        assert 16.0 <= now() - began <= 17.0, (
            "the rest of both is done when the last answer is there"
        )
        assert not busy.snapshot().paused


async def test_a_revision_stops_the_world_too():
    planner = StopWorld(ScriptedPlanner([], [PlanningError("no idea")], delay_s=10.0))
    skills = [work(duration_s=1.0), work("bad", permanent=1.0)]
    async with muster({"d": skills}, planner=planner) as (orchestrator, _):
        planner.orchestrator = orchestrator
        chain = plan(spec("b", "bad"), spec("x"), spec("y"), after=[("x", "y")])
        began = asyncio.get_running_loop().time()
        result = await (await orchestrator.submit("busy", plan=chain)).result()
        assert asyncio.get_running_loop().time() - began >= 11.0
        assert "no idea" in result.missing["b"]
        assert result.outputs.keys() == {"y"}
