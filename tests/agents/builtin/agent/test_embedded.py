"""A real device under a real orchestrator, in memory."""

import asyncio
import shutil

import pytest

from agents.builtin import agent
from agents.ledger import MemoryLedger
from agents.runtime import Agent
from orchestrator import Limits
from orchestrator.core.lifecycle import TaskState
from protocol.messages import Hello
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, Unknown
from tests.agents.builtin.agent.cases import Device, Scripted, made, says, section
from tests.support.agents import RUN, offer
from tests.support.coordinator import ScriptedCoordinator
from tests.support.model_server import ModelServer, Says
from tests.support.muster import muster, plan, spec

APPEND = ("files_append", {"path": "log", "line": "from the model"})


async def until(run, state):
    async for _ in run.events():
        [task] = run.snapshot().tasks
        if task.state is state:
            return task
    return pytest.fail("the run is over")


@pytest.mark.real_time
async def test_a_person_edits_what_the_model_wants_and_the_run_goes_on(tmp_path):
    schema = {"type": "object", "required": ["lines"]}
    script = [
        Says(calls=[("files_read", {"path": "log"}), APPEND], finish="tool_calls"),
        Says({"lines": 1}),
    ]
    device = Device()
    async with ModelServer(script).running() as server:
        own = device.skills
        settings = section(base_url=server.url, allow=["files.*"], needs_approval=["files.append"])
        skill = agent.skills(settings, own, permits=lambda _: True, folder=tmp_path)
        async with muster({"laptop": [*own, *skill]}) as (orchestrator, _):
            args = {"task": "Log it.", "result_schema": schema}
            task = spec("t", "agent.do", args=args, effect=Effect.ONCE)
            run = await orchestrator.submit("log it", plan=plan(task))
            asked = await until(run, TaskState.INPUT_REQUIRED)
            await run.answer("t", {"path": "log", "line": "from a person"}, by="me")
            result = await run.result()
    assert 'files.append with {"path":"log","line":"from the model"}?' in asked.reason
    assert result.succeeded, result.reason
    report = result.outputs["t"]
    assert (report["result"], report["effects"]) == ({"lines": 1}, ["files.append"])
    [_, (_, appended)] = device.done
    assert appended.startswith("log: from a person as ")
    assert "A person changed the arguments" in server.asked[-1].last
    assert len(list(tmp_path.iterdir())) == 1


async def test_a_once_call_that_is_stopped_leaves_the_task_unknown_and_says_so(
    tmp_path,
):
    device = Device()
    slow = ("files_append", {"path": "/slow", "line": "y"})
    skill = made(Scripted(says(slow, slow)), device, folder=tmp_path)
    async with muster({"laptop": [*device.skills, skill]}) as (orchestrator, _):
        limits = Limits(run_s=20.0)
        task = spec("t", "agent.do", args={"task": "x"}, effect=Effect.ONCE, limits=limits)
        run = await orchestrator.submit("x", plan=plan(task))
        task = await until(run, TaskState.UNKNOWN)
        await run.cancel()
        await run.result()
    assert "files.append was started, did not end, and may have taken effect" in task.reason
    assert len(device.done) == 1
    assert asyncio.get_running_loop().time() < 60


async def test_a_restarted_device_says_that_nobody_knows_and_repeats_nothing(tmp_path):
    """The ledger and the transcripts are as a crash leaves them."""
    device, broker, ledger = Device(), MemoryBroker(), MemoryLedger()
    slow = ("files_append", {"path": "/slow", "line": "y"})

    def started(ledger, folder):
        skill = made(Scripted(says(slow)), device, folder=folder)
        link = broker.transport("laptop")
        return Agent("laptop", [*device.skills, skill], transport=link, ledger=ledger)

    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        async with started(ledger, tmp_path / "before"):
            await coordinator.beat(connected=True)
            args = {"task": "Do it."}
            coordinator.say(offer("a", skill="agent.do", args=args, effect=Effect.ONCE))
            await device.news.wait()
            left = MemoryLedger(ledger.incarnation)
            left.write(ledger.rows(), lambda _: None)
            shutil.copytree(tmp_path / "before", tmp_path / "left")
        coordinator.replies.clear()  # a crash says nothing
        coordinator._read = 0
        async with started(left, tmp_path / "left"):
            await coordinator.beat(connected=True)
            coordinator.say(Hello("c", {RUN: 1}))
            outcome = await coordinator.outcome()
    assert isinstance(outcome, Unknown)
    assert "files.append was started, did not end, and may have taken effect" in outcome.detail
    assert len(device.done) == 1
