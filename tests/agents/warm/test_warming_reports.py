"""What reports and heartbeats say is warm."""

from agents.actions import AttemptRow, LoadResource
from agents.archive import RunRow
from agents.session import Session
from agents.warm import warming
from agents.warm.pool import Pool
from protocol.bounds import MAX_WARM
from protocol.messages import Hello, Query
from protocol.types import (
    AttemptId,
    Succeeded,
    WarmResource,
)
from tests.support.agents import RUN, A, B, new_session, offer, pin, told
from tests.support.warming import give, load, run, said, warm


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


def test_same_need_twice_is_one_need(session):
    actions = give(session, offer(pins=(pin(), pin())))

    assert len([each for each in actions if isinstance(each, LoadResource)]) == 1
    assert said(warm_end(session))[0].warm == (WarmResource("model", "a", 4.0, None, 1.0),)


def warm_end(session):
    load(session, 1.0)
    session.begins(A, 1.0)
    return session.finished(A, Succeeded(), 2.0)
