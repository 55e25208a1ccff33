"""What a session remembers of attempts that ended, also after a restart, and when it forgets."""

from agents import archive
from agents.actions import AttemptRow, RunRow, Say, StartSkill
from agents.ledger import MemoryLedger
from agents.session import HEARTBEAT_S
from protocol.messages import (
    Hello,
    Phase,
    Query,
    Renew,
)
from protocol.types import (
    AttemptId,
    Effect,
    FailureKind,
    Rejected,
    Succeeded,
    Unknown,
)
from tests.support.agents import (
    COORDINATOR,
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
    session.order(request(Hello("c", {})), 0)
    beats = [action for n in range(1, 14) for action in session.tick(n * HEARTBEAT_S)]
    asking = [n for n, beat in enumerate(beats, 1) if beat.heartbeat.connected]
    assert asking == [5, 10]
    session.order(request(Renew({}, (), 1.0, (A,))), 27)
    assert not session.tick(60)[0].heartbeat.connected


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


def test_acknowledged_attempt_cannot_start_again_after_a_restart():
    session, ledger = new_session(), MemoryLedger()
    actions = session.order(request(once(token=4)), 0)
    actions += session.finished(A, Succeeded(), 1)
    actions += session.order(request(Hello("c", {}, (A,))), 2)
    changes = [each for each in actions if not isinstance(each, Say | StartSkill)]
    ledger.write(changes, lambda _: None)
    again = new_session(rows=ledger.rows())
    assert told(again.order(request(once(token=4)), 3)) == ["row a Rejected", "say a Rejected"]
