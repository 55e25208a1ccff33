"""MQTT topic filters: which topic each matches, and what can be published (MQTT 5, 4.7)."""

from protocol.errors import LocalProtocolError
from protocol.transport import Message

MAX_TOPIC_BYTES = 65_535  # a two-byte length goes before each string on the wire
MAX_PAYLOAD_BYTES = 268_435_455 - 2 * MAX_TOPIC_BYTES  # the largest packet, less room for the rest

MAX_PACKET_BYTES = 2 * 2**20  # what a peer takes at once: twice the largest payload of the codec


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether `topic_filter` (without its `$share/{group}/`) selects `topic`.

    A wildcard in the first level does not match topics that start with `$`.
    """
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    if wanted[-1] == "#":
        del wanted[-1]
        if len(levels) < len(wanted):
            return False
        del levels[len(wanted) :]
    return len(wanted) == len(levels) and all(
        want in {"+", level} for want, level in zip(wanted, levels, strict=True)
    )


def is_shared(topic_filter: str) -> bool:
    """Return whether this is `$share/{group}/{filter}`."""
    return topic_filter.startswith("$share/")


def without_share(topic_filter: str) -> str:
    """Return the filter inside `$share/{group}/{filter}`."""
    return topic_filter.split("/", 2)[2]


def check_publishable(message: Message) -> None:
    """Refuse what no broker would take, before it is queued.

    Raises:
        LocalProtocolError: the topic is empty, too long or a filter, or the payload too large.
    """
    topic = message.topic
    if not topic or "+" in topic or "#" in topic or "\0" in topic:
        raise LocalProtocolError(f"cannot publish to {topic!r}: not a topic name")
    if len(topic.encode()) > MAX_TOPIC_BYTES:
        raise LocalProtocolError(f"cannot publish to {topic[:40]!r}…: the topic is too long")
    if len(message.payload) > MAX_PAYLOAD_BYTES:
        raise LocalProtocolError(f"cannot publish {len(message.payload)} bytes to {topic!r}")
