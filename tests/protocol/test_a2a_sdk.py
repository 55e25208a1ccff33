"""The types of a2a-sdk are the judge: what we write, protobuf reads in full and writes back."""

import json

import pytest
from a2a.types import a2a_pb2
from google.protobuf import json_format

from protocol.codec import (
    Form,
    PartialOutputs,
    decode_card,
    decode_order,
    decode_reply,
    encode_card,
    encode_order,
    encode_plain_offer,
    encode_reply,
)
from protocol.topics import discovery
from protocol.transport import Message
from protocol.types import Succeeded
from tests.protocol.examples import CARD, LAPTOP, OFFER, ORDERS, REPLY_TO, REPORTS

REQUESTS = {
    "SendStreamingMessage": a2a_pb2.SendMessageRequest,
    "SendMessage": a2a_pb2.SendMessageRequest,
    "GetTask": a2a_pb2.GetTaskRequest,
    "CancelTask": a2a_pb2.CancelTaskRequest,
}
RESULTS = {
    Form.STREAM: a2a_pb2.StreamResponse,
    Form.MESSAGE: a2a_pb2.SendMessageResponse,
    Form.TASK: a2a_pb2.Task,
}


def through(kind, body):
    """Parse with no unknown field allowed, and write again."""
    return json_format.MessageToDict(json_format.Parse(json.dumps(body), kind()))


def send(order):
    return encode_order(order, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c")


@pytest.mark.parametrize("order", ORDERS[:4], ids=lambda order: type(order).__name__)
def test_a_request_passes_through_protobuf_unharmed(order):
    body = json.loads(send(order).payload)

    body["params"] = through(REQUESTS[body["method"]], body["params"])

    payload = json.dumps(body).encode()
    request = decode_order(Message("t", payload, response_topic=REPLY_TO, correlation=b"c"))
    assert request.order == order


@pytest.mark.parametrize("streaming", [True, False])
def test_a_plain_offer_is_a_request_of_a2a(streaming):
    message = encode_plain_offer(
        OFFER, to=LAPTOP, reply_to=REPLY_TO, correlation=b"c", streaming=streaming
    )
    body = json.loads(message.payload)

    params = through(REQUESTS[body["method"]], body["params"])

    assert params == body["params"]
    assert body["method"] == ("SendStreamingMessage" if streaming else "SendMessage")


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("report", REPORTS, ids=repr)
def test_a_report_passes_through_protobuf_unharmed(report, form):
    message = encode_reply(report, to=REPLY_TO, correlation=b"c", request_id="q", form=form)
    body = json.loads(message.payload)

    body["result"] = through(RESULTS[form], body["result"])

    reply = decode_reply(Message("t", json.dumps(body).encode()), PartialOutputs())
    assert reply == report


def test_a_card_passes_through_protobuf_unharmed():
    body = json.loads(encode_card(CARD, address=LAPTOP).payload)

    payload = json.dumps(through(a2a_pb2.AgentCard, body)).encode()

    assert decode_card(Message(discovery(LAPTOP), payload)).card == CARD


def test_what_the_sdk_writes_is_read():
    stream = a2a_pb2.StreamResponse(
        artifact_update=a2a_pb2.TaskArtifactUpdateEvent(
            task_id="a-1",
            context_id="r-1",
            artifact=a2a_pb2.Artifact(artifact_id="x", parts=[a2a_pb2.Part(text="hello")]),
            last_chunk=True,
        )
    )
    status = a2a_pb2.StreamResponse(
        status_update=a2a_pb2.TaskStatusUpdateEvent(
            task_id="a-1",
            context_id="r-1",
            status=a2a_pb2.TaskStatus(state=a2a_pb2.TASK_STATE_COMPLETED),
        )
    )
    status.status_update.status.timestamp.GetCurrentTime()
    outputs = PartialOutputs()

    for item in (stream, status):
        body = {"jsonrpc": "2.0", "id": "q", "result": json_format.MessageToDict(item)}
        reply = decode_reply(Message("t", json.dumps(body).encode()), outputs)

    assert reply.outcome == Succeeded("hello")
