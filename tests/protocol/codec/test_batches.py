"""Several requests or responses in one message."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import (
    MAX_PAYLOAD_BYTES,
    Batches,
    PartialOutputs,
    Request,
    decode_orders,
    decode_reply,
    encode_order,
    encode_reply,
    split,
)
from protocol.codec.batches import MAX_BATCH_BYTES, MAX_ELEMENTS, join
from protocol.errors import RemoteProtocolError
from protocol.messages import Query
from protocol.transport import Message
from tests.protocol import examples
from tests.protocol.examples import LAPTOP, OFFER, REPLY_TO


def sent(order, number=0):
    return encode_order(order, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c-%d" % number)


def arrived(payload):
    return list(decode_orders(Message("t", payload, response_topic=REPLY_TO, correlation=b"c")))


def small(number, topic="t"):
    return Message(topic, b"%d" % number, correlation=b"c-%d" % number)


@pytest.fixture
def published():
    return []


@pytest.fixture
def batches(published):
    return Batches(published.append)


@given(st.lists(examples.orders, min_size=1, max_size=8))
def test_every_order_of_a_batch_comes_back_as_it_was(orders):
    batch = join([sent(order, number) for number, order in enumerate(orders)])

    requests = list(decode_orders(batch))

    assert [request.order for request in requests] == orders
    assert {(each.reply_to, each.correlation) for each in requests} == {(REPLY_TO, b"c-0")}


@given(st.lists(examples.replies, min_size=1, max_size=8))
def test_every_reply_of_a_batch_comes_back_as_it_was(replies):
    told = [encode_reply(each, to="t", correlation=b"c", request_id="q") for each in replies]

    elements = split(join(told))

    assert [decode_reply(each, PartialOutputs()) for each in elements] == replies


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40_000)), max_size=200))
def test_whatever_is_gathered_arrives_in_the_order_of_each_topic_and_within_bounds(given_):
    published = []
    batches = Batches(published.append)
    messages = [Message(topic, b"1" * max(1, size)) for topic, size in given_]
    for message in messages:
        batches.add(message)
    batches.flush()

    for topic in "ab":
        elements = [
            each
            for message in published
            if message.topic == topic
            for each in message.payload.strip(b"[]").split(b",")
        ]
        assert elements == [each.payload for each in messages if each.topic == topic]
    for message in published:
        assert message.payload.count(b",") < MAX_ELEMENTS
        assert len(message.payload) <= MAX_BATCH_BYTES or b"," not in message.payload


def test_what_is_gathered_leaves_with_the_flush_as_one_message_a_topic(batches, published):
    for number, topic in enumerate(["a", "b", "a"]):
        batches.add(small(number, topic))
    assert published == []
    batches.flush()
    batches.flush()

    assert published == [replace(small(0, "a"), payload=b"[0,2]"), small(1, "b")]


def test_a_message_on_its_own_comes_after_what_was_gathered(batches, published):
    batches.add(small(1))
    batches.send(small(2))
    batches.add(small(3))
    batches.flush()

    assert published == [small(1), small(2), small(3)]


def test_a_batch_is_sent_when_it_has_as_many_elements_as_anybody_reads(batches, published):
    for number in range(MAX_ELEMENTS + 1):
        batches.add(small(number))
    batches.flush()

    assert [len(split(message)) for message in published] == [MAX_ELEMENTS, 1]


def test_a_large_message_goes_alone(batches, published):
    large = Message("t", b"1" * MAX_BATCH_BYTES)
    for message in (small(1), large, small(2)):
        batches.add(message)
    batches.flush()

    assert published == [small(1), large, small(2)]


def test_space_before_a_batch_changes_nothing():
    assert [each.payload for each in split(Message("t", b" \r\n\t[1, {}]"))] == [b"1", b"{}"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"[]", -32600),
        (b"[" + b",".join([b"{}"] * 10_000) + b"]", -32600),
        (b"[" + b",".join([b"{}"] * (MAX_ELEMENTS + 1)) + b"]", -32600),
        (b"[" * 10_000, -32700),
        (b'[{"id": 1}', -32700),
        (b"[" + b" " * MAX_PAYLOAD_BYTES + b"]", -32600),
    ],
    ids=["empty", "10,000 elements", "one too many", "deep", "cut off", "too large"],
)
def test_a_batch_that_nobody_reads_is_one_error(payload, code):
    (error,) = arrived(payload)

    assert error.refused.code == code
    assert error.request_id is None
    with pytest.raises(RemoteProtocolError):
        split(Message("t", payload))


def test_each_bad_element_is_its_own_error_and_the_others_are_read():
    query = sent(Query("a-1")).payload
    elements = [b"[%b]" % query, query, b"7", b'{"id": 5, "jsonrpc": "2.0", "method": "x"}', query]

    nested, first, number, unknown, last = arrived(b"[%b]" % b",".join(elements))

    assert isinstance(first, Request)
    assert first == last
    assert (nested.refused.code, number.refused.code) == (-32600, -32600)
    assert (unknown.refused.code, unknown.request_id) == (-32601, 5)


def test_a_number_without_a_value_spoils_its_own_element_only():
    offer = sent(OFFER).payload

    bad, good = arrived(b"[%b,%b]" % (offer.replace(b"100", b"1e999"), offer))

    assert bad.refused.code == -32602
    assert good.order == OFFER


@given(st.binary(max_size=100))
def test_any_bytes_in_an_array_are_read_or_refused(noise):
    arrived(b"[" + noise + b"]")
