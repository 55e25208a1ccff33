"""The request/reply loop an expert would write straight on aiomqtt: one process, one role.

MQTT 5, QoS 1, response topic and correlation data, TCP_NODELAY, messages dispatched from the
queue hook instead of a task that waits for each, no time limit (and so no timer) a publish, and
one task a publish, the cheapest way found: workers that wait for acknowledgement and reply cost
5 to 15 % more CPU. Run as `python -m benchmarks.overhead.bare_loop SETTINGS`, with the fields of
`Respond` or `Request` as JSON; `bare` does so.
"""

import asyncio
import itertools
import json
import math
import socket
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiomqtt import Client, Message, MqttError, ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from benchmarks.overhead.processes import say

_NODELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_WARM_UP_S = 0.3  # paho, allocator and broker reach their pace in a tenth of this


@dataclass(frozen=True, slots=True)
class Respond:
    """A device: answer every request on `topic` with `reply_bytes` bytes, until ended."""

    host: str
    port: int
    topic: str
    reply_bytes: int


@dataclass(frozen=True, slots=True)
class Request:
    """A coordinator: keep `in_flight` requests under way for `seconds`, spread over `topics`."""

    host: str
    port: int
    topics: tuple[str, ...]
    reply_topic: str
    request_bytes: int
    in_flight: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BareResult:
    """Round trips a second over the whole, and the time of a single one."""

    per_s: float
    p50_ms: float
    p99_ms: float


async def respond(settings: Respond, *, ready: Callable[[], None]) -> None:
    """Answer requests until cancelled; `ready` is called once the subscription stands."""
    reply = b"r" * settings.reply_bytes

    def answer(message: Message) -> None:
        asked: Any = message.properties
        properties = _properties()
        properties.CorrelationData = asked.CorrelationData
        publish = client.publish(
            asked.ResponseTopic, reply, qos=1, properties=properties, timeout=math.inf
        )
        group.create_task(publish)

    async with (
        _client(settings.host, settings.port, answer) as client,
        asyncio.TaskGroup() as group,
    ):
        await client.subscribe(settings.topic, qos=1)
        ready()
        await asyncio.get_running_loop().create_future()


async def request(settings: Request) -> BareResult:
    """Send requests, each as the reply to an earlier one arrives, and time them."""
    loop = asyncio.get_running_loop()
    payload = b"q" * settings.request_bytes
    numbers = itertools.count()
    under_way: dict[bytes, tuple[float, str, Properties]] = {}
    round_trips: list[float] = []
    over = asyncio.Event()

    def send(topic: str, properties: Properties) -> None:
        properties.CorrelationData = number = next(numbers).to_bytes(16)
        under_way[number] = loop.time(), topic, properties
        publish = client.publish(topic, payload, qos=1, properties=properties, timeout=math.inf)
        group.create_task(publish)

    def receive(message: Message) -> None:
        answered: Any = message.properties
        sent_at, topic, properties = under_way.pop(answered.CorrelationData)
        now = loop.time()
        if began <= now < ends:
            round_trips.append(now - sent_at)
        if now < ends:
            send(topic, properties)
        elif not under_way:
            over.set()

    async with (
        _client(settings.host, settings.port, receive) as client,
        asyncio.TaskGroup() as group,
    ):
        await client.subscribe(settings.reply_topic, qos=1)
        began = loop.time() + _WARM_UP_S
        ends = began + settings.seconds
        for topic in itertools.islice(itertools.cycle(settings.topics), settings.in_flight):
            properties = _properties()
            properties.ResponseTopic = settings.reply_topic
            send(topic, properties)
        await over.wait()
    cuts = statistics.quantiles(round_trips, n=100)
    return BareResult(len(round_trips) / settings.seconds, cuts[49] * 1e3, cuts[98] * 1e3)


def _properties() -> Properties:
    return Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]


def _client(host: str, port: int, deliver: Callable[[Message], None]) -> Client:
    class Direct(asyncio.Queue[Message]):
        def put_nowait(self, item: Message) -> None:
            deliver(item)

    client = Client(
        host,
        port,
        protocol=ProtocolVersion.V5,
        queue_type=Direct,
        socket_options=_NODELAY,
        max_inflight_messages=1_000,  # paho's 20 would hold requests back
    )
    client.pending_calls_threshold = 1_000  # only silences a warning
    return client


def main(settings: str) -> None:
    """Play the role that `settings` (JSON) holds; say "ready", or print the result as JSON."""
    fields = json.loads(settings)
    try:
        if "topic" in fields:
            asyncio.run(respond(Respond(**fields), ready=lambda: say("ready")))
        else:
            say(json.dumps(asdict(asyncio.run(request(Request(**fields))))))
    except MqttError as error:
        sys.exit(f"{fields['host']}:{fields['port']}: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
