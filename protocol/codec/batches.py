"""Several requests to one agent, or several responses, as one message: a JSON-RPC 2.0 batch.

An array on a topic means what its elements mean, one message each, in this order; a lone element
is never wrapped. The array has the response topic and the correlation of its first element;
responses are told apart by their JSON-RPC ids. Who announces our extension, or asks with it, reads
arrays; nobody else is sent one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic_core import from_json, to_json

from protocol.codec.jsonrpc import bounded
from protocol.errors import RemoteProtocolError
from protocol.transport import Message

MAX_ELEMENTS: Final = 64  # four devices' credit; so few errors are owed for a hostile array
MAX_BATCH_BYTES: Final = 64 << 10  # larger things do not wait for one another


@dataclass(slots=True)
class _Batch:
    messages: list[Message]
    payload_bytes: int


class Batches:
    """Gathers messages until `flush`, then sends those to one topic as one; keeps their order."""

    def __init__(self, publish: Callable[[Message], None]) -> None:
        self._publish = publish
        self._gathered: dict[str, _Batch] = {}

    def add(self, message: Message) -> None:
        """Take a message with one JSON-RPC object, whose publishing may not raise."""
        batch = self._gathered.get(message.topic)
        payload_bytes = len(message.payload) + 1  # and a comma or a bracket
        if batch is None:
            self._gathered[message.topic] = _Batch([message], payload_bytes)
        elif (
            len(batch.messages) < MAX_ELEMENTS
            and batch.payload_bytes + payload_bytes < MAX_BATCH_BYTES
        ):
            batch.messages.append(message)
            batch.payload_bytes += payload_bytes
        else:
            self._publish(join(batch.messages))
            batch.messages, batch.payload_bytes = [message], payload_bytes

    def flush(self) -> None:
        """Send what was gathered."""
        gathered, self._gathered = self._gathered, {}
        for batch in gathered.values():
            self._publish(join(batch.messages))

    def send(self, message: Message) -> None:
        """Send a message on its own, after what was gathered."""
        self.flush()
        self._publish(message)


def join(messages: Sequence[Message]) -> Message:
    """Make one message of one or more to the same topic."""
    first = messages[0]
    if len(messages) == 1:
        return first
    return replace(first, payload=b"[%b]" % b",".join(each.payload for each in messages))


def split(message: Message) -> Sequence[Message]:
    """Return the elements of a batch as messages; any other message is its own only element.

    Raises:
        RemoteProtocolError: the array is not JSON, too large, empty, or of too many elements.
    """
    if not message.payload.lstrip(b" \t\r\n").startswith(b"["):
        return (message,)
    bounded(message.payload)
    try:
        elements = from_json(message.payload)
    except ValueError as error:
        raise RemoteProtocolError(f"not JSON: {error}") from error
    if not 0 < len(elements) <= MAX_ELEMENTS:
        raise RemoteProtocolError(
            f"{len(elements)} elements in one batch; from 1 to {MAX_ELEMENTS} are read"
        )
    return [replace(message, payload=to_json(each)) for each in elements]
