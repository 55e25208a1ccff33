"""The numbers of questions on the wire, and peers that know nothing of them."""

import json
from dataclasses import replace

import pytest

from protocol.codec import (
    PartialOutputs,
    RequestError,
    decode_event,
    decode_order,
    decode_reply,
    encode_heartbeat,
    encode_order,
    encode_reply,
)
from protocol.errors import RemoteProtocolError
from protocol.extension import EXTENSION_URI
from protocol.messages import Answer, Heartbeat, Phase, Report
from protocol.topics import Address
from protocol.types import Load
from tests.protocol.examples import HEARTBEAT

PHONE = Address("muster", "default", "laptop")
TO = "$a2a/v1/reply/muster/default/c/laptop"


def order(question):
    return encode_order(
        Answer("a", "r", 1, "yes", question), to=PHONE, reply_to=TO, correlation=b"c"
    )


def reply(question):
    report = Report("a", Phase.INPUT_REQUIRED, "r", "i", note="which?", question=question)
    return encode_reply(report, to=TO, correlation=b"c", request_id="a")


def changed(message, **terms):
    """Return a message with other terms of the extension; None takes one out."""
    body = json.loads(message.payload)
    said = body["params"]["message"] if "params" in body else body["result"]["statusUpdate"]
    merged = said["metadata"][EXTENSION_URI] | terms
    said["metadata"][EXTENSION_URI] = {k: v for k, v in merged.items() if v is not None}
    return replace(message, payload=json.dumps(body).encode())


@pytest.mark.parametrize("number", [0, 1, 7])
def test_a_question_and_its_answer_have_the_same_number(number):
    assert decode_order(order(number)).order.question == number
    assert decode_reply(reply(number), PartialOutputs()).question == number


def test_what_has_no_number_does_not_say_so():
    assert b"question" not in order(0).payload
    assert b"question" not in reply(0).payload


def test_peers_that_give_no_numbers_are_read():
    assert decode_order(changed(order(3), question=None)).order.question == 0
    assert decode_reply(changed(reply(3), question=None), PartialOutputs()).question == 0
    said = json.loads(encode_heartbeat(HEARTBEAT, PHONE).payload)
    del said["params"]["asking"]
    older = replace(encode_heartbeat(HEARTBEAT, PHONE), payload=json.dumps(said).encode())
    assert decode_event(older) == replace(HEARTBEAT, asking={})


@pytest.mark.parametrize("number", [-1, 2**63, "one"])
def test_a_number_that_no_question_has_is_malformed(number):
    with pytest.raises(RequestError):
        decode_order(changed(order(1), question=number))
    with pytest.raises(RemoteProtocolError):
        decode_reply(changed(reply(1), question=number), PartialOutputs())


def test_a_heartbeat_names_open_questions():
    said = Heartbeat("laptop", "i", Load(), ("a",), asking={"a": 2})
    assert decode_event(encode_heartbeat(said, PHONE)).asking == {"a": 2}
