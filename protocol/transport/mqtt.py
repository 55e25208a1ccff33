"""MQTT 5 on aiomqtt: one connection, made anew whenever it is lost.

Theory of operation. Each connection is a fresh `aiomqtt.Client` (a used one would send its old
copies again), starts clean, and subscribes before the peer hears `connected()`. Incoming messages
are handed on from inside the client's queue hook, outgoing ones go straight to paho, which keeps
their order and the window of `max_inflight`: no task for either. When too many are not yet
acknowledged `publish` raises. When the broker acknowledges none for `timeout_s` the connection is
given up, since a publish to a dead broker never fails by itself. What was under way is lost with
the connection; the peer sends again from its own outbox.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable, Mapping
from typing import Literal, ParamSpec

import aiomqtt
from aiomqtt.exceptions import MqttCodeError, MqttConnectError, MqttError, MqttReentrantError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from protocol.errors import (
    NotConnectedError,
    QueueFullError,
    RefusedLoginError,
    TransportError,
    UnreachableError,
)
from protocol.transport import Message, Peer
from protocol.transport.filters import check_publishable
from protocol.transport.mqtt_client import DirectClient
from protocol.transport.mqtt_settings import MqttSettings

__all__ = ["MEANING", "MqttSettings", "MqttTransport"]

P = ParamSpec("P")

MEANING: Mapping[type[MqttError], type[TransportError]] = {
    MqttError: UnreachableError,
    MqttCodeError: UnreachableError,
    MqttConnectError: RefusedLoginError,
    MqttReentrantError: NotConnectedError,
}
"""What each error of aiomqtt means while a connection is made; complete, and a test says so."""

# CONNACK reasons that pass by themselves: server unavailable, busy, moved, quota or rate exceeded.
PASSING = (0x88, 0x89, 0x97, 0x9C, 0x9D, 0x9F)

# Two clients of one id throw each other out at once: so many times in a row, and the pauses grow.
BRIEF_S = 2.0
BRIEF_AT_MOST = 5

FAREWELL_S = 0.5  # long enough to write a few bytes; stopping must not wait for a dead broker


class MqttTransport:
    """A client of an MQTT 5 broker.

    Args:
        settings: where, who, and limits.
        first_connect: "raise" ends `run` with `UnreachableError` when the first connection
            fails; "retry" keeps trying, and the peer hears `disconnected` with the reason.
        rng: where the jitter of the pauses comes from.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        first_connect: Literal["retry", "raise"] = "retry",
        rng: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._patient = first_connect == "retry"
        self._rng = rng or random.Random()
        self._client: DirectClient | None = None

    async def run(self, peer: Peer) -> None:
        """Stay connected until cancelled; see `Transport`.

        Raises:
            RefusedLoginError: the broker refuses the login or a subscription.
            UnreachableError: the first connection failed, with `first_connect="raise"`.
            TransportError: the TLS files are missing or unusable.
        """
        settings = self._settings
        tls = await asyncio.to_thread(settings.tls_context) if settings.encrypted else None
        now = asyncio.get_running_loop().time
        patient, told, failures, brief = self._patient, False, 0, 0
        while True:
            began = now()
            try:
                reason = await self._serve(peer, tls)
                brief = brief + 1 if now() - began < BRIEF_S else 0
                patient, told, failures = True, False, max(0, brief - BRIEF_AT_MOST)
                if brief >= BRIEF_AT_MOST:
                    reason += f"; does another client call itself {settings.client_id} too?"
            except UnreachableError as error:
                if not patient:
                    raise
                reason = str(error)
            if not told:
                peer.disconnected(reason)
                told = True
            await asyncio.sleep(self._pause_s(failures))
            failures += 1

    def publish(self, message: Message) -> None:
        """Queue one message for the broker; see `Transport`.

        Raises:
            NotConnectedError: the connection is down.
            QueueFullError: `queue_limit` messages wait already.
            LocalProtocolError: no broker would take this message.
        """
        client, settings = self._client, self._settings
        if client is None:
            raise NotConnectedError(f"not connected to {settings.address}")
        check_publishable(message)
        if len(client.under_way) >= settings.queue_limit:
            raise QueueFullError(f"{settings.queue_limit} messages wait to be sent")
        client.send(message)

    async def flush(self) -> None:
        """Wait until all that was published is acknowledged, or the connection is lost."""
        if self._client is not None:
            await self._client.idle.wait()

    async def _serve(self, peer: Peer, tls: ssl.SSLContext | None) -> str:
        """Make one connection and use it; return the reason of its loss."""
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        inbox = _Inbox(peer, lost)
        silence = f"{self._settings.address} did not acknowledge a message"
        client = DirectClient(
            self._settings,
            tls=tls,
            last_will=_will(peer.will()),
            received=inbox.take,
            messages=inbox,
            silent=lambda: _settle(lost, silence),
        )
        try:
            await _enter(client)
        except MqttError as error:
            raise self._mapped(error) from error
        try:
            await self._subscribe(client, peer.filters())
            self._client = client
            return await self._exchange(client, inbox)
        finally:
            self._client = None
            client.drop()
            lost.cancel()  # a dead client may still have messages: they come too late
            await _leave(client)

    async def _exchange(self, client: DirectClient, inbox: "_Inbox") -> str:
        lost = inbox.lost
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_watch(client, lost), name="mqtt watch")
            inbox.open()
            try:
                await asyncio.wait([lost])
            finally:
                watching.cancel()
        return lost.result()

    async def _subscribe(self, client: aiomqtt.Client, filters: tuple[str, ...]) -> None:
        if not filters:
            return
        try:
            codes = await client.subscribe([(each, 1) for each in filters])
        except MqttError as error:
            raise self._mapped(error) from error
        for topic_filter, code in zip(filters, codes, strict=True):
            if isinstance(code, ReasonCode) and code.is_failure:
                raise RefusedLoginError(
                    f"the broker at {self._settings.address} refuses to let"
                    f" {self._settings.client_id} read {topic_filter}: {code}"
                )

    def _mapped(self, error: MqttError) -> TransportError:
        meaning = MEANING[type(error)]
        if isinstance(error, MqttConnectError) and error.rc in PASSING:
            meaning = UnreachableError
        where = self._settings.address
        if meaning is RefusedLoginError:
            return meaning(
                f"the broker at {where} refuses {self._settings.client_id}: {error};"
                " check its user name and password"
            )
        return meaning(f"no MQTT broker answers at {where}: {error}")

    def _pause_s(self, failures: int) -> float:
        first_s, longest_s = self._settings.backoff_s
        pause_s = min(longest_s, first_s * 2.0 ** min(failures, 32))
        return pause_s * self._rng.uniform(0.5, 1.0)


class _Inbox(asyncio.Queue[aiomqtt.Message]):
    """Hands messages to the peer the moment aiomqtt queues them; nothing is ever taken from it."""

    def __init__(self, peer: Peer, lost: asyncio.Future[str]) -> None:
        super().__init__()
        self.lost = lost
        self._peer = peer
        self._early: list[Message] | None = []

    def open(self) -> None:
        """Tell the peer that it is connected, then what came meanwhile."""
        early, self._early = self._early or [], None
        self._tell(self._peer.connected)
        for message in early:
            self.take(message)

    def put_nowait(self, item: aiomqtt.Message) -> None:
        """Hand on a message that aiomqtt has made."""
        self.take(_received(item))

    def take(self, message: Message) -> None:
        """Hand one message on."""
        if self._early is None:
            self._tell(self._peer.received, message)
        else:
            self._early.append(message)

    def _tell(self, method: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        if self.lost.done():
            return
        try:
            method(*args, **kwargs)
        except Exception as bug:  # noqa: BLE001 - raised again by `run`, once we have said goodbye
            self.lost.set_exception(bug)


async def _enter(client: aiomqtt.Client) -> None:
    """Connect; if cancelled meanwhile, close what the connecting thread opens all the same."""
    async with asyncio.TaskGroup() as group:
        entering = group.create_task(_attempt(client), name="mqtt connect")
        try:
            await asyncio.wait([entering])
        except asyncio.CancelledError:
            await asyncio.wait([entering])
            if entering.result() is None:
                await _leave(client)
            raise
    if (error := entering.result()) is not None:
        raise error


async def _attempt(client: aiomqtt.Client) -> MqttError | None:
    try:
        await client.__aenter__()
    except MqttError as error:
        await _leave(client)  # aiomqtt keeps the socket of a login that was never answered
        return error
    return None


async def _leave(client: aiomqtt.Client) -> None:
    """Say goodbye, which a dead connection will not hear, and close the socket."""
    with contextlib.suppress(MqttError, TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await client.__aexit__(None, None, None)


async def _watch(client: aiomqtt.Client, lost: asyncio.Future[str]) -> None:
    """Wait until aiomqtt gives the connection up."""
    try:
        await anext(client.messages)
    except MqttError as error:
        _settle(lost, str(error.__cause__ or error))


def _settle(lost: asyncio.Future[str], reason: str) -> None:
    if not lost.done():
        lost.set_result(reason)


def _will(message: Message | None) -> aiomqtt.Will | None:
    """Return a last will for aiomqtt."""
    if message is None:
        return None
    properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
    for name, value in (
        ("ContentType", message.content_type),
        ("ResponseTopic", message.response_topic),
        ("CorrelationData", message.correlation),
        ("UserProperty", list(message.properties) or None),
    ):
        if value is not None:
            setattr(properties, name, value)
    return aiomqtt.Will(message.topic, message.payload, message.qos, message.retain, properties)


def _received(message: aiomqtt.Message) -> Message:
    """Return an incoming message as ours."""
    found = vars(message.properties)
    return Message(
        topic=message.topic.value,
        payload=message.payload,
        qos=message.qos,
        retain=message.retain,
        response_topic=found.get("ResponseTopic"),
        correlation=found.get("CorrelationData"),
        properties=tuple(found.get("UserProperty", ())),
        content_type=found.get("ContentType"),
    )
