"""What a session answers to each order, what it refuses, and what it says of itself."""

import math

import pytest

from agents.actions import StartSkill
from agents.session import HEARTBEAT_S
from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Hello,
    Query,
    Refuse,
    Renew,
)
from protocol.types import (
    DeviceCard,
    DeviceId,
    Rejected,
    SkillInfo,
    Succeeded,
)
from tests.support.agents import (
    CARD,
    RUN,
    A,
    finals,
    new_session,
    offer,
    once,
    request,
    told,
)

# How a session comes to hold attempt `a` in each place.
ACK = Hello("c", {}, (A,))
PLACES = {
    "unseen": [],
    "live": [offer()],
    "once": [once()],
    "asking": [offer(), "ask"],
    "stopping": [offer(), Cancel(A, RUN, 1)],
    "result": [offer(), "finish"],
    "tombstone": [offer(skill="nope")],
    "acked": [offer(), "finish", ACK],
}
ORDERS = {
    "offer": offer(),
    "stale": offer(epoch=0),
    "query": Query(A),
    "cancel": Cancel(A, RUN, 1),
    "answer": Answer(A, RUN, 1, "yes"),
    "renew": Renew({RUN: 1}, (A,), 9),
    "hello": Hello("c", {RUN: 1}),
    "refuse": Refuse({A: RUN}, {RUN: 1}),
}
TABLE = {
    ("unseen", "offer"): ["start a"],
    ("unseen", "stale"): ["say refused stale_epoch"],
    ("unseen", "query"): ["say refused not found"],
    ("unseen", "cancel"): ["row a Cancelled", "say a Cancelled"],
    ("unseen", "answer"): ["say refused not found"],
    ("unseen", "renew"): [],
    ("unseen", "hello"): ["say held "],
    ("unseen", "refuse"): ["row a Rejected", "say a Rejected"],
    ("live", "offer"): ["row a started", "say a started"],
    ("live", "stale"): ["say refused stale_epoch"],
    ("live", "query"): ["row a started", "say a started"],
    ("live", "cancel"): ["cancel a"],
    ("live", "answer"): ["row a started", "say a started"],
    ("live", "renew"): [],
    ("live", "hello"): ["row a started", "say held a:started"],
    ("live", "refuse"): ["row a started", "say a started"],
    ("once", "offer"): ["say a started"],
    ("once", "stale"): ["say refused stale_epoch"],
    ("once", "query"): ["say a started"],
    ("once", "cancel"): ["cancel a"],
    ("once", "answer"): ["say a started"],
    ("once", "renew"): [],
    ("once", "hello"): ["say held a:started"],
    ("once", "refuse"): ["say a started"],
    ("asking", "offer"): ["say a input_required"],
    ("asking", "stale"): ["say refused stale_epoch"],
    ("asking", "query"): ["say a input_required"],
    ("asking", "cancel"): ["cancel a"],
    ("asking", "answer"): ["resume a yes"],
    ("asking", "renew"): [],
    ("asking", "hello"): ["say held a:input_required", "say a input_required"],
    ("asking", "refuse"): ["say a input_required"],
    ("stopping", "offer"): ["row a started", "say a started"],
    ("stopping", "stale"): ["say refused stale_epoch"],
    ("stopping", "query"): ["row a started", "say a started"],
    ("stopping", "cancel"): [],
    ("stopping", "answer"): ["row a started", "say a started"],
    ("stopping", "renew"): [],
    ("stopping", "hello"): ["row a started", "say held a:started"],
    ("stopping", "refuse"): ["row a started", "say a started"],
    ("result", "offer"): ["say a Succeeded"],
    ("result", "stale"): ["say refused stale_epoch"],
    ("result", "query"): ["say a Succeeded"],
    ("result", "cancel"): ["say a Succeeded"],
    ("result", "answer"): ["say a Succeeded"],
    ("result", "renew"): ["say a Succeeded"],
    ("result", "hello"): ["say held a:finished", "say a Succeeded"],
    ("result", "refuse"): ["say a Succeeded"],
    ("tombstone", "offer"): ["say a Failed"],
    ("tombstone", "stale"): ["say refused stale_epoch"],
    ("tombstone", "query"): ["say a Failed"],
    ("tombstone", "cancel"): ["say a Failed"],
    ("tombstone", "answer"): ["say a Failed"],
    ("tombstone", "renew"): ["say a Failed"],
    ("tombstone", "hello"): ["say held "],
    ("tombstone", "refuse"): ["say a Failed"],
    ("acked", "offer"): ["say a Failed"],
    ("acked", "stale"): ["say refused stale_epoch"],
    ("acked", "query"): ["say a Failed"],
    ("acked", "cancel"): ["say a Failed"],
    ("acked", "answer"): ["say a Failed"],
    ("acked", "renew"): ["say a Failed"],
    ("acked", "hello"): ["say held "],
    ("acked", "refuse"): ["say a Failed"],
}


def hold(place):
    session = new_session()
    session.order(request(Hello("c", {RUN: 1})), 0)
    for step in PLACES[place]:
        match step:
            case "ask":
                session.asked(A, "which?")
            case "finish":
                session.finished(A, Succeeded(1), 0)
            case _:
                session.order(request(step), 0)
    return session


@pytest.mark.parametrize(("place", "order"), TABLE)
def test_each_order_in_each_place_has_one_answer(place, order):
    session = hold(place)
    assert told(session.order(request(ORDERS[order]), 0)) == TABLE[place, order]
    session.check()


def test_table_is_complete():
    assert set(TABLE) == {(place, order) for place in PLACES for order in ORDERS}


def test_attempts_beyond_the_slots_are_rejected():
    """W17: the device enforces its slots itself."""
    session = new_session()
    starts = [
        action
        for number in range(40)
        for action in session.order(request(offer(f"a{number}", token=number + 1)), 0)
        if isinstance(action, StartSkill)
    ]
    assert len(starts) == CARD.slots
    session.check()


@pytest.mark.parametrize(
    ("session", "order", "reason"),
    [
        (new_session(), offer(skill="nope"), "no skill 'nope' here, only count, print"),
        (new_session(DeviceCard(DeviceId("x"))), offer(), "no skill 'count' here, only none"),
        (new_session(permits=lambda topic, _: "ops" in topic), offer(), "policy: not 'count'"),
    ],
)
def test_unfit_offer_is_answered_with_the_reason(session, order, reason):
    (outcome,) = finals(session.order(request(order), 0))
    assert (outcome.reason if isinstance(outcome, Rejected) else outcome.detail).startswith(reason)


def test_draining_device_takes_nothing_until_told_otherwise():
    session = new_session()
    (beat,) = session.order(request(Drain(on=True)), 0)
    assert beat.heartbeat.load.draining
    assert isinstance(*finals(session.order(request(offer()), 0)), Rejected)
    session.order(request(Drain(on=False)), 0)
    assert told(session.order(request(offer("b")), 0))[-1] == "start b"


def test_device_that_cannot_record_says_that_it_drains():
    session = new_session()
    assert session.suspend(on=True, now=0)[0].heartbeat.load.draining
    (beat,) = session.suspend(on=False, now=1)
    assert beat.heartbeat.connected
    assert not beat.heartbeat.load.draining


def test_higher_epoch_is_recorded_and_the_lower_one_refused_for_that_run_only():
    session = new_session()
    session.order(request(offer()), 0)
    actions = session.order(request(offer("b", epoch=2, token=2)), 0)
    assert told(actions) == ["row run epoch 2", "start b"]
    for stale in (Cancel(A, RUN, 1), Answer(A, RUN, 1, ""), Refuse({A: RUN}, {RUN: 1})):
        assert told(session.order(request(stale), 0)) == ["say refused stale_epoch"]
    assert session.order(request(Renew({RUN: 1}, (A,), 99)), 0) == []
    assert told(session.order(request(Hello("c", {RUN: 1})), 0)) == ["say held "]
    assert "say c Rejected" in told(session.order(request(offer("c", run="other", token=1)), 0))


def test_plain_client_cannot_cancel_an_attempt_of_a_coordinator():
    session = new_session()
    session.order(request(offer()), 0)
    assert told(session.order(request(Cancel(A, "", 0)), 1)) == ["say refused stale_epoch"]


def test_hello_names_the_held_attempts_of_its_runs_only():
    session = new_session()
    session.order(request(offer()), 0)
    session.order(request(offer("b", run="other")), 0)
    assert told(session.order(request(Hello("c", {"other": 1})), 1))[-1] == "say held b:started"


def test_heartbeat_names_live_attempts_every_two_seconds_while_connected():
    session = new_session()
    assert session.next_deadline() == math.inf
    (first,) = session.connected(10)
    assert first.heartbeat.connected
    session.order(request(Hello("c", {})), 10)
    session.order(request(offer()), 10)
    session.tick(11)
    assert session.next_deadline() == 10 + HEARTBEAT_S
    (beat,) = session.tick(12)
    assert (beat.heartbeat.attempts, beat.heartbeat.load.slots_used) == ((A,), 1)
    assert not beat.heartbeat.connected
    session.disconnected()
    assert session.tick(99) == []


def test_unknown_skill_on_the_card_is_a_contract_with_the_card():
    session = new_session(DeviceCard(DeviceId("x"), skills=(SkillInfo("other"),)))
    assert told(session.order(request(offer()), 0))[-1] == "say a Failed"


def test_check_names_what_is_broken():
    session = hold("live")
    session._live[A].armed = math.inf
    session._archive.runs[RUN].held = 0
    with pytest.raises(AssertionError, match="could be forgotten; a deadline would pass unseen"):
        session.check()
