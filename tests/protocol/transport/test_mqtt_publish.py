"""Incoming PUBLISH packets, compared with how paho reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt._packet import decode_publish
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.properties import MalformedPacket

from protocol.transport import Message
from protocol.transport.mqtt_properties import pack
from protocol.transport.mqtt_publish import read

ID = 0x0102
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=9
)
messages = st.builds(
    Message,
    texts,
    st.binary(max_size=300),
    st.sampled_from([0, 1]),
    st.booleans(),
    st.none() | texts,
    st.none() | st.binary(max_size=300),
    st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    st.none() | texts,
)


def packet(message, properties=None):
    """Return the first byte, and what follows the length."""
    topic = message.topic.encode()
    packet_id = ID.to_bytes(2, "big") if message.qos else b""
    packed = (pack(message) or b"\0") if properties is None else properties
    body = len(topic).to_bytes(2, "big") + topic + packet_id + packed + message.payload
    return 0x30 | message.qos << 1 | message.retain, body


def as_paho_reads(flags, body):
    """Return the same as `read`, by paho; None where it refuses the packet."""
    try:
        found = decode_publish(flags, body, MQTTProtocolVersion.MQTTv5)
        topic = found.topic.decode()
    except (MalformedPacket, UnicodeDecodeError):
        return None
    named = vars(found.properties)
    return found.mid, Message(
        topic,
        found.payload,
        found.qos,
        found.retain,
        named.get("ResponseTopic"),
        named.get("CorrelationData"),
        tuple(named.get("UserProperty", ())),
        named.get("ContentType"),
    )


@given(messages)
def test_message_is_read_as_it_was_sent(message):
    assert read(*packet(message)) == (ID if message.qos else 0, message)


@given(messages, st.data())
def test_whatever_is_read_of_a_damaged_packet_paho_reads_too(message, data):
    flags, body = packet(message)
    damaged = bytearray(body[: data.draw(st.integers(0, len(body)))])
    for at in data.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=3)):
        damaged[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
    found = read(flags, bytes(damaged))

    assert found is None or found == as_paho_reads(flags, bytes(damaged))


KIND = b"\x03\0\1k"


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param(b"\x02\x01\x01", id="a property that nobody here reads"),
        pytest.param(b"\x05\x16\0\2ab", id="a property of other packets"),
        pytest.param(b"\x08" + KIND + KIND, id="one twice"),
        pytest.param(b"\x04\x03\0\1\0", id="a character that MQTT forbids"),
        pytest.param(b"\x04\x03\0\1\xff", id="not UTF-8"),
        pytest.param(b"\x03" + KIND, id="more than their length says"),
        pytest.param(b"\x80\x80\x80\x80\x01", id="a length of five bytes"),
    ],
)
def test_what_is_rare_or_malformed_is_left_to_paho(properties):
    assert read(*packet(Message("home/door", b""), properties)) is None


def test_qos_2_is_left_to_paho():
    assert read(*packet(Message("home/door", b"open", qos=2))) is None


def test_packet_that_is_cut_off_is_left_to_paho():
    flags, body = packet(Message("home/door", b"", correlation=b"1", properties=(("a", "b"),)))

    assert [read(flags, body[:length]) for length in range(len(body))] == [None] * len(body)
