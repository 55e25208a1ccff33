from benchmarks.overhead.counting import Counted
from protocol.topics import Address, Kind, request
from protocol.transport import Message
from protocol.transport.memory import MemoryBroker
from tests.support.peers import RecordingPeer, connected

DEVICE = request(Address("bench", "unit", "device"))


async def test_what_is_sent_and_what_is_heard_are_counted():
    transport, peer = Counted(MemoryBroker().transport("device")), RecordingPeer(DEVICE)
    async with connected(transport, peer):
        transport.publish(Message(DEVICE, b"offer"))
        await transport.flush()

    assert peer.payloads == [b"offer"]
    assert (transport.messages, transport.sizes[Kind.REQUEST]) == (2, [5, 5])
