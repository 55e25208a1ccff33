"""A gap that running predecessors leave, drawn from their histories."""

import pytest

from orchestrator.core.retention.compose import DRAWS, Predecessor, composed
from orchestrator.core.retention.curve import product_limit


def history(*durations_s):
    return product_limit([(each, False) for each in sorted(durations_s)])


TEN_S = history(*[10.0] * 400)
ONE_TO_TEN_S = history(*(n / 10 for n in range(10, 110)))


def gaps_s(predecessors, **options):
    return [t for _, _, t in composed(predecessors, seed=1, purpose="p", **options).points]


def median_s(predecessors, **options):
    return gaps_s(predecessors, **options)[DRAWS // 2]


def test_the_slowest_predecessor_ends_the_gap_when_its_result_is_here():
    slow = Predecessor(TEN_S, elapsed_s=4.0, network_s=0.5)
    quick = Predecessor(TEN_S, elapsed_s=9.0)
    assert median_s([slow, quick]) == 6.5
    assert median_s([quick]) == 1.0


def test_what_is_left_depends_on_how_long_it_runs():
    fresh = median_s([Predecessor(ONE_TO_TEN_S)])
    old = median_s([Predecessor(ONE_TO_TEN_S, elapsed_s=8.0)])
    assert 4.5 < fresh < 7.0
    assert 0.5 < old < 2.5


def test_several_take_longer_than_one():
    one = Predecessor(ONE_TO_TEN_S)
    assert median_s([one] * 4) > median_s([one]) + 1.5


def test_gaps_count_from_the_last_use():
    running = Predecessor(TEN_S, elapsed_s=4.0)
    assert median_s([running], age_s=3.0) == 9.0


def test_a_lease_follows_from_the_draws():
    curve = composed([Predecessor(TEN_S, elapsed_s=4.0)], seed=1, purpose="p")
    assert curve.lease_s(7.0) == 6.0
    assert curve.lease_s(5.0) == 0.0
    assert composed([Predecessor(TEN_S)], seed=1, purpose="p", reuse=0.5).lease_s(14.0) == 0.0


def test_without_predecessors_the_gap_is_over():
    assert gaps_s([]) == [0.0] * DRAWS
    assert composed([], seed=1, purpose="p").returned(0.0) == pytest.approx(DRAWS / (DRAWS + 1))


def test_the_same_inputs_give_the_same_curve():
    one = [Predecessor(ONE_TO_TEN_S)]
    assert gaps_s(one) == gaps_s(one)
    assert gaps_s(one) != [t for _, _, t in composed(one, seed=2, purpose="p").points]
