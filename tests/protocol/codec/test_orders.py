"""Requests that no orchestrator of ours wrote, and what our own carry."""

import json
from dataclasses import replace

import pytest

from protocol.codec import Form, RequestError, decode_order, encode_order, encode_plain_offer
from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Hello,
    Offer,
    Prefetch,
    Query,
    Refuse,
    Release,
    Renew,
)
from protocol.transport import Message
from protocol.types import Effect
from tests.protocol.examples import LAPTOP, OFFER, ORDERS, REPLY_TO


def send(order, **options):
    return encode_order(order, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c-1", **options)


def sent(parts, *, method="SendMessage", **fields):
    """Return the request for a message that a client without our extension sends."""
    said = {"messageId": "m-1", "taskId": "t-1", "contextId": "x-1", "role": "ROLE_USER"}
    return called(method, {"message": {**said, **fields, "parts": parts}})


def called(method, params, request_id=5):
    body = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}
    return arrived(json.dumps(body).encode())


def arrived(payload):
    return decode_order(Message("t", payload, response_topic=REPLY_TO, correlation=b"c-1"))


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_an_order_on_one_attempt_is_named_by_the_attempt(order):
    request = decode_order(send(order))

    expected = {
        Offer: "a-1",
        Cancel: "a-1",
        Query: "a-1",
        Answer: "a-1",
        Hello: b"c-1".hex(),
        Refuse: b"c-1".hex(),
        Renew: None,
        Drain: None,
        Release: None,
        Prefetch: None,
    }
    assert request.request_id == expected[type(order)]


@pytest.mark.parametrize(
    ("order", "form"),
    [(OFFER, Form.STREAM), (Query("a-1"), Form.TASK), (Cancel("a-1", "r-1", 3), Form.TASK)],
)
def test_the_form_of_the_answer_follows_the_method(order, form):
    assert decode_order(send(order)).form is form


def test_a_request_id_of_the_callers_choice_is_kept():
    assert decode_order(send(OFFER, request_id="q-7")).request_id == "q-7"
    assert decode_order(send(Drain(on=False), request_id="q-7")).request_id is None


def test_an_offer_without_our_terms_gets_the_careful_defaults():
    request = sent([{"data": {"skill": "text.count", "args": {"path": "x"}}}])

    assert request.order == Offer(
        attempt="t-1",
        run="x-1",
        task="t-1",
        number=1,
        epoch=0,
        token=0,
        ttl_s=300.0,
        skill="text.count",
        args={"path": "x"},
        effect=Effect.ONCE,
    )
    assert (request.form, request.request_id) == (Form.MESSAGE, 5)


def test_an_offer_without_ids_takes_them_from_its_message():
    order = sent([{"text": "hi"}], taskId="", contextId="").order

    assert (order.attempt, order.run) == ("m-1", "m-1")


def test_an_offer_that_names_nothing_is_refused():
    with pytest.raises(RequestError, match="neither taskId nor messageId") as caught:
        sent([{"text": "hi"}], taskId="", messageId="")

    assert (caught.value.refused.code, caught.value.request_id) == (-32602, 5)


@pytest.mark.parametrize(
    ("parts", "skill", "args"),
    [
        ([{"text": "count the lines"}], "", {"text": "count the lines"}),
        ([{"text": "count "}, {"text": "them"}], "", {"text": "count them"}),
        ([{"text": '{"skill": "wc", "args": {"n": 1}}'}], "wc", {"n": 1}),
        ([{"text": '{"skill": "wc"}'}], "wc", {}),
        ([{"text": '{"skill": 1}'}], "", {"text": '{"skill": 1}'}),
        ([{"text": "{not json"}], "", {"text": "{not json"}),
        ([{"text": '{"skill": "wc", "args": {"n": 1e999}}'}], "", None),
        ([{"text": "please"}, {"data": {"skill": "wc", "args": {}}}], "wc", {}),
        ([{"data": {"path": "x"}}], "", {"path": "x"}),
        ([{"data": [1]}], "", {"text": [1]}),
        ([{"text": "see"}, {"url": "http://x"}], "", {"text": ["see", {"url": "http://x"}]}),
        ([], "", {"text": ""}),
    ],
)
def test_the_skill_is_read_from_data_or_json_text_else_left_open(parts, skill, args):
    order = sent(parts).order

    assert order.skill == skill
    assert order.args == (args if args is not None else {"text": parts[0]["text"]})


def test_arguments_that_are_no_object_are_refused():
    with pytest.raises(RequestError, match="args: not an object") as caught:
        sent([{"data": {"skill": "wc", "args": [1]}}])

    assert caught.value.refused.code == -32602


def test_a_cancel_of_a_plain_client_names_no_run():
    assert called("CancelTask", {"id": "t-1"}).order == Cancel("t-1", "", 0)


@pytest.mark.parametrize(
    ("payload", "code", "request_id"),
    [
        (b"", -32700, None),
        (b"{", -32700, None),
        (b"[]", -32600, None),
        (b"{}", -32600, None),
        (b'{"jsonrpc":"1.0","id":1,"method":"GetTask","params":{"id":"t"}}', -32600, 1),
        (b'{"jsonrpc":"2.0","id":true,"method":7}', -32600, None),
        (b'{"jsonrpc":"2.0","id":"q","method":"ListTasks","params":{}}', -32601, "q"),
        (b'{"jsonrpc":"2.0","id":"q","method":"GetTask","params":{}}', -32602, "q"),
        (b'{"jsonrpc":"2.0","id":"q","method":"GetTask"}', -32602, "q"),
        (b'{"jsonrpc":"2.0","id":1,"method":"muster/refuse","params":{"epochs":{}}}', -32602, 1),
    ],
)
def test_a_bad_request_is_answered_with_its_json_rpc_error(payload, code, request_id):
    with pytest.raises(RequestError) as caught:
        arrived(payload)

    assert (caught.value.refused.code, caught.value.request_id) == (code, request_id)


@pytest.mark.parametrize("epoch", [-1, 2**63])
def test_an_epoch_that_no_ledger_could_hold_is_refused(epoch):
    with pytest.raises(RequestError, match="an epoch is out of range"):
        called("muster/hello", {"coordinator": "c", "epochs": {"r-1": epoch}})


def test_a_request_too_large_to_read_is_an_invalid_one():
    with pytest.raises(RequestError) as caught:
        arrived(b'"' + b"x" * (1 << 20) + b'"')

    assert caught.value.refused.code == -32600


def test_a_plain_offer_says_its_text_first_and_its_skill_after():
    message = encode_plain_offer(OFFER, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c")
    said = json.loads(message.payload)["params"]["message"]

    assert json.loads(said["parts"][0]["text"]) == OFFER.args
    assert said["parts"][1] == {"data": {"skill": OFFER.skill, "args": OFFER.args}}
    assert "metadata" not in said
    assert "extensions" not in said


def test_a_plain_offer_of_text_says_just_that():
    offer = replace(OFFER, args={"text": "hello"})

    message = encode_plain_offer(offer, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c")

    assert json.loads(message.payload)["params"]["message"]["parts"][0] == {"text": "hello"}
