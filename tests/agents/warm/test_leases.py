from math import inf

import pytest

from agents.warm.leases import Leases, Speaker
from protocol.types import PinScope
from tests.support.agents import RUN, pin

ONE = Speaker("one", {RUN: 1})
TWO = Speaker("two", {RUN: 1})


@pytest.fixture
def leases():
    return Leases()


def test_lease_is_half_open(leases):
    leases.grant(pin(protected_s=10, release_s=30), ONE, 5)

    assert [leases.protected(now) for now in (5, 14.9, 15)] == [True, True, False]
    assert leases.over_at == 35


def test_nothing_is_kept_without_a_lease(leases):
    assert (leases.over_at, leases.protected(0)) == (-inf, False)


def test_protection_ends_with_its_lease(leases):
    leases.grant(pin(protected_s=10, release_s=3), ONE, 0)

    assert [leases.protected(now) for now in (2.9, 3)] == [True, False]


@pytest.mark.parametrize(("token", "over_at"), [(1, 100), (2, 100), (3, 7)])
def test_token_that_is_not_newer_changes_nothing(leases, token, over_at):
    leases.grant(pin(token=2, release_s=100), ONE, 0)
    leases.grant(pin(token=token, release_s=2), ONE, 5)

    assert leases.over_at == over_at


def test_each_coordinator_has_its_own_newest_lease(leases):
    leases.grant(pin(token=9, protected_s=1, release_s=20), ONE, 0)
    leases.grant(pin(token=1, protected_s=10, release_s=10), TWO, 0)

    assert leases.over_at == 20
    assert [leases.protected(now) for now in (9.9, 10)] == [True, False]


def test_coordinator_that_does_not_speak_for_the_run_is_not_heard(leases):
    leases.grant(pin(), Speaker("one", {}), 0)

    assert leases.over_at == -inf


def test_lease_that_was_over_before_a_use_does_not_begin_anew_after_it(leases):
    leases.grant(pin(token=1, release_s=5), ONE, 0)
    leases.grant(pin(token=1, release_s=50), TWO, 0)
    leases.used(5)
    leases.grant(pin(token=2, release_s=0), TWO, 6)
    leases.rest(10)

    assert leases.over_at == 10


def test_times_count_from_the_end_of_the_use(leases):
    leases.grant(pin(protected_s=5, release_s=8), ONE, 0)
    leases.used(4.9)
    leases.rest(100)

    assert (leases.protected(104.9), leases.protected(105), leases.over_at) == (True, False, 108)


@pytest.mark.parametrize(("scope", "over_at"), [(PinScope.RUN, 0), (PinScope.SHARED, 100)])
def test_later_epoch_ends_the_leases_on_what_belongs_to_its_run(leases, scope, over_at):
    leases.grant(pin(scope=scope, release_s=100), ONE, 0)
    leases.grant(pin(scope=scope, release_s=0), Speaker("two", {RUN: 2}), 0)

    assert leases.over_at == over_at
