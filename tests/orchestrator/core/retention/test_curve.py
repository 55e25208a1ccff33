"""What curves say of gaps: renewed leases, remaining time, and several next users at once."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.retention.curve import Curve, product_limit, soonest

COMMON = settings(deadline=None, derandomize=True, max_examples=60)
times = st.lists(st.floats(0.0, 100.0), min_size=1, max_size=60)


def curve(gaps_s, reuse=1.0):
    return product_limit(sorted((gap_s, False) for gap_s in gaps_s), reuse)


@COMMON
@given(times, st.floats(0.0, 120.0), st.floats(0.1, 60.0))
def test_a_lease_at_an_age_is_the_best_that_is_left(gaps_s, age_s, reload_s):
    known = curve(gaps_s)

    def held(until_s):
        points = [age_s, *(t for _, _, t in known.points if age_s < t < until_s), until_s]
        return sum((1.0 - known.returned(a)) * (b - a) for a, b in pairwise(points))

    def gain(until_s):
        return reload_s * (known.returned(until_s) - known.returned(age_s)) - held(until_s)

    best = max([0.0, *(gain(t) for t in gaps_s if t > age_s)])
    lease_s = known.lease_s(reload_s, age_s)
    assert (gain(lease_s) if lease_s > age_s else 0.0) == pytest.approx(best, abs=1e-6)


def test_a_lease_that_is_over_is_renewed_where_a_later_rise_pays():
    known = curve([1.0] * 5 + [100.0] * 95)
    assert known.lease_s(50.0) == 1.0
    assert known.lease_s(50.0, 20.0) == 20.0  # 80 s of waiting for 47 s
    assert known.lease_s(50.0, 70.0) == 100.0


def test_a_curve_of_nothing_is_ski_rental():
    assert Curve(reuse=0.5).lease_s(8.0) == 4.0
    assert Curve(reuse=0.5).index(2.0) == 0.25
    assert Curve().remaining_s(0.0, 0.5) == 0.5
    assert Curve().remaining_s(10.0, 0.5) == 10.0


@pytest.mark.parametrize(
    ("age_s", "unit", "left_s"),
    [
        (0.0, 0.0, 1.0),
        (0.0, 0.2, 1.0),
        (0.0, 0.5, 2.0),
        (1.5, 0.0, 0.0),
        (1.5, 0.2, 0.5),
        (1.5, 0.5, 1.5),
        (3.0, 0.5, 3.0),  # beyond all data it lasts twice as long as often as not
        (6.0, 0.75, 18.0),
    ],
)
def test_what_is_left_is_a_quantile_given_the_age(age_s, unit, left_s):
    assert curve([1.0, 2.0, 3.0]).remaining_s(age_s, unit) == pytest.approx(left_s)


def test_the_first_of_several_next_users_ends_the_gap():
    one, other = curve([1.0, 3.0], 0.5), curve([2.0])
    both = soonest([one, other, Curve()])
    assert [t for _, _, t in both.points] == [1.0, 2.0, 3.0]
    for time_s in (0.5, 1.0, 2.0, 3.0):
        alive = (1.0 - one.returned(time_s)) * (1.0 - other.returned(time_s))
        assert both.returned(time_s) == pytest.approx(1.0 - alive)
    assert both.points[1][0] == pytest.approx(1.0 + (1.0 - one.returned(1.0)))
    assert both.reuse == 1.0


def test_next_users_of_whom_nothing_is_known_leave_nothing_known():
    assert soonest([Curve(reuse=0.5), Curve(reuse=0.5)]).lease_s(8.0) == 6.0
