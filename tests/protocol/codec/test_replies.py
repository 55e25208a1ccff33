"""Answers that no agent of ours wrote, and the bounds of what is kept for them."""

import json

import pytest

from protocol.codec import (
    Form,
    PartialOutputs,
    RequestError,
    decode_order,
    decode_reply,
    encode_refusal,
    encode_reply,
)
from protocol.codec.outputs import MAX_ATTEMPTS
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.messages import Phase, Refused, Report
from protocol.transport import Message
from protocol.types import Cancelled, Failed, FailureKind, Rejected, Succeeded
from tests.protocol.examples import FINISHED, REPLY_TO, REPORTS


def heard(result, outputs=None, **fields):
    body = {"jsonrpc": "2.0", "id": "a-1", "result": result, **fields}
    message = Message("t", json.dumps(body).encode())
    return decode_reply(message, outputs or PartialOutputs())


def status(state, words=None, **fields):
    said = {"message": {"role": "ROLE_AGENT", "parts": [{"text": words}]}} if words else {}
    return {"statusUpdate": {**fields, "status": {"state": f"TASK_STATE_{state}", **said}}}


def artifact(*parts, **fields):
    return {"artifactUpdate": {"taskId": "a-1", "artifact": {"parts": list(parts)}, **fields}}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("SUBMITTED", Report("a-1", Phase.ACCEPTED, note="so")),
        ("WORKING", Report("a-1", Phase.STARTED, note="so")),
        ("INPUT_REQUIRED", Report("a-1", Phase.INPUT_REQUIRED, note="so")),
        ("AUTH_REQUIRED", Report("a-1", Phase.INPUT_REQUIRED, note="so")),
        ("COMPLETED", Report("a-1", Phase.FINISHED, outcome=Succeeded(None), note="so")),
        (
            "FAILED",
            Report("a-1", Phase.FINISHED, outcome=Failed(FailureKind.SKILL_ERROR, "so")),
        ),
        ("CANCELED", Report("a-1", Phase.FINISHED, outcome=Cancelled("so"))),
        ("REJECTED", Report("a-1", Phase.FINISHED, outcome=Rejected("so"))),
    ],
)
def test_every_state_of_a_foreign_agent_is_a_report(state, expected):
    assert heard(status(state, "so")) == expected


def test_a_state_that_a2a_does_not_know_is_refused():
    with pytest.raises(RemoteProtocolError, match="TASK_STATE_SUBMITTED"):
        heard(status("DREAMING"))


@pytest.mark.parametrize(
    ("parts", "output"),
    [
        ([{"text": "hello"}], "hello"),
        ([{"data": {"n": 1}}], {"n": 1}),
        ([{"text": "hel"}, {"text": "lo"}], "hello"),
        ([{"text": "a"}, {"data": 1}], ["a", 1]),
        ([{"url": "http://x", "mediaType": "a/b"}], {"url": "http://x", "mediaType": "a/b"}),
    ],
)
def test_the_output_of_a_task_is_what_its_parts_say(parts, output):
    task = {"id": "a-1", "status": {"state": "TASK_STATE_COMPLETED"}}

    report = heard({"task": {**task, "artifacts": [{"parts": parts}]}})

    assert report.outcome == Succeeded(output)


def test_a_message_in_place_of_a_task_is_the_whole_answer():
    report = heard(
        {"message": {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "hi"}]}}
    )

    assert report == Report("a-1", Phase.FINISHED, outcome=Succeeded("hi"))


def test_output_streamed_ahead_is_kept_until_the_task_completes():
    outputs = PartialOutputs()

    reports = [
        heard(artifact({"text": "hel"}, contextId="r-1"), outputs),
        heard(artifact({"text": "lo"}, append=True), outputs),
        heard(status("COMPLETED"), outputs),
        heard(status("COMPLETED"), outputs),
    ]

    assert reports[0] == Report("a-1", Phase.STARTED, "r-1")
    assert [report.outcome for report in reports] == [
        None,
        None,
        Succeeded("hello"),
        Succeeded(None),
    ]


def test_an_artifact_sent_again_replaces_itself():
    outputs = PartialOutputs()
    for _ in range(2):
        heard(artifact({"text": "hello"}), outputs)

    assert heard(status("COMPLETED"), outputs).outcome == Succeeded("hello")


def test_streamed_output_over_the_bound_is_a_bad_output():
    outputs = PartialOutputs()
    for _ in range(4):
        heard(artifact({"text": "x" * 400_000}, append=True), outputs)

    outcome = heard(status("COMPLETED"), outputs).outcome

    assert outcome == Failed(FailureKind.BAD_OUTPUT, "the streamed output was too much to keep")


def test_streamed_output_of_all_attempts_is_bounded_and_the_oldest_is_lost():
    outputs = PartialOutputs()
    for n in range(20):
        heard(artifact({"text": "x" * 900_000}, taskId=f"a-{n}"), outputs)

    outcomes = [heard(status("COMPLETED", taskId=f"a-{n}"), outputs).outcome for n in range(20)]

    lost = [isinstance(outcome, Failed) for outcome in outcomes]
    assert lost == [True] * 2 + [False] * 18


def test_streamed_output_that_was_taken_makes_room():
    outputs = PartialOutputs()

    for _ in range(20):
        heard(artifact({"text": "x" * 900_000}), outputs)
        assert isinstance(heard(status("COMPLETED"), outputs).outcome, Succeeded)


def test_of_too_many_attempts_with_streamed_output_the_oldest_is_forgotten():
    outputs = PartialOutputs()
    for n in range(MAX_ATTEMPTS + 1):
        heard(artifact({"text": "x"}, taskId=f"a-{n}"), outputs)

    assert heard(status("COMPLETED", taskId="a-0"), outputs).outcome == Succeeded(None)
    assert heard(status("COMPLETED", taskId="a-1"), outputs).outcome == Succeeded("x")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            {"code": -32004, "message": "busy", "data": {"a2a_error": "responder_unavailable"}},
            Refused("a-1", -32004, "responder_unavailable", "busy"),
        ),
        ({"code": -32004, "message": "no"}, Refused("a-1", -32004, "", "no")),
        ({"code": -32001, "data": ["x"]}, Refused("a-1", -32001, "", "")),
        ({"code": -32001, "data": {"a2a_error": 7}}, Refused("a-1", -32001, "", "")),
        ({"code": -32010, "data": {"epoch": 7.0}}, Refused("a-1", -32010, "", "", 7)),
        ({"code": -32010, "data": {"epoch": 2**63}}, Refused("a-1", -32010, "", "")),
    ],
)
def test_an_error_is_a_refusal_named_by_its_data(error, expected):
    assert heard(None, error=error) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"id":1,"result":{}}',
        b'{"id":1,"result":null,"error":null}',
        b'{"id":null,"result":{"status":{"state":"TASK_STATE_WORKING"}}}',
        b'{"result":{"message":{"parts":[]}}}',
    ],
)
def test_a_reply_that_says_nothing_or_names_nothing_is_refused(body):
    with pytest.raises(RemoteProtocolError, match=r"a reply with neither|does not name its task"):
        decode_reply(Message("t", body), PartialOutputs())


@pytest.mark.parametrize("report", REPORTS, ids=repr)
def test_a_report_is_one_message_of_at_most_four_per_task(report):
    message = encode_reply(report, to=REPLY_TO, correlation=b"c", request_id="q")

    assert isinstance(message, Message)
    assert (message.topic, message.correlation) == (REPLY_TO, b"c")


def test_get_task_is_answered_by_the_task_without_a_wrapper():
    message = encode_reply(FINISHED, to="t", correlation=b"c", request_id="q", form=Form.TASK)

    assert json.loads(message.payload)["result"]["id"] == "a-1"


def test_a_finished_report_without_an_outcome_is_our_error():
    with pytest.raises(LocalProtocolError, match="without an outcome"):
        encode_reply(Report("a-1", Phase.FINISHED), to="t", correlation=b"c", request_id="q")


def malformed(response_topic):
    payload = b'{"jsonrpc":"2.0","id":5,"method":"GetTask","params":{}}'
    message = Message("t", payload, response_topic=response_topic, correlation=b"c")
    with pytest.raises(RequestError) as caught:
        decode_order(message)
    return encode_refusal(caught.value, message)


def test_a_malformed_request_is_refused_where_it_says_and_by_its_id_and_correlation():
    refusal = malformed(REPLY_TO)

    assert (refusal.topic, refusal.correlation) == (REPLY_TO, b"c")
    body = json.loads(refusal.payload)
    assert (body["id"], body["error"]["code"]) == (5, -32602)


@pytest.mark.parametrize("nowhere", [None, ""])
def test_a_malformed_request_that_says_no_address_is_owed_nothing(nowhere):
    assert malformed(nowhere) is None
