"""The lease and the index against definitions written out, and what censoring must not do."""

import random
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.retention.gaps import ENOUGH, Gaps

COMMON = settings(deadline=None, derandomize=True, max_examples=60)
gap = st.one_of(st.floats(0.0, 100.0), st.sampled_from([0.0, 1.0, 2.0, 2.0, 50.0]))
seen = st.tuples(gap, st.sampled_from([False] * 5 + [True]))
samples = st.lists(seen, min_size=ENOUGH, max_size=3 * ENOUGH).map(tuple)
reuses = st.sampled_from([1.0, 0.8, 0.3])


def filled(drawn, **options):
    gaps = Gaps(**options)
    for gap_s, cut in drawn:
        gaps.add(gap_s, cut=cut)
    return gaps


@cache
def survival(drawn, time_s):
    """Return the product-limit estimate of a gap longer than `time_s`, written out."""
    alive = 1.0
    for ended in sorted({gap_s for gap_s, cut in drawn if not cut and gap_s <= time_s}):
        deaths = sum(1 for gap_s, cut in drawn if gap_s == ended and not cut)
        at_risk = 1 + sum(1 for gap_s, _ in drawn if gap_s >= ended)
        alive *= 1.0 - deaths / at_risk
    return alive


def utility(drawn, lease_s, reload_s, reuse):
    """Return expected saving less expected held seconds, integrated step by step."""
    steps = sorted({0.0, lease_s, *(gap_s for gap_s, _ in drawn if gap_s < lease_s)})
    held = sum((1.0 - reuse * (1.0 - survival(drawn, a))) * (b - a) for a, b in pairwise(steps))
    return reload_s * reuse * (1.0 - survival(drawn, lease_s)) - held


@COMMON
@given(samples, st.floats(0.1, 200.0), reuses)
def test_no_other_lease_has_more_utility(drawn, reload_s, reuse):
    lease_s = filled(drawn, window=len(drawn)).lease_s(reload_s, reuse)

    best = max(utility(drawn, gap_s, reload_s, reuse) for gap_s in [0.0, *(g for g, _ in drawn)])
    kept = 0.0 if lease_s == 0.0 else utility(drawn, lease_s, reload_s, reuse)
    assert max(kept, utility(drawn, lease_s, reload_s, reuse)) == pytest.approx(
        max(best, 0.0), abs=1e-6
    )


@COMMON
@given(samples, st.floats(0.1, 60.0))
def test_keeping_pays_by_the_index_until_the_lease_ends_and_not_after(drawn, reload_s):
    gaps = filled(drawn, window=len(drawn))
    lease_s = gaps.lease_s(reload_s)
    if 1.0 < lease_s < max(g for g, cut in drawn if not cut or g == lease_s):
        assert reload_s * gaps.index(lease_s) <= 1.0 + 1e-9
    if lease_s > 1.0:
        assert reload_s * gaps.index(0.0) >= 0.99


@pytest.mark.parametrize(("reuse", "lease_s"), [(1.0, 7.0), (0.5, 3.5), (0.0, 0.0)])
def test_without_history_the_lease_is_ski_rental(reuse, lease_s):
    assert filled([(1.0, False)] * (ENOUGH - 1)).lease_s(7.0, reuse) == lease_s


def test_what_costs_nothing_to_load_is_not_kept():
    assert filled([(1.0, False)] * ENOUGH).lease_s(0.0) == 0.0


def test_a_cut_gap_is_not_taken_for_a_return():
    chance = random.Random(0)
    cut, ended = Gaps(400), Gaps(400)
    for _ in range(400):
        gap_s = chance.expovariate(1 / 10)
        cut.add(min(gap_s, 5.0), cut=gap_s > 5.0)
        ended.add(min(gap_s, 5.0))
    assert cut.lease_s(8.0) < 1.0  # a return every 10 s does not pay for 8 s
    assert ended.lease_s(8.0) == 5.0  # which it would, if all of them returned at 5 s


def test_the_window_follows_drift():
    gaps = Gaps(window=30)
    for _ in range(30):
        gaps.add(100.0)
    assert gaps.lease_s(50.0) == 0.0
    for _ in range(30):
        gaps.add(1.0)
    assert gaps.lease_s(50.0) == 1.0
    assert len(gaps) == 30


def test_beyond_all_data_the_chance_falls_with_the_age():
    gaps = filled([(1.0, False)] * ENOUGH)
    assert gaps.index(10.0) == 0.1
    assert gaps.index(20.0, 0.5) == 0.025
    assert Gaps().index(0.0) == 4.0


def test_asking_twice_is_answered_alike_until_a_gap_is_added():
    gaps = filled([(2.0, False)] * ENOUGH)
    assert gaps.lease_s(50.0) == gaps.lease_s(50.0) == 2.0
    for _ in range(ENOUGH):
        gaps.add(1.0)
    assert gaps.lease_s(1.0) == 0.0
