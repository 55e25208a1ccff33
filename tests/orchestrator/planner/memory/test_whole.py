"""Real runs on the virtual clock, learned from as a coordinator would."""

from orchestrator import ForEach, Limits, Needs
from orchestrator.planner import PlanRequest
from orchestrator.planner.memory import Finished, Memory, adopt, due
from orchestrator.planner.playbook import PlaybookPlanner
from tests.support.muster import muster, plan, spec, work


def counting(where, minutes):
    """Return a request, and the plan that somebody made for it."""
    every = spec(
        "each", args={"since_s": 60 * minutes}, for_each=ForEach(), limits=Limits(queue_s=9.0)
    )
    report = spec("report", args={"rows": {"$from": "each"}}, needs=Needs(device=where))
    return f"count the errors of the last {minutes} minutes and report on {where}", plan(
        every, report
    )


async def finished(run):
    """Return what the memory takes, from a run that ended."""
    entries = [entry async for entry in run.events()]
    return Finished(run.snapshot(), [entry.fact for entry in entries], entries[-1].wall)


async def test_what_was_done_thrice_becomes_a_playbook_that_does_it_again(tmp_path):
    memory = Memory(tmp_path / "memory", now=lambda: 0.0)
    devices = {"alpha": [work(output=[1])], "beta": [work(output=[2])]}
    async with muster(devices) as (orchestrator, _):
        for where, minutes in (("alpha", 5), ("beta", 30), ("alpha", 45)):
            request, made = counting(where, minutes)
            run = await orchestrator.submit(request, plan=made)
            assert (await run.result()).succeeded
            learned = memory.record(await finished(run))
        folder = tmp_path / "playbooks"
        adopt(due(learned), folder)
    planner = PlaybookPlanner([folder])
    async with muster(devices, planner=planner) as (orchestrator, _):
        run = await orchestrator.submit(
            "Count the errors of the last 2 minutes and report on beta."
        )
        assert (await run.result()).succeeded
        rows = {row.spec.id: row for row in run.snapshot().tasks}
    assert rows["each[alpha]"].spec.args == {"since_s": 120}
    assert rows["report"].spec.needs.device == "beta"
    assert memory.success("work", "alpha")[1] > 0


async def test_a_failure_leaves_a_tip_with_what_worked(tmp_path):
    memory = Memory(tmp_path, now=lambda: 0.0)
    broken = work(permanent=1.0)
    async with muster({"alpha": [broken], "beta": [work()]}) as (orchestrator, _):
        run = await orchestrator.submit("print the report", plan=plan("a"))
        assert (await run.result()).succeeded
        memory.record(await finished(run))
    told = memory.advice(PlanRequest("r", "print a report"))
    assert told[1] == (
        "work failed on alpha once (skill error: scripted: fails for good);"
        " trying again on beta worked (1 of 1)"
    )
    assert memory.success("work", "alpha")[0] < memory.success("work", "beta")[0]
