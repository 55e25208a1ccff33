"""Attempts with needs, by way of the session: who loads, who waits, and what ends the wait."""

import pytest

from agents.actions import AttemptRow, CancelSkill
from agents.archive import RunRow
from agents.attempt import ANNOUNCE_AFTER_S
from agents.session import Session
from agents.warm.pool import Pool
from protocol.messages import Cancel, Phase, Query, Renew
from protocol.types import (
    Cancelled,
    Failed,
    FailureKind,
    PinScope,
    Rejected,
)
from tests.support.agents import RUN, A, B, new_session, offer, once, pin, told
from tests.support.warming import MODEL, give, load, run, said, warm


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


def test_load_waits_until_its_memory_is_free(session):
    warm(session)
    give(session, offer("b", pins=(pin("b", amount=6.0),), token=2), 20.0)

    assert told(session.warming.evicted(MODEL, 21.0)) == ["load b"]


def test_attempt_that_is_cancelled_before_its_memory_is_free_loads_nothing(session):
    warm(session)
    give(session, offer("b", pins=(pin("b", amount=6.0),), token=2), 20.0)
    give(session, Cancel(B, RUN, 1), 20.5)

    assert session.warming.evicted(MODEL, 21.0) == []


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
