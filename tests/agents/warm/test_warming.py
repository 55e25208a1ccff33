"""Attempts with needs, by way of the session."""

from math import inf

import pytest

from agents.actions import AttemptRow, Beat, CancelSkill, EvictResource, LoadResource, Say
from agents.archive import RunRow
from agents.attempt import ANNOUNCE_AFTER_S
from agents.session import HEARTBEAT_S, Session
from agents.warm import warming
from agents.warm.pool import Pool
from protocol.bounds import MAX_WARM
from protocol.messages import Cancel, Drain, Hello, Phase, Query, Renew
from protocol.types import (
    AttemptId,
    Cancelled,
    Failed,
    FailureKind,
    PinScope,
    Rejected,
    RunId,
    Succeeded,
    WarmResource,
)
from tests.support.agents import RUN, A, new_session, offer, once, pin, request, told

B = AttemptId("b")
SUCCESSOR = "$a2a/v1/reply/muster/default/successor/laptop"
MODEL = pin().resource


@pytest.fixture
def session():
    return new_session(kind=Session, pool=Pool({"model": 8.0}))


def give(session, order, now=0.0, **options):
    actions = session.order(request(order, **options), now)
    session.check()
    return actions


def load(session, now, resource=MODEL, amount=None):
    actions = session.warming.loaded(resource, amount, now)
    session.check()
    return actions


def run(session, order, start, end, **options):
    """Let an attempt, whose needs are warm, come to its end."""
    give(session, order, start, **options)
    assert session.begins(order.attempt, start) is None
    return session.finished(order.attempt, Succeeded(), end)


def warm(session, now=0.0, **changes):
    """Have the model loaded by attempt `a`, which ends at `now`."""
    give(session, offer(pins=(pin(**changes),)))
    load(session, 0.0)
    session.begins(A, 0.0)
    return session.finished(A, Succeeded(), now)


def said(actions):
    return [action.reply for action in actions if isinstance(action, Say)]


def test_skill_starts_when_all_that_it_needs_is_loaded(session):
    two = offer(pins=(pin("a"), pin("b", run=RUN, scope=PinScope.RUN)))

    assert told(give(session, two))[1:] == ["load a", "load b"]
    assert load(session, 3.0) == []
    assert told(load(session, 4.0, two.pins[1].resource)) == ["start a"]


def test_loading_is_said_and_is_no_start(session):
    give(session, once(pins=(pin(),)))
    due = session.next_deadline()
    row, say = session.tick(due)

    assert due == ANNOUNCE_AFTER_S
    assert (say.reply.phase, say.reply.note) == (Phase.ACCEPTED, "loading model a")
    assert row.outcome == Rejected("the agent restarted before it started")


@pytest.mark.parametrize("order", [offer, once])
def test_ledger_says_of_the_start_what_it_said_of_the_wait(session, order):
    give(session, order(pins=(pin(),)))
    give(session, Query(A))

    assert told(load(session, 1.0)) == ["row a started", "start a"]


def test_agent_that_crashed_while_it_loaded_says_that_the_attempt_never_started(session):
    ledger = [
        each
        for order in (once(pins=(pin(),)), Query(A))
        for each in give(session, order)
        if isinstance(each, AttemptRow | RunRow)
    ]
    reborn = new_session(kind=Session, rows=ledger, pool=Pool({"model": 8.0}))
    told_again = said(give(reborn, once(pins=(pin(),)), 50.0))

    assert told_again[0].outcome == Rejected("the agent restarted before it started")


def test_second_attempt_waits_for_the_same_load(session):
    first, second = offer(pins=(pin(),)), offer("b", pins=(pin(token=2),), token=2)

    assert "load a" in told(give(session, first))
    assert told(give(session, second)) == []
    assert told(load(session, 2.0)) == ["start a", "start b"]


def test_report_says_what_is_warm_and_who_loaded_it_how_long(session):
    give(session, offer(pins=(pin(),)))
    give(session, offer("b", pins=(pin(token=2),), token=2), 1.0)
    load(session, 3.0, amount=5.0)
    session.begins(A, 3.0)
    session.begins(B, 3.0)
    (first,) = said(session.finished(A, Succeeded(), 7.0))
    (second,) = said(session.finished(B, Succeeded(), 8.0))

    assert first.warm == (WarmResource("model", "a", 5.0, None, load_s=3.0),)
    assert second.warm == (WarmResource("model", "a", 5.0, None, load_s=None),)
    assert first.run_s == 4.0


def test_report_says_nothing_of_what_went_with_its_end(session):
    actions = warm(session, now=2.0, release_s=0.0)

    assert said(actions)[0].warm == ()
    assert told(actions)[-1] == "evict a"


def test_repeated_report_says_what_is_warm_then(session):
    warm(session)
    again = [said(give(session, Query(A), now))[0].warm for now in (1.0, 2.0)]
    session.tick(100.0)

    assert [len(each) for each in again] == [1, 1]
    assert said(give(session, Query(A), 101.0))[0].warm == ()


def test_report_from_the_ledger_says_nothing_warm():
    rows = [RunRow(RUN, 1), AttemptRow(A, RUN, 1, 1, offer().effect, Succeeded())]
    reborn = new_session(kind=Session, rows=rows, pool=Pool({"model": 8.0}))

    assert said(give(reborn, Query(A)))[0].warm == ()


def test_needs_of_old_attempts_are_forgotten(session, monkeypatch):
    monkeypatch.setattr(warming, "TOLD_KEPT", 1)
    warm(session)
    run(session, offer("b", pins=(pin(token=2),), token=2), 1.0, 2.0)

    assert said(give(session, Query(A), 3.0))[0].warm == ()
    assert said(give(session, Query(B), 3.0))[0].warm != ()


@pytest.mark.parametrize(
    ("need", "reason"),
    [
        (pin(kind="gpu"), "no adapter for resources of kind 'gpu' here, only model"),
        (
            pin("b", amount=5.0),
            "no memory for model b: 5 is needed, there is room for 4 of 8",
        ),
    ],
)
def test_offer_is_refused_that_cannot_have_what_it_needs(session, need, reason):
    warm(session)
    (report,) = said(give(session, offer("b", pins=(need,), token=2), 1.0))

    assert report.outcome == Rejected(reason)


def test_device_without_adapters_refuses_every_need():
    (report,) = said(give(new_session(kind=Session), offer(pins=(pin(),))))

    assert report.outcome == Rejected("no adapter for resources of kind 'model' here, only none")


@pytest.mark.parametrize(("now", "taken"), [(9.9, False), (10.0, True)])
def test_unused_resource_is_given_up_for_another_once_its_protection_is_over(session, now, taken):
    warm(session)
    actions = told(give(session, offer("b", pins=(pin("b", amount=6.0),), token=2), now))

    assert actions[-1] == ("evict a" if taken else "say b Rejected")


def test_load_waits_until_its_memory_is_free(session):
    warm(session)
    give(session, offer("b", pins=(pin("b", amount=6.0),), token=2), 20.0)

    assert told(session.warming.evicted(MODEL, 21.0)) == ["load b"]


def test_attempt_that_is_cancelled_before_its_memory_is_free_loads_nothing(session):
    warm(session)
    give(session, offer("b", pins=(pin("b", amount=6.0),), token=2), 20.0)
    give(session, Cancel(B, RUN, 1), 20.5)

    assert session.warming.evicted(MODEL, 21.0) == []


def test_what_was_used_longest_ago_is_given_up_first(session):
    needs = [pin(key, amount=2.0, protected_s=0.0) for key in "abcd"]
    for number, need in enumerate(needs):
        order = offer(f"t{number}", pins=(need,), token=number + 1)
        give(session, order)
        load(session, 0.0, need.resource)
        session.begins(order.attempt, 0.0)
        session.finished(order.attempt, Succeeded(), float(number))
    run(session, offer("again", pins=(pin("a", token=9, protected_s=0.0),), token=9), 5.0, 6.0)
    actions = give(session, offer("new", pins=(pin("new"),), token=10), 7.0)

    assert [a.resource.key for a in actions if isinstance(a, EvictResource)] == ["b", "c"]


def test_one_need_is_not_given_up_for_another(session):
    warm(session, protected_s=0.0)
    both = offer("b", pins=(pin(token=2), pin("b", amount=6.0)), token=2)
    (report,) = said(give(session, both, 1.0))

    assert report.outcome == Rejected(
        "no memory for model b: 6 is needed, there is room for 4 of 8"
    )


def test_what_is_in_use_is_never_given_up(session):
    give(session, offer(pins=(pin(protected_s=0.0, release_s=0.0),)))
    load(session, 0.0)
    session.begins(A, 0.0)

    actions = give(session, offer("b", pins=(pin("b", amount=8.0),), token=2), 1000.0)
    assert isinstance(said(actions)[0].outcome, Rejected)


def test_release_ends_at_once_what_nobody_uses(session):
    warm(session)
    actions = give(session, Renew({RUN: 1}, (), 9, pins=(pin(token=2, release_s=0.0),)), 1.0)

    assert told(actions) == ["evict a"]


def test_release_waits_for_the_end_of_the_use(session):
    give(session, offer(pins=(pin(),)))
    load(session, 0.0)
    session.begins(A, 0.0)
    order = Renew({RUN: 1}, (), 9, pins=(pin(token=2, release_s=0.0),))

    assert give(session, order, 1.0) == []
    assert told(session.finished(A, Succeeded(), 2.0))[-1] == "evict a"


def test_grant_counts_from_its_arrival(session):
    warm(session)
    give(session, Renew({RUN: 1}, (), 9, pins=(pin(token=2, release_s=7.0),)), 50.0)

    assert session.next_deadline() == 57.0
    assert told(session.tick(57.0)) == ["evict a"]


@pytest.mark.parametrize(
    "order",
    [
        Renew({RUN: 1}, (), 9, pins=(pin(token=1, release_s=0.0),)),
        Renew({RUN: 0}, (), 9, pins=(pin(token=2, release_s=0.0),)),
        Renew({}, (), 9, pins=(pin(token=2, release_s=0.0),)),
        Renew({RUN: 1}, (), 9, pins=(pin("other", token=2, release_s=0.0),)),
    ],
    ids=["old token", "lower epoch", "no epoch", "not warm"],
)
def test_stale_or_idle_grant_changes_nothing(session, order):
    warm(session)

    assert give(session, order, 1.0) == []


def test_lower_epoch_is_refused_after_a_takeover(session):
    warm(session)
    give(session, Hello("successor", {RUN: 2}), 1.0, to=SUCCESSOR)

    late = Renew({RUN: 1}, (), 9, pins=(pin(token=2, release_s=0.0),))
    assert give(session, late, 2.0) == []


def test_leases_of_two_coordinators_are_apart(session):
    other = RunId("other")
    warm(session, release_s=20.0)
    theirs = Renew({other: 1}, (), 9, pins=(pin(run=other, token=1, release_s=50.0),))
    give(session, theirs, 1.0, to=SUCCESSOR)
    give(session, Renew({RUN: 1}, (), 9, pins=(pin(token=2, release_s=0.0),)), 2.0)

    assert session.tick(50.9) == []
    assert told(session.tick(51.0)) == ["evict a"]


def test_lease_ends_by_the_clock_alone(session):
    warm(session, now=5.0)

    assert session.next_deadline() == 105.0
    assert told(session.tick(105.0)) == ["evict a"]
    assert session.next_deadline() == inf


@pytest.mark.parametrize(
    ("order", "failure", "outcome"),
    [
        (
            offer,
            FailureKind.TRANSIENT,
            Failed(FailureKind.TRANSIENT, "loading model a: busy", 3.0),
        ),
        (offer, FailureKind.SKILL_ERROR, Failed(FailureKind.SKILL_ERROR, "loading model a: busy")),
        (once, FailureKind.TRANSIENT, Rejected("loading model a: busy")),
        (once, FailureKind.SKILL_ERROR, Failed(FailureKind.SKILL_ERROR, "loading model a: busy")),
    ],
)
def test_failed_load_ends_who_waited(session, order, failure, outcome):
    give(session, order(pins=(pin(),)))
    retry_after_s = 3.0 if failure is FailureKind.TRANSIENT else None
    actions = session.warming.failed(MODEL, Failed(failure, "busy", retry_after_s), 1.0)
    (report,) = said(actions)

    assert (report.outcome, report.run_s) == (outcome, None)
    assert session.warming.pool.used() == {}


def test_failed_load_ends_nobody_else(session):
    run(session, offer(), 0.0, 0.1)
    give(session, offer("b", pins=(pin("a"), pin("b")), token=2))
    load(session, 1.0)
    session.warming.failed(pin("b").resource, Failed(FailureKind.TRANSIENT, "busy"), 2.0)

    assert [each.key for each in session.warming.pool.warm()] == ["a"]
    assert session.next_deadline() == 102.0


@pytest.mark.parametrize(
    ("grows_to", "kind"), [(7.0, FailureKind.TRANSIENT), (9.0, FailureKind.SKILL_ERROR)]
)
def test_load_that_turns_out_not_to_fit_is_let_go(session, grows_to, kind):
    warm(session)
    give(session, offer("b", pins=(pin("b"),), token=2), 1.0)
    actions = load(session, 2.0, pin("b").resource, amount=grows_to)

    assert told(actions)[0] == "evict b"
    assert said(actions)[0].outcome.kind is kind


def test_load_that_turns_out_larger_takes_the_room_of_what_is_unprotected(session):
    warm(session, protected_s=0.0)
    session.connected(0.5)
    give(session, offer("b", pins=(pin("b"),), token=2), 1.0)
    actions = load(session, 2.0, pin("b").resource, amount=7.0)

    assert told(actions) == ["evict a", "start b"]
    assert session.next_deadline() <= 2.0


def test_what_died_is_let_go_and_said_at_once(session):
    session.connected(0.0)
    warm(session)
    actions = session.warming.died(MODEL, "killed", 1.0)
    (beat,) = [each for each in session.tick(1.0) if isinstance(each, Beat)]

    assert told(actions) == ["evict a"]
    assert beat.heartbeat.load.warm == ()
    assert session.next_deadline() == 1.0 + HEARTBEAT_S


def test_what_died_ends_who_waited_for_more_and_leaves_who_runs(session):
    run_on = offer(pins=(pin(),))
    give(session, run_on)
    load(session, 0.0)
    session.begins(A, 0.0)
    give(session, offer("b", pins=(pin(token=2), pin("b")), token=2), 1.0)
    actions = session.warming.died(MODEL, "killed", 2.0)

    assert said(actions)[0].attempt == B
    assert said(actions)[0].outcome == Failed(
        FailureKind.TRANSIENT, "loading model a: it died: killed"
    )
    assert said(session.finished(A, Succeeded(), 3.0))[0].warm == ()


def test_what_died_is_loaded_anew_once_it_has_left(session):
    give(session, offer(pins=(pin(),)))
    load(session, 0.0)
    session.begins(A, 0.0)
    session.warming.died(MODEL, "killed", 1.0)

    assert told(give(session, offer("b", pins=(pin(token=2),), token=2), 2.0)) == []
    assert told(session.warming.evicted(MODEL, 3.0)) == ["load a"]
    session.finished(A, Succeeded(), 4.0)
    session.check()


def test_news_is_nobodys_while_the_device_is_disconnected(session):
    warm(session)
    session.warming.died(MODEL, "killed", 1.0)

    assert session.tick(1.0) == []
    assert session.next_deadline() == inf


def test_release_that_was_ordered_makes_no_heartbeat(session):
    session.connected(0.0)
    warm(session, release_s=1.0)

    assert told(session.tick(1.0)) == ["evict a"]


def test_owner_ends_what_lies_unused_too_long_and_says_so():
    session = new_session(kind=Session, pool=Pool({"model": 8.0}, {"model": 1.5}))
    session.connected(0.0)
    warm(session)

    assert told(session.tick(1.5)) == ["evict a", "beat"]


def test_heartbeat_and_held_name_what_is_warm_and_taken(session):
    warm(session)
    give(session, offer("b", pins=(pin("b", amount=3.0),), token=2), 1.0)
    heartbeat = session.connected(1.0)[0].heartbeat
    (held,) = said(give(session, Hello("c", {RUN: 1})))[:1]

    assert heartbeat.load.warm == held.load.warm == (WarmResource("model", "a", 4.0),)
    assert heartbeat.load.used == held.load.used == {"model": 7.0}


def test_message_names_no_more_than_fits():
    session = new_session(kind=Session, pool=Pool({"model": 8.0}))
    for number in range(MAX_WARM + 2):
        need = pin(f"k{number}", amount=0.0)
        give(session, offer(f"t{number}", pins=(need,), token=number + 1))
        load(session, 0.0, need.resource)
        session.begins(AttemptId(f"t{number}"), 0.0)
        session.finished(AttemptId(f"t{number}"), Succeeded(), 0.0)
    named = [each.key for each in session.connected(1.0)[0].heartbeat.load.warm]

    assert named == [f"k{number}" for number in reversed(range(2, MAX_WARM + 2))]


def test_cancel_ends_at_once_who_waits_and_the_load_is_kept_for_its_lease(session):
    give(session, offer(pins=(pin(),)))
    actions = give(session, Cancel(A, RUN, 1), 1.0)

    assert said(actions)[0].outcome == Cancelled("it was told to stop")
    assert not [each for each in actions if isinstance(each, CancelSkill)]
    assert load(session, 2.0) == []
    assert session.next_deadline() == 101.0


def test_load_that_nobody_wants_any_more_is_stopped(session):
    give(session, offer(pins=(pin(release_s=0.0),)))

    assert told(give(session, Cancel(A, RUN, 1), 1.0))[-1] == "evict a"
    assert load(session, 1.0) == []
    assert session.warming.failed(MODEL, Failed(FailureKind.TRANSIENT, "late"), 1.0) == []
    assert session.warming.died(MODEL, "late", 1.0) == []
    assert [session.warming.evicted(MODEL, now) for now in (2.0, 3.0)] == [[], []]


@pytest.mark.parametrize("order", [offer, once])
def test_limit_bounds_loading_and_running_together(session, order):
    give(session, order(pins=(pin(),), limit_s=5.0))
    load(session, 3.0)
    session.begins(A, 3.0)

    assert session.tick(4.9)[-1:] != [CancelSkill(A)]
    assert session.tick(5.0)[-1:] == [CancelSkill(A)]


def test_limit_ends_who_still_waits(session):
    give(session, offer(pins=(pin(),), limit_s=5.0))
    (report,) = said(session.tick(5.0))

    assert report.outcome == Failed(
        FailureKind.TIMEOUT, "loading model a: it was stopped at its limit of 5 s"
    )


@pytest.mark.parametrize("order", [offer, once])
def test_attempt_whose_lease_lapses_while_it_waits_never_starts(session, order):
    give(session, order(pins=(pin(),), ttl_s=4.0))
    session.tick(1.0)
    assert session.next_deadline() == 4.0
    (report,) = said(session.tick(4.0))

    assert report.outcome == Rejected(
        "its lease lapsed while it waited (loading model a): it never started"
    )


def test_lease_of_who_waits_is_renewed(session):
    give(session, once(pins=(pin(),), ttl_s=4.0))
    give(session, Renew({RUN: 1}, (A,), 10.0), 3.0)
    session.tick(4.0)

    assert told(load(session, 12.0)) == ["row a started", "start a"]


def test_drain_lets_go_what_nobody_uses_and_later_the_rest(session):
    warm(session)
    give(session, offer("b", pins=(pin("b"),), token=2))
    load(session, 1.0, pin("b").resource)
    session.begins(B, 1.0)

    assert told(give(session, Drain(on=True), 2.0)) == ["evict a", "beat b"]
    give(session, Renew({RUN: 1}, (), 9, pins=(pin("b", token=9),)), 3.0)
    assert told(session.finished(B, Succeeded(), 4.0))[-1] == "evict b"


def test_leases_are_taken_again_after_the_drain(session):
    give(session, Drain(on=True), 1.0)
    give(session, Drain(on=False), 2.0)
    warm(session, now=3.0)

    assert session.warming.pool.due_at == 103.0


def test_stop_lets_everything_go(session):
    warm(session)
    give(session, offer("b", pins=(pin("b"),), token=2))
    actions = session.stop(1.0)

    assert [a.resource.key for a in actions if isinstance(a, EvictResource)] == ["a", "b"]
    assert said(actions)[0].outcome == Rejected("the agent was stopped before it started")


def test_same_need_twice_is_one_need(session):
    actions = give(session, offer(pins=(pin(), pin())))

    assert len([each for each in actions if isinstance(each, LoadResource)]) == 1
    assert said(warm_end(session))[0].warm == (WarmResource("model", "a", 4.0, None, 1.0),)


def warm_end(session):
    load(session, 1.0)
    session.begins(A, 1.0)
    return session.finished(A, Succeeded(), 2.0)


def test_what_belongs_to_another_run_gets_no_lease_from_this_offer(session):
    warm(session, run=RunId("other"), scope=PinScope.SHARED)

    assert session.warming.pool.warm() == ()
