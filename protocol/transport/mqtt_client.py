"""aiomqtt's client, with a shorter way for messages.

aiomqtt waits for each publish in a task, and asks the selector before each write. paho keeps the
order of messages and the window of unacknowledged ones by itself, and a socket nearly always takes
a write; so messages go to paho at once, and in the next turn of the loop to the socket, together.
That spares two turns and most system calls. Our acknowledgements have time, so they go along with
the next message: each packet of its own would wake the broker. Incoming messages are read by
`mqtt_publish`, and go past aiomqtt's queue.

Without these overrides everything still works.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final, cast

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from protocol.transport import Message
from protocol.transport.buffered import BufferedSocket
from protocol.transport.filters import MAX_PACKET_BYTES
from protocol.transport.mqtt_properties import pack
from protocol.transport.mqtt_publish import read
from protocol.transport.mqtt_settings import MqttSettings

# aiomqtt and paho log what reaches the peer as the reason of `disconnected`.
_SILENT: Final = logging.getLogger(__name__)
_SILENT.setLevel(logging.CRITICAL)

ACK_AFTER_S: Final = 0.002  # a quick task ends in that time; the broker's window is not held up


class DirectClient(aiomqtt.Client):
    """One connection.

    Args:
        settings: where, who, and limits.
        tls: None for a connection in the clear.
        last_will: what the broker publishes when the connection is lost.
        received: hears of incoming messages.
        messages: hears by `put_nowait` of those that are left to paho and aiomqtt.
        silent: called when nothing of what was sent is acknowledged for `timeout_s`.

    Attributes:
        under_way: ids of the messages that were sent and are not acknowledged.
        idle: set while there are none.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        tls: ssl.SSLContext | None,
        last_will: aiomqtt.Will | None,
        received: Callable[[Message], None],
        messages: asyncio.Queue[aiomqtt.Message],
        silent: Callable[[], None],
    ) -> None:
        super().__init__(
            settings.host,
            settings.port,
            username=settings.username,
            password=settings.password,
            logger=_SILENT,
            identifier=settings.client_id,
            queue_type=cast("type[asyncio.Queue[aiomqtt.Message]]", lambda maxsize: messages),  # noqa: ARG005
            protocol=aiomqtt.ProtocolVersion.V5,
            will=last_will,
            properties=_bounds(),
            timeout=settings.timeout_s,
            keepalive=settings.keepalive_s,
            clean_start=True,
            max_inflight_messages=settings.max_inflight,
            tls_context=tls,
        )
        self.under_way: dict[int, None] = {}
        self.idle = asyncio.Event()
        self.idle.set()
        self._timeout_s = settings.timeout_s
        self._silent = silent
        self._heard_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._writing: asyncio.Handle | None = None
        self._hurried = False
        self._blocked = False
        self._received = received
        private: Any = self._client
        # There is no hook. A paho without this method would call neither, and read as it does.
        original = getattr(private, "_handle_publish", None)
        self._paho_publish = cast("Callable[[], MQTTErrorCode]", original)
        private._handle_publish = self._publish_read  # noqa: SLF001

    def send(self, message: Message) -> None:
        """Hand one message to paho.

        Raises:
            LocalProtocolError: a property is too long or not UTF-8.
        """
        packed = pack(message)
        if not self._hurried:
            self._hurried = True
            self._schedule(self._loop.call_soon(self._write))
        sent = self._client.publish(
            message.topic,
            message.payload,
            message.qos,
            message.retain,
            _Packed(packed) if packed else None,
        )
        if not self.under_way:
            self.idle.clear()
            self._heard_at = self._loop.time()
            if self._alarm is None:
                self._alarm = self._loop.call_later(self._timeout_s, self._ring)
        self.under_way[sent.mid] = None

    def drop(self) -> None:
        """Give up what is under way: it is lost."""
        self.under_way.clear()
        self.idle.set()
        if self._alarm is not None:
            self._alarm.cancel()

    def _ring(self) -> None:
        self._alarm = None
        left_s = self._heard_at + self._timeout_s - self._loop.time()
        if self.under_way and left_s <= 0:
            self._silent()
        elif self.under_way:
            self._alarm = self._loop.call_later(left_s, self._ring)

    def _publish_read(self) -> MQTTErrorCode:
        """Take a PUBLISH packet that paho has read whole, and acknowledge it."""
        private: Any = self._client
        packet = private._in_packet  # noqa: SLF001 - where paho has it
        found = read(packet["command"], bytes(packet["packet"]))
        if found is None:
            return self._paho_publish()
        packet_id, message = found
        self._received(message)
        if not message.qos:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        acknowledged: MQTTErrorCode = private._send_puback(packet_id)  # noqa: SLF001 - as paho does
        return acknowledged

    def _on_publish(
        self,
        client: paho.Client,  # noqa: ARG002 - aiomqtt's signature
        userdata: object,  # noqa: ARG002
        mid: int,
        reason_code: ReasonCode,  # noqa: ARG002
        properties: Properties,  # noqa: ARG002
    ) -> None:
        self._heard_at = self._loop.time()
        self.under_way.pop(mid, None)
        if not self.under_way:
            self.idle.set()

    def _on_socket_open(self, client: paho.Client, userdata: object, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client._sock = buffered = BufferedSocket(sock)  # noqa: SLF001 - nothing was read yet
        super()._on_socket_open(client, userdata, buffered)

    def _on_socket_close(self, client: paho.Client, userdata: object, sock: socket.socket) -> None:
        if self._blocked:
            self._loop.remove_writer(sock.fileno())
        super()._on_socket_close(client, userdata, sock)

    def _on_socket_register_write(
        self, client: paho.Client, userdata: object, sock: socket.socket
    ) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # the thread that connects
            super()._on_socket_register_write(client, userdata, sock)
        else:
            if not self._hurried:
                self._schedule(self._loop.call_later(ACK_AFTER_S, self._write))

    def _schedule(self, writing: asyncio.Handle) -> None:
        if self._writing is not None:
            self._writing.cancel()
        self._writing = writing

    def _write(self) -> None:
        self._writing, self._hurried = None, False
        sock = cast("BufferedSocket | None", self._client.socket())
        if sock is None:
            return
        sock.gather()
        self._client.loop_write()
        blocked = self._client.want_write()
        with contextlib.suppress(OSError):  # whoever reads finds out
            blocked |= not sock.flush()
        if self._client.socket() is not sock:
            return
        if blocked:
            self._loop.add_writer(sock.fileno(), self._write)
        elif self._blocked:
            self._loop.remove_writer(sock.fileno())
        self._blocked = blocked


def _bounds() -> Properties:
    """Tell the broker to keep from us what is larger than anything we read (MQTT 5, 3.1.2.11)."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = MAX_PACKET_BYTES
    return properties


class _Packed(Properties):
    """Properties that are bytes already; see `mqtt_properties`."""

    def __init__(self, packed: bytes) -> None:
        # paho's own `__setattr__` takes the names of MQTT properties only.
        object.__setattr__(self, "packed", packed)

    def pack(self) -> bytes:
        packed: bytes = self.__dict__["packed"]
        return packed
