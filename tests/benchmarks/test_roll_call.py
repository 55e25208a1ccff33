import asyncio

import pytest

from agents.runtime import Agent
from benchmarks.roll_call import MissingError, roll_call
from protocol.topics import Address, discovery
from protocol.transport import Message
from protocol.transport.memory import MemoryBroker


@pytest.fixture
def broker():
    return MemoryBroker()


def agent(broker, name):
    return Agent(name, [], transport=broker.transport(name))


async def test_everybody_is_present_once_their_cards_are_seen(broker):
    async with roll_call(broker.transport("roll")) as roll, agent(broker, "a"), agent(broker, "b"):
        await roll.present(["a", "b"])

        assert roll.online == {"a", "b"}


async def test_who_does_not_come_is_named(broker):
    async with roll_call(broker.transport("roll")) as roll, agent(broker, "a"):
        with pytest.raises(MissingError, match="not online after 30 s: b, c"):
            await roll.present(["a", "b", "c"])


async def test_back_waits_for_the_next_life(broker):
    async with roll_call(broker.transport("roll")) as roll, agent(broker, "a"):
        await roll.present(["a"])
        broker.kill("a")
        await roll.back("a")

        assert roll.online == {"a"}
        assert asyncio.get_running_loop().time() == pytest.approx(broker.reconnect_s)


async def test_what_is_no_card_is_passed_over(broker):
    noise = Message(discovery(Address("muster", "default", "a")), b"{", retain=True)
    async with roll_call(broker.transport("roll")) as roll, agent(broker, "a"):
        await roll.present(["a"])
        broker.publish(noise)
        await broker.flush()

        assert roll.online == {"a"}
