"""What every transport promises, proved on each of them."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from protocol.errors import LocalProtocolError, NotConnectedError, QueueFullError
from protocol.transport import Message
from protocol.transport.broker import BrokerProcess
from protocol.transport.faults import FaultPlan, FaultyTransport
from protocol.transport.memory import MemoryBroker
from protocol.transport.mqtt import MqttSettings, MqttTransport
from tests.support.peers import RecordingPeer, connected
from tests.support.wire import Wire

QUEUE_LIMIT = 100
HELLO = Message("home/door", b"open")
WILL = Message("home/will", b"gone")


class InMemory:
    """A broker, the ways to reach it, and the ways to hurt it."""

    def __init__(self):
        self._broker = MemoryBroker(queue_limit=QUEUE_LIMIT)

    def transport(self, client_id):
        return self._broker.transport(client_id)

    def cut(self):
        """Cut the connection of the client "victim"."""
        self._broker.kill("victim")

    async def stop(self):
        self._broker.stop()

    async def start(self):
        self._broker.start()


class BehindFaults(InMemory):
    def transport(self, client_id):
        return FaultyTransport(super().transport(client_id), FaultPlan(), seed=1)


class OverMqtt:
    def __init__(self, broker, wire):
        self._broker = broker
        self._wire = wire

    def transport(self, client_id):
        port = self._wire.port if client_id == "victim" else self._broker.port
        settings = MqttSettings(
            client_id, port=port, queue_limit=QUEUE_LIMIT, backoff_s=(0.01, 0.05)
        )
        return MqttTransport(settings)

    def cut(self):
        self._wire.cut()

    async def stop(self):
        await self._broker.kill()

    async def start(self):
        await self._broker.restart()


@pytest.fixture(params=["memory", "faults", pytest.param("mqtt", marks=pytest.mark.broker)])
async def world(request):
    if request.param == "mqtt":
        request.getfixturevalue("installed_mosquitto")
        async with BrokerProcess() as broker, Wire(broker.port) as wire:
            yield OverMqtt(broker, wire)
    else:
        yield InMemory() if request.param == "memory" else BehindFaults()


@contextlib.asynccontextmanager
async def client(world, client_id, *filters, will=None):
    """A connected transport and its peer."""
    transport, peer = world.transport(client_id), RecordingPeer(*filters, will=will)
    async with connected(transport, peer):
        yield transport, peer


@contextlib.asynccontextmanager
async def pair(world, *filters):
    """A sender's transport, and the peer of a subscriber to `filters`."""
    async with client(world, "reader", *filters) as (_, peer), client(world, "writer") as (out, _):
        yield out, peer


@pytest.mark.parametrize("qos", [0, 1])
async def test_message_arrives_as_it_was_published(world, qos):
    message = Message(
        "home/door",
        b"\x00open\xff",
        qos=qos,
        response_topic="home/answers",
        correlation=b"\x00\x01",
        properties=(("who", "cat"), ("who", "dog"), ("", "")),
        content_type="application/json",
    )
    async with pair(world, "home/door") as (sender, reader):
        sender.publish(message)
        await reader.got(1)

    assert reader.messages == [message]


async def test_message_without_properties_arrives_without_them(world):
    async with pair(world, "home/door") as (sender, reader):
        sender.publish(HELLO)
        await reader.got(1)

    assert reader.messages == [HELLO]


async def test_text_of_any_script_survives(world):
    text = "Tür 門 🚪"
    message = Message(text, text.encode(), properties=((text, text),), response_topic=text)
    async with pair(world, f"{text}/#") as (sender, reader):
        sender.publish(message)
        await reader.got(1)

    assert reader.messages == [message]


@pytest.mark.parametrize("size", [0, 127, 128, 1_000_000])
async def test_payload_of_any_size_arrives(world, size):
    async with pair(world, "home/door") as (sender, reader):
        sender.publish(Message("home/door", b"x" * size, properties=(("size", "y" * 200),)))
        (payload,) = await reader.got(1)

    assert payload == b"x" * size


@pytest.mark.parametrize(
    ("topic_filter", "heard"),
    [
        ("home/door", ["home/door"]),
        ("home/+", ["home/door", "home/roof"]),
        ("+/door", ["home/door"]),
        ("home/#", ["home", "home/door", "home/roof", "home/roof/tile"]),
        ("home/+/#", ["home/door", "home/roof", "home/roof/tile"]),
        ("#", ["home", "home/door", "home/roof", "home/roof/tile"]),
        ("$priv/#", ["$priv/door"]),
        ("$share/team/home/+", ["home/door", "home/roof"]),
    ],
)
async def test_filter_selects_by_the_rules_of_mqtt(world, topic_filter, heard):
    topics = ["home", "home/door", "home/roof", "home/roof/tile", "$priv/door"]
    async with pair(world, topic_filter, "$end") as (sender, reader):
        for topic in [*topics, "$end"]:
            sender.publish(Message(topic, b"x"))
        await reader.until(lambda: any(message.topic == "$end" for message in reader.messages))

    assert [message.topic for message in reader.messages] == [*heard, "$end"]


async def test_every_subscriber_gets_its_copy(world):
    async with pair(world, "home/+") as (sender, first):
        async with client(world, "second", "home/door") as (_, second):
            sender.publish(HELLO)
            await second.got(1)
        await first.got(1)

    assert first.messages == second.messages == [HELLO]


async def test_shared_subscription_gives_each_message_to_one_member(world):
    numbers = [b"%d" % number for number in range(20)]
    members = [RecordingPeer("$share/team/home/+") for _ in range(2)]
    async with contextlib.AsyncExitStack() as stack:
        for number, member in enumerate(members):
            transport = world.transport(f"member{number}")
            await stack.enter_async_context(connected(transport, member))
        sender, watcher = await stack.enter_async_context(pair(world, "home/+"))
        for number in numbers:
            sender.publish(Message("home/door", number))
        await watcher.got(20)
        for member in members:
            await member.got(10)

    assert [len(member.messages) for member in members] == [10, 10]
    assert sorted(members[0].payloads + members[1].payloads) == sorted(numbers)


async def test_shared_subscription_goes_on_without_a_member_that_left(world):
    async with pair(world, "$share/team/home/+") as (sender, stays):
        async with client(world, "leaver", "$share/team/home/+"):
            pass
        for _ in range(4):
            sender.publish(HELLO)
        await stays.got(4)


async def test_messages_on_a_topic_keep_their_order(world):
    numbers = [b"%d" % number for number in range(QUEUE_LIMIT)]
    async with pair(world, "home/door") as (sender, reader):
        for number in numbers:
            sender.publish(Message("home/door", number))
        await reader.got(len(numbers))

    assert reader.payloads == numbers


async def test_retained_message_waits_for_later_subscribers(world):
    kept = replace(HELLO, retain=True, properties=(("who", "cat"),))
    async with pair(world, "home/door") as (sender, present):
        sender.publish(replace(kept, payload=b"old"))
        sender.publish(kept)
        sender.publish(replace(kept, topic="garden/door"))
        await present.got(2)
        async with client(world, "late", "home/+") as (_, late):
            await late.got(1)

    assert present.messages[1] == replace(kept, retain=False)
    assert late.messages == [kept]


async def test_empty_retained_message_clears_the_kept_one(world):
    async with pair(world, "home/door") as (sender, reader):
        sender.publish(replace(HELLO, retain=True))
        sender.publish(replace(HELLO, retain=True, payload=b""))
        await reader.got(2)
        async with client(world, "late", "home/+") as (_, late):
            sender.publish(HELLO)
            await late.got(1)

    assert late.messages == [HELLO]


async def test_peer_is_told_of_the_connection_before_it_gets_a_message(world):
    async with pair(world, "home/door") as (sender, reader):
        sender.publish(replace(HELLO, retain=True))
        await reader.got(1)
        late, story = RecordingPeer("home/#"), []
        late.on_connect = lambda: story.append("connected")
        late.on_message = lambda _: story.append("message")
        async with connected(world.transport("late"), late):
            await late.got(1)

    assert story == ["connected", "message"]


async def test_peer_may_publish_from_within_its_methods(world):
    transport, peer = world.transport("echo"), RecordingPeer("ping", "pong")
    peer.on_connect = lambda: transport.publish(Message("ping", b""))
    peer.on_message = lambda message: (
        transport.publish(Message("pong", b"")) if message.topic == "ping" else None
    )
    async with connected(transport, peer):
        await peer.got(2)

    assert [message.topic for message in peer.messages] == ["ping", "pong"]


async def test_will_is_published_when_the_connection_is_cut(world):
    async with client(world, "witness", "home/will") as (_, witness):
        will = replace(WILL, properties=(("by", "lwt"),), content_type="text", correlation=b"1")
        async with client(world, "victim", will=replace(will, response_topic="r")) as (_, victim):
            world.cut()
            await witness.got(1)
            await victim.until(lambda: victim.connections == 2)

    assert witness.messages == [replace(will, response_topic="r")]
    assert len(victim.reasons) == 1


async def test_no_will_is_published_on_a_clean_stop(world):
    async with pair(world, "home/#") as (sender, reader):
        async with client(world, "leaver", will=WILL):
            pass
        sender.publish(HELLO)
        await reader.got(1)

    assert reader.messages == [HELLO]


async def test_restarted_broker_is_found_again_and_knows_nothing(world):
    async with pair(world, "home/#") as (sender, reader):
        sender.publish(replace(HELLO, retain=True))
        await reader.got(1)
        await world.stop()
        await reader.until(lambda: len(reader.reasons) == 1)
        await world.start()
        await reader.until(lambda: reader.connections == 2)
        async with client(world, "late", "home/#") as (late_sender, late):
            late_sender.publish(Message("home/roof", b""))
            await reader.got(2)
            await late.got(1)

    assert [message.topic for message in reader.messages] == ["home/door", "home/roof"]
    assert [message.topic for message in late.messages] == ["home/roof"]
    assert len(reader.reasons) == 1
    assert reader.reasons[0]


async def test_peer_hears_once_that_there_is_no_broker_and_connects_when_there_is(world):
    await world.stop()
    transport, peer = world.transport("early"), RecordingPeer()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(transport.run(peer))
        await peer.until(lambda: peer.reasons)
        await asyncio.sleep(0.2)
        await world.start()
        await peer.until(lambda: peer.connections)
        running.cancel()

    assert (len(peer.reasons), peer.connections) == (1, 1)


async def test_publish_is_refused_without_a_connection(world):
    transport, peer = world.transport("lonely"), RecordingPeer()
    with pytest.raises(NotConnectedError):
        transport.publish(HELLO)
    async with connected(transport, peer):
        await world.stop()
        await peer.until(lambda: peer.reasons)
        with pytest.raises(NotConnectedError):
            transport.publish(HELLO)
    with pytest.raises(NotConnectedError):
        transport.publish(HELLO)


async def test_queue_is_bounded_and_what_it_took_arrives(world):
    async with pair(world, "home/door") as (sender, reader):
        for _ in range(QUEUE_LIMIT):
            sender.publish(HELLO)
        with pytest.raises(QueueFullError):
            sender.publish(HELLO)
        await reader.got(QUEUE_LIMIT)
        await sender.flush()
        sender.publish(HELLO)
        await reader.got(QUEUE_LIMIT + 1)

    assert len(reader.messages) == QUEUE_LIMIT + 1


@pytest.mark.parametrize("topic", ["", "home/+", "home/#", "home\0door", "x" * 65_536])
async def test_no_message_is_published_to_what_is_not_a_topic(world, topic):
    async with pair(world) as (sender, _):
        with pytest.raises(LocalProtocolError, match="cannot publish"):
            sender.publish(Message(topic, b""))


async def test_flush_waits_until_all_was_handed_over(world):
    async with pair(world, "home/door") as (sender, reader):
        for _ in range(QUEUE_LIMIT):
            sender.publish(HELLO)
        await sender.flush()
        await reader.got(QUEUE_LIMIT)


async def test_flush_ends_without_a_connection(world):
    async with client(world, "lonely") as (transport, peer):
        transport.publish(HELLO)
        await world.stop()
        await transport.flush()
        await peer.until(lambda: peer.reasons)
        await transport.flush()


@pytest.mark.parametrize("method", ["on_connect", "on_message"])
async def test_error_of_the_peer_ends_run(world, method):
    async with pair(world) as (sender, _):
        transport, peer = world.transport("faulty"), RecordingPeer("home/#")
        setattr(peer, method, lambda *_: {}["missing"])
        async with asyncio.TaskGroup() as group:
            running = group.create_task(expect_key_error(transport.run(peer)))
            await peer.until(lambda: peer.connections)
            for _ in range(3):
                sender.publish(HELLO)
            await running

    assert len(peer.messages) == (method == "on_message")


async def expect_key_error(running):
    with pytest.raises(KeyError, match="missing"):
        await running
