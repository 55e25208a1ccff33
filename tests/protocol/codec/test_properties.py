"""What holds for every message and for all bytes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from protocol.codec import (
    MAX_PAYLOAD_BYTES,
    Form,
    PartialOutputs,
    decode_card,
    decode_event,
    decode_order,
    decode_reply,
    encode_card,
    encode_heartbeat,
    encode_order,
    encode_reply,
)
from protocol.errors import RemoteProtocolError
from protocol.topics import discovery, event
from protocol.transport import Message
from tests.protocol import examples
from tests.protocol.examples import LAPTOP, REPLY_TO

READERS = (
    decode_order,
    lambda message: decode_reply(message, PartialOutputs()),
    lambda message: decode_card(Message(discovery(LAPTOP), message.payload)),
    lambda message: decode_event(Message(event(LAPTOP), message.payload)),
)


@given(examples.orders)
def test_every_order_comes_back_as_it_was(order):
    message = encode_order(order, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c-1")

    request = decode_order(message)

    assert request.order == order
    assert (request.reply_to, request.correlation) == (REPLY_TO, b"c-1")


@given(examples.replies, st.sampled_from(Form))
def test_every_reply_comes_back_as_it_was(reply, form):
    message = encode_reply(reply, to=REPLY_TO, correlation=b"c", request_id="q", form=form)

    assert decode_reply(message, PartialOutputs()) == reply


@given(examples.cards)
def test_every_card_comes_back_as_it_was(card):
    announcement = decode_card(encode_card(card, address=LAPTOP))

    assert announcement.card == card
    assert announcement.address == LAPTOP


@given(examples.heartbeats)
def test_every_heartbeat_comes_back_as_it_was(heartbeat):
    assert decode_event(encode_heartbeat(heartbeat, LAPTOP)) == heartbeat


def _read_all(payload):
    message = Message("t", payload, response_topic=REPLY_TO, correlation=b"c")
    for read in READERS:
        with suppress(RemoteProtocolError):
            read(message)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload):
    _read_all(payload)


@given(examples.values)
def test_any_json_is_read_or_refused(value):
    _read_all(to_json(value))


def _encoded():
    send = {"to": LAPTOP, "reply_to": REPLY_TO, "correlation": b"c"}
    answer = {"to": REPLY_TO, "correlation": b"c", "request_id": "q"}
    yield from (encode_order(order, **send) for order in examples.ORDERS)
    yield from (encode_reply(reply, **answer) for reply in examples.REPLIES)
    yield encode_card(examples.CARD, address=LAPTOP)
    yield encode_heartbeat(examples.HEARTBEAT, LAPTOP)


BODIES = [from_json(message.payload) for message in _encoded()]


def _mutate(draw, value):
    """Replace something inside a JSON value by something else."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: _mutate(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _mutate(draw, value[place]), *value[place + 1 :]]
    return draw(examples.values)


@pytest.mark.timeout(60)
@given(st.data())
def test_a_message_with_any_field_replaced_is_read_or_refused(data):
    body = data.draw(st.sampled_from(BODIES))

    _read_all(to_json(_mutate(data.draw, body)))


@pytest.mark.parametrize(
    "planted",
    [b"NaN", b"-Infinity", b"1e999", b"1" * 400, b"1" * 5000, b"[" * 5000, b'"\\ud800"', b"\xff"],
    ids=["nan", "infinity", "overflow", "huge", "endless", "deep", "surrogate", "utf-8"],
)
def test_a_hostile_value_in_any_field_is_read_or_refused(planted):
    for body in BODIES:
        for place in _places(body):
            _read_all(to_json(_planted(body, place)).replace(b'"PLANTED"', planted))


def _places(value, at=()):
    yield at
    steps = (
        value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    )
    for step in steps:
        yield from _places(value[step], (*at, step))


def _planted(value, place):
    if not place:
        return "PLANTED"
    step, *rest = place
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = _planted(value[step], rest)
    return copy


def test_a_payload_over_the_bound_is_refused_unread():
    message = Message("t", b" " * MAX_PAYLOAD_BYTES + b"{}", response_topic="r", correlation=b"c")

    for read in READERS:
        with pytest.raises(RemoteProtocolError, match="at most"):
            read(message)
