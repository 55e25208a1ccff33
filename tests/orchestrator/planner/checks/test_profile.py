import math

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.planner.checks.profile import Profile

TIMES = st.integers(0, 12)
REQUESTS = st.lists(st.tuples(TIMES, st.integers(0, 4), st.integers(1, 3)), max_size=8)


@given(st.integers(0, 3), REQUESTS)
def test_the_first_place_that_fits_is_taken_and_never_too_much(capacity, requests):
    profile, used = Profile(capacity), [0] * 100
    for start, seconds, amount in requests:
        begin = profile.earliest(start, seconds, amount)
        fitting = [
            t
            for t in range(start, 60)
            if all(u + amount <= capacity for u in used[t : t + seconds])
        ]
        assert begin == (fitting[0] if fitting else math.inf)
        if fitting:
            profile.take(begin, begin + seconds, amount)
            for t in range(begin, begin + seconds):
                used[t] += amount


def test_the_time_before_anything_is_free_is_passed_over():
    profile = Profile(2)
    assert profile.free_from == -math.inf
    profile.take(-math.inf, 5, 2)
    assert profile.free_from == 5
    profile.take(5, 6, 1)
    assert profile.free_from == 5
    profile.take(5, 6, 1)
    assert (profile.free_from, profile.earliest(0, 1, 1)) == (6, 6)


def test_what_is_taken_for_ever_is_never_free():
    profile = Profile(1)
    profile.take(3, math.inf, 1)
    assert profile.earliest(0, 3, 1) == 0
    assert profile.earliest(0, 4, 1) == math.inf
