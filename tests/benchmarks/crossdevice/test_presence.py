import asyncio

import pytest

from agents.runtime import Agent
from benchmarks.crossdevice.meter import Meter, listening
from benchmarks.crossdevice.presence import Presence
from benchmarks.roll_call import MissingError
from protocol.topics import Address, discovery
from protocol.transport import Message
from protocol.transport.memory import MemoryBroker

ME = Address("muster", "default", "a")


@pytest.fixture
def broker():
    return MemoryBroker()


async def test_a_device_whose_card_is_lost_is_there_by_its_heartbeat(broker):
    async with (
        listening(broker.transport("roll"), Presence()) as roll,
        Agent("a", [], transport=broker.transport("a")),
    ):
        await roll.present(["a"])
        roll.online.clear()
        await roll.present(["a"])


async def test_who_says_nothing_is_not_there(broker):
    async with (
        listening(broker.transport("roll"), Presence()) as roll,
        Agent("a", [], transport=broker.transport("a")),
    ):
        await roll.present(["a"])
        broker.kill("a")
        with pytest.raises(MissingError, match="b"):
            await roll.present(["a", "b"])


async def test_everything_that_is_said_is_counted(broker):
    async with listening(broker.transport("meter"), Meter()) as meter:
        await asyncio.sleep(1.0)  # it is connected
        said = Message(discovery(ME), b"{}")
        broker.publish(said)
        broker.publish(said)
        await broker.flush()
        assert (meter.messages, meter.bytes) == (2, 2 * (len(said.topic) + 2))
