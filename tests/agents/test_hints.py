"""Hints that reach a session change nothing there, and are heeded where an offer would be."""

import pytest

from agents.actions import FetchAhead
from protocol.messages import Drain, Prefetch
from tests.support.agents import RUN, new_session, offer, request, told

REFERENCE = {"$artifact": {"sha256": "ab"}}


def hint(*, epoch=1, skill="count", run=RUN):
    return request(Prefetch(run, epoch, skill, (REFERENCE,)))


def test_a_hint_is_followed_and_repeats_change_nothing():
    session = new_session()
    session.order(request(offer("a", epoch=2)), 0.0)
    for _ in range(3):
        assert session.order(hint(epoch=2), 1.0) == [FetchAhead(RUN, (REFERENCE,))]
    session.check()
    assert told(session.order(request(offer("b", epoch=2)), 2.0)) == ["start b"]


def test_a_hint_of_an_epoch_that_lost_the_run_is_not_followed():
    session = new_session()
    session.order(request(offer("a", epoch=2)), 0.0)
    assert session.order(hint(epoch=1), 1.0) == []


def test_a_forged_epoch_in_a_hint_shuts_nobody_out():
    session = new_session()
    session.order(request(offer("a", epoch=2)), 0.0)
    session.order(hint(epoch=99), 1.0)
    assert told(session.order(request(offer("b", epoch=2)), 2.0)) == ["start b"]


@pytest.mark.parametrize("why", ["skill", "policy", "draining"])
def test_what_no_offer_would_get_no_hint_gets(why):
    session = new_session(permits=lambda _to, skill: why != "policy" or skill != "count")
    if why == "draining":
        session.order(request(Drain(on=True)), 0.0)
    assert session.order(hint(skill="nothing" if why == "skill" else "count"), 1.0) == []
