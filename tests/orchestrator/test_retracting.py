"""A playbook that the rule adopted fails in a running Muster, and somebody else plans again."""

from agents.skills import PermanentError, skill
from orchestrator.experience import wall
from orchestrator.planner.memory import RULE, Memory
from orchestrator.planner.scripted import ScriptedPlanner
from orchestrator.planner.several import SeveralPlanners
from orchestrator.reloading import ReloadingPlaybooks
from protocol.types import Effect
from tests.orchestrator.test_learning import until
from tests.support.muster import muster, plan, spec


def fragile():
    broken = []

    @skill(effect=Effect.PURE)
    async def count(on: str) -> str:
        """Count, until it breaks."""
        if broken:
            raise PermanentError("the log has moved")
        return on

    return count, broken


def counting(request):
    return plan(spec("count", "count", args={"on": request.request.rpartition(" ")[2]}))


async def test_a_playbook_that_fails_is_retracted_and_the_planner_is_asked_again(tmp_path):
    into, (count, broken) = tmp_path / "learned", fragile()
    asked = ScriptedPlanner(counting)
    planner = SeveralPlanners([ReloadingPlaybooks([], into), asked])
    memory = Memory(tmp_path / "memory", now=wall, adopt_into=into)

    async def run(name):
        run = await orchestrator.submit(f"count the errors on {name}")
        return (await run.result()).succeeded

    async with muster({"a": [count]}, planner=planner, memory=memory) as (orchestrator, _):
        for name in ("alpha", "beta", "gamma"):
            assert await run(name)
        await until(lambda: any(into.glob("*.yaml")))
        assert await run("delta")
        assert len(asked.asked) == 3
        broken.append(True)
        for n in range(RULE.failures):
            assert not await run(f"d{n}")
        await until(lambda: not any(into.glob("*.yaml")))
        before = len(asked.asked)
        assert not await run("omega")
        assert asked.asked[before].request == "count the errors on omega"
    (work,) = memory.works()
    assert (work.adopted, work.retractions) == (None, 1)
    assert "the log has moved" in work.last_failure
