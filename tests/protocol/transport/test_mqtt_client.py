"""What is sent: all of it, together, and not in vain."""

import asyncio
import contextlib

import pytest

from protocol.transport import Message, mqtt
from protocol.transport.mqtt import MqttSettings, MqttTransport
from tests.support.peers import RecordingPeer, connected

pytestmark = pytest.mark.broker

HELLO = Message("home/door", b"open")
SHORT_S = 0.2
PUBACK = 0x40
DISCONNECT = 0xE0


def transport_to(port, **settings):
    return MqttTransport(MqttSettings("laptop", port=port, **settings))


def puback(publish):
    """Return the acknowledgement of one small PUBLISH packet."""
    topic_end = 4 + int.from_bytes(publish[2:4], "big")
    return bytes((PUBACK, 2)) + publish[topic_end : topic_end + 2]


@contextlib.asynccontextmanager
async def broker(converse):
    """A broker that welcomes its one client and then does what the test says."""

    async def serve(reader, writer):
        await reader.read(4096)
        writer.write(bytes((0x20, 3, 0, 0, 0)))
        await converse(reader, writer)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    gone = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
        await gone.wait()
    finally:
        server.close()


async def test_silence_counts_from_the_first_message_that_waits():
    async def acknowledge_one(reader, writer):
        writer.write(puback(await reader.read(4096)))

    loop, peer = asyncio.get_running_loop(), RecordingPeer()
    async with broker(acknowledge_one) as port:
        transport = transport_to(port, timeout_s=SHORT_S)
        async with connected(transport, peer):
            transport.publish(HELLO)
            await transport.flush()
            await asyncio.sleep(SHORT_S * 0.7)
            began = loop.time()
            transport.publish(HELLO)
            await transport.flush()
            took_s = loop.time() - began
            await peer.until(lambda: peer.reasons)

    assert took_s >= SHORT_S * 0.99
    assert peer.reasons == [f"127.0.0.1:{port} did not acknowledge a message"]


async def test_first_reason_of_a_loss_is_the_one_that_counts():
    lost = asyncio.get_running_loop().create_future()
    for reason in ("cut", "silent"):
        mqtt._settle(lost, reason)

    assert lost.result() == "cut"


async def test_idle_connection_is_kept(mosquitto):
    transport, peer = transport_to(mosquitto.port, timeout_s=SHORT_S), RecordingPeer()
    async with connected(transport, peer):
        transport.publish(HELLO)
        await asyncio.sleep(SHORT_S * 1.5)

    assert (peer.connections, peer.reasons) == (1, [])


async def test_what_the_socket_does_not_take_at_once_is_sent_when_it_does():
    film, received = bytes(16 * 2**20), 0

    async def read_late(reader, _writer):
        nonlocal received
        await asyncio.sleep(0.1)
        while received < len(film):
            received += len(await reader.read(2**20))

    async with broker(read_late) as port:
        transport = transport_to(port)
        async with connected(transport, RecordingPeer()):
            transport.publish(Message("home/film", film, qos=0))
            for blocked in (True, False):
                while transport._client._blocked is not blocked:  # noqa: ASYNC110 - none says so
                    await asyncio.sleep(0)

    assert received > len(film)


async def test_connection_that_is_lost_with_no_room_for_more_leaves_nothing_watched():
    async def read_nothing(_reader, writer):
        writer.transport.pause_reading()
        await over.wait()
        writer.transport.abort()

    peer, over = RecordingPeer(), asyncio.Event()
    async with broker(read_nothing) as port:
        transport = transport_to(port)
        async with connected(transport, peer):
            while not transport._client._blocked:
                transport.publish(Message("home/film", bytes(2**15), qos=0))
                await asyncio.sleep(0)
            over.set()
            await peer.until(lambda: peer.reasons)
    watched = asyncio.get_running_loop()._selector.get_map().values()
    assert not [each for each in watched if each.data[1] is not None]


async def test_acknowledgement_goes_along_or_follows_shortly(mosquitto):
    transport, peer = transport_to(mosquitto.port), RecordingPeer("home/door")
    async with connected(transport, peer):
        for _ in range(40):  # twice what the broker sends without an answer by default
            transport.publish(HELLO)
        await peer.until(lambda: len(peer.messages) == 40)


def publish(payload, *, qos, properties=b"\0"):
    """Return a PUBLISH packet on the topic of `HELLO`, with its payload as its id."""
    topic, packet_id = HELLO.topic.encode(), payload if qos else b""
    body = len(topic).to_bytes(2, "big") + topic + packet_id + properties + payload
    return bytes((0x30 | qos << 1, len(body))) + body


async def test_every_message_is_heard_and_acknowledged_whoever_reads_it():
    format_indicator = b"\x02\x01\x01"  # which we do not read, and leave to paho

    async def send_three(reader, writer):
        writer.write(publish(b"10", qos=1) + publish(b"20", qos=0))
        writer.write(publish(b"30", qos=1, properties=format_indicator))
        heard.set_result(await reader.readexactly(8))

    heard, peer = asyncio.get_running_loop().create_future(), RecordingPeer()
    async with broker(send_three) as port, connected(transport_to(port), peer):
        assert await peer.got(3) == [b"10", b"20", b"30"]
        async with asyncio.timeout(10):
            acknowledged = await heard

    assert acknowledged == b"\x40\x02" + b"10" + b"\x40\x02" + b"30"


async def test_most_messages_are_not_left_to_paho(mosquitto, monkeypatch):
    monkeypatch.setattr(mqtt, "_received", None)  # what aiomqtt has made goes there
    peer = RecordingPeer(HELLO.topic)
    transport = transport_to(mosquitto.port)
    async with connected(transport, peer):
        transport.publish(HELLO)
        await peer.got(1)

    assert peer.messages == [HELLO]


async def test_what_is_said_right_before_parting_is_sent_with_the_farewell():
    heard = bytearray()

    async def listen(reader, _):
        while part := await reader.read(4096):
            heard.extend(part)

    peer = RecordingPeer()
    async with broker(listen) as port:
        transport = transport_to(port)
        async with connected(transport, peer):
            transport.publish(HELLO)
            client = transport._client._client
            with client._in_callback_mutex:  # from a callback: both packets wait for the turn
                client.disconnect()
            await peer.until(lambda: peer.reasons)

    assert HELLO.payload in heard
    assert heard[-2] == DISCONNECT or heard[-3] == DISCONNECT
