"""What runs are drawn, and what is known of their gaps."""

import random

import pytest

from benchmarks.pinning.workloads import WORKLOADS, Wait, draw, evened


def test_the_same_seed_draws_the_same_runs():
    workload = WORKLOADS["swe"]
    assert draw(workload, 3, 5) == draw(workload, 3, 9)[:5]
    assert draw(workload, 3, 5) != draw(workload, 4, 5)


def test_shares_of_waits_are_whole():
    for workload in WORKLOADS.values():
        assert sum(wait.share for wait in workload.waits) == pytest.approx(1.0)


def test_what_is_known_of_a_gap_is_what_is_drawn():
    wait = Wait(1.0, "ask", "phone", 3.0, 0.8)
    chance = random.Random(0)
    gaps_s = [wait.gap_s(chance.gauss(0.0, 1.0)) for _ in range(20_000)]
    for lease_s in (1.0, 4.0, 20.0):
        over = sum(gap_s <= lease_s for gap_s in gaps_s) / len(gaps_s)
        held_s = sum(min(gap_s, lease_s) for gap_s in gaps_s) / len(gaps_s)
        assert wait.returned(lease_s) == pytest.approx(over, abs=0.01)
        assert wait.held_s(lease_s) == pytest.approx(held_s, rel=0.02)
    assert wait.returned(0.0) == wait.held_s(0.0) == 0.0


def test_evened_gaps_keep_their_order_and_take_the_quantiles():
    runs = draw(WORKLOADS["bfcl"], 0, 40)
    even = evened(runs)
    for wait in WORKLOADS["bfcl"].waits:
        before, after = (
            [turn.gap_s for run in each for turn in run.turns[:-1] if turn.wait == wait]
            for each in (runs, even)
        )
        ranks = sorted(range(len(before)), key=before.__getitem__)
        assert ranks == sorted(range(len(after)), key=after.__getitem__)
        shares = [wait.returned(gap_s) * len(after) for gap_s in sorted(after)]
        assert shares == pytest.approx([rank + 0.5 for rank in range(len(after))])
    assert [run.arrival for run in even] == [run.arrival for run in runs]
    assert [run.turns[-1] for run in even] == [run.turns[-1] for run in runs]
