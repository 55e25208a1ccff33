"""How long the session keeps warm what nobody needs any more: leases, room for others, death."""

from math import inf

import pytest

from agents.actions import Beat, EvictResource
from agents.session import HEARTBEAT_S, Session
from agents.warm.pool import Pool
from protocol.messages import Drain, Hello, Renew
from protocol.types import (
    Failed,
    FailureKind,
    PinScope,
    Rejected,
    RunId,
    Succeeded,
)
from tests.support.agents import OTHER as SUCCESSOR
from tests.support.agents import RUN, A, B, new_session, offer, pin, told
from tests.support.warming import MODEL, give, load, run, said, warm


@pytest.mark.parametrize(("now", "taken"), [(9.9, False), (10.0, True)])
def test_unused_resource_is_given_up_for_another_once_its_protection_is_over(session, now, taken):
    warm(session)
    actions = told(give(session, offer("b", pins=(pin("b", amount=6.0),), token=2), now))

    assert actions[-1] == ("evict a" if taken else "say b Rejected")


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


def test_what_belongs_to_another_run_gets_no_lease_from_this_offer(session):
    warm(session, run=RunId("other"), scope=PinScope.SHARED)

    assert session.warming.pool.warm() == ()
