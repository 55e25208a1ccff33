"""What a device says, as messages: its card, heartbeats and replies. A part of the shell.

What cannot be sent is dropped: what matters is kept by the session, and said again when asked for.
"""

from dataclasses import replace

from agents.actions import Say
from protocol import telemetry
from protocol.codec import (
    Batches,
    Request,
    RequestError,
    encode_card,
    encode_heartbeat,
    encode_refusal,
    encode_reply,
)
from protocol.codec.cards import Source, Status
from protocol.errors import LocalProtocolError, NotConnectedError, QueueFullError
from protocol.messages import Heartbeat, Held, Phase, Reply, Report
from protocol.telemetry import Level
from protocol.topics import Address
from protocol.transport import Message, Transport
from protocol.types import DeviceCard, Failed, FailureKind


class Sending:
    """The words of one device on their way out.

    Args:
        card: the device.
        address: where it is called.
        transport: its connection.
    """

    def __init__(self, card: DeviceCard, address: Address, transport: Transport) -> None:
        self._card = card
        self._address = address
        self._transport = transport
        self._replies = Batches(self._publish)
        self._left = False

    def card(self, status: Status, source: Source) -> Message:
        """Return the card as a message."""
        return encode_card(self._card, address=self._address, status=status, source=source)

    def beat(self, heartbeat: Heartbeat, *, announces: bool) -> None:
        """Say that it is there, what it holds, and, if it `announces`, who it is."""
        if self._left:
            return
        if announces:
            self._publish(self.card("online", "agent"))
        self._publish(encode_heartbeat(heartbeat, self._address))

    def sign_off(self) -> None:
        """Say that it is gone. Results may follow, but no word of being there."""
        self._left = True
        self._publish(self.card("offline", "agent"))

    def reply(self, say: Say) -> None:
        """Answer a request: at the next `flush`, or before."""
        # Whoever said hello knows the answer by its correlation.
        gathers = say.to.extension and not isinstance(say.reply, Held)
        send = self._replies.add if gathers else self._replies.send
        send(encoded(say.reply, say.to))

    def refuse(self, message: Message, error: RequestError) -> None:
        """Answer a request that makes no sense, if it says how."""
        if refusal := encode_refusal(error, message):
            self._publish(refusal)

    def flush(self) -> None:
        """Send the replies so far."""
        self._replies.flush()

    def _publish(self, message: Message) -> None:
        """Send, or do not: a reply address that no broker takes is the caller's own loss."""
        try:
            self._transport.publish(message)
        except (NotConnectedError, QueueFullError, LocalProtocolError) as error:
            telemetry.write(
                Level.DEBUG,
                "unsent",
                device=str(self._address),
                topic=message.topic,
                reason=str(error),
            )


def encoded(reply: Reply, to: Request) -> Message:
    """Write a reply to a request."""
    try:
        return _encoded(reply, to)
    except LocalProtocolError as error:
        # A skill that bypasses the output check: its coordinator still learns that it is over.
        if not (isinstance(reply, Report) and reply.phase is Phase.FINISHED):
            raise
        return _encoded(replace(reply, outcome=Failed(FailureKind.BAD_OUTPUT, str(error))), to)


def _encoded(reply: Reply, to: Request) -> Message:
    return encode_reply(
        reply,
        to=to.reply_to,
        correlation=to.correlation,
        request_id=to.request_id,
        form=to.form,
    )
