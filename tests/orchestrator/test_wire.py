"""What a device's answers mean to the engine, by the request that they answer."""

import pytest

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.wire import event_of, offer_of, order_of, pin_of, request_id
from protocol import messages as m
from protocol.codec import PartialOutputs, decode_order, decode_reply, encode_order, encode_reply
from protocol.topics import Address
from protocol.types import (
    AttemptId,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Load,
    PinScope,
    Resource,
    RunId,
    Succeeded,
    WarmResource,
)

A = AttemptId("5f-a1")
D = DeviceId("d")
R = RunId("r")
OFFER = m.Offer(A, R, "t", 1, 1, 1, 20.0, "work", {}, Effect.PURE)
ORDERS = [OFFER, m.Cancel(A, R, 1), m.Query(A), m.Answer(A, R, 1, "yes")]
LATER = ORDERS[1:]
WARM = (WarmResource("model", "llama", 4.0, load_s=12.5), WarmResource("kv", "chat", 1.0, R))
NOT_FOUND, NOT_CANCELABLE, INTERNAL = -32001, -32002, -32603


def answered(order, code, name="", epoch=None):
    """What follows when a device answers an order with an error, over the wire and back."""
    sent = encode_order(
        order,
        to=Address("o", "u", "d"),
        reply_to="to/us",
        correlation=b"1",
        request_id=request_id(order),
    )
    request = decode_order(sent)
    refused = m.Refused(A, code, name, "no", epoch)
    reply = encode_reply(
        refused, to=request.reply_to, correlation=b"1", request_id=request.request_id
    )
    return event_of(decode_reply(reply, PartialOutputs()), D)


def test_only_an_error_to_the_offer_ends_its_attempt():
    ended = e.AttemptFinished(D, A, Failed(FailureKind.SKILL_ERROR, "no"), None)
    assert answered(OFFER, INTERNAL) == ended
    assert [answered(order, INTERNAL) for order in LATER] == [None] * 3


@pytest.mark.parametrize("order", LATER)
def test_a_later_order_about_what_is_not_there_says_that_it_is_missing(order):
    assert answered(order, NOT_FOUND) == e.AttemptMissing(D, A)


def test_a_cancel_that_came_too_late_says_that_it_is_over():
    assert answered(m.Cancel(A, R, 1), NOT_CANCELABLE) == e.AttemptUnstoppable(D, A)


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_of_a_coordinator_that_lost_the_run_names_the_epoch_that_has_it(order):
    assert answered(order, -32010, "stale_epoch", epoch=7) == e.Superseded(D, A, 7)
    assert answered(order, -32010, "stale_epoch") is None, "of a release that names none"


def test_orders_that_concern_several_attempts_have_ids_of_their_own():
    assert request_id(m.Refuse({A: R}, {R: 1})) is None


def test_a_question_about_an_attempt_is_a_query():
    assert order_of(c.QueryAttempt(D, A)) == m.Query(A)


def test_a_result_names_its_run():
    report = m.Report(A, m.Phase.FINISHED, R, outcome=Succeeded(1))
    assert event_of(report, D) == e.AttemptFinished(D, A, Succeeded(1), None, R)


@pytest.mark.parametrize(("run", "scope"), [(R, PinScope.RUN), (None, PinScope.SHARED)])
def test_a_pin_is_granted_for_the_resource_by_the_run_that_speaks_for_it(run, scope):
    pin = c.Pin(Resource("kv", "chat", run), 2.0, R, 3, 7, 5.0, 9.0)
    grant = pin_of(pin)
    assert grant == m.PinGrant("kv", "chat", 2.0, scope, R, 7, 5.0, 9.0)
    assert grant.resource == pin.resource


def test_an_offer_names_what_its_attempt_needs_warm_in_order():
    pins = tuple(
        c.Pin(Resource("kv", key, R), 2.0, R, 1, token, 5.0, 9.0)
        for token, key in enumerate(["b", "a"])
    )
    offer = c.Offer(D, A, R, "t", 1, 1, 1, 20.0, "work", {}, Effect.PURE, 60.0, pins=pins)
    assert [pin.key for pin in offer_of(offer).pins] == ["b", "a"]


def test_a_finished_report_says_what_of_its_needs_is_warm():
    report = m.Report(A, m.Phase.FINISHED, R, outcome=Succeeded(1), warm=WARM)
    assert event_of(report, D) == e.AttemptFinished(D, A, Succeeded(1), None, R, warm=WARM)


def test_the_answer_to_a_hello_says_all_that_is_warm():
    held = m.Held(D, "i", {A: m.Phase.STARTED}, Load(warm=WARM))
    assert event_of(held, D) == e.Reconciled(D, "i", {A: True}, warm=WARM)
