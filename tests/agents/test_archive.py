"""Where results go, who may acknowledge them, and what a restart leaves of that."""

from dataclasses import replace

from agents import archive
from agents.actions import AttemptRow, RunRow, Say
from agents.ledger import MemoryLedger
from protocol.messages import Cancel, Hello, Query, Refused, Renew
from protocol.types import AttemptId, Effect, Incarnation, Rejected, Succeeded
from tests.support.agents import COORDINATOR, RUN, A, new_session, offer, once, request, told

OTHER = "$a2a/v1/reply/muster/default/successor/laptop"
RESULT = AttemptRow(A, RUN, 1, 1, Effect.PURE, Succeeded(1), 1.0)


def said(actions):
    return [
        (each.to.reply_to, type(each.reply.outcome)) for each in actions if isinstance(each, Say)
    ]


def test_result_of_before_a_crash_goes_home_when_the_run_is_over_for_its_coordinator():
    session = new_session(rows=[RunRow(RUN, 1, home=COORDINATOR), RESULT])
    ended = session.order(request(Hello("c", {})), 0)
    assert told(ended) == ["say held a:finished", "say a Succeeded"]
    assert told(session.order(request(Hello("c", {}, (A,))), 1))[0] == "forget a"


def test_what_was_refused_before_its_start_is_not_said_to_have_started():
    refused = replace(RESULT, outcome=Rejected("its lease lapsed"), run_s=None)
    session = new_session(rows=[RunRow(RUN, 1, home=COORDINATOR), refused])
    ended = session.order(request(Hello("c", {})), 0)
    assert told(ended) == ["say held a:accepted", "say a Rejected"]


def test_what_started_and_then_refused_is_said_to_have_started():
    refused = replace(RESULT, outcome=Rejected("not today"))
    session = new_session(rows=[RunRow(RUN, 1, home=COORDINATOR), refused])
    assert told(session.order(request(Hello("c", {})), 0))[0] == "say held a:finished"


def test_end_of_an_attempt_goes_to_the_coordinator_that_took_the_run_over():
    session = new_session()
    session.order(request(offer()), 0)
    session.order(request(Renew({RUN: 2}, (A,), 9), to=OTHER), 1)
    assert said(session.finished(A, Succeeded(1), 2)) == [(OTHER, Succeeded)]


def test_lower_or_equal_epoch_from_elsewhere_does_not_redirect_results():
    session = new_session()
    session.order(request(offer(epoch=2)), 0)
    for epoch in (1, 2):
        session.order(request(Renew({RUN: epoch}, (A,), 9), to=OTHER), 1)
        session.order(request(Hello("other", {RUN: epoch}), to=OTHER), 1)
    assert said(session.finished(A, Succeeded(1), 2)) == [(COORDINATOR, Succeeded)]


def test_only_the_home_of_a_run_acknowledges_its_results():
    session = new_session()
    session.order(request(offer()), 0)
    session.finished(A, Succeeded(1), 1)
    ack = Renew({}, (), 1.0, (A,))
    assert session.order(request(ack, to=OTHER), 2) == []
    assert told(session.order(request(ack), 2)) == ["forget a"]


def test_acknowledgement_with_a_lower_epoch_is_not_taken_even_from_the_same_address():
    session = new_session()
    session.order(request(offer(epoch=2)), 0)
    session.finished(A, Succeeded(1), 1)
    assert session.order(request(Renew({RUN: 1}, (), 1.0, (A,))), 2) == []
    assert told(session.order(request(Query(A)), 3)) == ["say a Succeeded"]


def test_refusal_of_a_lower_epoch_names_the_one_that_was_seen():
    session = new_session()
    session.order(request(offer(epoch=7)), 0)
    (refusal,) = session.order(request(Cancel(A, RUN, 3)), 1)
    assert isinstance(refusal.reply, Refused)
    assert refusal.reply.epoch == 7


def test_forgotten_attempt_does_not_start_again_when_a_later_coordinator_offers_it(monkeypatch):
    """Its floor has the newest epoch seen, in memory as in the ledger."""
    monkeypatch.setattr(archive, "CLOSED_KEPT", 1)
    session, ledger = new_session(), MemoryLedger()
    actions = session.order(request(once(token=5)), 0)
    actions += session.finished(A, Succeeded(), 1)
    actions += session.order(request(Hello("c", {RUN: 2}, (A,))), 2)
    late = request(once(token=5, epoch=2))
    session.order(request(offer("b", skill="nope", epoch=2, token=6)), 3)  # pushes it out
    assert "start a" not in told(session.order(late, 4))
    ledger.write([each for each in actions if hasattr(each, "run")], lambda _: None)
    ledger.write([each for each in actions if type(each).__name__ == "Forget"], lambda _: None)
    assert told(new_session(rows=ledger.rows()).order(late, 5)) == [
        "row a Rejected",
        "say a Rejected",
    ]


def test_offer_that_was_made_to_a_lost_ledger_is_not_taken():
    session = new_session()
    assert session.order(request(offer(incarnation=Incarnation("another"))), 0) == []
    assert "start a" in told(
        session.order(request(offer(incarnation=Incarnation("incarnation"))), 0)
    )


def test_ledger_of_the_version_before_finds_its_home_at_the_first_word():
    session = new_session(rows=[RunRow(RUN, 1), RESULT])
    actions = session.order(request(Hello("c", {RUN: 1}, (AttemptId("x"),))), 0)
    assert actions[0] == RunRow(RUN, 1, home=COORDINATOR)
    assert told(actions)[1:] == ["say held a:finished", "say a Succeeded"]
