"""How late attempts are that are late."""

import random
from math import exp

import pytest

from orchestrator.core.estimates import LATE
from orchestrator.core.lateness import MEMORY, PRIOR_LEFT, Lateness


def test_at_first_an_attempt_is_doubted_at_twice_its_estimate():
    assert Lateness().doubt_s(10.0, 0.2) == 20.0
    assert Lateness().left_s(10.0, 20.0) == PRIOR_LEFT * 10.0


def test_what_is_so_short_that_a_hedge_saves_nothing_is_doubted_later():
    assert Lateness().doubt_s(0.01, 0.2) == pytest.approx(0.2 / LATE)
    assert Lateness().left_s(0.01, 0.2 / LATE) == pytest.approx(0.2)


def test_quantile_rises_until_one_in_ten_is_beyond():
    seen, chance = Lateness(), random.Random("quantile")
    for _ in range(2000):
        seen.ended(5.0 * chance.expovariate(1.0))
    assert exp(seen.quantile) == pytest.approx(5.0 * 2.303, rel=0.6)
    assert seen.doubt_s(1.0, 0.0) == exp(seen.quantile)


def test_what_is_left_is_learned_from_the_ends_seen():
    seen = Lateness()
    for _ in range(40):
        seen.ended(2.5)
    assert seen.left_s(1.0, 2.0) == pytest.approx((40 * 0.5 + 2.0 * PRIOR_LEFT) / 42.0)


def test_a_duration_that_was_cut_makes_no_mean_smaller():
    seen = Lateness()
    for _ in range(10):
        seen.stopped(2.1)
    assert seen.left_s(1.0, 2.0) > PRIOR_LEFT
    assert seen.quantile > Lateness().quantile


def test_a_duration_that_was_cut_early_says_nothing():
    seen = Lateness()
    seen.stopped(1.0)
    assert seen == Lateness()


def test_old_ends_count_less():
    seen = Lateness()
    for _ in range(1000):
        seen.ended(3.0)
    assert seen.ends <= MEMORY
    for _ in range(200):
        seen.ended(12.0)
    assert seen.left_s(1.0, 2.0) > 8.0
