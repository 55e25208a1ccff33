"""The reference implementation `a2a-over-mqtt`, byte for byte in both directions."""

import json

import a2a_over_mqtt as peer
import pytest

from protocol import topics
from protocol.codec import (
    ErrorCode,
    Form,
    PartialOutputs,
    decode_card,
    decode_order,
    decode_reply,
    encode_card,
    encode_plain_offer,
    encode_reply,
)
from protocol.messages import Phase, Refused, Report
from protocol.topics import discovery
from protocol.transport import Message
from protocol.types import (
    Cancelled,
    DeviceCard,
    Failed,
    FailureKind,
    Rejected,
    SkillInfo,
    Succeeded,
    Unknown,
)
from tests.protocol.examples import CARD, LAPTOP, OFFER, REPLY_TO, REPORTS

SPACE = peer.TopicSpace("acme", "lab")


def test_its_topics_are_ours():
    assert topics.discovery(LAPTOP) == SPACE.discovery("laptop")
    assert topics.discovery_filter("acme", "lab") == SPACE.discovery_wildcard()
    assert topics.request(LAPTOP) == SPACE.request("laptop")
    assert topics.reply(LAPTOP, "x") == SPACE.reply("laptop", "x")
    assert topics.event(LAPTOP) == SPACE.event("laptop")


# Its client, our agent


def asked(text):
    request = peer.A2ARequest(text=text, request_id="req-1", task_id="t-1", context_id="x-1")
    payload = request.to_json().encode()
    return decode_order(Message("t", payload, response_topic=REPLY_TO, correlation=b"corr-1"))


def test_its_text_is_an_offer_that_leaves_the_skill_open():
    request = asked("Hello, agent!")

    assert (request.order.skill, request.order.args) == ("", {"text": "Hello, agent!"})
    assert (request.order.attempt, request.order.run) == ("t-1", "x-1")
    assert (request.request_id, request.form) == ("req-1", Form.MESSAGE)


def test_its_text_can_name_a_skill_as_json():
    order = asked(json.dumps({"skill": "text.count", "args": {"path": "x"}})).order

    assert (order.skill, order.args) == ("text.count", {"path": "x"})


@pytest.mark.parametrize("form", [Form.STREAM, Form.MESSAGE])
@pytest.mark.parametrize(
    ("report", "kind", "content"),
    [
        (REPORTS[0], peer.REPLY_SUBMITTED, "a-1"),
        (REPORTS[1], peer.REPLY_TEXT, "half way"),
        (REPORTS[2], peer.REPLY_INPUT_REQUIRED, "Which one?"),
        (Succeeded({"n": 1}), peer.REPLY_TERMINAL, '{"n": 1}'),
        (Succeeded("hello"), peer.REPLY_TERMINAL, "hello"),
        (Failed(FailureKind.BAD_INPUT, "no such file"), peer.REPLY_FAILED, "no such file"),
        (Unknown("who knows"), peer.REPLY_FAILED, "who knows"),
        (Rejected("draining"), peer.REPLY_FAILED, "draining"),
        (Cancelled("told to"), peer.REPLY_FAILED, "told to"),
    ],
    ids=repr,
)
def test_it_understands_every_report(report, kind, content, form):
    if not isinstance(report, Report):
        report = Report("a-1", Phase.FINISHED, "r-1", "i-1", report)

    message = encode_reply(
        report, to=REPLY_TO, correlation=b"corr-1", request_id="req-1", form=form
    )

    assert peer.classify_reply(json.loads(message.payload)) == (kind, content)


def test_it_understands_our_errors():
    refused = ErrorCode.INVALID_PARAMS.refused("no such skill")

    message = encode_reply(refused, to=REPLY_TO, correlation=b"corr-1", request_id="req-1")

    assert peer.classify_reply(json.loads(message.payload)) == (peer.REPLY_ERROR, "no such skill")


def test_it_reads_our_card():
    card = peer.parse_card(encode_card(CARD, address=LAPTOP).payload)

    assert [skill["id"] for skill in card["skills"]] == ["files.read", "shell.run"]


# Our coordinator, its agent


def test_it_takes_a_plain_offer_with_our_task_id():
    message = encode_plain_offer(OFFER, to=LAPTOP, reply_to=REPLY_TO, correlation=b"corr-1")

    taken = peer.validate_a2a_request(
        json.loads(message.payload), message.response_topic, message.correlation.decode()
    )

    assert isinstance(taken, peer.A2ARequest)
    assert (taken.task_id, taken.context_id, taken.request_id) == ("a-1", "r-1", "a-1")
    assert json.loads(taken.text) == OFFER.args


def heard(text, outputs):
    return decode_reply(Message("t", text.encode()), outputs)


def test_its_stream_is_accepted_started_and_finished_with_the_artifact_as_output():
    outputs = PartialOutputs()
    told = {"request_id": "a-1", "task_id": "a-1", "context_id": "r-1"}

    reports = [
        heard(peer.make_status_event(state="submitted", **told), outputs),
        heard(peer.make_status_event(state="working", message="thinking", **told), outputs),
        heard(peer.make_artifact_event(artifact_text="hello", **told), outputs),
        heard(peer.make_status_event(state="completed", **told), outputs),
    ]

    assert reports == [
        Report("a-1", Phase.ACCEPTED, "r-1"),
        Report("a-1", Phase.STARTED, "r-1", note="thinking"),
        Report("a-1", Phase.STARTED, "r-1"),
        Report("a-1", Phase.FINISHED, "r-1", outcome=Succeeded("hello")),
    ]


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("failed", Failed(FailureKind.SKILL_ERROR, "Internal error")),
        ("canceled", Cancelled("Internal error")),
        ("rejected", Rejected("Internal error")),
    ],
)
def test_its_other_endings_are_outcomes(state, outcome):
    event = peer.make_status_event("a-1", "a-1", state, "Internal error")

    assert heard(event, PartialOutputs()).outcome == outcome


def test_its_error_is_a_refusal_under_the_correlation():
    error = peer.ValidationError(peer.A2A_TRANSPORT_PROTOCOL_ERROR, "Empty payload")

    reply = heard(error.to_response("corr-1").to_json(), PartialOutputs())

    assert reply == Refused("corr-1", -32005, "transport_protocol_error", "Empty payload")


def test_its_card_is_a_plain_device():
    card = peer.build_card(name="Echo Agent", description="Says it back", url="mqtt://b:1883")
    status = (("a2a-status", "online"), ("a2a-status-source", "agent"))

    found = decode_card(
        Message(discovery(LAPTOP), json.dumps(card).encode(), retain=True, properties=status)
    )

    skill = SkillInfo("echo-agent", "Says it back")
    assert found.card == DeviceCard("laptop", "Echo Agent", skills=(skill,), extension=False)
    assert (found.status, found.source, found.streaming) == ("online", "agent", True)
