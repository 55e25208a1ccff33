"""A card that is lost is said again, until a coordinator shows that it knows the device."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from agents.announcing import SELDOM
from agents.runtime import Agent
from agents.session import HEARTBEAT_S
from agents.simulated import scripted
from orchestrator import Orchestrator
from protocol import topics
from protocol.messages import Hello
from protocol.topics import Kind
from tests.support.agents import new_session, request


class Losing:
    """A connection that loses the first cards."""

    def __init__(self, inner, lost):
        self.sent = []
        self._inner, self._lost = inner, lost

    def publish(self, message):
        self.sent.append(topics.parse(message.topic).kind)
        if self.sent[-1] is not Kind.DISCOVERY or self.count(Kind.DISCOVERY) > self._lost:
            self._inner.publish(message)

    async def run(self, peer):
        await self._inner.run(peer)

    async def flush(self):
        await self._inner.flush()

    def count(self, kind):
        return self.sent.count(kind)


@asynccontextmanager
async def world(broker, *, lost=0):
    """Bring up a coordinator, then a device whose first cards are lost."""
    async with Orchestrator(broker.transport("coordinator")) as orchestrator:
        await asyncio.sleep(1.0)
        link = Losing(broker.transport("laptop"), lost)
        async with Agent("laptop", [scripted("work")], transport=link):
            yield orchestrator, link


def beats(session, numbers):
    return [beat for n in numbers for beat in session.tick(n * HEARTBEAT_S)]


@pytest.mark.parametrize(("lost", "heartbeats"), [(1, 1), (2, 3), (3, 7)])
async def test_device_whose_card_is_lost_is_known_some_heartbeats_later_and_says_no_more(
    broker, lost, heartbeats
):
    async with world(broker, lost=lost) as (orchestrator, link):
        await asyncio.sleep(1.0)
        assert not orchestrator.devices()
        await asyncio.sleep(heartbeats * HEARTBEAT_S)
        assert [each.card.device for each in orchestrator.devices() if each.online] == ["laptop"]
        said = link.count(Kind.DISCOVERY), link.count(Kind.REPLY)
        await asyncio.sleep(100 * HEARTBEAT_S)
        assert (link.count(Kind.DISCOVERY), link.count(Kind.REPLY)) == said


async def test_known_device_says_its_card_once_a_connection(broker):
    async with world(broker) as (_, link):
        await asyncio.sleep(100 * HEARTBEAT_S)
        assert link.count(Kind.DISCOVERY) == 1
        broker.kill("laptop")
        await asyncio.sleep(100 * HEARTBEAT_S)
        assert link.count(Kind.DISCOVERY) == 2


def test_card_is_said_ever_more_seldom_to_nobody():
    session = new_session()
    said = [*session.connected(0.0), *beats(session, range(1, 4 * SELDOM))]
    assert all(each.heartbeat.connected for each in said)
    cards = [n for n, each in enumerate(said, 1) if each.announces]
    assert cards == [1, 2, 4, 8, 16, 32, 64, 96, 128]


def test_nothing_is_repeated_after_a_hello_until_the_next_connection():
    session = new_session()
    session.connected(0.0)
    session.order(request(Hello("c", {})), 1.0)
    after = beats(session, range(1, 10))
    assert not any(each.announces or each.heartbeat.connected for each in after)
    session.disconnected()
    (back,) = session.connected(100.0)
    (second,) = session.tick(100.0 + HEARTBEAT_S)
    assert back.announces
    assert second.announces
    assert back.heartbeat.connected


def test_device_that_cannot_record_asks_for_no_hello_that_it_will_not_hear():
    session = new_session()
    session.connected(0.0)
    (failed,) = session.suspend(on=True, now=1.0)
    (mended,) = session.suspend(on=False, now=2.0)
    assert not failed.heartbeat.connected
    assert mended.heartbeat.connected
