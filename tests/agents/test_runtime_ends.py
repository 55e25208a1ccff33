"""An agent without a network or a ledger, after a crash, and at its end."""

import asyncio

import pytest

from agents.actions import RunRow
from agents.ledger import MemoryLedger
from agents.runtime import STOP_S, Agent
from agents.session import HEARTBEAT_S
from agents.simulated import SimulatedAdapter
from agents.skills import (
    skill,
)
from agents.warm.adapters import ResourceKind
from protocol import topics
from protocol.messages import (
    Held,
    Hello,
    Phase,
)
from protocol.topics import Kind
from protocol.types import (
    Failed,
    FailureKind,
    Succeeded,
    Unknown,
)
from tests.support.agents import RUN, A, offer, pin
from tests.support.coordinator import ScriptedCoordinator
from tests.support.laptop import CARD, SKILLS, call, pair
from tests.support.ledgers import FullLedger


async def test_result_made_while_the_network_is_away_comes_after_hello(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("sleep", seconds=4))
        await coordinator.reply()
        broker.stop()
        await asyncio.sleep(10)
        broker.start()
        await coordinator.beat(connected=True)
        coordinator.say(Hello("c", {RUN: 1}))
        assert (await coordinator.reply(Held)).attempts == {A: Phase.FINISHED}
        assert await coordinator.outcome() == Succeeded("slept")


async def test_unacknowledged_result_is_said_at_each_hello_until_acknowledged(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("double", number=1))
        for acks in ((), (), (A,)):
            assert await coordinator.outcome() == Succeeded(2)
            coordinator.say(Hello("c", {RUN: 1}, acks))
        assert (await coordinator.reply(Held)).attempts == {}


async def test_crashed_agent_tells_the_truth_about_what_it_had_started(broker):
    ledger = MemoryLedger()
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        agent = Agent(CARD, SKILLS, transport=broker.transport("laptop"), ledger=ledger)
        async with agent:
            await coordinator.beat(connected=True)
            coordinator.say(call("write_twice", seconds=100))
            coordinator.say(call("sleep", "b", seconds=100))
            await coordinator.reply()
            await coordinator.reply()
            rows, ledger = ledger.rows(), MemoryLedger(ledger.incarnation)  # as they are now
            ledger.write(rows, lambda _: None)
        again = Agent(CARD, SKILLS, transport=broker.transport("laptop"), ledger=ledger)
        coordinator.replies.clear()
        coordinator._read = 0
        async with again:
            await coordinator.beat(connected=True)
            coordinator.say(Hello("c", {RUN: 1}))
            outcomes = [await coordinator.outcome(), await coordinator.outcome()]
            assert isinstance(outcomes[0], Unknown)
            assert outcomes[1].kind is FailureKind.DEVICE_LOST


async def test_clean_stop_says_how_attempts_ended_and_then_offline(broker):
    async with pair(broker) as (coordinator, _):
        coordinator.say(call("write_twice", seconds=100))
        coordinator.say(call("sleep", "b", seconds=100))
        await coordinator.reply()
        await coordinator.reply()
    kinds = [type(each.outcome) for each in coordinator.replies[2:]]
    assert sorted(map(str, kinds)) == sorted(map(str, [Unknown, Failed]))
    last = coordinator.cards[-1]
    assert (last.status, last.source) == ("offline", "agent")


async def test_nothing_is_said_of_being_there_after_signing_off(broker):
    """Evictions take seconds: a heartbeat meanwhile would have the device back."""
    resources = {"model": ResourceKind(SimulatedAdapter(evict_s=4.5), capacity=8.0)}
    async with pair(broker, resources=resources) as (coordinator, _):
        coordinator.say(offer(skill="double", args={"number": 1}, pins=(pin(),)))
        await coordinator.outcome()
    last = coordinator.messages[-1]
    assert topics.parse(last.topic).kind is Kind.DISCOVERY
    assert coordinator.cards[-1].status == "offline"


async def test_bug_that_a_callback_meets_ends_the_agent_and_says_so(broker):
    """A hung agent would look alive: its heartbeats went on."""

    def broken(beat):
        if asyncio.get_running_loop().time() > HEARTBEAT_S:
            raise RuntimeError("broken")
        return beat

    agent = Agent(CARD, SKILLS, transport=broker.transport("laptop"), powered=broken)
    with pytest.raises(ExceptionGroup) as caught:
        async with agent:
            await asyncio.sleep(60)
    assert caught.group_contains(RuntimeError, match="broken")


async def test_stop_does_not_wait_for_ever_for_words_that_cannot_leave(broker):
    @skill
    async def stubborn() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(60)

    async with pair(broker, skills=[stubborn]) as (coordinator, _):
        coordinator.say(call("stubborn"))
        await coordinator.reply()
        begun = asyncio.get_running_loop().time()
    assert coordinator.cards[-1].status == "offline"
    assert asyncio.get_running_loop().time() - begun >= STOP_S


async def test_lost_connection_leaves_the_will(broker):
    async with pair(broker) as (coordinator, _):
        broker.kill("laptop")
        await coordinator.news()
        assert (coordinator.cards[-1].status, coordinator.cards[-1].source) == ("offline", "lwt")
        await coordinator.beat(connected=True)
        assert coordinator.cards[-1].status == "online"


async def test_device_that_cannot_record_drains_says_nothing_it_may_forget_and_recovers(broker):
    ledger = FullLedger()
    async with pair(broker, ledger) as (coordinator, _):
        coordinator.say(call("sleep", seconds=4))
        await coordinator.reply()
        ledger.full = True
        await asyncio.sleep(5)
        coordinator.say(call("double", "b", number=1))
        assert (await coordinator.beat()).load.draining
        assert len(coordinator.replies) == 2
        ledger.full = False
        assert not (await coordinator.beat(connected=True)).load.draining
        assert await coordinator.outcome() == Succeeded("slept")
        coordinator.say(call("double", "b", number=1))
        assert await coordinator.outcome() == Succeeded(2)


async def test_stop_with_a_ledger_that_cannot_be_written_is_bounded(broker):
    ledger = FullLedger()
    async with pair(broker, ledger) as (coordinator, _):
        ledger.full = True
        coordinator.say(call("write_twice", seconds=100))
        await coordinator.beat()
    assert coordinator.cards[-1].status == "offline"
    assert coordinator.replies == []


async def test_error_in_the_body_stays_as_it_is(broker):
    with pytest.raises(ZeroDivisionError):
        async with Agent("laptop", SKILLS, transport=broker.transport("laptop")):
            raise ZeroDivisionError


async def test_refused_login_ends_the_agent():
    class Refusing:
        async def run(self, _peer):
            raise PermissionError("the broker says no")

        def publish(self, message):
            """Lose it."""

        async def flush(self):
            """Have nothing to wait for."""

    with pytest.raises(ExceptionGroup) as caught:
        async with Agent("laptop", [], transport=Refusing()):
            await asyncio.sleep(100)
    assert caught.group_contains(PermissionError)


async def test_run_row_reaches_the_ledger_with_the_first_offer(broker):
    ledger = MemoryLedger()
    async with pair(broker, ledger) as (coordinator, _):
        coordinator.say(call("double", number=1))
        await coordinator.outcome()
        assert ledger.rows()[0] == RunRow(RUN, 1, home=topics.reply(coordinator.address, "laptop"))
