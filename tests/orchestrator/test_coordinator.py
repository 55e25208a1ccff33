import asyncio
import json
import math
from dataclasses import replace

import pytest

from agents.runtime import Agent
from agents.simulated import Script, scripted
from agents.skills import Context, TemporaryError, skill
from orchestrator import ForEach, Orchestrator, RequestError
from orchestrator.core import events as e
from orchestrator.core.facts import AttemptFailed, RunStatus
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.scheduling.policies import Policy
from orchestrator.journal import MemoryJournal, SqliteJournal
from orchestrator.planner.scripted import ScriptedPlanner
from orchestrator.wire import event_of
from protocol.messages import Refused
from protocol.transport.memory import MemoryBroker
from protocol.types import DeviceCard, DeviceId, Effect, RunId, SkillInfo
from tests.support.muster import muster, plan, spec, work


def states(run):
    return {str(task.spec.id): task.state for task in run.snapshot().tasks}


async def test_arguments_that_no_message_can_carry_fail_their_task_alone():
    async with muster({"a": [work()]}) as (orchestrator, _):
        await asyncio.sleep(1)
        big = spec("big", args={"x": "y" * (1 << 20)})
        run = await orchestrator.submit("x", plan=plan(big, "small"))
        result = await run.result()
        assert asyncio.get_running_loop().time() < 10
    assert set(result.outputs) == {"small"}
    assert "do not fit in a message" in result.missing["big"]


@pytest.mark.parametrize("wrong", [object(), math.nan])
async def test_a_plan_that_is_not_json_is_refused_and_leaves_the_journal_as_it_was(
    wrong, tmp_path
):
    async with muster({"a": [work()]}, journal=SqliteJournal(tmp_path / "j")) as (orchestrator, _):
        with pytest.raises(RequestError, match="not JSON"):
            await orchestrator.submit("x", plan=plan(spec("t", args={"x": wrong})))
        run = await orchestrator.submit("x", plan=plan("t"))
        assert (await run.result()).succeeded
    async with muster({}, journal=SqliteJournal(tmp_path / "j")) as (orchestrator, _):
        assert [each.run for each in orchestrator.runs()] == [run.id]


async def test_a_planner_whose_plan_is_not_json_has_no_plan():
    planner = ScriptedPlanner([plan(spec("t", args={"x": object()}))])
    async with muster({"a": [work()]}, planner=planner) as (orchestrator, _):
        result = await (await orchestrator.submit("x")).result()
    assert result.status is RunStatus.FAILED
    assert "not JSON" in result.reason


async def test_a_bug_that_a_timer_meets_ends_the_coordinator():
    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - the context itself raises
        async with Orchestrator(MemoryBroker().transport("c")) as orchestrator:
            await orchestrator.submit("x", plan=plan("t"))

            def broken(*_, **__):
                raise RuntimeError("broken")

            orchestrator.coordinator.engine.decide = broken
            await asyncio.sleep(60)
    assert caught.group_contains(RuntimeError, match="broken")


async def test_leaving_with_orders_under_way_gives_none_of_them():
    lost = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    async with muster({"a": [work()]}) as (orchestrator, _):
        orchestrator.coordinator.handle(e.Submit(RunId("r"), "k", "x"))
    assert not lost


class Between:
    """A transport in memory that keeps what passes, and may change what comes in."""

    def __init__(self, inner, change=lambda message: message):
        self.sent, self.received_ = [], []
        self._inner, self._change = inner, change

    async def run(self, peer):
        self._peer = peer
        await self._inner.run(self)

    def publish(self, message):
        self.sent.append(message)
        self._inner.publish(message)

    def received(self, message):
        message = self._change(message)
        self.received_.append(message)
        self._peer.received(message)

    def __getattr__(self, name):
        return getattr(self._inner if name == "flush" else self._peer, name)


async def run_three(change=lambda message: message):
    """Run three independent tasks on a device with three slots; return what passed."""
    broker = MemoryBroker()
    link = Between(broker.transport("c"), change)
    card = DeviceCard(DeviceId("a"), slots=3)
    async with (
        Orchestrator(link) as orchestrator,
        Agent(card, [work()], transport=broker.transport("a")),
    ):
        await asyncio.sleep(1)
        run = await orchestrator.submit("x", plan=plan("t1", "t2", "t3"))
        result = await run.result()
        malformed = orchestrator.coordinator.malformed()
    assert result.succeeded
    return link, malformed


def of(messages, kind):
    return [json.loads(each.payload) for each in messages if f"/{kind}/" in each.topic]


async def test_orders_of_one_turn_to_one_device_are_one_message_and_a_hello_goes_alone():
    link, _ = await run_three()
    asked, answered = of(link.sent, "request"), of(link.received_, "reply")
    (offers,) = [each for each in asked if isinstance(each, list)]
    (results,) = [each for each in answered if isinstance(each, list)]
    assert [each["method"] for each in offers] == ["SendStreamingMessage"] * 3
    assert [each["id"] for each in results] == [each["id"] for each in offers]
    assert asked[0]["method"] == "muster/hello"
    assert "held" in answered[0]["result"]


async def test_a_bad_element_among_replies_is_counted_and_the_others_are_heard():
    def spoil(message):
        if not message.payload.startswith(b"["):
            return message
        return replace(message, payload=b'[7,{"id":1},' + message.payload[1:])

    link, malformed = await run_three(spoil)
    (topic,) = [each.topic for each in link.received_ if each.payload.startswith(b"[7")]
    assert malformed == {topic: 2}


async def test_a_question_that_was_lost_is_asked_at_the_next_hello():
    @skill(effect=Effect.PURE)
    async def ask(context: Context) -> str:
        """Ask a person."""
        return f"they said {await context.ask('how much?')}"

    async with muster({"a": [ask]}) as (orchestrator, broker):
        await asyncio.sleep(1)
        run = await orchestrator.submit("x", plan=plan(spec("t", "ask")))
        async for entry in run.events():
            if type(entry.fact).__name__ == "TaskPlaced":
                break
        broker.kill("muster/default/coordinator")
        await asyncio.sleep(5)
        assert states(run) == {"t": TaskState.INPUT_REQUIRED}


async def test_the_last_results_of_a_run_are_acknowledged_by_the_next_coordinator():
    broker, journal = MemoryBroker(), MemoryJournal()
    async with Agent("a", [work()], transport=broker.transport("a")) as agent:
        async with muster({}, broker=broker, journal=journal) as (orchestrator, _):
            run = await orchestrator.submit("x", plan=plan("t"))
            assert (await run.result()).succeeded  # and away before it is acknowledged
        assert [row for row in agent._ledger.rows() if getattr(row, "outcome", None)]
        async with muster({}, broker=broker, journal=journal):
            await asyncio.sleep(5)
        assert not [row for row in agent._ledger.rows() if getattr(row, "outcome", None)]


def test_an_order_of_a_former_life_says_nothing_of_the_attempt():
    stale = Refused("attempt", -32010, "stale_epoch", "epoch 1 of run r is over")
    assert event_of(stale, DeviceId("a")) is None


async def test_what_waits_for_a_better_device_goes_elsewhere_when_that_is_late():
    info = SkillInfo("work", effect=Effect.PURE, estimate_s=10.0)
    hangs = scripted("work", Script(stall=1.0), info=info)
    works = scripted("work", Script(duration_s=1.0), info=info)
    broker = MemoryBroker()
    policy = Policy.EARLIEST_FINISH
    async with muster({}, broker=broker, policy=policy) as (orchestrator, _):
        fast = DeviceCard(DeviceId("fast"), speed=2.0)
        async with (
            Agent(fast, [hangs], transport=broker.transport("fast")),
            Agent("slow", [works], transport=broker.transport("slow")),
        ):
            await asyncio.sleep(1)
            tasks = [spec(name, estimate_s=10.0) for name in "ab"]
            run = await orchestrator.submit("x", plan=plan(*tasks))
            await asyncio.sleep(30)
            assert states(run)["b"] is TaskState.SUCCEEDED


async def test_a_failed_task_does_not_wait_for_a_device_that_is_lost():
    failed = []

    @skill(effect=Effect.PURE)
    async def job() -> int:
        """Fail the first time."""
        if not failed:
            failed.append(True)
            raise TemporaryError("not yet")
        return 1

    broker = MemoryBroker()
    async with muster({"a": [job]}, broker=broker) as (orchestrator, _):
        async with Agent("b", [job], transport=broker.transport("b")):
            await asyncio.sleep(1)
        await asyncio.sleep(10)
        run = await orchestrator.submit("x", plan=plan(spec("t", "job")))
        assert (await run.result()).succeeded
        assert asyncio.get_running_loop().time() < 20
        kinds = [type(entry.fact) async for entry in run.events()]
    assert AttemptFailed in kinds


async def test_an_expansion_over_devices_waits_for_the_first_of_them():
    async with muster({"a": [work()]}) as (orchestrator, _):
        run = await orchestrator.submit("x", plan=plan(spec("t", for_each=ForEach())))
        result = await run.result()
    assert result.outputs["t"]["items"] == ["a"]


async def test_an_expansion_over_devices_that_nobody_knows_fails():
    async with muster({"a": [work()]}) as (orchestrator, _):
        nowhere = ForEach(labels={"room": "9"})
        run = await orchestrator.submit("x", plan=plan(spec("t", for_each=nowhere)))
        result = await run.result()
        assert asyncio.get_running_loop().time() < 10
    assert "no known device offers skill 'work' with room=9" in result.reason
