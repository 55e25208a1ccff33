"""Packing of properties, compared with paho's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocol.errors import LocalProtocolError
from protocol.transport import Message
from protocol.transport.mqtt_properties import pack

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"))
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)


@given(st.none() | texts, st.none() | st.binary(), pairs, st.none() | texts)
def test_properties_are_packed_as_paho_reads_them(response_topic, correlation, user, kind):
    message = Message(
        "home/door",
        b"",
        response_topic=response_topic,
        correlation=correlation,
        properties=user,
        content_type=kind,
    )
    packed = pack(message)
    read = Properties(PacketTypes.PUBLISH)
    if packed:
        _, length = read.unpack(packed)
        assert length == len(packed)

    assert getattr(read, "ResponseTopic", None) == response_topic
    assert getattr(read, "CorrelationData", None) == correlation
    assert tuple(getattr(read, "UserProperty", ())) == user
    assert getattr(read, "ContentType", None) == kind


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 65_535])
def test_properties_of_any_length_are_packed(size):
    packed = pack(Message("home/door", b"", correlation=b"x" * size))
    read = Properties(PacketTypes.PUBLISH)
    read.unpack(packed)

    assert len(read.CorrelationData) == size


@pytest.mark.parametrize(
    "message",
    [
        Message("home/door", b"", correlation=b"x" * 65_536),
        Message("home/door", b"", response_topic="\ud800"),
    ],
)
def test_property_that_mqtt_cannot_carry_is_refused(message):
    with pytest.raises(LocalProtocolError, match="a property for home/door cannot be sent"):
        pack(message)
