"""Core conformance of "A2A over MQTT" 0.1, as far as messages and topics can prove it.

One test a clause, grouped by the profile's sections. What takes time or a connection (subscribe
before publishing, time limits, retries) is proved where the connection is.
"""

import json
import re
from dataclasses import replace

import pytest

from protocol import topics
from protocol.codec import (
    ErrorCode,
    Form,
    PartialOutputs,
    RequestError,
    clear_card,
    decode_card,
    decode_order,
    decode_reply,
    encode_card,
    encode_heartbeat,
    encode_order,
    encode_reply,
)
from protocol.messages import Phase, Refused, Report
from protocol.topics import Address
from protocol.transport import Message
from tests.protocol.examples import (
    CARD,
    COORDINATOR,
    FINISHED,
    HEARTBEAT,
    LAPTOP,
    OFFER,
    ORDERS,
    OUTCOMES,
    REPLIES,
    REPLY_TO,
    REPORTS,
)


def send(order, correlation=b"c-1"):
    return encode_order(order, to=LAPTOP, reply_to=REPLY_TO, correlation=correlation)


def answer(reply, **options):
    request = {"to": REPLY_TO, "correlation": b"c-1", "request_id": "q", **options}
    return encode_reply(reply, **request)


def result(message):
    return json.loads(message.payload)["result"]


# Topic model, identifiers, client session


def test_the_four_topics_are_the_profiles():
    assert topics.discovery(LAPTOP) == "$a2a/v1/discovery/acme/lab/laptop"
    assert topics.request(LAPTOP) == "$a2a/v1/request/acme/lab/laptop"
    assert topics.event(LAPTOP) == "$a2a/v1/event/acme/lab/laptop"
    assert topics.reply(COORDINATOR, "laptop") == "$a2a/v1/reply/acme/lab/coordinator/laptop"


def test_identifiers_have_the_profiles_alphabet():
    assert Address("Az09", "_.-", "x")


def test_the_client_id_is_org_unit_agent():
    assert str(LAPTOP) == "acme/lab/laptop"


@pytest.mark.parametrize(
    "message",
    [*map(send, ORDERS), *map(answer, REPLIES), encode_heartbeat(HEARTBEAT, LAPTOP)],
    ids=repr,
)
def test_requests_replies_and_events_are_never_retained(message):
    assert not message.retain


# Discovery


def test_a_card_is_retained_at_qos_1_on_the_discovery_topic():
    message = encode_card(CARD, address=LAPTOP)

    assert (message.topic, message.retain, message.qos) == (topics.discovery(LAPTOP), True, 1)


@pytest.mark.parametrize(
    ("status", "source"), [("online", "agent"), ("offline", "agent"), ("offline", "lwt")]
)
def test_a_card_says_its_status_and_who_says_so(status, source):
    message = encode_card(CARD, address=LAPTOP, status=status, source=source)

    assert message.properties == (("a2a-status", status), ("a2a-status-source", source))


def test_the_last_will_is_the_same_card():
    will = encode_card(CARD, address=LAPTOP, status="offline", source="lwt")

    assert will.payload == encode_card(CARD, address=LAPTOP).payload


def test_an_agent_unregisters_by_clearing_its_retained_card():
    message = clear_card(LAPTOP)

    assert (message.topic, message.payload, message.retain) == (
        topics.discovery(LAPTOP),
        b"",
        True,
    )


def test_the_status_is_advisory_and_leaves_the_card_as_it_is():
    offline = encode_card(CARD, address=LAPTOP, status="offline", source="broker")

    assert decode_card(offline).card == CARD


def test_a_card_names_the_mqtt_binding_and_declares_the_extension_as_optional():
    body = json.loads(encode_card(CARD, address=LAPTOP).payload)

    assert body["supportedInterfaces"][0]["protocolBinding"] == "MQTTv5+JSONRPCv2"
    assert body["capabilities"]["extensions"][0]["required"] is False


def test_unknown_user_properties_are_ignored():
    message = replace(encode_card(CARD, address=LAPTOP), properties=(("a2a-new", "x"),))

    assert decode_card(message).card == CARD


# Request and reply


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_a_request_goes_at_qos_1_with_response_topic_and_correlation(order):
    message = send(order)

    assert (message.topic, message.qos) == (topics.request(LAPTOP), 1)
    assert (message.response_topic, message.correlation) == (REPLY_TO, b"c-1")


@pytest.mark.parametrize("reply", REPLIES, ids=repr)
def test_a_reply_goes_at_qos_1_to_the_response_topic_with_the_same_correlation(reply):
    message = answer(reply, correlation=b"\x00\xff")

    assert (message.topic, message.qos, message.correlation) == (REPLY_TO, 1, b"\x00\xff")


@pytest.mark.parametrize("gone", ["response_topic", "correlation"])
def test_a_request_without_its_reply_path_is_a_transport_protocol_error(gone):
    with pytest.raises(RequestError) as caught:
        decode_order(replace(send(OFFER), **{gone: None}))

    refused = caught.value.refused
    assert (refused.code, refused.name) == (-32005, "transport_protocol_error")


def test_the_requester_names_the_task_and_its_context():
    said = json.loads(send(OFFER).payload)["params"]["message"]

    assert (said["taskId"], said["contextId"]) == (OFFER.attempt, OFFER.run)


def test_a_retry_differs_in_its_correlation_alone():
    first, second = send(OFFER, b"c-1"), send(OFFER, b"c-2")

    assert replace(second, correlation=b"c-1") == first
    assert decode_order(first).order == decode_order(second).order


def test_the_json_rpc_id_is_echoed_with_its_type():
    assert json.loads(answer(FINISHED, request_id=7).payload)["id"] == 7
    assert json.loads(answer(FINISHED, request_id="7").payload)["id"] == "7"


def test_a_bearer_token_is_not_echoed():
    request = replace(send(OFFER), properties=(("a2a-authorization", "Bearer secret"),))

    reply = answer(FINISHED, correlation=decode_order(request).correlation)

    assert "secret" not in repr(reply)


# Streaming


@pytest.mark.parametrize("outcome", OUTCOMES, ids=repr)
def test_a_final_state_ends_the_stream_in_one_item(outcome):
    item = result(answer(replace(FINISHED, outcome=outcome)))

    assert re.fullmatch(
        "TASK_STATE_(COMPLETED|FAILED|CANCELED|REJECTED)", item["task"]["status"]["state"]
    )


@pytest.mark.parametrize("state", ["INPUT_REQUIRED", "AUTH_REQUIRED"])
def test_an_interrupted_task_is_not_finished(state):
    body = {"id": "q", "result": {"statusUpdate": {"taskId": "a-1", "status": {"state": ""}}}}
    body["result"]["statusUpdate"]["status"]["state"] = f"TASK_STATE_{state}"

    report = decode_reply(Message("t", json.dumps(body).encode()), PartialOutputs())

    assert report.phase is Phase.INPUT_REQUIRED


def test_an_answer_continues_the_same_task():
    said = json.loads(send(ORDERS[3]).payload)["params"]["message"]

    assert (said["taskId"], said["contextId"]) == (OFFER.attempt, OFFER.run)


def test_progress_is_a_status_update():
    assert list(result(answer(REPORTS[1]))) == ["statusUpdate"]


def test_a_stalled_stream_is_asked_for_by_get_task():
    body = json.loads(send(ORDERS[2]).payload)

    assert (body["method"], body["params"]) == ("GetTask", {"id": "a-1"})
    assert decode_order(send(ORDERS[2])).form is Form.TASK


# Events


def test_an_event_may_go_at_qos_0_outside_any_correlation():
    message = encode_heartbeat(HEARTBEAT, LAPTOP)

    assert (message.topic, message.qos, message.correlation) == (topics.event(LAPTOP), 0, None)


# Errors


@pytest.mark.parametrize(
    ("code", "number", "name"),
    [
        (ErrorCode.REQUEST_EXPIRED, -32003, "request_expired"),
        (ErrorCode.RESPONDER_UNAVAILABLE, -32004, "responder_unavailable"),
        (ErrorCode.TRANSPORT_PROTOCOL_ERROR, -32005, "transport_protocol_error"),
    ],
)
def test_a_binding_error_is_a_json_rpc_error_with_its_name(code, number, name):
    error = json.loads(answer(code.refused("why")).payload)["error"]

    assert error == {"code": number, "message": "why", "data": {"a2a_error": name}}


def test_a_generic_error_keeps_the_code_of_json_rpc_and_no_name():
    error = json.loads(answer(ErrorCode.METHOD_NOT_FOUND.refused("why")).payload)["error"]

    assert error == {"code": -32601, "message": "why"}


def test_an_error_reads_back_with_the_request_it_answers():
    reply = decode_reply(
        answer(ErrorCode.REQUEST_EXPIRED.refused("late"), request_id="a-1"), PartialOutputs()
    )

    assert reply == Refused("a-1", -32003, "request_expired", "late")


def test_a_repeated_message_reads_as_the_same_value():
    message, outputs = answer(FINISHED), PartialOutputs()

    assert decode_reply(message, outputs) == decode_reply(message, outputs) == FINISHED
    assert isinstance(FINISHED, Report)
