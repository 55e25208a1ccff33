"""An attempt in a session, from its offer to its end: rows, slots, leases, limits, questions."""

import math

import pytest

from agents.actions import CancelSkill
from agents.attempt import ANNOUNCE_AFTER_S, PROGRESS_EVERY_S
from protocol.codec import Form
from protocol.messages import (
    Answer,
    Cancel,
    Phase,
    Renew,
)
from protocol.types import (
    Cancelled,
    DeviceCard,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Succeeded,
    Unknown,
)
from tests.support.agents import (
    CARD,
    OTHER,
    RUN,
    A,
    B,
    finals,
    new_session,
    offer,
    once,
    request,
    told,
)

LOST = Failed(FailureKind.LEASE_LOST, "lapsed")


def test_fast_pure_attempt_costs_one_row_and_one_report():
    session = new_session()
    assert told(session.order(request(offer()), 0)) == ["row run epoch 1", "start a"]
    assert told(session.finished(A, Succeeded("x"), 0.004)) == [
        "row a Succeeded",
        "say a Succeeded",
    ]
    assert session.tick(1) == []
    assert session.next_deadline() == math.inf


def test_slow_attempt_is_announced_once_after_its_row():
    session = new_session()
    session.order(request(offer()), 0)
    assert session.next_deadline() == ANNOUNCE_AFTER_S
    assert told(session.tick(ANNOUNCE_AFTER_S)) == ["row a started", "say a started"]
    assert session.tick(100) == []


def test_once_attempt_is_recorded_before_it_starts():
    actions = new_session().order(request(once()), 0)
    assert told(actions) == ["row run epoch 1", "row a started", "start a"]


@pytest.mark.parametrize(
    ("order", "effect"),
    [
        (offer(effect=Effect.ONCE), Effect.ONCE),
        (offer(skill="print", effect=Effect.PURE), Effect.ONCE),
        (offer(effect=Effect.IDEMPOTENT), Effect.IDEMPOTENT),
        (offer(), Effect.PURE),
    ],
)
def test_stricter_effect_of_offer_and_skill_counts(order, effect):
    session = new_session()
    session.order(request(order), 0)
    assert session.finished(A, Succeeded(), 1)[0].effect is effect


def test_slot_of_a_cancelled_skill_is_free_only_when_it_has_stopped():
    card = DeviceCard(DeviceId("laptop"), skills=CARD.skills, slots=1)
    session = new_session(card)
    session.order(request(offer()), 0)
    session.order(request(Cancel(A, RUN, 1)), 1)
    assert told(session.order(request(offer("b", token=2)), 2))[-1] == "say b Rejected"
    session.finished(A, Failed(FailureKind.SKILL_ERROR, ""), 3)
    assert told(session.order(request(offer("c", token=3)), 4)) == ["start c"]


def test_lapsed_once_attempt_loses_its_lease_and_is_cancelled():
    session = new_session()
    session.order(request(once(ttl_s=10)), 0)
    session.tick(1)
    assert session.next_deadline() == 10
    assert session.lease_live(A, 9.999)
    assert not session.lease_live(A, 10)
    assert told(session.tick(10)) == ["cancel a"]
    assert session.tick(11) == []
    session.check()
    assert isinstance(*finals(session.finished(A, LOST, 11)), Unknown)


def test_skill_that_stops_at_the_guard_before_the_tick_has_an_unknown_outcome():
    session = new_session()
    session.order(request(once()), 0)
    assert isinstance(*finals(session.finished(A, LOST, 10)), Unknown)


def test_lapsed_pure_attempt_runs_to_its_end_and_keeps_its_result():
    session = new_session()
    session.order(request(offer(ttl_s=1)), 0)
    session.tick(1)
    assert session.tick(50) == []
    assert finals(session.finished(A, Succeeded(7), 60)) == [Succeeded(7)]


def test_renewed_lease_counts_from_the_renewal():
    session = new_session()
    session.order(request(once(ttl_s=10)), 0)
    session.order(request(Renew({RUN: 1}, (A,), 10)), 8)
    assert told(session.tick(10)) == ["say a started"]
    assert session.lease_live(A, 17.9)
    assert told(session.tick(18)) == ["cancel a"]


def test_renewal_may_shorten_but_not_revive_a_lease():
    session = new_session()
    session.order(request(once(ttl_s=10)), 0)
    session.tick(1)
    session.order(request(Renew({RUN: 1}, (A,), 2)), 1)
    assert session.next_deadline() == 3
    session.order(request(Renew({RUN: 1}, (A,), 10)), 3)
    assert not session.lease_live(A, 3)
    session.order(request(Renew({}, (A,), 10)), 2)
    assert told(session.tick(3)) == ["cancel a"]


def test_attempt_is_stopped_at_its_limit():
    session = new_session()
    session.order(request(offer(limit_s=3)), 0)
    session.tick(1)
    assert told(session.tick(3)) == ["cancel a"]
    (outcome,) = finals(session.finished(A, Failed(FailureKind.SKILL_ERROR, "x"), 4))
    assert outcome == Failed(FailureKind.TIMEOUT, "it was stopped at its limit of 3 s")


def test_cancelled_attempt_answers_both_the_offer_and_the_cancel():
    session = new_session()
    session.order(request(offer()), 0)
    cancel = request(Cancel(A, RUN, 1), to=OTHER)
    session.order(cancel, 1)
    _, first, second = session.finished(A, Failed(FailureKind.SKILL_ERROR, "x"), 2)
    assert isinstance(first.reply.outcome, Cancelled)
    assert second.to is cancel
    assert first.reply == second.reply


def test_success_in_spite_of_a_cancel_is_a_success():
    session = new_session()
    session.order(request(offer()), 0)
    session.order(request(Cancel(A, RUN, 1)), 1)
    assert finals(session.finished(A, Succeeded(1), 2)) == [Succeeded(1), Succeeded(1)]


def test_progress_is_said_at_most_every_half_second_and_the_newest_wins():
    session = new_session()
    session.order(request(offer()), 0)
    session.progress(A, 0.1, "reading", 0.001)
    (_, first) = session.tick(ANNOUNCE_AFTER_S)
    assert (first.reply.progress, first.reply.note) == (0.1, "reading")
    for share in range(20, 40):
        session.progress(A, share / 100, "writing", 0.1)
    assert session.next_deadline() == ANNOUNCE_AFTER_S + PROGRESS_EVERY_S
    assert session.tick(0.2) == []
    (second,) = session.tick(0.6)
    assert second.reply.progress == 0.39
    session.check()


def test_client_that_does_not_stream_hears_the_end_alone():
    session = new_session()
    session.order(request(offer(), form=Form.MESSAGE), 0)
    session.progress(A, 0.5, "", 1)
    assert session.tick(2) == []
    assert told(session.finished(A, Succeeded(), 3)) == ["row a Succeeded", "say a Succeeded"]


def test_question_goes_to_the_caller_and_the_answer_resumes_the_skill():
    session = new_session()
    session.order(request(offer()), 0)
    row, question = session.asked(A, "which?")
    assert told([row, question]) == ["row a started", "say a input_required"]
    assert question.reply.note == "which?"
    session.order(request(Answer(A, RUN, 1, "b"), to=OTHER), 50)
    (said,) = session.tick(51)
    assert (said.reply.phase, said.to.reply_to) == (Phase.STARTED, OTHER)


def test_stopping_agent_cancels_what_is_live_and_says_what_is_known():
    session = new_session()
    session.order(request(offer()), 0)
    session.order(request(once("b", token=2)), 0)
    assert session.stop(1) == [CancelSkill(A), CancelSkill(B)]
    failure = Failed(FailureKind.SKILL_ERROR, "")
    (lost,) = finals(session.finished(A, failure, 1))
    assert lost.kind is FailureKind.DEVICE_LOST
    assert isinstance(*finals(session.finished(B, failure, 1)), Unknown)
    assert told(session.order(request(offer("c", token=3)), 1))[-1] == "say c Rejected"
