import pytest

from orchestrator.planner.memory.aging import HALF_LIFE_S, faded
from orchestrator.planner.memory.experience import Try
from orchestrator.planner.memory.rates import (
    HOPE,
    MOST_COUNTS,
    PRIOR_WEIGHT,
    counted,
    success,
    totals,
)
from protocol.types import FailureKind

GOOD, BAD = Try("t", "look", "nas"), Try("t", "look", "nas", FailureKind.TIMEOUT, "late")


def test_the_prior_speaks_where_nothing_is_known():
    assert success((), "look", "nas", 0.0) == (HOPE, 0.0)


def test_tries_move_the_rate_from_the_prior_to_what_was_seen():
    counts = counted((), [GOOD, BAD, BAD, BAD], 0.0)
    rate, weight = success(counts, "look", "nas", 0.0)
    assert weight == 4.0
    assert rate == pytest.approx((1 + HOPE * PRIOR_WEIGHT) / (4 + PRIOR_WEIGHT))
    assert success(counts, "look", "pi", 0.0) == (HOPE, 0.0)


def test_what_is_old_counts_less():
    counts = counted((), [BAD, BAD], 0.0)
    assert success(counts, "look", "nas", HALF_LIFE_S)[1] == pytest.approx(1.0)
    counts = counted(counts, [GOOD], HALF_LIFE_S)
    assert totals(counts, HALF_LIFE_S) == {("look", "nas"): (1.0, pytest.approx(2.0))}


def test_a_clock_that_goes_back_makes_nothing_count_more():
    assert faded(2.0, 100.0, 50.0) == 2.0


def test_bad_input_is_no_fault_of_the_device():
    assert counted((), [Try("t", "look", "nas", FailureKind.BAD_INPUT, "x")], 0.0) == ()


def test_beyond_the_bound_those_go_that_count_least():
    old = counted((), [Try("t", "look", f"d{n:04}") for n in range(MOST_COUNTS)], 0.0)
    new = counted(old, [GOOD], HALF_LIFE_S)
    assert len(new) == MOST_COUNTS
    assert ("look", "nas") in totals(new, 0.0)
