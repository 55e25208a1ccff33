"""The bad network: each fault does what it says, and the same seed does it again."""

import asyncio
import contextlib

import pytest

from protocol.errors import NotConnectedError
from protocol.transport import Message
from protocol.transport.faults import FaultPlan, FaultyTransport, NetworkFault
from protocol.transport.memory import MemoryBroker
from tests.support.peers import RecordingPeer, connected

NUMBERS = [b"%d" % number for number in range(100)]


@contextlib.asynccontextmanager
async def link(plan, *, seed=1, to_sender=True, broker=None):
    """A sender and a reader, one of them behind the faults."""
    broker = broker or MemoryBroker()
    sender, reader = broker.transport("sender"), broker.transport("reader")
    if to_sender:
        sender = FaultyTransport(sender, plan, seed=seed)
    else:
        reader = FaultyTransport(reader, plan, seed=seed)
    peer = RecordingPeer("home/door")
    async with connected(reader, peer), connected(sender, RecordingPeer()):
        yield sender, peer


async def sent(plan, *, seed=1, to_sender=True, pause_s=0.0):
    """Send the numbers through the faults; return what arrived and when, in order."""
    async with link(plan, seed=seed, to_sender=to_sender) as (sender, peer):
        began, arrivals = asyncio.get_running_loop().time(), []
        peer.on_message = lambda message: arrivals.append(
            (message.payload, round(asyncio.get_running_loop().time() - began, 6))
        )
        for number in NUMBERS:
            sender.publish(Message("home/door", number))
            if pause_s:
                await asyncio.sleep(pause_s)
        await sender.flush()
        await asyncio.sleep(10)
    return arrivals


def payloads(arrivals):
    return [payload for payload, _ in arrivals]


both_ways = pytest.mark.parametrize("to_sender", [True, False], ids=["out", "in"])


@both_ways
async def test_share_of_the_messages_is_dropped(to_sender):
    arrived = payloads(await sent(FaultPlan(drop=0.3), to_sender=to_sender))

    assert 50 < len(arrived) < 90
    assert arrived == [number for number in NUMBERS if number in arrived]


@both_ways
async def test_share_of_the_messages_is_doubled(to_sender):
    arrived = payloads(await sent(FaultPlan(duplicate=0.3), to_sender=to_sender))

    assert 110 < len(arrived) < 150
    assert list(dict.fromkeys(arrived)) == NUMBERS


@both_ways
async def test_late_messages_keep_their_order_and_limits(to_sender):
    arrivals = await sent(FaultPlan(delay_s=(0.1, 0.5)), to_sender=to_sender, pause_s=0.05)

    assert payloads(arrivals) == NUMBERS
    delays = [at - 0.05 * n for n, (_, at) in enumerate(arrivals)]
    assert min(delays) >= 0.1 - 1e-6
    assert max(delays) <= 0.5 + 1e-6
    assert max(delays) - min(delays) > 0.2


@both_ways
async def test_reordered_messages_are_overtaken(to_sender):
    plan = FaultPlan(reorder=0.1, reorder_s=1.0)
    arrived = payloads(await sent(plan, to_sender=to_sender, pause_s=0.05))

    assert sorted(arrived) == sorted(NUMBERS)
    moved = sum(a != b for a, b in zip(arrived, NUMBERS, strict=True))
    assert moved > 10


async def test_same_seed_makes_the_same_faults_and_another_seed_others():
    plan = FaultPlan(drop=0.2, duplicate=0.2, delay_s=(0.0, 0.2), reorder=0.2)
    first, again, other = [await sent(plan, seed=seed, pause_s=0.01) for seed in (1, 1, 2)]

    assert first == again
    assert payloads(first) != payloads(other)


@both_ways
async def test_nothing_passes_a_planned_partition(to_sender):
    plan = FaultPlan(partitions=((0.95, 1.95), (2.95, 3.45)))
    arrivals = await sent(plan, to_sender=to_sender, pause_s=0.1)

    assert payloads(arrivals) == NUMBERS[:10] + NUMBERS[20:30] + NUMBERS[35:]


async def test_partition_by_hand_lasts_until_it_is_lifted():
    async with link(FaultPlan()) as (sender, peer):
        sender.partitioned = True
        sender.publish(Message("home/door", b"lost"))
        await sender.flush()
        sender.partitioned = False
        sender.publish(Message("home/door", b"kept"))
        await peer.got(1)

    assert peer.payloads == [b"kept"]


async def test_message_under_way_is_lost_with_the_connection():
    broker = MemoryBroker()
    plan = FaultPlan(delay_s=(1.0, 1.0))
    async with link(plan, broker=broker) as (sender, peer):
        sender.publish(Message("home/door", b"lost"))
        await asyncio.sleep(0.5)
        broker.kill("sender")
        await sender.flush()
        await asyncio.sleep(5)

    assert peer.messages == []


async def test_late_message_that_finds_the_queue_full_is_lost():
    broker = MemoryBroker(queue_limit=1)
    async with link(FaultPlan(delay_s=(1.0, 1.0)), broker=broker) as (sender, peer):
        for number in NUMBERS[:2]:
            sender.publish(Message("home/door", number))
        await asyncio.sleep(5)

    assert 1 <= len(peer.messages) <= 2


async def test_publish_is_refused_without_a_connection():
    transport = FaultyTransport(MemoryBroker().transport("a"), FaultPlan(drop=1.0), seed=1)
    with pytest.raises(NotConnectedError):
        transport.publish(Message("home/door", b""))


async def test_error_of_the_peer_about_a_late_message_ends_run():
    broker = MemoryBroker()
    faulty = FaultyTransport(broker.transport("a"), FaultPlan(delay_s=(1.0, 1.0)), seed=1)
    peer = RecordingPeer("home/door")
    peer.on_message = lambda _: {}["missing"]
    peer.on_connect = lambda: [faulty.publish(Message("home/door", b"")) for _ in range(2)]

    with pytest.raises(KeyError, match="missing"):
        await faulty.run(peer)

    assert len(peer.messages) == 1


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        (FaultPlan(drop=1.0), NetworkFault.DROP),
        (FaultPlan(duplicate=1.0), NetworkFault.DUPLICATE),
        (FaultPlan(delay_s=(1.0, 2.0)), NetworkFault.DELAY),
        (FaultPlan(reorder=1.0), NetworkFault.REORDER),
        (FaultPlan(partitions=((0.0, 9.0),)), NetworkFault.PARTITION),
    ],
)
async def test_whoever_asks_is_told_of_each_message_that_suffers(plan, fault):
    told = []
    sender = FaultyTransport(MemoryBroker().transport("sender"), plan, seed=1, told=told.append)
    async with connected(sender, RecordingPeer()):
        sender.publish(Message("home/door", b"1"))
        sender.publish(Message("home/door", b"2"))
    assert told == [fault] * 2


async def test_network_goes_on_under_another_plan():
    async with link(FaultPlan(drop=1.0)) as (sender, peer):
        sender.publish(Message("home/door", b"lost"))
        sender.suffer(FaultPlan())
        sender.publish(Message("home/door", b"there"))
        await sender.flush()
        await asyncio.sleep(1)
    assert peer.payloads == [b"there"]
