"""What the in-memory broker does beyond the contract: order, batches, and its controls."""

import asyncio

from protocol.transport import Message
from protocol.transport.memory import BATCH, MemoryBroker
from tests.support.peers import RecordingPeer, connected

HELLO = Message("home/door", b"open")


async def test_last_message_is_delivered_again_on_demand():
    broker = MemoryBroker()
    transport, peer = broker.transport("laptop"), RecordingPeer("home/door")
    async with connected(transport, peer):
        broker.redeliver("laptop")  # nothing yet
        transport.publish(HELLO)
        await transport.flush()
        broker.redeliver("laptop")
        await transport.flush()

    assert peer.messages == [HELLO, HELLO]


async def test_later_client_of_the_same_id_takes_over():
    broker = MemoryBroker(reconnect_s=60.0)
    first, second = RecordingPeer(will=HELLO), RecordingPeer("home/door")
    async with (
        connected(broker.transport("same"), first),
        connected(broker.transport("same"), second),
    ):
        await second.got(1)

    assert len(first.reasons) == 1
    assert second.reasons == []


async def test_killing_who_is_not_connected_does_nothing():
    MemoryBroker().kill("nobody")


async def test_lost_client_tries_again_after_its_pause():
    broker, peer = MemoryBroker(reconnect_s=5.0), RecordingPeer()
    async with connected(broker.transport("laptop"), peer):
        broker.kill("laptop")
        await peer.until(lambda: peer.connections == 2)

    assert asyncio.get_running_loop().time() == 5.0


async def test_messages_published_before_a_connection_do_not_reach_it():
    broker = MemoryBroker()
    early, late = broker.transport("early"), RecordingPeer("home/door")
    async with connected(early, RecordingPeer()):
        early.publish(HELLO)
        async with connected(broker.transport("late"), late):
            pass

    assert late.messages == []


async def test_long_queue_leaves_the_loop_to_others_between_batches():
    broker = MemoryBroker()
    transport, peer = broker.transport("laptop"), RecordingPeer("home/door")
    async with connected(transport, peer):
        for _ in range(3 * BATCH):
            transport.publish(HELLO)
        seen = []
        while len(peer.messages) < 3 * BATCH:
            await asyncio.sleep(0)
            seen.append(len(peer.messages))

    assert seen[:3] == [BATCH, 2 * BATCH, 3 * BATCH]


async def test_messages_under_way_are_lost_with_the_broker():
    broker = MemoryBroker(reconnect_s=1.0)
    transport, peer = broker.transport("laptop"), RecordingPeer("home/door")
    async with connected(transport, peer):
        transport.publish(HELLO)
        broker.stop()
        broker.start()
        await peer.until(lambda: peer.connections == 2)

    assert peer.messages == []


async def test_broker_may_stop_while_it_delivers():
    broker = MemoryBroker()
    transport, peer = broker.transport("laptop"), RecordingPeer("home/door")
    peer.on_message = lambda _: broker.stop()
    async with connected(transport, peer):
        transport.publish(HELLO)
        transport.publish(HELLO)
        await transport.flush()

    assert peer.messages == [HELLO]


async def test_connection_cancelled_before_it_was_accepted_never_stands():
    broker, peer = MemoryBroker(), RecordingPeer()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(broker.transport("laptop").run(peer))
        await asyncio.sleep(0)
        running.cancel()

    assert (peer.connections, peer.reasons) == (0, [])
