import math

import pytest

from agents import archive
from agents.actions import AttemptRow, CancelSkill, RunRow, Say, StartSkill
from agents.attempt import ANNOUNCE_AFTER_S, PROGRESS_EVERY_S
from agents.ledger import MemoryLedger
from agents.session import HEARTBEAT_S
from protocol.codec import Form
from protocol.messages import (
    Answer,
    Cancel,
    Drain,
    Hello,
    Phase,
    Query,
    Refuse,
    Renew,
)
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceCard,
    DeviceId,
    Effect,
    Failed,
    FailureKind,
    Rejected,
    SkillInfo,
    Succeeded,
    Unknown,
)
from tests.support.agents import (
    CARD,
    COORDINATOR,
    RUN,
    A,
    new_session,
    offer,
    once,
    request,
    told,
)

B = AttemptId("b")
OTHER = "$a2a/v1/reply/muster/default/successor/laptop"
LOST = Failed(FailureKind.LEASE_LOST, "lapsed")

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


def finals(actions):
    return [each.reply.outcome for each in actions if isinstance(each, Say)]


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


def test_slot_of_a_cancelled_skill_is_free_only_when_it_has_stopped():
    card = DeviceCard(DeviceId("laptop"), skills=CARD.skills, slots=1)
    session = new_session(card)
    session.order(request(offer()), 0)
    session.order(request(Cancel(A, RUN, 1)), 1)
    assert told(session.order(request(offer("b", token=2)), 2))[-1] == "say b Rejected"
    session.finished(A, Failed(FailureKind.SKILL_ERROR, ""), 3)
    assert told(session.order(request(offer("c", token=3)), 4)) == ["start c"]


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


def test_plain_client_cannot_cancel_an_attempt_of_a_coordinator():
    session = new_session()
    session.order(request(offer()), 0)
    assert told(session.order(request(Cancel(A, "", 0)), 1)) == ["say refused stale_epoch"]


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


def test_results_and_live_attempts_go_to_whoever_said_hello_last():
    session = new_session()
    session.order(request(offer()), 0)
    session.order(request(offer("b", token=2)), 0)
    session.finished(A, Succeeded(1), 1)
    successor = request(Hello("successor", {RUN: 2}), to=OTHER)
    actions = session.order(successor, 2)
    assert told(actions) == [
        "row run epoch 2", "row b started", "say held a:finished b:started", "say a Succeeded"
    ]  # fmt: skip
    assert all(each.to is successor for each in actions if isinstance(each, Say))
    assert session.finished(B, Succeeded(2), 3)[-1].to is successor


def test_result_of_a_run_that_its_coordinator_ended_is_said_at_its_hello():
    session = new_session()
    session.order(request(offer()), 0)
    session.finished(A, Succeeded(1), 1)
    other = request(Hello("other", {}), to="$a2a/v1/reply/muster/default/other/laptop")
    assert told(session.order(other, 2)) == ["say held "]
    again = told(session.order(request(Hello("c", {})), 3))
    assert again == ["say held a:finished", "say a Succeeded"]


def test_result_that_is_not_acknowledged_asks_for_a_hello_now_and_then():
    session = new_session()
    session.order(request(offer()), 0)
    session.finished(A, Succeeded(1), 0)
    session.connected(0)
    beats = [action for n in range(1, 14) for action in session.tick(n * HEARTBEAT_S)]
    asking = [n for n, beat in enumerate(beats, 1) if beat.heartbeat.connected]
    assert asking == [5, 10]
    session.order(request(Renew({}, (), 1.0, (A,))), 27)
    assert not session.tick(60)[0].heartbeat.connected


def test_hello_names_the_held_attempts_of_its_runs_only():
    session = new_session()
    session.order(request(offer()), 0)
    session.order(request(offer("b", run="other")), 0)
    assert told(session.order(request(Hello("c", {"other": 1})), 1))[-1] == "say held b:started"


def test_acknowledged_result_is_forgotten_but_starts_nothing_again():
    session = new_session()
    session.order(request(offer()), 0)
    session.finished(A, Succeeded(1), 1)
    assert told(session.order(request(offer("b", token=2, acks=(A, A))), 2)) == [
        "start b", "forget a"
    ]  # fmt: skip
    assert "start a" not in told(session.order(request(offer()), 3))
    session.check()


def test_result_that_was_lost_is_repeated_on_renewal_to_the_last_known_address():
    session = new_session()
    first = request(offer())
    session.order(first, 0)
    session.finished(A, Succeeded(1), 1)
    (again,) = session.order(request(Renew({RUN: 1}, (A,), 9), to=OTHER), 2)
    assert again.to is first
    assert again.reply.outcome == Succeeded(1)


def test_crash_leaves_unknown_for_once_and_device_lost_for_the_rest():
    rows = [
        RunRow(RUN, 3, home=COORDINATOR),
        AttemptRow(A, RUN, 3, 1, Effect.ONCE),
        AttemptRow(B, RUN, 3, 2, Effect.PURE),
        AttemptRow(AttemptId("c"), RUN, 3, 3, Effect.PURE, Succeeded(1), 1.0),
    ]
    session = new_session(rows=rows)
    session.check()
    held, *reports = session.order(request(Hello("c", {RUN: 3})), 0)
    assert set(held.reply.attempts.values()) == {Phase.FINISHED}
    first, second, third = finals(reports)
    assert isinstance(first, Unknown)
    assert second.kind is FailureKind.DEVICE_LOST
    assert third == Succeeded(1)


def test_epochs_floors_and_tombstones_survive_a_restart():
    tombstone = AttemptRow(A, RUN, 3, 9, Effect.PURE, Rejected("no"), closed=True)
    session = new_session(rows=[RunRow(RUN, 3, (3, 5)), tombstone])
    assert finals(session.order(request(offer(epoch=3, token=9)), 0)) == [Rejected("no")]
    assert told(session.order(request(offer("b", epoch=2)), 0)) == ["say refused stale_epoch"]
    late = finals(session.order(request(offer("b", epoch=3, token=5)), 0))
    assert late[0].reason.startswith("too late")
    assert told(session.order(request(offer("c", epoch=3, token=6)), 0)) == ["start c"]


def test_plain_client_is_answered_from_memory_and_never_fills_it_up(monkeypatch):
    monkeypatch.setattr(archive, "CLOSED_KEPT", 2)
    session = new_session()
    for number in range(4):
        foreign = offer(f"f{number}", run=f"context-{number}", epoch=0, token=0)
        session.order(request(foreign), 0)
        session.finished(foreign.attempt, Succeeded(number), 1)
    assert finals(session.order(request(Query(AttemptId("f3"))), 2)) == [Succeeded(3)]
    assert told(session.order(request(Query(AttemptId("f0"))), 2)) == ["say refused not found"]
    session.check()


def test_forgotten_attempt_can_never_start_again(monkeypatch):
    monkeypatch.setattr(archive, "CLOSED_KEPT", 1)
    session = new_session()
    for number in (1, 2, 3):
        session.order(request(offer(f"a{number}", token=number)), 0)
        session.finished(AttemptId(f"a{number}"), Succeeded(), 0)
        session.order(request(Hello("c", {}, (AttemptId(f"a{number}"),))), 0)
    assert told(session.order(request(offer("a1", token=1)), 1))[-1] == "say a1 Rejected"
    session.check()


def test_forgotten_tombstone_leaves_the_ledger(monkeypatch):
    monkeypatch.setattr(archive, "CLOSED_KEPT", 1)
    session = new_session()
    session.order(request(offer(skill="nope", token=4)), 0)
    actions = session.order(request(offer("b", skill="nope", token=5)), 0)
    assert told(actions) == ["row b Failed", "forget a", "say b Failed"]
    assert actions[1].run == RunRow(RUN, 1, (1, 4), COORDINATOR)


def test_too_many_unacknowledged_results_stop_new_work(monkeypatch):
    monkeypatch.setattr(archive, "RESULTS_KEPT", 1)
    session = new_session()
    session.order(request(offer()), 0)
    session.finished(A, Succeeded(), 0)
    (outcome,) = finals(session.order(request(offer("b", token=2)), 0))
    assert "acknowledgement" in outcome.reason


def test_idle_run_used_longest_ago_is_forgotten(monkeypatch):
    monkeypatch.setattr(archive, "RUNS_KEPT", 2)
    session = new_session()
    session.order(request(offer(run="held")), 0)
    session.order(request(Hello("c", {"old": 1})), 0)
    assert "forget old" in told(session.order(request(Hello("c", {"new": 1})), 0))
    session.order(request(offer("b", run="new")), 0)
    assert "forget" not in " ".join(told(session.order(request(Hello("c", {"more": 1})), 0)))
    session.check()


def test_tombstone_of_a_forgotten_run_is_forgotten_alone(monkeypatch):
    monkeypatch.setattr(archive, "RUNS_KEPT", 1)
    monkeypatch.setattr(archive, "CLOSED_KEPT", 1)
    session = new_session()
    session.order(request(offer(skill="nope")), 0)
    actions = session.order(request(offer("b", run="next", skill="nope")), 0)
    assert told(actions)[-2:] == ["forget a", "say b Failed"]
    assert actions[-2].run is None


def test_heartbeat_names_live_attempts_every_two_seconds_while_connected():
    session = new_session()
    assert session.next_deadline() == math.inf
    (first,) = session.connected(10)
    assert first.heartbeat.connected
    session.order(request(offer()), 10)
    session.tick(11)
    assert session.next_deadline() == 10 + HEARTBEAT_S
    (beat,) = session.tick(12)
    assert (beat.heartbeat.attempts, beat.heartbeat.load.slots_used) == ((A,), 1)
    assert not beat.heartbeat.connected
    session.disconnected()
    assert session.tick(99) == []


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


def test_unknown_skill_on_the_card_is_a_contract_with_the_card():
    session = new_session(DeviceCard(DeviceId("x"), skills=(SkillInfo("other"),)))
    assert told(session.order(request(offer()), 0))[-1] == "say a Failed"


def test_check_names_what_is_broken():
    session = hold("live")
    session._live[A].armed = math.inf
    session._archive.runs[RUN].held = 0
    with pytest.raises(AssertionError, match="could be forgotten; a deadline would pass unseen"):
        session.check()


def test_acknowledged_attempt_cannot_start_again_after_a_restart():
    session, ledger = new_session(), MemoryLedger()
    actions = session.order(request(once(token=4)), 0)
    actions += session.finished(A, Succeeded(), 1)
    actions += session.order(request(Hello("c", {}, (A,))), 2)
    changes = [each for each in actions if not isinstance(each, Say | StartSkill)]
    ledger.write(changes, lambda _: None)
    again = new_session(rows=ledger.rows())
    assert told(again.order(request(once(token=4)), 3)) == ["row a Rejected", "say a Rejected"]
