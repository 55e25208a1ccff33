"""The ledger of one device: who waits, who goes, and what is never given up."""

from math import inf

import pytest

from orchestrator.core.errors import InvariantError
from orchestrator.core.retention.curve import Curve, product_limit
from orchestrator.core.retention.keeping import ByIndex, ByLease, Outlook
from orchestrator.core.retention.warm_set import (
    Admitted,
    Impossible,
    PinState,
    Waits,
    WarmSet,
)
from protocol.types import PinScope, Resource, RunId

A, B, C = (Resource("kv", key, RunId("r")) for key in "abc")
MODEL = Resource("model", "m")


def after(gap_s, reload_s=10.0):
    """Return the outlook of a use that surely comes then."""
    return Outlook(Curve([(gap_s, 1.0, gap_s)]), reload_s)


def idle(warm, name, outlook, *, amount=1.0, now=0.0):
    """Load a resource, use it, and end that use at `now`."""
    assert isinstance(warm.admit({name: amount}, now), Admitted)
    warm.loaded(name)
    warm.expect(name, outlook, now)
    return warm.finish((name,), now)


def room(**capacity):
    return WarmSet(capacity or {"kv": 2.0, "model": 1.0})


def test_a_resource_is_loading_then_in_use_then_protected_then_evictable():
    warm = room()
    assert warm.state(A, 0.0) is None
    assert warm.admit({A: 1.0}, 0.0) == Admitted((A,), ())
    assert warm.state(A, 0.0) is PinState.LOADING
    warm.loaded(A)
    assert warm.state(A, 1.0) is PinState.IN_USE
    warm.expect(A, after(5.0), 1.0)
    assert warm.finish((A,), 1.0) == ()
    assert warm.state(A, 5.9) is PinState.PROTECTED
    assert warm.state(A, 6.0) is PinState.EVICTABLE
    assert warm.admit({A: 1.0}, 7.0) == Admitted((), ())
    assert warm.state(A, 7.0) is PinState.IN_USE


@pytest.mark.parametrize(
    ("name", "left"), [(A, None), (MODEL, PinState.EVICTABLE)], ids=["run", "shared"]
)
def test_i14_the_last_use_ends_all_protection(name, left):
    warm = room()
    assert idle(warm, name, None) == (() if left else (name,))
    assert warm.state(name, 0.0) is left
    idle(warm, B, after(5.0))
    assert warm.expect(B, None, 1.0) == (B,)  # an edit removed its next use
    assert (A.scope, MODEL.scope) == (PinScope.RUN, PinScope.SHARED)
    warm.check(1.0)


def test_a_protected_pin_makes_a_cold_task_wait_until_it_ends():
    warm = room(kv=1.0)
    idle(warm, A, after(5.0))
    assert warm.admit({B: 1.0}, 2.0) == Waits(5.0)
    assert warm.charged == {"kv": 1.0}
    assert warm.admit({B: 1.0}, 5.0) == Admitted((B,), (A,))


def test_who_waits_for_what_is_in_use_waits_for_its_end():
    warm = room(kv=1.0)
    warm.admit({A: 1.0}, 0.0)
    assert warm.admit({B: 1.0}, 2.0) == Waits(inf)


def test_all_that_an_attempt_needs_is_charged_or_nothing():
    warm = room()
    idle(warm, MODEL, after(5.0))
    other = Resource("model", "n")
    assert warm.admit({A: 1.0, other: 1.0}, 1.0) == Waits(5.0)
    assert warm.charged == {"model": 1.0}


@pytest.mark.parametrize(
    ("keeping", "goes"), [(ByLease(), A), (ByIndex(), B)], ids=["longest ago", "least R·h"]
)
def test_what_is_worth_least_goes_first(keeping, goes):
    warm = WarmSet({"kv": 2.0}, keeping)
    soon = Outlook(Curve([(30.0, 1.0, 30.0)]), 10.0)
    late = Outlook(Curve([(90.0, 1.0, 90.0)]), 10.0)
    idle(warm, A, soon, now=0.0)
    idle(warm, B, late, now=1.0)
    assert warm.admit({C: 1.0}, 2.0) == Admitted((C,), (goes,))


def test_no_more_is_evicted_than_is_needed():
    warm = WarmSet({"kv": 3.0})
    for name, gap_s in ((A, 90.0), (B, 60.0), (C, 30.0)):
        idle(warm, name, after(gap_s, 1.0))
    newest = Resource("kv", "d", RunId("r"))
    assert warm.admit({newest: 2.0}, 1.0) == Admitted((newest,), (A, B))


def test_waiting_that_pays_again_protects_again_under_the_index_only():
    gap = product_limit([(1.0, False)] * 5 + [(100.0, False)] * 95)
    answers = []
    for keeping in (ByLease(), ByIndex()):
        warm = WarmSet({"kv": 1.0}, keeping)
        idle(warm, A, Outlook(gap, 50.0))
        assert warm.state(A, 20.0) is PinState.EVICTABLE
        answers.append(warm.admit({B: 1.0}, 70.0))
    assert answers == [Admitted((B,), (A,)), Waits(100.0)]


def test_an_edit_goes_on_with_the_age():
    warm = room()
    idle(warm, A, after(5.0))
    warm.expect(A, after(8.0), 6.0)
    assert warm.state(A, 7.9) is PinState.PROTECTED
    assert warm.state(A, 8.0) is PinState.EVICTABLE
    assert warm.expect(C, after(1.0), 6.0) == ()  # not warm here


def test_what_has_a_consumer_queued_is_not_evicted():
    warm = room(kv=1.0)
    idle(warm, A, after(5.0))
    warm.expect(A, after(5.0), 6.0, queued=1)
    assert warm.admit({B: 1.0}, 9.0) == Waits(inf)


def test_a_deadlock_takes_the_protected_first_and_the_queued_only_if_it_must():
    warm = room(kv=2.0)
    idle(warm, A, after(5.0))
    idle(warm, B, after(5.0))
    warm.expect(A, after(5.0), 1.0, queued=1)
    assert warm.admit({C: 1.0}, 1.0, deadlocked=True) == Admitted((C,), (B,))
    warm.finish((C,), 1.0)
    both = {Resource("kv", "d", RunId("r")): 2.0}
    assert warm.admit(both, 1.0, deadlocked=True) == Admitted(tuple(both), (A,))
    assert warm.admit({B: 1.0}, 1.0, deadlocked=True) == Waits(inf)  # in use


def test_a_load_that_nobody_waits_for_is_evictable():
    warm = room(kv=1.0)
    warm.admit({MODEL._replace(kind="kv"): 1.0}, 0.0)
    warm.finish((MODEL._replace(kind="kv"),), 0.5)
    assert warm.admit({B: 1.0}, 1.0) == Admitted((B,), (MODEL._replace(kind="kv"),))
    warm.loaded(MODEL._replace(kind="kv"))  # too late: nothing
    assert warm.finish((A,), 1.0) == ()


def test_two_attempts_share_a_resource_until_both_are_done():
    warm = room()
    warm.admit({MODEL: 1.0}, 0.0)
    assert warm.admit({MODEL: 1.0}, 0.1) == Admitted((), ())
    warm.finish((MODEL,), 1.0)
    assert warm.state(MODEL, 1.0) is PinState.LOADING
    warm.loaded(MODEL)
    warm.finish((MODEL,), 2.0)
    assert warm.state(MODEL, 2.0) is PinState.EVICTABLE


def test_i5_what_exceeds_the_device_is_impossible():
    warm = room()
    idle(warm, A, after(5.0), amount=1.5)
    assert warm.admit({B: 3.0}, 1.0) == Impossible("kv")
    assert warm.admit({A: 1.5, B: 1.0}, 1.0) == Impossible("kv")
    assert warm.admit({Resource("gpu", "x"): 1.0}, 1.0) == Impossible("gpu")


def test_the_hard_cap_ends_protection_and_releases():
    warm = WarmSet({"kv": 2.0}, cap_s=3.0)
    assert warm.next_release() == inf
    idle(warm, A, after(5.0))
    assert warm.next_release() == 3.0
    assert warm.state(A, 3.0) is PinState.EVICTABLE
    assert warm.expire(2.9) == ()
    assert warm.expire(3.0) == (A,)


def test_what_the_device_says_corrects_the_ledger():
    warm = room(kv=2.0)
    idle(warm, A, after(5.0))
    warm.drop(A)
    warm.drop(A)
    assert warm.state(A, 0.0) is None
    assert warm.adopt(B, 1.5, 1.0)
    assert warm.adopt(B, 1.5, 1.0)
    assert warm.state(B, 1.0) is PinState.EVICTABLE
    assert not warm.adopt(C, 1.0, 1.0)
    assert warm.charged == {"kv": 1.5}
    warm.check(1.0)


def test_a_ledger_that_is_wrong_says_so():
    warm = room()
    idle(warm, A, after(5.0))
    warm.warm[A].outlook = None
    with pytest.raises(InvariantError, match="I14"):
        warm.check(1.0)
    warm.charged["kv"] = 7.0
    with pytest.raises(InvariantError, match="I5"):
        warm.check(1.0)
