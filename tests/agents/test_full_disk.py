"""A ledger that cannot be written: nothing begins that is not recorded, and nothing hangs."""

import asyncio

import pytest

from agents.runtime import Agent
from agents.skills import skill
from protocol.messages import Cancel, Held, Hello, Phase, Refuse
from protocol.transport.memory import MemoryBroker
from protocol.types import Effect, Rejected, Succeeded
from tests.support.agents import RUN, A, offer
from tests.support.coordinator import ScriptedCoordinator
from tests.support.ledgers import FullLedger

effects = []


@skill(effect=Effect.ONCE)
async def pay() -> str:
    """Have an effect."""
    effects.append("paid")
    return "paid"


@skill
async def look() -> str:
    """Have none."""
    return "seen"


@pytest.fixture
async def ledger():
    effects.clear()
    return FullLedger()


@pytest.fixture
async def coordinator(ledger):
    broker = MemoryBroker()
    async with ScriptedCoordinator(broker.transport("coordinator")) as coordinator:
        await coordinator.news()
        async with Agent(
            "laptop", [pay, look], transport=broker.transport("laptop"), ledger=ledger
        ):
            await coordinator.beat(connected=True)
            yield coordinator


@pytest.mark.parametrize("name", ["pay", "look"])
async def test_attempt_that_could_be_recorded_only_after_its_lease_is_rejected(
    coordinator, ledger, name
):
    ledger.full = True
    coordinator.say(offer(skill=name))
    await asyncio.sleep(3600)
    assert coordinator.replies == []
    ledger.full = False
    outcome = await coordinator.outcome()
    assert isinstance(outcome, Rejected)
    assert "never started" in outcome.reason
    assert [each.phase for each in coordinator.replies] == [Phase.FINISHED]
    assert effects == []


async def test_attempt_that_is_recorded_within_its_lease_begins(coordinator, ledger):
    ledger.full = True
    coordinator.say(offer(skill="pay"))
    await asyncio.sleep(5)
    assert effects == []
    ledger.full = False
    assert await coordinator.outcome() == Succeeded("paid")


async def test_revoked_attempt_is_answered_for_only_once_its_tombstone_is_durable(
    coordinator, ledger
):
    ledger.full = True
    coordinator.say(Refuse({A: RUN}, {RUN: 1}))
    await asyncio.sleep(60)
    assert coordinator.replies == []
    ledger.full = False
    assert isinstance(await coordinator.outcome(), Rejected)
    coordinator.say(offer(skill="pay"))
    assert isinstance(await coordinator.outcome(), Rejected)
    assert effects == []


async def test_orders_given_while_the_disk_is_full_are_answered_when_they_are_repeated(
    coordinator, ledger
):
    ledger.full = True
    coordinator.say(offer(skill="pay"))
    await coordinator.beat()
    coordinator.say(Cancel(A, RUN, 1))
    await asyncio.sleep(5)
    ledger.full = False
    await coordinator.beat(connected=True)
    coordinator.say(Hello("c", {RUN: 1}))
    await coordinator.reply(Held)
    coordinator.say(Cancel(A, RUN, 1))
    assert await coordinator.outcome() == Succeeded("paid")
